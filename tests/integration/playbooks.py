# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run C(ansible-playbook) like users, and read the results of the tasks."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import yaml
from ansible.parsing.vault import VaultLib, VaultSecret

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
COLLECTIONS = ROOT / "build" / "collections"
AWX_COLLECTIONS = ROOT / "build" / "awx"
TIMEOUT = 240  # seconds
# Variables of a host that is the controller, with the Python that runs the tests.
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
LOCALHOST = {"all": {"hosts": {"localhost": LOCAL}}}


@dataclass
class PlaybookRun:
    """A finished run: its exit status, its output, and the result of each task on each host."""

    status: int
    output: str
    results: list[dict]

    def result(self, task: str, host: str) -> dict:
        """Return the result of the last task with this name on a host."""
        found = [one["result"] for one in self.results if one["task"].endswith(task) and one["host"] == host]
        assert found, f"no task '{task}' on {host}:\n{self.output}"
        return found[-1]

    def outcome(self, host: str) -> dict:
        """Return the complete result of a cluster. Ansible shows only a part of it if the cluster failed."""
        outcomes = [one["outcome"] for one in self.results if one["host"] == host and one.get("outcome")]
        assert outcomes, f"{host} has no result:\n{self.output}"
        return outcomes[-1]

    def wave(self, host: str) -> dict:
        """Return the last result of the wave of a host."""
        waves = [wave for one in self.results for wave in _waves(one)]
        found = [wave for wave in waves if host in [one["name"] for one in wave["clusters"]]]
        assert found, f"no wave of {host}:\n{self.output}"
        return found[-1]

    def changed(self, host: str) -> int:
        """Return the number of tasks with changes on a host."""
        return sum(bool(one["result"].get("changed")) for one in self.results if one["host"] == host)

    def recap(self) -> dict[str, dict[str, int]]:
        """Return the numbers of the play recap by host."""
        lines = self.output.split("PLAY RECAP")[1].splitlines()
        return {
            line.split()[0]: {name: int(count) for name, count in re.findall(r"(\w+)=(\d+)", line)}
            for line in lines
            if "unreachable=" in line
        }


def _waves(entry: dict) -> Iterator[dict]:
    """Yield the results of waves: those of module C(fleet), or a part of the result of module C(cluster)."""
    result, outcome = entry["result"], entry.get("outcome") or {}
    for one in (*(result.get("results") or [result]), outcome.get("wave") or {}):
        if "failed_clusters" in one:
            yield one


def play(*tasks: dict, **keywords) -> list[dict]:
    """Return a play for all hosts."""
    return [{"hosts": "all", "gather_facts": False, "tasks": list(tasks), **keywords}]


def variables_file(directory: Path, variables: dict, dumper=yaml.SafeDumper) -> tuple[str, str]:
    """Write a file of variables; return the arguments that pass it as extra variables."""
    path = directory / "variables.yml"
    path.write_text(yaml.dump(variables, Dumper=dumper), encoding="utf-8")
    return "-e", f"@{path}"


def vault(directory: Path) -> tuple[VaultLib, tuple[str, str]]:
    """Return an object that encrypts like ansible-vault, and the arguments with its password."""
    password = directory / "password"
    password.write_text("password", encoding="utf-8")
    return VaultLib([("default", VaultSecret(b"password"))]), ("--vault-password-file", str(password))


def run_playbook(
    content,
    inventory: dict,
    directory: Path,
    arguments=(),
    environ=None,
    timeout: float = TIMEOUT,
    answers: str = "",
) -> PlaybookRun:
    """Run a playbook.

    :param content: the plays as data, or the name of a playbook of a collection.
    :param inventory: the inventory as data.
    :param directory: for all files of the run.
    :param timeout: seconds until it is killed.
    :param answers: its standard input.
    """
    command, environment, results = _prepare(content, inventory, directory, arguments, environ)
    finished = subprocess.run(
        command,
        env=environment,
        cwd=directory,
        input=answers,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    lines = results.read_text(encoding="utf-8").splitlines() if results.exists() else []
    return PlaybookRun(finished.returncode, finished.stdout + finished.stderr, [json.loads(line) for line in lines])


def start_playbook(
    content, inventory: dict, directory: Path, arguments=(), environ=None, output: int | IO = subprocess.DEVNULL
) -> subprocess.Popen:
    """Start a playbook; for the parameters see C(run_playbook).

    :param output: the file for its output.
    """
    command, environment, _results = _prepare(content, inventory, directory, arguments, environ)
    return subprocess.Popen(command, env=environment, cwd=directory, stdout=output, stderr=output)


def _prepare(content, inventory: dict, directory: Path, arguments, environ) -> tuple[list[str], dict, Path]:
    """Return the command, its environment, and the file of the results."""
    name = content
    if not isinstance(content, str):
        name = str(directory / "playbook.yml")
        Path(name).write_text(yaml.safe_dump(content), encoding="utf-8")
    (directory / "inventory.yml").write_text(yaml.safe_dump(inventory), encoding="utf-8")
    results = directory / "results.jsonl"
    results.unlink(missing_ok=True)
    environment = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        "ANSIBLE_HOME": str(directory / "ansible"),
        "ANSIBLE_REMOTE_TMP": str(directory / "ansible" / "remote"),
        "ANSIBLE_ASYNC_DIR": str(directory / "ansible" / "async"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_CALLBACK_PLUGINS": str(HERE / "callback_plugins"),
        "ANSIBLE_CALLBACKS_ENABLED": "task_results",
        "ANSIBLE_DEPRECATION_WARNINGS": "0",
        "PYTHONUNBUFFERED": "1",  # tests read the output of running playbooks
        "TASK_RESULTS_FILE": str(results),
        "TMPDIR": str(directory),
        **(environ or {}),
    }
    return ["ansible-playbook", name, "-i", str(directory / "inventory.yml"), *arguments], environment, results
