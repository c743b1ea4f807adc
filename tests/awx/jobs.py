# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run jobs like AWX, as in its C(awx/main/tasks/jobs.py) and C(receptor.py).

Credentials become environment variables and files, survey answers a file of variables, and the inventory a script.
Then ansible-runner runs the playbook in three phases: transmit and process on the controller, worker on an execution
node.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import ansible_runner
import jinja2.sandbox
import yaml

from awx.rules import Item
from awx.store import Store

TIMEOUT = 240  # seconds


class Unsafe(str):
    """Text that must not be templated."""


class VariablesDumper(yaml.SafeDumper):
    """Writes variables, and marks unsafe text."""


class AnswersDumper(yaml.SafeDumper):
    """Marks all text including keys as unsafe, like C(safe_dump) of AWX."""


for _dumper, _text in ((VariablesDumper, Unsafe), (AnswersDumper, str)):
    _dumper.add_representer(_text, lambda dumper, data: dumper.represent_scalar("!unsafe", str(data)))


def sliced(hosts: dict, number: int, count: int) -> dict:
    """Return the part of an inventory for one slice of a job.

    :param hosts: the output of C(ansible-inventory --list).
    :param number: the number of the slice, from 1.
    """
    names = set(sorted(hosts["_meta"]["hostvars"])[number - 1 :: count])
    data: dict[str, Any] = {
        name: {**group, "hosts": [one for one in group.get("hosts", ()) if one in names]}
        for name, group in hosts.items()
        if name != "_meta"
    }
    return {**data, "_meta": {"hostvars": {name: hosts["_meta"]["hostvars"][name] for name in sorted(names)}}}


def injected(store: Store, credential: Item, private: Path, inside: Path) -> dict[str, str]:
    """Write the files of a credential; return its environment variables.

    :param private: the private data folder.
    :param inside: the path of that folder on the execution node.
    """
    kind, inputs = store.find("credential_types", credential["credential_type"]), credential["inputs"]

    def write(content: str) -> str:
        path = private / "env" / f"tmp{secrets.token_hex(4)}"
        path.write_text(content, encoding="utf-8")
        path.chmod(0o600)
        return str(inside / path.relative_to(private))

    if kind["namespace"] == "azure_rm":
        names = {"subscription": "AZURE_SUBSCRIPTION_ID", "client": "AZURE_CLIENT_ID", "tenant": "AZURE_TENANT"}
        names.update(secret="AZURE_SECRET", cloud_environment="AZURE_CLOUD_ENVIRONMENT")
        return {name: inputs[key] for key, name in names.items() if key in inputs}
    if kind["namespace"] == "kubernetes_bearer_token":
        verified = inputs.get("verify_ssl", True) and "ssl_ca_cert" in inputs
        return {
            "K8S_AUTH_HOST": inputs["host"],
            "K8S_AUTH_API_KEY": inputs["bearer_token"],
            "K8S_AUTH_VERIFY_SSL": str(verified),
            **({"K8S_AUTH_SSL_CA_CERT": write(inputs["ssl_ca_cert"])} if verified else {}),
        }
    rendering = jinja2.sandbox.ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined)
    files = {
        name.removeprefix("template").lstrip("."): write(rendering.from_string(template).render(inputs))
        for name, template in kind["injectors"].get("file", {}).items()
    }
    names = {**inputs, "tower": {"filename": files.get("", files)}}
    return {name: rendering.from_string(value).render(names) for name, value in kind["injectors"]["env"].items()}


class Job:
    """A job of a job template, run like in AWX.

    :param job: the job that a launch created in C(store).
    :param hosts: the output of C(ansible-inventory --list).
    :param directory: for the private data folder.
    :param environment: variables that AWX sets for every job (C(AWX_TASK_ENV)).
    :ivar node: the folder of the execution node, removed by C(wait).
    :ivar events: the events of the job.
    """

    def __init__(self, store: Store, job: Item, hosts: dict, directory: Path, environment: dict[str, str]) -> None:
        self._template = store.find("job_templates", job["job_template"])
        self._private = directory / f"awx_{job['id']}"
        # A short path: ansible-core 2.21 listens on a socket below TMPDIR, and the path of a socket is limited.
        self.node = Path(tempfile.mkdtemp(prefix="node_"))
        self._job = job
        self.events: list[dict] = []
        self.artifacts = self._private / "artifacts" / str(job["id"])
        self._write(store, hosts)
        # An execution node does not have the environment of the machine that runs the tests.
        self._system = {
            name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPYCACHEPREFIX") if name in os.environ
        }
        self._environment = {
            **environment,
            "AWX_PRIVATE_DATA_DIR": str(self._private),
            "JOB_ID": str(job["id"]),
            "ANSIBLE_FORCE_COLOR": "True",
            "ANSIBLE_RETRY_FILES_ENABLED": "False",
            "ANSIBLE_INVENTORY_UNPARSED_FAILED": "True",
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(self.node / "cp"),
            "TMPDIR": str(self.node / "tmp"),
        }
        for number in store.associated.get(("job_templates", self._template["id"], "credentials"), ()):
            self._environment.update(injected(store, store.find("credentials", number), self._private, self.node))
        self._worker: subprocess.Popen | None = None

    def _write(self, store: Store, hosts: dict) -> None:
        """Write the private data folder."""
        job, template = self._job, self._template
        for name in ("env", "inventory", "cp", "tmp"):
            (self._private / name).mkdir(parents=True)
        shutil.copytree(
            store.path(template["project"]), self._private / "project", ignore=shutil.ignore_patterns(".git")
        )
        inventory = store.find("inventories", template["inventory"])
        part = sliced(hosts, max(1, job["job_slice_number"]), job["job_slice_count"])
        part = {**part, "all": {**part.get("all", {}), "vars": yaml.safe_load(inventory["variables"] or "{}")}}
        script = self._private / "inventory" / "hosts"
        script.write_text(f"#! /usr/bin/env python3\n# -*- coding: utf-8 -*-\nprint({json.dumps(part)!r})\n")
        script.chmod(0o700)
        variables = {**job["extra_vars"], "awx_job_id": job["id"], "tower_job_id": job["id"]}
        (self._private / "env/extravars").write_text(yaml.dump(variables, Dumper=AnswersDumper), encoding="utf-8")
        arguments = ["--check"] if job["job_type"] == "check" else []
        arguments += ["-u", "root", *(["--diff"] if job["diff_mode"] else [])]
        arguments += ["-l", job["limit"]] if job["limit"] else []
        arguments += [f"-{'v' * template['verbosity']}"] if template["verbosity"] else []
        (self._private / "env/cmdline").write_text(ansible_runner.utils.args2cmdline(*arguments), encoding="utf-8")
        settings = {"job_timeout": 0, "suppress_ansible_output": True, "suppress_output_file": True}
        (self._private / "env/settings").write_text(json.dumps(settings), encoding="utf-8")

    def start(self) -> Job:
        """Send the job to an execution node."""
        with (self._private / "transmitted").open("wb") as stream:
            ansible_runner.interface.run(
                streamer="transmit",
                _output=stream,
                private_data_dir=str(self._private),
                ident=self._job["id"],
                playbook=self._template["playbook"],
                envvars=self._environment,
                suppress_env_files=True,
            )
        with (self._private / "transmitted").open("rb") as stream, (self._private / "received").open("wb") as back:
            command = ["ansible-runner", "worker", "--private-data-dir", str(self.node)]
            self._worker = subprocess.Popen(command, stdin=stream, stdout=back, env=self._system)
        return self

    def cancel(self) -> None:
        """Cancel the job like AWX, where receptor terminates the worker."""
        self._worker.terminate()

    def wait(self) -> str:
        """Wait for the end of the job; return the status that AWX shows.

        :raises subprocess.TimeoutExpired: if the job exceeds the timeout. It is killed.
        """
        try:
            self._worker.wait(TIMEOUT)
        finally:
            with contextlib.suppress(ProcessLookupError):
                self._worker.kill()
        with (self._private / "received").open("rb") as stream:
            done = ansible_runner.interface.run(
                streamer="process",
                quiet=True,
                _input=stream,
                private_data_dir=str(self._private),
                ident=self._job["id"],
                event_handler=lambda event: self.events.append(event) or True,
            )
        shutil.rmtree(self.node, ignore_errors=True)
        return done.status

    @property
    def output(self) -> str:
        """The output of the job in AWX."""
        return "\n".join(event["stdout"] for event in self.events if event.get("stdout"))

    @property
    def stats(self) -> dict:
        """The numbers of tasks by outcome and host; C(artifact_data) contains the data of C(set_stats)."""
        return next(event["event_data"] for event in self.events if event["event"] == "playbook_on_stats")

    @property
    def failed_hosts(self) -> str:
        """The limit with which AWX relaunches a job on failed hosts."""
        return ",".join(sorted({*self.stats["failures"], *self.stats["dark"]}))
