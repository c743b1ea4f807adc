# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All commands in README and documentation run as printed, and print the documented output."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from dataclasses import asdict
from pathlib import Path

import pytest
import yaml
from documented import PAGES, Command, commands, files_of
from playbooks import ROOT, TIMEOUT
from support import writes

import simulated
from simulator.scenario import ClusterPlan, InstallPlan, Scenario

README = ROOT / "README.md"
FLEET = ROOT / "docs/fleet.md"
# Patterns of commands that do not run here, and the reasons. C(test_documentation) checks that they are valid.
NOT_RUN = {
    r"make |nox |pre-commit |antsibull-|\. build/|ansible-galaxy collection build": "they run the tests themselves",
    r"python3 -m venv|pip install|ansible-galaxy collection install": "they install from the internet",
    r"az |terraform ": "needs Azure; test_extension_bodies and the contract tests compare the requests",
    r"openssl ": "needs a key vault, or an inference router; see test_key_vault and test_endpoint_check",
    r"(export \w+=\$\()?kubectl ": "not among the programs of the tests; test_simulator sends its requests",
    r"export AZURE_SUBSCRIPTION_ID": "contains credentials of the reader; the environment has those of the simulator",
    r"export (REQUESTS_CA_BUNDLE|AZURE_CLOUD_ENVIRONMENT)": "depends on the network of the reader; see test_network",
    r"ansible-playbook azureml.arc.nodes": "connects to machines over SSH; see test_nodes",
    r"ansible-playbook azureml.arc.awx.setup": "needs AWX; see test_awx",
    r"ansible-(builder|navigator|rulebook)": "needs containers, AWX or Java; see test_awx_project and test_events",
}
INSTALL = InstallPlan(seconds=30)
PATIENCE = 60  # seconds for a check; a wait for missing pods takes longer
BROKEN = InstallPlan(seconds=30, error="Helm installation failed : timed out waiting for the condition")
PRODUCTION = {"environment": "production", "country": "de"}
CLUSTERS = [
    ClusterPlan("shop-k3s", nodes=1, tags=PRODUCTION, install=INSTALL),
    ClusterPlan("plant-openshift", distribution="openshift", install=INSTALL),
    ClusterPlan("plant-7", distribution="openshift", install=INSTALL),
    ClusterPlan("aks-west", type="managedClusters", install=INSTALL),
]
# Pages whose commands begin with clusters without the extension.
FROM_SCRATCH = ("README.md", "quickstart.md", "modules.md")
DEPLOY = "ansible-playbook azureml.arc.deploy -i inventory.yml"
VERIFY_FAILED = "ansible-playbook azureml.arc.verify -i azureml_clusters.yml --limit 'country_de:&extension_failed'"
FAILS = {VERIFY_FAILED: 2}


def reason_not_to_run(command: Command) -> str:
    """Return why a command does not run here, empty if it does."""
    return next((reason for start, reason in NOT_RUN.items() if re.match(start, command.text)), "")


def page_commands(page: Path) -> list[Command]:
    return [command for command in commands(page) if not reason_not_to_run(command)]


class Folder:
    """The folder in which a reader runs the commands of a page, with the files in the page."""

    def __init__(self, page: Path, directory: Path, simulator: simulated.RunningSimulator) -> None:
        self._directory = directory
        home = directory / "home"
        shutil.copytree(simulator.directory / "kubeconfigs", home / ".kube")
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AZURE_", "K8S_", "KUBE"))},
            **simulator.environment,
            "ANSIBLE_NOCOLOR": "1",
            "HOME": str(home),
        }
        self._exports: list[str] = []
        inventory = files_of(README)["inventory.yml"]
        hosts = yaml.safe_load(inventory)
        hosts["edge"]["hosts"]["plant-7"] = None
        files = {
            "inventory.yml": yaml.safe_dump(hosts),
            "azureml_clusters.yml": files_of(FLEET)["azureml_clusters.yml"],
        }
        own = {name: content for name, content in files_of(page).items() if reaches_simulated_clusters(name, content)}
        for name, content in {**files, **own}.items():
            (directory / name).write_text(content, encoding="utf-8")

    def run(self, text: str) -> tuple[int, str]:
        """Run a command after all earlier exports; return its status and its output."""
        if text.startswith("export "):
            self._exports.append(text)
            return 0, ""
        finished = subprocess.run(
            ["bash", "-c", "\n".join([*self._exports, text])],
            cwd=self._directory,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        return finished.returncode, finished.stdout


def reaches_simulated_clusters(name: str, content: str) -> bool:
    return name != "inventory.yml" or "~/.kube/" in content


def assert_shown(command: Command, output: str) -> None:
    """Assert that the output contains the documented lines, in which C(...) matches any text."""
    for line in command.output:
        pattern = re.escape(line).replace(re.escape("..."), ".*")
        assert re.search(f"^{pattern}$", output, re.MULTILINE), f"{command} does not print '{line}':\n{output}"


@pytest.fixture
def folder(tmp_path):
    """Return a function that creates the folder for a page, with separate simulated clusters."""
    with simulated.running(
        Scenario(clusters=[*CLUSTERS, ClusterPlan("ship-k3s", tags=PRODUCTION, install=BROKEN)], time_scale=60),
        tmp_path / "simulator",
    ) as simulator:
        yield lambda page: (Folder(page, tmp_path, simulator), simulator)


@pytest.mark.parametrize("page", [page for page in PAGES if page_commands(page)], ids=lambda page: page.name)
def test_commands_run_as_printed(page, folder):
    reader, simulator = folder(page)
    if page == FLEET:
        status, output = reader.run("ansible-playbook azureml.arc.deploy -i azureml_clusters.yml")
        assert status == 2, output  # ship-k3s fails, which the page shows how to find
    else:
        simulator.change_plan("ship-k3s", install=asdict(INSTALL))
        if page.name not in FROM_SCRATCH:
            status, output = reader.run(DEPLOY)
            assert status == 0, output
    for command in page_commands(page):
        status, output = reader.run(command.text)

        assert status == FAILS.get(command.text, 0), f"{command}:\n{output}"
        assert_shown(command, output)
        if command.text == VERIFY_FAILED:
            simulator.change_plan("ship-k3s", install=asdict(INSTALL))


def test_documented_upgrade_to_a_broken_version_is_rolled_back(folder):
    upgrade = next(one.text for one in commands(README) if "azureml.arc.upgrade" in one.text)
    reader, simulator = folder(README)
    assert reader.run(DEPLOY)[0] == 0
    bad = asdict(InstallPlan(seconds=30, bad_versions=["1.1.70"]))
    simulator.change_plan("shop-k3s", install=bad)

    status, output = reader.run(f"{upgrade} --limit shop-k3s")

    assert status == 2, output
    assert "Rolled back to version 1.1.61" in output
    status, output = reader.run("ansible-playbook azureml.arc.verify -i inventory.yml --limit shop-k3s")
    assert status == 0, output
    assert "extension 1.1.61 in sync" in output


def test_modules_and_role_deploy_the_same(folder):
    """After the playbook of docs/modules.md, neither the playbook nor the role has changes to make."""
    reader, _simulator = folder(ROOT / "docs/modules.md")
    resources = {kind: {"cpu": "1", "memory": "4Gi"} for kind in ("requests", "limits")}
    compute = {
        "name": "plant-7",
        "namespace": "ml",
        "default_instance_type": "small",
        "instance_types": {"small": {"resources": resources}},
    }
    variables = json.dumps({"azureml_compute": compute})
    assert reader.run("ansible-playbook deploy.yml")[0] == 0

    for command in ("ansible-playbook deploy.yml", f"{DEPLOY} --limit plant-7 -e '{variables}'"):
        status, output = reader.run(command)

        assert status == 0, output
        assert "changed=0 " in output, output


def test_modules_do_not_wait_in_check_mode(folder):
    """Check mode creates neither pods nor instance types."""
    reader, simulator = folder(ROOT / "docs/modules.md")
    start = time.monotonic()

    status, output = reader.run("ansible-playbook deploy.yml --check")

    assert status == 0, output
    assert "namespace 'azureml' is not ready yet: " in output
    assert "instance types are not defined in the cluster yet" in output
    assert "changed=5 " in output
    assert writes(simulator) == []
    assert time.monotonic() - start < PATIENCE


@pytest.mark.parametrize("start", NOT_RUN)
def test_reason_not_to_run_is_used(start):
    assert any(re.match(start, command.text) for page in PAGES for command in commands(page))
