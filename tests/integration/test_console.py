# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The console output of a rollout of six clusters, two of which fail."""

from __future__ import annotations

import re

import pytest

from simulator.scenario import ClusterPlan, InstallPlan

MOST_LINES = 40
BROKEN = InstallPlan(
    seconds=30,
    error="Helm installation failed : timed out waiting for the condition",
    pods={"relayserver": "ImagePullBackOff", "aml-operator": "Unschedulable"},
)
FAILING = {"f3": {"install": BROKEN}, "f5": {"connectivity": "Offline"}}
HELM = "timed out waiting for the condition"
OFFLINE = "the cluster has connectivity status Offline"
BUDGET = ("-e", "azureml_max_failures=2")
DISPLAY_CONFIGURATIONS = {
    "default": {},
    "skipped hosts hidden": {"ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false"},
    "80 columns": {"COLUMNS": "80"},
}


@pytest.fixture
def fleet(start_fleet):
    """The inventory of six clusters in a new simulator."""
    clusters = [
        ClusterPlan(name, **{"install": InstallPlan(seconds=30), "attach_seconds": 5, **FAILING.get(name, {})})
        for name in ("f1", "f2", "f3", "f4", "f5", "f6")
    ]
    _simulator, inventory = start_fleet(clusters)
    return inventory


def lines_of(output: str) -> list[str]:
    return [line for line in output.splitlines() if line.strip()]


def failure(output: str, name: str) -> list[str]:
    """Return the lines about the failure of a cluster."""
    lines = lines_of(output)
    start = next(number for number, line in enumerate(lines) if line.startswith(f"failed: [{name}] "))
    end = next(number for number in range(start + 1, len(lines)) if not lines[number].startswith(" "))
    return [line.strip() for line in lines[start:end]]


@pytest.mark.parametrize("environment", DISPLAY_CONFIGURATIONS.values(), ids=DISPLAY_CONFIGURATIONS)
def test_rollout_of_six_clusters_with_two_failures_prints_at_most_forty_lines(fleet, playbook, environment):
    run = playbook("azureml.arc.rollout", fleet, *BUDGET, **environment)

    assert run.status == 2
    lines = lines_of(run.output)
    assert len(lines) <= MOST_LINES, run.output
    # Each failure is shown once, with the cause first and the fix last. The result of its host only refers to it.
    assert [run.output.count(text) for text in (HELM, OFFLINE, "correlation id")] == [1, 1, 1]
    image_pull = failure(run.output, "f3")
    assert image_pull[0].startswith("failed: [f3] image pull: Pod relayserver-")
    assert "aml-operator" in image_pull[1]
    assert f"{HELM} (ExtensionOperationFailed, correlation id " in image_pull[2]
    assert image_pull[3].startswith("fix: ")
    assert [line.split(":")[0] for line in failure(run.output, "f5")] == ["failed", "fix"]
    assert f"failed: [f5] not connected: {OFFLINE}" in run.output
    assert run.output.count('"msg": "failed, see above"}') == 2
    # There is one line for each other cluster and for each wave.
    for name in ("f1", "f2", "f4", "f6"):
        assert run.output.count(f"changed: [{name}] extension installed, ") == 1
    assert [re.search(r"wave \d of 3 \(\d+ s\): (.*)\)$", line)[1] for line in lines if "=> (item=wave" in line] == [
        "1 changed; failed so far: none; still to come: 5 (f2, f3, f4, f5, f6)",
        "1 changed; failed so far: none; still to come: 4 (f3, f4, f5, f6)",
        "2 changed, 2 failed; failed so far: 2 (f3, f5); retry with --limit f3,f5",
    ]
    # The banner of a task comes before the lines of its clusters.
    banners = [number for number, line in enumerate(lines) if line.startswith("TASK [Deploy]")]
    first = [next(n for n, line in enumerate(lines) if f"[{name}] extension inst" in line) for name in ("f1", "f2")]
    assert banners[0] < first[0] < banners[1] < first[1] < banners[2]
    for text in ("skipping", "localhost", "Origin:", "[ERROR]", "collections/ansible_collections"):
        assert text not in run.output


def test_results_in_yaml_format_refer_to_the_failures(fleet, playbook):
    run = playbook("azureml.arc.rollout", fleet, *BUDGET, ANSIBLE_CALLBACK_RESULT_FORMAT="yaml")

    assert len(lines_of(run.output)) <= MOST_LINES, run.output
    assert [run.output.count(text) for text in (HELM, OFFLINE, "msg: failed, see above")] == [1, 1, 2]


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("remove", (), "this would remove Azure Machine Learning from 6 clusters"),
        ("rollout", ("-e", "azureml_waves=x"), "azureml_waves must be numbers of clusters or percentages"),
        ("upgrade", ("-e", "azureml_max_failures=few"), "azureml_max_failures must be a number of clusters"),
    ],
)
def test_rejected_run_prints_its_message_once_without_source_lines(fleet, playbook, name, arguments, message):
    run = playbook(f"azureml.arc.{name}", fleet, *arguments)

    assert run.status == 2
    assert run.output.count(message) == 1
    for text in ("Origin:", "[ERROR]", "An exception occurred", "playbooks/"):
        assert text not in run.output


def test_report_shows_each_cluster_in_its_table(fleet, playbook):
    run = playbook("azureml.arc.report", fleet, "--limit", "f1,f5")

    lines = lines_of(run.output)
    assert [line.split()[:2] for line in lines if re.match(r"f\d ", line)][:2] == [["f1", "failed"], ["f5", "failed"]]
    assert run.output.count("fix: Repair its Arc agents") == 1
