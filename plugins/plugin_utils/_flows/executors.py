# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where the steps of a cluster run.

A step works in Azure or in the cluster. Azure is reached from the controller, the cluster from the controller or from
one of its nodes.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace

from ansible.plugins.action import ActionBase
from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Waiting
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleSpec
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.core import (
    ModuleExecution,
    execute_module,
    local_connection,
)
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.in_process import (
    RunContext,
    flatten_kubeconfig,
    start_in_process,
)

COLLECTION = "azureml.arc."
# Modules that connect to the cluster. Module preflight does as far as its option sides says so.
CLUSTER_MODULES = frozenset(
    {"cluster_identity", "instance_type", "namespace", "openshift_scc", "pod_readiness", "tls_secret"}
)
# Environment variables that sign in to Azure; they stay on the controller.
AZURE_PREFIXES = ("ANSIBLE_AZURE_", "ARM_", "AZURE_", "IDENTITY_", "MSI_")


def works_in_cluster(module: str, options: Mapping) -> bool:
    """Whether a step works in the cluster, not in Azure."""
    return module in CLUSTER_MODULES or (module == "preflight" and options["sides"] == ["kubernetes"])


class InProcess:
    """Runs everything in this process.

    :param modules: the specification of each module by its name.
    :param context: what modules run under.
    """

    has_internal_steps = True

    def __init__(self, modules: Mapping[str, ModuleSpec], context: RunContext) -> None:
        self._modules = modules
        self._context = context

    def run(self, module: str, options: dict, check_mode: bool) -> Waiting[dict]:
        """Run a module; see C(Executor)."""
        context = replace(self._context, check_mode=check_mode)
        return (yield from start_in_process(COLLECTION + module, self._modules[module], options, context))


class OrdinaryModules:
    """Runs everything in Python processes of their own on the controller.

    :param action: the action of the task.
    :param environment: of the task.
    """

    has_internal_steps = False

    def __init__(self, action: ActionBase, task_vars: Mapping, environment: Mapping[str, str]) -> None:
        self._action = action
        self._task_vars = {**task_vars, "ansible_python_interpreter": sys.executable}
        self._connection = local_connection(action)
        self._environment = environment

    def run(self, module: str, options: dict, check_mode: bool) -> Waiting[dict]:
        """Run a module; see C(Executor). It waits in its own process."""
        how = ModuleExecution(self._connection, self._environment, check_mode)
        return execute_module(self._action, COLLECTION + module, flatten_kubeconfig(options), self._task_vars, how)
        yield


class ViaNode:
    """Runs what works in the cluster over the connection of the task, and everything else elsewhere.

    :param on_controller: runs what works in Azure.
    :param action: the action of the task.
    :param environment: of the task; variables that sign in to Azure do not leave the controller.
    """

    def __init__(
        self,
        on_controller: InProcess | OrdinaryModules,
        action: ActionBase,
        task_vars: Mapping,
        environment: Mapping[str, str],
    ) -> None:
        self._on_controller = on_controller
        self._action = action
        self._task_vars = task_vars
        self._environment = {name: value for name, value in environment.items() if not name.startswith(AZURE_PREFIXES)}
        self.has_internal_steps = on_controller.has_internal_steps

    def run(self, module: str, options: dict, check_mode: bool) -> Waiting[dict]:
        """Run a module; see C(Executor)."""
        if not works_in_cluster(module, options):
            return (yield from self._on_controller.run(module, options, check_mode))
        how = ModuleExecution(self._action._connection, self._environment, check_mode)
        return execute_module(self._action, COLLECTION + module, flatten_kubeconfig(options), self._task_vars, how)


def executor_of(
    action: ActionBase,
    task_vars: Mapping,
    environment: Mapping[str, str],
    modules: Mapping[str, ModuleSpec],
    context: RunContext | None,
    via_node: bool,
) -> InProcess | OrdinaryModules | ViaNode:
    """What runs the steps of the host of a task.

    :param context: what modules run under in this process, C(None) for ordinary modules.
    """
    on_controller = InProcess(modules, context) if context else OrdinaryModules(action, task_vars, environment)
    return ViaNode(on_controller, action, task_vars, environment) if via_node else on_controller
