# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Access to private parts of ansible-core, each with its reason.

No other file uses them, so a release of ansible-core that changes one of them only breaks this file.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ansible import constants
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure, AnsibleError
from ansible.plugins.loader import connection_loader
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError

DELEGATED = "ansible_delegated_vars"
# How lines begin that ssh writes itself, the second row with -vvv.
OF_SSH = (
    *("Shared connection to ", "Connection to ", "Warning: Permanently added "),
    *("OpenSSH_", "debug1: ", "debug2: ", "debug3: ", "Authenticated to ", "Transferred: ", "Bytes per second: "),
)


@dataclass(frozen=True)
class ModuleExecution:
    """The context of a module that runs over a connection.

    :param connection: a connection plugin.
    :param environment: the environment variables of the module.
    """

    connection: object
    environment: Mapping[str, str]
    check_mode: bool


def host_variables(task, name: str) -> dict:
    """Return the variables of a host of the play, with unresolved templates.

    C(hostvars) lacks the variables of the play and the role, and no public function returns them for another host.

    :param task: the running task.
    :param name: the inventory name of the host.
    """
    manager = task.get_variable_manager()
    return manager.get_vars(play=task.get_play(), host=manager._inventory.get_host(name), task=task)


def environment_layers(task) -> list:
    """Return the C(environment) of a task, its blocks and its play, the task's last, with unresolved templates.

    The worker has resolved those of the task itself for its own host.
    """
    written = [one.get_ds() for one in (task, *blocks_of(task))]
    # A list is a block without keywords.
    sources = [one.get("environment") for one in written if isinstance(one, Mapping)]
    sources.append(task.get_play().environment)
    layers = [layer for one in sources for layer in (one if isinstance(one, list) else [one])]
    return [layer for layer in reversed(layers) if layer]


def connection_variables(task, task_vars: Mapping) -> Mapping:
    """Return the variables of the host that a task connects to: of C(delegate_to) if it is set.

    The name of the variable with them is not documented.
    """
    return task_vars.get(DELEGATED, {}).get(task.delegate_to) or task_vars


def wants_invocation(task_vars: Mapping) -> bool:
    """Return whether results include the options of their module, as every result did before ansible-core 2.21.

    Since then C(INJECT_INVOCATION) decides, which C(_execute_module) passes to modules.
    """
    try:
        return constants.config.get_config_value("INJECT_INVOCATION", variables=task_vars)
    except AnsibleError:  # an older ansible-core: there is no such setting
        return True


def decrypted(loader, content: bytes) -> bytes:
    """Return the content of a file, decrypted if ansible-vault has encrypted it.

    The public C(get_real_file) writes the decrypted content to the disk.

    :param loader: the data loader, which has the vault's secrets.
    :raises AnsibleError: if none of the secrets fits.
    """
    return bytes(loader._decrypt_if_vault_data(content)[0])


def found_file(action, path: str) -> str:
    """Return the absolute path of a file, searched in the folders for files of the play.

    :raises AnsibleError: if it is in none of them.
    """
    return action._find_needle("files", path)


def execute_module(action, name: str, arguments: Mapping, task_vars: Mapping, how: ModuleExecution) -> dict:
    """Run a module over a connection, like a task.

    Action plugins use C(_execute_module). Differences from their own task are set on a copy of it.

    :param action: the running action.
    :param name: the full name of the module.
    :param task_vars: the variables of the host.
    :returns: the result as plain values, without Ansible's internal fields, like that of a module in this process.
    """
    one = copy.copy(action)
    one._task = action._task.copy()
    one._task.check_mode = how.check_mode
    one._task.environment = [dict(how.environment)]
    one._task.async_val = 0
    one._connection = how.connection
    try:
        result = one._execute_module(module_name=name, module_args=dict(arguments), task_vars=dict(task_vars))
    finally:
        if how.connection is not action._connection:
            one.cleanup()  # the task removes the files of its own connection
    plain = json.loads(json.dumps(result, default=_plain))
    found = {key: value for key, value in plain.items() if not _is_note(key, value)}
    return {**found, **_not_run(found)} if "module_stdout" in found else found


def _not_run(result: Mapping) -> dict:
    """Return the failure of a module without a readable result: the first line of its errors, and the fix.

    Ansible's own message only says that the output is not JSON.

    :param result: with C(module_stdout), C(module_stderr) and C(rc), as C(_execute_module) adds them.
    """
    # A terminal merges both, and ssh adds its own lines to the errors.
    lines = [
        line.strip()
        for name in ("module_stderr", "module_stdout")
        for line in str(result.get(name) or "").splitlines()
        if line.strip() and not line.startswith(OF_SSH)
    ]
    if not lines:
        return {}
    cause = lines[-1] if lines[0].startswith("Traceback") else lines[0]
    return AzureMLError(
        f"the module could not be run: {cause}",
        code="ModuleNotRun",
        hint="Set ansible_python_interpreter to a Python that the machine has.",
    ).as_result()


def _is_note(key: str, value: object) -> bool:
    """Return whether Ansible has added a field to the result of a module."""
    if key == "exception":  # from 2.19 every failure has one, including failures that a module reports
        return not str(value).startswith(("Traceback", "  File"))
    # From 2.21 every result has these fields, empty if the module did not return them.
    return key.startswith("_ansible_") or (key in ("failed", "warnings", "deprecations") and not value)


def _plain(value: object) -> str:
    """Return a value of an ansible-core type as text; from 2.19 a warning is an object with its message in an event."""
    return str(getattr(getattr(value, "event", value), "msg", value))


def local_connection(action):
    """Return a connection to the controller itself, whatever the task is connected to."""
    connection = connection_loader.get("ansible.builtin.local", action._play_context)
    connection.set_options(var_options={})
    return connection


def hide_source(task) -> None:
    """Hide the source of a task in its error.

    From ansible-core 2.19, an error shows the lines of the task, which are lines of this collection.
    """
    task._ds = None


def hide_own_source(task) -> None:
    """Hide the source of a task in the roles of this collection, see C(hide_source). In a play of a user, it helps."""
    if task._role and task._role.get_name().startswith("azureml.arc."):
        hide_source(task)


class _ShownFailure(AnsibleActionFail):
    """A failure whose result has no field C(exception)."""

    omit_exception_key = True


class UnreachableHost(AnsibleConnectionFailure):
    """The host of a task is unreachable. Ansible shows the message once, see C(shown_once), and no source."""

    omit_exception_key = True


def shown_once(action, result: dict) -> dict:
    """Return the result of a failed task so that Ansible shows it once.

    From ansible-core 2.19 on, Ansible shows the message of a failed result twice: also in a line that begins with
    C([ERROR]), unless the failure is an exception that omits it. It evaluates C(failed_when) and C(changed_when) of
    returned results only.

    :param result: the failed result, with a C(msg).
    """
    task = action._task
    if not hasattr(AnsibleActionFail, "omit_exception_key") or task.failed_when or task.changed_when:
        hide_source(task)
        return result
    # Ansible shows the warnings of a returned result only, and ansible-core 2.21 prints the failure as a value, too.
    for warning in result.get("warnings", ()):
        action._display.warning(warning)
    contribution = {name: value for name, value in result.items() if name not in ("failed", "warnings")}
    raise _ShownFailure(result["msg"], result=contribution)


def blocks_of(task) -> Iterator:
    """Yield the parents of a task from the inside to the outside: blocks, includes and roles."""
    parent = task._parent
    while parent is not None:
        yield parent
        parent = parent._parent


def has_readers(task) -> bool:
    """Return whether other tasks may read the result of a failed task: those of a rescue, or by C(register)."""
    return bool(task.register) or any(getattr(one, "rescue", ()) for one in blocks_of(task))
