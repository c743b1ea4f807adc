# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the playbook that sets up AWX, with the project in a separate repository as users have it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from playbooks import AWX_COLLECTIONS, COLLECTIONS, LOCALHOST, ROOT, PlaybookRun, run_playbook, variables_file

from awx.jobs import VariablesDumper
from awx.running import RunningServer
from awx.store import Store

AWX_PROJECT = ROOT / "playbooks/awx/project"
SECRET = "credential-secret-marker"
# The variables of a user, including secrets.
VARIABLES = {
    "azureml_awx_credentials": {
        "azure": {
            "type": "Microsoft Azure Resource Manager",
            "inputs": {"subscription": "s", "client": "c", "secret": SECRET, "tenant": "t"},
        }
    },
    "azureml_awx_kubeconfigs": {"fleet": f"users: [{SECRET}]"},
    "azureml_awx_inventory_variables": {"azureml_profile": "training"},
    "azureml_awx_notifications": {
        "chat": {"type": "slack", "configuration": {"token": SECRET, "channels": ["#ml"]}},
        "hook": {"type": "webhook", "configuration": {"url": "https://example.com/hook", "headers": {}}},
    },
    "azureml_awx_slices": 3,
    "azureml_awx_approval_timeout": 3600,
}


def create_repository(directory: Path) -> Path:
    """Create a repository with the project of the collection; return its path."""
    path = directory / "repository"
    shutil.copytree(AWX_PROJECT, path)
    subprocess.run(["git", "init", "--quiet"], cwd=path, check=True)
    commit(path)
    return path


def commit(repository: Path) -> None:
    """Commit all changes in a repository."""
    identity = ("-c", "user.name=ops", "-c", "user.email=ops@example.com")
    for command in (("add", "--all"), (*identity, "commit", "--quiet", "-m", "AWX project")):
        subprocess.run(["git", *command], cwd=repository, check=True)


def create_project(store: Store, base: Path) -> dict[str, int]:
    """Create a manual project, an inventory and their organization for job templates, without the playbook.

    :param base: the base folder of projects of C(store).
    :returns: their ids by the names of fields that refer to them.
    """
    shutil.copytree(AWX_PROJECT, base / "azureml")
    organization = {"organization": store.create("organizations", {"name": "ml"})["id"]}
    return {
        **organization,
        "project": store.create("projects", {**organization, "name": "ml", "local_path": "azureml"})["id"],
        "inventory": store.create("inventories", {**organization, "name": "ml"})["id"],
    }


def set_up(
    controller: RunningServer,
    repository: Path,
    variables: dict,
    environment: dict[str, str] | None = None,
    extra: tuple[str, ...] = (),
) -> PlaybookRun:
    """Set up AWX.

    :param repository: the repository of the project. The files of the run are written to its parent folder.
    :param variables: variables of the playbook.
    :param environment: environment variables that replace those of the administrator.
    :param extra: additional arguments of C(ansible-playbook).
    """
    project = {"scm_type": "git", "scm_url": f"file://{repository}"}
    arguments = variables_file(repository.parent, {"azureml_awx_project": project, **variables}, VariablesDumper)
    collections = {"ANSIBLE_COLLECTIONS_PATH": f"{COLLECTIONS}:{AWX_COLLECTIONS}"}
    return run_playbook(
        str(ROOT / "playbooks/awx/setup.yml"),
        LOCALHOST,
        repository.parent,
        ("-vvv", *arguments, *extra),
        {**collections, **controller.environment, **(environment or {})},
    )


class Setup:
    """A simulated AWX, the playbook that configures it, and a repository.

    :ivar environment: environment variables for the next runs.
    """

    def __init__(self, controller: RunningServer, repository: Path) -> None:
        self.controller, self.repository, self.store = controller, repository, controller.server.store
        self.environment: dict[str, str] = {}

    def run(self, state: str = "present", arguments: tuple[str, ...] = (), **changes) -> PlaybookRun:
        """Run the playbook with C(VARIABLES), updated with the given changes."""
        variables = {**VARIABLES, "azureml_awx_state": state, **changes}
        return set_up(self.controller, self.repository, variables, self.environment, arguments)

    def by_name(self, endpoint: str) -> dict:
        return {item.get("name") or item["identifier"]: item for item in self.store.items[endpoint].values()}


class FirstSetup:
    """The first setup with C(VARIABLES). Tests share one run, because it takes dozens of modules.

    :ivar run: the run of the playbook.
    """

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._content: dict = {}
        self.run: PlaybookRun

    def restored(self) -> Setup:
        """Return the setup, with the content of AWX after the first run."""
        if self._content:
            self._setup.store.restore(self._content)
        else:
            self.run = self._setup.run()
            assert self.run.status == 0, [
                r for one in self.run.results for r in one["result"].get("results", [one["result"]]) if r.get("failed")
            ]
            self._content = self._setup.store.content()
        return self._setup
