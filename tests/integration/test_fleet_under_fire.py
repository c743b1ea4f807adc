# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet in which every fifth request fails. The run is killed halfway and repeated."""

from __future__ import annotations

import json
import re
import signal
from collections import Counter

import pytest
from ansible_collections.azureml.arc.plugins.modules.compute_info import SPEC as COMPUTE_INFO
from ansible_collections.azureml.arc.plugins.modules.extension_info import SPEC as EXTENSION_INFO
from fault_matrix import writes_of
from objects import WORKSPACE
from playbooks import run_playbook, start_playbook
from support import processes_of, requests_to, run_module_work, wait_for

import simulated
from simulator.scenario import ClusterPlan, InstallPlan, Scenario

HEALTHY = 88
SHARE = 0.2
SECONDS = 900
ARGUMENTS = ["--forks", "20", "-e", "azureml_readiness_timeout=40"]
QUIET = {"ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false", "ANSIBLE_DISPLAY_OK_HOSTS": "false"}
# Kinds of clusters that cannot be deployed (three of each), and their expected causes.
BROKEN = {
    "refused": ({"install": InstallPlan(error="Chart path not found")}, "Chart path not found"),
    "unschedulable": ({"install": InstallPlan(pods={"gateway": "ImagePullBackOff"})}, "ImagePullBackOff"),
    "offline": ({"connectivity": "Offline"}, "connectivity status Offline"),
    "full": ({"attach_error": "The workspace has too many computes."}, "too many computes"),
}


def _broken() -> dict[str, tuple[ClusterPlan, str]]:
    """Return the clusters that cannot be deployed, and their causes."""
    return {
        f"{kind}-{index}": (ClusterPlan(f"{kind}-{index}", **fields), cause)
        for kind, (fields, cause) in BROKEN.items()
        for index in range(3)
    }


@pytest.mark.parametrize("seed", [7])
def test_fleet_is_deployed_despite_faults_and_a_killed_run(sign_in_to, tmp_path, seed):
    broken = _broken()
    healthy = [ClusterPlan(f"shop-{index}") for index in range(HEALTHY)]
    # Mixed with the others, so that each part of the run has both kinds.
    clusters = sorted([*healthy, *(plan for plan, _cause in broken.values())], key=lambda plan: plan.name[::-1])
    scenario = Scenario(clusters=clusters, time_scale=60, fault_share=SHARE, fault_seed=seed)
    with simulated.running(scenario, tmp_path / "simulator") as azure:
        sign_in_to(azure)
        inventory = simulated.inventory(azure.directory, clusters)
        run = tmp_path / "run"
        run.mkdir()
        with start_playbook("azureml.arc.deploy", inventory, run, ARGUMENTS, QUIET) as process:
            wait_for(lambda: len(requests_to(azure, "PUT", "/extensions/")) > HEALTHY / 2, seconds=SECONDS)
            process.send_signal(signal.SIGKILL)
        wait_for(lambda: not processes_of(run), seconds=10)

        finished = run_playbook("azureml.arc.deploy", inventory, run, ARGUMENTS, QUIET, timeout=SECONDS)

        journal = azure.journal()
        _assert_reported(finished, broken)
        azure.clear_faults()
        _assert_deployed(tmp_path, healthy)
        faulty = sum(one["status"] != one["effect"] for one in journal)
        assert faulty > len(journal) * SHARE / 2
        # The second run only retries installations and attachments that had failed before it.
        twice = {path for (_method, path, _body), count in Counter(writes_of(journal)).items() if count > 1}
        assert [path for path in twice if not re.search("/connectedClusters/refused-|/computes/full-", path)] == []


def _assert_reported(finished, broken: dict) -> None:
    """Assert that exactly the broken clusters failed, each with its own cause."""
    failed = {host for host, figures in finished.recap().items() if figures["failed"]}
    assert failed == set(broken), finished.output[-5000:]
    assert "errantly" not in finished.output  # the warning of ansible-core for output that a worker prints directly
    for name, (_plan, cause) in broken.items():
        outcomes = json.dumps([one.get("outcome") for one in finished.results if one["host"] == name])
        assert cause in outcomes, outcomes


def _assert_deployed(directory, clusters: list[ClusterPlan]) -> None:
    computes = {
        one["name"]: one["provisioning_state"]
        for one in run_module_work(directory, COMPUTE_INFO, workspace=WORKSPACE)["computes"]
    }
    for cluster in clusters:
        options = {"resource_group": "rg-edge", "cluster_name": cluster.name}
        (extension,) = run_module_work(directory, EXTENSION_INFO, **options)["extensions"]
        assert (extension["provisioning_state"], computes[cluster.name]) == ("Succeeded", "Succeeded"), cluster.name
