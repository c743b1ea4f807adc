# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The private parts of ansible-core that the collection needs, each with the reason.

Nothing else in the collection touches them, so a release of ansible-core that changes one breaks this file alone.
"""

from __future__ import annotations

from collections.abc import Mapping

from ansible import constants
from ansible.errors import AnsibleError

DELEGATED = "ansible_delegated_vars"


def host_variables(task, name: str) -> dict:
    """Return the variables of a host of the play, templates in them unresolved.

    C(hostvars) lacks the variables of the play and the role; nothing public returns them for another host.

    :param task: the running task.
    :param name: the inventory name of the host.
    """
    manager = task.get_variable_manager()
    return manager.get_vars(play=task.get_play(), host=manager._inventory.get_host(name), task=task)


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
    :raises AnsibleError: where none of them fits.
    """
    return bytes(loader._decrypt_if_vault_data(content)[0])


def found_file(action, path: str) -> str:
    """Return the whole path of a file, sought where tasks of the play look for files.

    :raises AnsibleError: where it is in none of the places.
    """
    return action._find_needle("files", path)
