# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The private parts of ansible-core, tested with the installed version."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleError
from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible.playbook.block import Block
from ansible.playbook.play import Play
from ansible.playbook.task import Task
from ansible.plugins.action import ActionBase
from ansible.vars.manager import VariableManager
from ansible_collections.azureml.arc.plugins.plugin_utils._controller import core


@pytest.fixture
def task(tmp_path):
    inventory = tmp_path / "inventory.ini"
    inventory.write_text("one of_host=1\ntwo of_host=2\nbastion ansible_user=ops\n", encoding="utf-8")
    loader = DataLoader()
    manager = VariableManager(loader=loader, inventory=InventoryManager(loader=loader, sources=[str(inventory)]))
    play = Play.load({"hosts": "all", "vars": {"of_play": "play"}}, variable_manager=manager, loader=loader)
    found = Task(block=Block(play=play))
    found.vars = {"of_task": "task"}
    found.delegate_to = "bastion"
    found._variable_manager = manager  # as the strategy's loader sets it
    return found


def test_variables_of_another_host_include_those_of_the_play_and_the_task(task):
    found = core.host_variables(task, "two")
    assert (found["inventory_hostname"], found["of_host"]) == ("two", 2)
    assert (found["of_play"], found["of_task"]) == ("play", "task")


def test_variables_of_a_delegated_connection_are_those_of_its_host(task):
    delegated = {"ansible_python_interpreter": "/usr/bin/python3"}
    assert core.connection_variables(task, {"a": 1, core.DELEGATED: {"bastion": delegated}}) is delegated
    assert core.connection_variables(task, {"a": 1}) == {"a": 1}


@pytest.fixture
def vault():
    """A data loader with a vault password, and text that was encrypted with it."""
    secrets = [("default", VaultSecret(b"password"))]
    loader = DataLoader()
    loader.set_vault_secrets(secrets)
    return loader, VaultLib(secrets).encrypt("hush")


def test_encrypted_content_is_decrypted(vault):
    loader, encrypted = vault
    values = [core.decrypted(loader, encrypted), core.decrypted(loader, b"plain")]
    assert values == [b"hush", b"plain"]
    assert {type(value) for value in values} == {bytes}, "not a tagged subclass of ansible-core"


def test_content_without_a_matching_password_is_an_error(vault):
    with pytest.raises(AnsibleError, match="(?i)vault"):
        core.decrypted(DataLoader(), vault[1])


class Action(ActionBase):
    """An action plugin that only calls its base class."""

    def run(self, tmp=None, task_vars=None):
        return super().run(tmp, task_vars)


def test_file_is_searched_in_folder_files(task, tmp_path):
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "one").touch()
    loader = DataLoader()
    loader.set_basedir(str(tmp_path))
    action = Action(task, None, None, loader, None, None)
    assert core.found_file(action, "one") == str(tmp_path / "files" / "one")
    with pytest.raises(AnsibleError):
        core.found_file(action, "none")


def test_fields_that_ansible_adds_to_a_result_are_removed(task):
    """ansible-core 2.19 and later add a placeholder for an exception, 2.21 and later also empty fields."""
    added = {"failed": False, "warnings": [], "deprecations": [], "exception": "(traceback unavailable)"}
    action = Action(task, None, None, DataLoader(), None, None)
    action._execute_module = lambda **_given: {"changed": False, "_ansible_parsed": True, **added}
    execution = core.ModuleExecution(None, {}, check_mode=False)
    assert core.execute_module(action, "azureml.arc.compute", {}, {}, execution) == {"changed": False}
    raised = {"failed": True, "warnings": ["old"], "exception": "Traceback (most recent call last):"}
    action._execute_module = lambda **_given: raised
    assert core.execute_module(action, "azureml.arc.compute", {}, {}, execution) == raised


ADDED = "Warning: Permanently added '[127.0.0.1]:2222' (ED25519) to the list of known hosts.\r\n"
CLOSED = "Shared connection to 127.0.0.1 closed.\r\n"


@pytest.mark.parametrize(
    ("stdout", "stderr", "cause"),
    [
        ("", f"{ADDED}pyenv: python3.13: command not found\nmore\n", "pyenv: python3.13: command not found"),
        ("/bin/sh: 1: python3.13: not found\r\n", CLOSED, "/bin/sh: 1: python3.13: not found"),
        (
            "",
            'Traceback (most recent call last):\n  File "x"\nSyntaxError: invalid syntax\n',
            "SyntaxError: invalid syntax",
        ),
    ],
)
def test_module_without_a_readable_result_fails_with_its_first_error_and_the_fix(task, stdout, stderr, cause):
    answer = {"failed": True, "msg": "MODULE FAILURE", "module_stdout": stdout, "module_stderr": stderr, "rc": 127}
    action = Action(task, None, None, DataLoader(), None, None)
    action._execute_module = lambda **_given: answer
    execution = core.ModuleExecution(None, {}, check_mode=False)

    result = core.execute_module(action, "azureml.arc.compute", {}, {}, execution)

    assert result["error"]["message"] == f"the module could not be run: {cause}"
    assert result["error"]["hint"].startswith("Set ansible_python_interpreter")
    assert (result["failed"], result["rc"]) == (True, 127)


def test_module_that_ended_without_output_keeps_the_message_of_ansible(task):
    answer = {"failed": True, "msg": "MODULE FAILURE", "module_stdout": "", "module_stderr": CLOSED, "rc": 137}
    action = Action(task, None, None, DataLoader(), None, None)
    action._execute_module = lambda **_given: answer
    execution = core.ModuleExecution(None, {}, check_mode=False)

    assert core.execute_module(action, "azureml.arc.compute", {}, {}, execution) == answer
