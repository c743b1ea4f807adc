# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The private parts of ansible-core that the collection needs, each with the reason.

Nothing else in the collection touches them, so a release of ansible-core that changes one breaks this file alone.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ansible import constants
from ansible.errors import AnsibleError
from ansible.plugins.loader import connection_loader

DELEGATED = "ansible_delegated_vars"


@dataclass(frozen=True)
class ModuleExecution:
    """How a module is run over a connection.

    :param connection: a connection plugin.
    :param environment: the environment variables of the module.
    """

    connection: object
    environment: Mapping[str, str]
    check_mode: bool


def host_variables(task, name: str) -> dict:
    """Return the variables of a host of the play, templates in them unresolved.

    C(hostvars) lacks the variables of the play and the role; nothing public returns them for another host.

    :param task: the running task.
    :param name: the inventory name of the host.
    """
    manager = task.get_variable_manager()
    return manager.get_vars(play=task.get_play(), host=manager._inventory.get_host(name), task=task)


def environment_layers(task) -> list:
    """Return what a task, its blocks and its play set as C(environment), the task's own last, templates unresolved.

    The worker resolves those of the task itself for the host that it runs for.
    """
    written = [one.get_ds() for one in (task, *blocks_of(task))]
    # One that is written as a list is a block without keywords.
    sources = [one.get("environment") for one in written if isinstance(one, Mapping)]
    sources.append(task.get_play().environment)
    layers = [layer for one in sources for layer in (one if isinstance(one, list) else [one])]
    return [layer for layer in reversed(layers) if layer]


def connection_variables(task, task_vars: Mapping) -> Mapping:
    """Return the variables of the host that a task connects to: of C(delegate_to) where it is set.

    The name of the variable that carries them is not documented.
    """
    return task_vars.get(DELEGATED, {}).get(task.delegate_to) or task_vars


def wants_invocation(task_vars: Mapping) -> bool:
    """Return whether results include the options of their module, as every result did before ansible-core 2.21.

    Since then C(INJECT_INVOCATION) decides, which C(_execute_module) hands on to the modules that it runs.
    """
    try:
        return constants.config.get_config_value("INJECT_INVOCATION", variables=task_vars)
    except AnsibleError:  # an older ansible-core: there is no such setting
        return True


def decrypted(loader, content: bytes) -> bytes:
    """Return the content of a file, decrypted where ansible-vault has encrypted it.

    The public C(get_real_file) writes it to the disk.

    :param loader: the data loader, which has the vault's secrets.
    :raises AnsibleError: if none of them fits.
    """
    return bytes(loader._decrypt_if_vault_data(content)[0])


def found_file(action, path: str) -> str:
    """Return the whole path of a file, sought where tasks of the play look for files.

    :raises AnsibleError: if it is in none of the places.
    """
    return action._find_needle("files", path)


def execute_module(action, name: str, arguments: Mapping, task_vars: Mapping, how: ModuleExecution) -> dict:
    """Run a module over a connection, as a task of its own would.

    C(_execute_module) is what action plugins use; what differs from their own task is set on a copy of it.

    :param action: the running action.
    :param name: the full name of the module.
    :param task_vars: the variables of the host.
    :returns: the result as plain values, without what Ansible notes for itself, as a module in this process returns it.
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
    return {key: value for key, value in plain.items() if not _is_note(key, value)}


def _is_note(key: str, value: object) -> bool:
    """Return whether Ansible has added a field to what a module returned."""
    if key == "exception":  # from 2.19 every failure has one, of a module that reports it as well
        return not str(value).startswith(("Traceback", "  File"))
    # From 2.21 every result has the fields of the second kind, empty if the module had none.
    return key.startswith("_ansible_") or (key in ("failed", "warnings", "deprecations") and not value)


def _plain(value: object) -> str:
    """Return a value of ansible-core's own as text; from 2.19 a warning is an object with its message in an event."""
    return str(getattr(getattr(value, "event", value), "msg", value))


def local_connection(action):
    """Return a connection to the controller itself, whatever the task is connected to."""
    connection = connection_loader.get("ansible.builtin.local", action._play_context)
    connection.set_options(var_options={})
    return connection


def hide_source(task) -> None:
    """Keep the source of a task out of its error, for one that only repeats a failure shown before.

    From ansible-core 2.19 an error shows the lines of the task, which are those of this collection.
    """
    task._ds = None


def blocks_of(task) -> Iterator:
    """Yield what a task stands in, from the inside to the outside: blocks, includes and roles."""
    parent = task._parent
    while parent is not None:
        yield parent
        parent = parent._parent
