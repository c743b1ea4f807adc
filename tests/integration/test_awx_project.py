# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbooks of the AWX project: survey answers, the canary, and the report after a failed rollout."""

from __future__ import annotations

import base64

import pytest
from awx_setup import AWX_PROJECT
from playbooks import variables_file
from support import requests_to

import certificates
import simulated
from awx.projects import playbooks
from simulator.scenario import ClusterPlan, Scenario


@pytest.mark.parametrize("name", ["deploy", "rollout"])
def test_survey_answers_take_precedence_over_the_inventory(playbook, simulator, arc, aks, name, tmp_path):
    inventory = simulated.inventory(
        simulator.directory, [ClusterPlan(arc), ClusterPlan(aks, type="managedClusters", nodes=2)]
    )
    answers = {
        "azureml_survey_profile": "training_inference",
        "azureml_survey_inference_service": "load_balancer",
        "azureml_survey_encryption": "https",
        "azureml_survey_cname": "ml.example.com",
        "azureml_survey_compute": "at-<cluster>",
        "azureml_survey_workspace": "ws-2",
        "azureml_survey_workspace_resource_group": "rg-ml",
        "azureml_survey_waves": "1, 100%",
    }
    parts = certificates.as_options()
    answers["azureml_survey_certificate"] = parts["certificate_content"]
    answers["azureml_survey_private_key"] = base64.b64encode(parts["private_key_content"].encode()).decode()
    arguments = variables_file(tmp_path, answers)

    run = playbook(str(AWX_PROJECT / f"{name}.yml"), inventory, *arguments)

    assert run.status == 0, run.output[-6000:]
    for cluster in (arc, aks):
        (put,) = [one for one in requests_to(simulator, "PUT", "/extensions/azureml") if f"/{cluster}/" in one["path"]]
        settings = put["body"]["properties"]["configurationSettings"]
        assert (settings["enableTraining"], settings["enableInference"]) == ("True", "True")
        assert requests_to(simulator, "PUT", f"/workspaces/ws-2/computes/at-{cluster}")
    assert answers["azureml_survey_private_key"][40:120] not in run.output
    assert run.output.count("PLAY [Roll out Azure Machine Learning]") == (2 if name == "rollout" else 0)


def test_survey_without_answers_uses_the_inventory_without_extra_tasks(playbook, simulator, arc, tmp_path):
    inventory = simulated.inventory(simulator.directory, [ClusterPlan(arc)])
    answers = {"azureml_survey_profile": "as the inventory says", "azureml_survey_compute": ""}
    arguments = variables_file(tmp_path, answers)
    stats = {"ANSIBLE_SHOW_CUSTOM_STATS": "1"}

    report = playbook(str(AWX_PROJECT / "report.yml"), inventory, *arguments, **stats)
    deployed = playbook(str(AWX_PROJECT / "deploy.yml"), inventory, *arguments)
    after = playbook(str(AWX_PROJECT / "report.yml"), inventory, *arguments, **stats)

    assert report.status == 2
    assert report.wave(arc)["failed_clusters"] == [arc]
    assert "azureml_rollout" in report.output.split("CUSTOM STATS")[1]
    assert deployed.status == 0, deployed.output
    assert "Set the answers" not in deployed.output
    assert requests_to(simulator, "PUT", f"/workspaces/ws/computes/{arc}")
    assert after.status == 0, after.output
    assert after.wave(arc)["failed_clusters"] == []


FLEET = [ClusterPlan(f"shop-{index}") for index in range(3)]


@pytest.fixture
def fleet(tmp_path):
    """A simulator of three clusters, and their inventory."""
    with simulated.running(Scenario(clusters=FLEET, time_scale=60), tmp_path / "fleet") as running:
        yield running, simulated.inventory(running.directory, FLEET)


@pytest.mark.parametrize(
    ("name", "answer", "inventory_waves", "waves"),
    [
        ("rollout", {}, "2, 100%", 2),
        ("rollout", {"azureml_survey_waves": "as the inventory says"}, ["100%"], 1),
        ("rollout", {"azureml_survey_waves": "100%"}, [1, 1, 1], 1),
        ("rollout", {}, None, 3),
        ("upgrade", {"azureml_version": "1.1.60"}, ["100%"], 1),
    ],
)
def test_waves_come_from_the_answer_or_from_the_inventory(
    playbook, fleet, name, answer, inventory_waves, waves, tmp_path
):
    running, inventory = fleet
    if inventory_waves is not None:
        inventory["all"]["vars"]["azureml_waves"] = inventory_waves

    run = playbook(
        str(AWX_PROJECT / f"{name}.yml"),
        inventory,
        *variables_file(tmp_path, {"azureml_survey_soak": "", **answer}),
        **running.environment,
    )

    assert run.output.count(f"PLAY [{'Roll out' if name == 'rollout' else 'Upgrade'} Azure Machine Learning]") == waves


def deployed(running) -> set[str]:
    """Return the clusters whose extension was created or changed."""
    paths = [one["path"] for one in requests_to(running, "PUT", "/extensions/azureml")]
    return {plan.name for plan in FLEET if any(f"/{plan.name}/" in path for path in paths)}


def test_canary_is_a_part_of_the_limit(playbook, fleet):
    """If the limit excludes the clusters of the pattern, the canary is the first cluster of the limit."""
    running, inventory = fleet
    canary = str(AWX_PROJECT / "canary.yml")

    run = playbook(canary, inventory, "--limit", "shop-1,shop-2", "-e", "azureml_canary=all[0]", **running.environment)

    assert run.status == 0, run.output[-6000:]
    assert deployed(running) == {"shop-1"}
    pattern = playbook(canary, inventory, "-e", "azureml_canary=shop-2", **running.environment)
    assert pattern.status == 0, pattern.output[-6000:]
    assert deployed(running) == {"shop-1", "shop-2"}


@pytest.mark.parametrize(
    ("artifact", "failed"),
    [({}, {"shop-0", "shop-1", "shop-2"}), ({"failed_clusters": ["shop-1"], "exceeded": True}, {"shop-1"})],
)
def test_report_after_a_failed_rollout_fails_although_all_clusters_are_in_sync(
    playbook, fleet, artifact, failed, tmp_path
):
    """AWX passes the artifact of the rollout as an extra variable."""
    running, inventory = fleet
    assert playbook(str(AWX_PROJECT / "deploy.yml"), inventory, **running.environment).status == 0
    arguments = variables_file(tmp_path, {"azureml_rollout": artifact} if artifact else {})

    run = playbook(str(AWX_PROJECT / "rollout_failed.yml"), inventory, *arguments, **running.environment)

    assert run.status == 2, run.output[-6000:]
    assert {plan.name for plan in FLEET if f"[{plan.name}]: FAILED!" in run.output} == failed


def test_awx_lists_only_the_playbooks_of_the_project():
    """Files with tasks are not playbooks that a job template can use."""
    found = set(playbooks(AWX_PROJECT))

    assert {"deploy.yml", "rollout.yml", "verify.yml", "report.yml", "rotate_tls.yml"} <= found
    assert not {one for one in found if "/" in one}
