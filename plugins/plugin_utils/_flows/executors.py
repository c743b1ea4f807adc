# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the steps of a cluster on the right machine.

A step works in Azure or in the cluster. Azure is reached from the controller, the cluster from the controller or from
one of its nodes.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace

from ansible.plugins.action import ActionBase
from ansible.plugins.connection import ConnectionBase
from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Waiting
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleSpec
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.core import (
    ModuleExecution,
    execute_module,
    local_connection,
)
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.files import real_files
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.in_process import (
    RunContext,
    flatten_kubeconfig,
    start_in_process,
)

COLLECTION = "azureml.arc."
# Modules that connect to the cluster, or check the machine of a node. Module preflight connects depending on its option
# sides.
CLUSTER_MODULES = frozenset(
    {
        "cluster_identity",
        "endpoint_check",
        "instance_type",
        "namespace",
        "node",
        "node_preflight",
        "openshift_scc",
        "pod_readiness",
        "tls_secret",
    }
)
# Environment variables that sign in to Azure; they stay on the controller.
AZURE_PREFIXES = ("ANSIBLE_AZURE_", "ARM_", "AZURE_", "IDENTITY_", "MSI_")


def works_in_cluster(module: str, options: Mapping) -> bool:
    """Return whether a step works in the cluster, not in Azure."""
    return module in CLUSTER_MODULES or (module == "preflight" and options["sides"] == ["kubernetes"])


class InProcess:
    """Runs all modules in this process.

    :param modules: the specification of each module by its name.
    :param context: the context of modules.
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
    """Runs all modules in separate Python processes, over a connection.

    :param action: the action of the task.
    :param connection: the connection to their machine.
    :param environment: of the modules.
    :param modules: the specification of each module by its name.
    """

    has_internal_steps = False

    def __init__(
        self,
        action: ActionBase,
        connection: ConnectionBase,
        task_vars: Mapping,
        environment: Mapping[str, str],
        modules: Mapping[str, ModuleSpec],
    ) -> None:
        self._action = action
        self._connection = connection
        self._task_vars = task_vars
        self._environment = environment
        self._modules = modules

    def run(self, module: str, options: dict, check_mode: bool) -> Waiting[dict]:
        """Run a module; see C(Executor). It waits in its own process."""
        how = ModuleExecution(self._connection, self._environment, check_mode)
        spec = self._modules[module].argument_spec
        with real_files(self._action, self._connection, spec, flatten_kubeconfig(options)) as arguments:
            return execute_module(self._action, COLLECTION + module, arguments, self._task_vars, how)
        yield


class ViaNode:
    """Runs steps in the cluster on a node of it, and all other steps on the controller."""

    def __init__(self, on_controller: InProcess | OrdinaryModules, on_node: OrdinaryModules) -> None:
        self._on_controller = on_controller
        self._on_node = on_node
        self.has_internal_steps = on_controller.has_internal_steps

    def run(self, module: str, options: dict, check_mode: bool) -> Waiting[dict]:
        """Run a module; see C(Executor)."""
        place = self._on_node if works_in_cluster(module, options) else self._on_controller
        return place.run(module, options, check_mode)


def executor_of(
    action: ActionBase,
    task_vars: Mapping,
    environment: Mapping[str, str],
    modules: Mapping[str, ModuleSpec],
    context: RunContext | None,
    via_node: bool,
) -> InProcess | OrdinaryModules | ViaNode:
    """Return the executor for the host of a task.

    :param environment: of the task; variables that sign in to Azure do not leave the controller.
    :param context: the context of modules in this process, C(None) for ordinary modules.
    """
    if context:
        on_controller = InProcess(modules, context)
    else:
        this_python = {**task_vars, "ansible_python_interpreter": sys.executable}
        on_controller = OrdinaryModules(action, local_connection(action), this_python, environment, modules)
    if not via_node:
        return on_controller
    for_node = {name: value for name, value in environment.items() if not name.startswith(AZURE_PREFIXES)}
    return ViaNode(on_controller, OrdinaryModules(action, action._connection, task_vars, for_node, modules))
