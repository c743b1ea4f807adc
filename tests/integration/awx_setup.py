# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the playbook that sets AWX up, as users do: with the project in their own repository."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from playbooks import AWX_COLLECTIONS, COLLECTIONS, LOCALHOST, ROOT, PlaybookRun, run_playbook, variables_file

from awx.jobs import VariablesDumper
from awx.running import RunningServer
from awx.store import Store

AWX_PROJECT = ROOT / "playbooks/awx/project"


def create_repository(directory: Path) -> Path:
    """Return the project that the collection ships, as a repository of a user's own."""
    path = directory / "repository"
    shutil.copytree(AWX_PROJECT, path)
    subprocess.run(["git", "init", "--quiet"], cwd=path, check=True)
    commit(path)
    return path


def commit(repository: Path) -> None:
    """Commit what was changed in a repository."""
    identity = ("-c", "user.name=ops", "-c", "user.email=ops@example.com")
    for command in (("add", "--all"), (*identity, "commit", "--quiet", "-m", "AWX project")):
        subprocess.run(["git", *command], cwd=repository, check=True)


def create_project(store: Store, base: Path) -> dict[str, int]:
    """Return what a job template needs, without a run of the playbook: the same project as a folder, and an inventory.

    :param base: the base of projects of C(store).
    :returns: their ids, and that of their organization, under the names of the fields that take them.
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

    :param repository: that of the project; what the run writes is put beside it.
    :param variables: those of the playbook that a user sets.
    :param environment: what differs from how an administrator signs in.
    :param extra: further arguments of C(ansible-playbook).
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
