# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run modules in the controller's worker instead of a separate Python.

A new Python costs 160 to 450 ms of processor time per task; the worker, forked from a parent that has imported the
SDKs, about a tenth of that. It is used if both are equivalent: a local connection, no become, this interpreter, no
async. Otherwise modules run as usual, so that they can be delegated to a bastion or a cluster node.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib import import_module

from ansible import constants
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError
from ansible.plugins.action import ActionBase
from ansible_collections.azureml.arc.plugins.module_utils._core.connections import Connections
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError, first_line
from ansible_collections.azureml.arc.plugins.module_utils._core.files import Files
from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Waiting, wait_here
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall, ModuleSpec, start
from ansible_collections.azureml.arc.plugins.module_utils._core.secrets import (
    register,
    secret_values,
    without_secrets,
)
from ansible_collections.azureml.arc.plugins.module_utils._core.text import plain
from ansible_collections.azureml.arc.plugins.module_utils._core.values import flag_of, seconds_of
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.core import (
    connection_variables,
    environment_layers,
    wants_invocation,
)
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.files import ControllerFiles, real_files
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.progress import Progress
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.run_cache import RunCache
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.worker import (
    in_process_by_default,
    load_for_all,
    prepared_worker,
)

load_for_all()
# Created in the parent process, so that the forked workers share its secret.
CACHE = RunCache(constants.DEFAULT_LOCAL_TMP)

SWITCH_VARIABLE = "azureml_arc_in_process"
SWITCH_ENVIRONMENT = "AZUREML_ARC_IN_PROCESS"
PROGRESS_VARIABLE = "azureml_progress_interval"
PROGRESS_INTERVAL = 30  # seconds


class InProcessActionModule(ActionBase):
    """An action plugin that runs C(spec) in process if possible, otherwise the module of the same name."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = True  # by passing it to the module
    _requires_connection = False
    spec: ModuleSpec

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        if can_run_in_process(self, task_vars, self._templar):
            result.update(self._run_here(self._task.args, task_vars))
        else:
            wrap_async = bool(self._task.async_val) and not self._connection.has_native_async
            with self._for_module() as arguments:
                result.update(self._execute_module(module_args=arguments, task_vars=task_vars, wrap_async=wrap_async))
        return result

    def _for_module(self) -> contextlib.AbstractContextManager[Mapping]:
        arguments = flatten_kubeconfig(self._task.args)
        if self._task.async_val:  # it continues in the background, and needs its files longer than this process lives
            return contextlib.nullcontext(arguments)
        return real_files(self, self._connection, self.spec.argument_spec, arguments)

    def _run_here(self, arguments: dict, task_vars: dict) -> dict:
        environment = task_environment(self, self._templar)
        interval = progress_interval(task_vars, self._templar)
        progress = Progress(task_vars["inventory_hostname"], interval, self._display.display)
        with prepared_worker(environment), Connections() as connections:
            context = context_of_task(self, environment, connections, progress)
            result = run_in_process(self._task.action, self.spec, arguments, context)
        if not wants_invocation(task_vars):
            del result["invocation"]
        return result


def action_of_module(name: str) -> type[InProcessActionModule]:
    """Return the action plugin of a module, as a class.

    The files of action plugins are equal. They are not links, because documentation tools treat links as redirections.

    :param name: the name of the plugin's Python module. The module is imported together with it, and so once for all
        workers, before they are forked.
    """
    module = import_module(f"ansible_collections.azureml.arc.plugins.modules.{name.rpartition('.')[2]}")
    return type("ActionModule", (InProcessActionModule,), {"spec": module.SPEC})


def can_run_in_process(action: ActionBase, task_vars: Mapping, templar) -> bool:
    """Return whether running a module in process has the same effect as running it on the host of the task.

    :param task_vars: the variables of the host, also those of C(templar).
    """
    return (
        is_switched_on(task_vars, templar)
        and action._connection.transport == "local"
        and not action._connection.become
        and not action._task.async_val
        and _interpreter(connection_variables(action._task, task_vars), templar) in (None, sys.executable)
    )


def templated_variable(task_vars: Mapping, templar, name: str) -> object:
    """Return the value of a variable of a host, C(None) if it is not defined.

    :raises AnsibleActionFail: with the name of the variable, which the error of a template lacks.
    """
    try:
        return templar.template(task_vars.get(name))
    except AnsibleError as error:
        raise AnsibleActionFail(f"{name}: {first_line(error)}") from None


def is_switched_on(task_vars: Mapping, templar) -> bool:
    """Return whether modules run in process if possible, by the variables of a host."""
    switch = templated_variable(task_vars, templar, SWITCH_VARIABLE)
    if switch in (None, ""):
        switch = os.environ.get(SWITCH_ENVIRONMENT, in_process_by_default(sys.platform))
    try:
        return flag_of(SWITCH_VARIABLE, switch)
    except AzureMLError as error:
        raise AnsibleActionFail(str(error)) from None  # shown once


def _interpreter(task_vars: Mapping, templar) -> str | None:
    """Return the configured Python, C(None) if it is unset or Ansible may choose one."""
    interpreter = task_vars.get("ansible_python_interpreter")
    interpreter = templar.template(interpreter) if interpreter else None
    return None if not interpreter or str(interpreter).startswith("auto") else interpreter


def task_environment(action: ActionBase, templar) -> dict[str, str]:
    """Return the C(environment) of a task.

    :param templar: for the variables of a host; the environment can differ by host.
    """
    values: dict[str, str] = {}
    for layer in environment_layers(action._task):
        found = templar.template(layer)
        if not isinstance(found, dict):
            raise AnsibleActionFail(f"environment must be a dictionary, not {found!r}")
        values.update({str(name): str(value) for name, value in found.items()})
    return values


def progress_interval(task_vars: Mapping, templar) -> float:
    """Return the seconds between progress lines of a host, by its variables."""
    try:
        value = templated_variable(task_vars, templar, PROGRESS_VARIABLE)
        return seconds_of(PROGRESS_VARIABLE, value, PROGRESS_INTERVAL)
    except AzureMLError as error:
        raise AnsibleActionFail(str(error)) from None  # shown once


@dataclass(frozen=True)
class RunContext:
    """The context of a module; for the fields see C(ModuleCall)."""

    check_mode: bool
    diff: bool
    tmpdir: str
    progress: Callable[[str], None]
    environ: Mapping[str, str]
    files: Files
    connections: Connections
    sleep: Callable[[float], None] = time.sleep
    can_block: bool = True
    known: dict = field(default_factory=dict)

    def with_progress(self, progress: Callable[[str], None]) -> RunContext:
        """Return the same for another host."""
        return replace(self, progress=progress, known={})


def context_of_task(
    action: ActionBase,
    environment: Mapping[str, str],
    connections: Connections,
    progress: Callable[[str], None] = lambda line: None,
) -> RunContext:
    """Return the context of modules in a task.

    :param environment: of the task.
    :param connections: of the task; their owner closes them.
    """
    return RunContext(
        check_mode=bool(action._task.check_mode),
        diff=bool(action._task.diff),
        tmpdir=constants.DEFAULT_LOCAL_TMP,
        progress=progress,
        environ={**os.environ, **environment},
        files=ControllerFiles(action),
        connections=connections,
    )


def run_in_process(name: str, spec: ModuleSpec, arguments: Mapping, context: RunContext) -> dict:
    """Run a module in this process, including its waits; for the parameters see C(start_in_process)."""
    return wait_here(start_in_process(name, spec, arguments, context), context.sleep)


def start_in_process(name: str, spec: ModuleSpec, arguments: Mapping, context: RunContext) -> Waiting[dict]:
    """Run a module in this process, as a generator of its waits.

    :param name: the name of the module in the task.
    :param arguments: its options as a task gives them.
    :returns: its result, with the invocation, without secrets.
    """
    validation = ArgumentSpecValidator(spec.argument_spec, **spec.rules).validate(flatten_kubeconfig(arguments))
    call = ModuleCall(validation.validated_parameters, cache=CACHE, **vars(context))
    secrets = secret_values(spec.argument_spec, call.params)
    register(secrets)
    result = _refusal(name, validation) or (yield from start(spec, call))
    register(call.secrets)
    result.setdefault("changed", False)
    result["invocation"] = {"module_args": call.params}
    if call.warnings:
        result["warnings"] = call.warnings
    return without_secrets(result, secrets | call.secrets)


def _refusal(name: str, validation) -> dict | None:
    if not validation.error_messages:
        return None
    message = validation.errors.msg
    if isinstance(validation.errors[0], UnsupportedError):
        message = f"Unsupported parameters for ({name}) module: {message}"
    return {"failed": True, "msg": message}


def flatten_kubeconfig(arguments: Mapping) -> dict:
    """Return the options of a task with an inline kubeconfig as one JSON text, and all texts decrypted.

    Ansible treats each value of a dictionary as a secret, including C(v1) and C(default), and hides them in all
    results.
    """
    options = plain(arguments)
    if isinstance(options.get("kubeconfig"), dict):
        options["kubeconfig"] = json.dumps(options["kubeconfig"])
    return options
