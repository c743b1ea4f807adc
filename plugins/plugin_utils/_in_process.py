# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a module's work in the controller's worker instead of a Python of its own.

A new Python costs 160 to 450 ms of processor time a task; the worker, forked from a parent that has imported the SDKs
already, about a tenth of that. It is done where both mean the same: a local connection, no become, this interpreter, no
async. Everything else goes the ordinary way, so that modules delegated to a bastion or a cluster node work as ever.
"""

from __future__ import annotations

import json
import os
import sys

from ansible import constants
from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible.module_utils.errors import UnsupportedError
from ansible.module_utils.parsing.convert_bool import boolean
from ansible.plugins.action import ActionBase
from ansible_collections.azureml.arc.plugins.module_utils._runner import ModuleCall, ModuleSpec, execute
from ansible_collections.azureml.arc.plugins.plugin_utils._progress import Progress
from ansible_collections.azureml.arc.plugins.plugin_utils._run_cache import RunCache
from ansible_collections.azureml.arc.plugins.plugin_utils._worker import end_with_parent, load_for_all

load_for_all()
# Made in the parent process, so that the workers that it forks have it in common.
CACHE = RunCache(constants.DEFAULT_LOCAL_TMP)

SWITCH_VARIABLE = "azureml_arc_in_process"
SWITCH_ENVIRONMENT = "AZUREML_ARC_IN_PROCESS"
PROGRESS_VARIABLE = "azureml_progress_interval"
PROGRESS_INTERVAL = 30  # seconds


class InProcessActionModule(ActionBase):
    """An action plugin that runs C(spec) in process where it can, else the module of the same name."""

    TRANSFERS_FILES = False
    _supports_check_mode = True
    _supports_async = True  # by handing over to the module
    _requires_connection = False
    spec: ModuleSpec

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        arguments = _flatten_kubeconfig(self._task.args)
        task_vars = task_vars or {}
        if self._stays_here(task_vars):
            result.update(self._run_here(arguments, task_vars))
        else:
            wrap_async = bool(self._task.async_val) and not self._connection.has_native_async
            result.update(self._execute_module(module_args=arguments, task_vars=task_vars, wrap_async=wrap_async))
        return result

    def _stays_here(self, task_vars: dict) -> bool:
        switch = task_vars.get(SWITCH_VARIABLE, os.environ.get(SWITCH_ENVIRONMENT, "true"))
        return (
            boolean(self._templar.template(switch), strict=False)
            and self._connection.transport == "local"
            and not self._play_context.become
            and not self._task.async_val
            and self._interpreter(task_vars) in (None, sys.executable)
        )

    def _interpreter(self, task_vars: dict) -> str | None:
        """The Python asked for, C(None) where none is or where Ansible may choose one."""
        delegated = task_vars.get("ansible_delegated_vars", {}).get(self._task.delegate_to)
        interpreter = (delegated or task_vars).get("ansible_python_interpreter")
        interpreter = self._templar.template(interpreter) if interpreter else None
        return None if not interpreter or str(interpreter).startswith("auto") else interpreter

    def _run_here(self, arguments: dict, task_vars: dict) -> dict:
        self._set_environment()
        validation = ArgumentSpecValidator(self.spec.argument_spec, **self.spec.rules).validate(arguments)
        parameters = validation.validated_parameters
        call = ModuleCall(
            parameters,
            check_mode=bool(self._task.check_mode),
            diff=bool(self._task.diff),
            cache=CACHE,
            tmpdir=constants.DEFAULT_LOCAL_TMP,
            progress=Progress(
                task_vars["inventory_hostname"], self._progress_interval(task_vars), self._display.display
            ),
        )
        end_with_parent()
        result = self._refusal(validation) or execute(self.spec, call)
        result.setdefault("changed", False)
        result["invocation"] = {"module_args": parameters}
        if call.warnings:
            result["warnings"] = call.warnings
        return _without_secrets(result, validation._no_log_values | call.secrets)

    def _progress_interval(self, task_vars: dict) -> float:
        interval = self._templar.template(task_vars.get(PROGRESS_VARIABLE, PROGRESS_INTERVAL))
        try:
            return float(interval)
        except (TypeError, ValueError):
            raise AnsibleActionFail(f"{PROGRESS_VARIABLE} must be a number of seconds, not {interval!r}") from None

    def _refusal(self, validation) -> dict | None:
        if not validation.error_messages:
            return None
        message = validation.errors.msg
        if isinstance(validation.errors[0], UnsupportedError):
            message = f"Unsupported parameters for ({self._task.action}) module: {message}"
        return {"failed": True, "msg": message}

    def _set_environment(self) -> None:
        """Set the task's C(environment) as a module would find it; the worker ends with the task, so it stays set."""
        for layer in self._task.environment or ():
            values = self._templar.template(layer)
            if not isinstance(values, dict):
                raise AnsibleActionFail(f"environment must be a dictionary, not {values!r}")
            os.environ.update({str(name): str(value) for name, value in values.items()})


def _flatten_kubeconfig(arguments: dict) -> dict:
    """An inline kubeconfig as one JSON text.

    As a dictionary, Ansible would take each of its values for a secret, C(v1) and C(default) included, and blank them
    out of every result.
    """
    if isinstance(arguments.get("kubeconfig"), dict):
        return {**arguments, "kubeconfig": json.dumps(arguments["kubeconfig"])}
    return dict(arguments)


def _without_secrets(result: dict, secrets: set) -> dict:
    """The result with every secret blanked, as C(AnsibleModule.exit_json) does it."""
    preserved = {key: value for key, value in result.items() if value is None or isinstance(value, bool)}
    return {**remove_values(result, secrets), **preserved}
