# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""AWX is set up by the real modules of awx.awx, against a stand-in that refuses what AWX refuses."""

from __future__ import annotations

import base64

import pytest
from awx_setup import AWX_PROJECT, create_project, create_repository, set_up
from playbooks import variables_file
from support import requests_to

import certificates
import simulated
from awx.projects import playbooks
from awx.rules import InvalidError
from awx.running import RunningServer
from awx.store import Store
from simulator.scenario import ClusterPlan

SECRET = "credential-secret-marker"
# What a user sets, secrets included.
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


@pytest.fixture
def controller(tmp_path):
    with RunningServer(tmp_path / "awx") as running:
        yield running


@pytest.fixture
def repository(tmp_path):
    return create_repository(tmp_path)


def by_name(store, endpoint: str) -> dict:
    return {item["name"]: item for item in store.items[endpoint].values()}


def test_set_up_twice_then_taken_away_twice(repository, controller):
    store = controller.server.store

    first = set_up(controller, repository, VARIABLES)

    assert first.status == 0, [
        r for one in first.results for r in one["result"].get("results", [one["result"]]) if r.get("failed")
    ]
    templates = by_name(store, "job_templates")
    assert set(templates) == {f"azureml {path.stem}" for path in AWX_PROJECT.glob("[a-z]*.yml")} - {
        "azureml azureml_clusters"
    }
    nodes = {item["identifier"]: item for item in store.items["workflow_job_template_nodes"].values()}
    after = {
        (before, outcome): [store.items["workflow_job_template_nodes"][one]["identifier"] for one in following]
        for before, node in nodes.items()
        for outcome in ("success", "failure", "always")
        if (following := store.associated.get(("workflow_job_template_nodes", node["id"], f"{outcome}_nodes")))
    }
    assert after == {
        ("preflight", "success"): ["canary"],
        ("canary", "success"): ["approval"],
        ("canary", "failure"): ["report"],
        ("approval", "success"): ["rest"],
        ("rest", "always"): ["report"],
    }
    assert store.endpoint_of(nodes["approval"]["unified_job_template"]) == "workflow_approval_templates"
    assert (nodes["preflight"]["job_type"], nodes["canary"]["limit"]) == ("check", "all[0]")
    assert templates["azureml deploy"]["job_slice_count"] == templates["azureml verify"]["job_slice_count"] == 3
    questions = {one["variable"]: one for one in store.surveys[templates["azureml deploy"]["id"]]["spec"]}
    assert questions["azureml_survey_private_key"]["type"] == "password"
    assert questions["azureml_survey_profile"]["choices"][1:] == ["training", "inference", "training_inference"]
    writes = len(controller.server.writes)

    second = set_up(controller, repository, VARIABLES)

    assert second.status == 0, second.output[-6000:]
    assert [one["task"] for one in second.results if one["result"].get("changed")] == [], controller.server.writes[
        writes:
    ]
    assert SECRET not in first.output + second.output
    assert controller.environment["CONTROLLER_PASSWORD"] not in first.output + second.output
    assert writes > 20

    for changes in (True, False):
        absent = set_up(controller, repository, {**VARIABLES, "azureml_awx_state": "absent"})

        assert absent.status == 0, absent.output[-6000:]
        assert bool(absent.changed("localhost")) is changes
        left = {name: list(items.values()) for name, items in store.items.items() if items}
        assert {item["managed"] for item in left.pop("credential_types")} == {True}
        assert set(left) <= {"project_updates"}


def test_an_organization_of_others_stays(repository, controller):
    store = controller.server.store
    own = store.create("organizations", {"name": "Azure Machine Learning", "description": "ours"})

    absent = set_up(controller, repository, {**VARIABLES, "azureml_awx_state": "absent", "azureml_awx_kubeconfigs": {}})

    assert absent.status == 0, absent.output[-6000:]
    assert store.items["organizations"] == {own["id"]: own}


@pytest.mark.parametrize("name", ["deploy", "rollout"])
def test_answers_of_a_survey_reach_the_clusters(playbook, simulator, arc, aks, name, tmp_path):
    """What was answered counts above the inventory, and the rest of the inventory stays."""
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
        "azureml_waves": "1, 100%",
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


def test_a_survey_that_leaves_all_to_the_inventory_costs_nothing(playbook, simulator, arc, tmp_path):
    inventory = simulated.inventory(simulator.directory, [ClusterPlan(arc)])
    answers = {"azureml_survey_profile": "as the inventory says", "azureml_survey_compute": ""}
    arguments = variables_file(tmp_path, answers)
    stats = {"ANSIBLE_SHOW_CUSTOM_STATS": "1"}

    report = playbook(str(AWX_PROJECT / "report.yml"), inventory, *arguments, **stats)
    deployed = playbook(str(AWX_PROJECT / "deploy.yml"), inventory, *arguments)
    after = playbook(str(AWX_PROJECT / "report.yml"), inventory, *arguments, **stats)

    assert report.status == 2
    assert report.result("Show all clusters", arc)["failed_clusters"] == [arc]
    assert "azureml_rollout" in report.output.split("CUSTOM STATS")[1]
    assert deployed.status == 0, deployed.output
    assert "Set what was answered" not in deployed.output
    assert requests_to(simulator, "PUT", f"/workspaces/ws/computes/{arc}")
    assert after.status == 0, after.output
    assert after.result("Show all clusters", arc)["failed_clusters"] == []


@pytest.mark.parametrize(
    ("endpoint", "changes", "refused"),
    [
        ("job_templates", {"playbook": "azureml.arc.deploy"}, "Playbook not found for project."),
        ("job_templates", {"inventory": None}, "You must either set a default value or ask to prompt on launch."),
        ("workflow_job_template_nodes", {"forks": 5}, "Field is not configured to prompt on launch."),
        ("workflow_job_template_nodes", {"extra_data": {"azureml_other": 1}}, "not allowed on launch"),
        ("workflow_job_template_nodes", {"extra_data": {"azureml_soak": "long"}}, "expected to be an integer"),
        ("projects", {"scm_type": "", "local_path": "nowhere"}, "already being used by another manual project"),
        ("schedules", {"rrule": "RRULE:FREQ=DAILY;INTERVAL=1"}, "Valid DTSTART required"),
        ("credentials", {"inputs": {"host": "https://localhost"}}, "Additional properties are not allowed"),
    ],
)
def test_the_stand_in_refuses_what_awx_refuses(content, endpoint, changes, refused):
    """With an item as the playbook makes it, but for one thing; the item as it is passes."""
    item = content.items[endpoint][max(content.items[endpoint])]
    content.change(endpoint, item, {})

    with pytest.raises(InvalidError, match=refused):
        content.change(endpoint, item, changes)


@pytest.fixture
def content(tmp_path):
    """What a small set up leaves, made without a server: a rollout, a node and a schedule that launch it."""
    base = tmp_path / "projects"
    base.mkdir()
    store = Store(base)
    needed = create_project(store, base)
    kind = next(one["id"] for one in store.items["credential_types"].values() if one["namespace"] == "azure_rm")
    own = {"organization": needed["organization"]}
    store.create("credentials", {**own, "name": "azure", "credential_type": kind, "inputs": {"client": "c"}})
    template = store.create(
        "job_templates",
        {
            **needed,
            "name": "rollout",
            "playbook": "rollout.yml",
            "ask_limit_on_launch": True,
            "survey_enabled": True,
        },
    )["id"]
    question = {"question_name": "Soak", "variable": "azureml_soak", "type": "integer", "required": True}
    store.surveys[template] = {"name": "", "description": "", "spec": [question]}
    workflow = store.create("workflow_job_templates", {**own, "name": "fleet"})["id"]
    launch = {"unified_job_template": template, "limit": "all[0]"}
    store.create("workflow_job_template_nodes", {**launch, "workflow_job_template": workflow, "identifier": "canary"})
    store.create(
        "schedules", {**launch, "name": "nightly", "rrule": "DTSTART:20240101T020000Z RRULE:FREQ=DAILY;INTERVAL=1"}
    )
    return store


def test_every_playbook_of_the_project_is_one_to_awx():
    """Job templates may name them; what they take answers with is no playbook of its own to anybody."""
    found = set(playbooks(AWX_PROJECT))

    assert {"deploy.yml", "rollout.yml", "verify.yml", "report.yml", "rotate_tls.yml"} <= found
    assert not {one for one in found if "/" in one}
