# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook that sets up AWX, with the real modules of awx.awx and the simulator of AWX."""

from __future__ import annotations

import pytest
import yaml
from awx_setup import AWX_PROJECT, SECRET, VARIABLES, FirstSetup, Setup, commit, create_repository

from awx.launches import launch_job, launch_workflow
from awx.permissions import User
from awx.running import RunningServer


@pytest.fixture
def setup(tmp_path):
    with RunningServer(tmp_path / "awx") as controller:
        yield Setup(controller, create_repository(tmp_path))


@pytest.fixture(scope="module")
def first_setup(tmp_path_factory):
    directory = tmp_path_factory.mktemp("awx")
    with RunningServer(directory / "awx") as controller:
        yield FirstSetup(Setup(controller, create_repository(directory)))


@pytest.fixture
def complete(first_setup) -> Setup:
    """AWX after the first setup."""
    return first_setup.restored()


def changed_tasks(run) -> list[str]:
    return [one["task"] for one in run.results if one["result"].get("changed")]


def test_setup_and_removal_are_idempotent(complete, first_setup):
    store, server, first = complete.store, complete.controller.server, first_setup.run
    templates = complete.by_name("job_templates")
    assert set(templates) == {f"azureml {path.stem}" for path in AWX_PROJECT.glob("[a-z]*.yml")} - {
        "azureml azureml_clusters"
    }
    nodes = complete.by_name("workflow_job_template_nodes")
    after = {
        (before, outcome): [store.items["workflow_job_template_nodes"][one]["identifier"] for one in following]
        for before, node in nodes.items()
        for outcome in ("success", "failure", "always")
        if (following := store.associated.get(("workflow_job_template_nodes", node["id"], f"{outcome}_nodes")))
    }
    assert after == {
        ("preflight", "success"): ["canary"],
        ("canary", "success"): ["approval"],
        ("canary", "failure"): ["rollout_failed"],
        ("approval", "success"): ["rest"],
        ("rest", "success"): ["report"],
        ("rest", "failure"): ["rollout_failed"],
    }
    assert store.endpoint_of(nodes["approval"]["unified_job_template"]) == "workflow_approval_templates"
    assert (nodes["preflight"]["job_type"], nodes["canary"]["limit"]) == ("check", None)
    assert templates["azureml deploy"]["job_slice_count"] == templates["azureml verify"]["job_slice_count"] == 3
    questions = {one["variable"]: one for one in store.surveys[templates["azureml deploy"]["id"]]["spec"]}
    assert questions["azureml_survey_private_key"]["type"] == "password"
    assert questions["azureml_survey_profile"]["choices"][1:] == ["training", "inference", "training_inference"]
    writes = len(server.writes)

    second = complete.run()

    assert second.status == 0, second.output[-6000:]
    assert changed_tasks(second) == [], server.writes[writes:]
    assert SECRET not in first.output + second.output
    assert complete.controller.environment["CONTROLLER_PASSWORD"] not in first.output + second.output
    assert writes > 20

    for changes in (True, False):
        absent = complete.run("absent")

        assert absent.status == 0, absent.output[-6000:]
        assert bool(absent.changed("localhost")) is changes
        left = {name: list(items.values()) for name, items in store.items.items() if items}
        assert {item["managed"] for item in left.pop("credential_types")} == {True}
        assert set(left) <= {"project_updates"}


def test_organization_that_the_playbook_did_not_create_is_kept(setup):
    own = setup.store.create("organizations", {"name": "Azure Machine Learning", "description": "ours"})

    absent = setup.run("absent", azureml_awx_kubeconfigs={})

    assert absent.status == 0, absent.output[-6000:]
    assert setup.store.items["organizations"] == {own["id"]: own}


def test_manual_changes_are_reverted_and_objects_without_variables_removed(complete):
    """One run changes all differences, and the next run changes nothing."""
    store, nodes = complete.store, complete.by_name("workflow_job_template_nodes")
    workflow, deploy = (
        complete.by_name("workflow_job_templates")["azureml fleet"],
        complete.by_name("job_templates")["azureml deploy"],
    )
    nodes["rest"]["limit"] = "foo"
    added = {"workflow_job_template": workflow["id"], "unified_job_template": deploy["id"], "identifier": "by hand"}
    store.create("workflow_job_template_nodes", added)
    complete.by_name("schedules")["azureml nightly verification"]["enabled"] = False
    deploy.update(ask_variables_on_launch=True, limit="foo", description="changed", forks=50)
    others = store.create(
        "job_templates",
        {**{name: deploy[name] for name in ("inventory", "project", "playbook")}, "name": "azureml experiments"},
    )
    fewer = {
        "azureml_awx_credentials": {},
        "azureml_awx_kubeconfigs": {},
        "azureml_awx_notifications": {
            "chat": {"type": "slack", "configuration": {"token": SECRET, "channels": ["#other"]}}
        },
        "azureml_awx_update_secrets": "false",
    }

    run = complete.run(**fewer)

    assert run.status == 0, run.output[-6000:]
    assert set(complete.by_name("workflow_job_template_nodes")) == set(nodes)
    assert complete.by_name("workflow_job_template_nodes")["rest"]["limit"] is None
    assert complete.by_name("schedules")["azureml nightly verification"]["enabled"]
    assert not deploy["ask_variables_on_launch"]
    assert deploy["limit"] == ""
    assert deploy["description"].startswith("Deploy clusters")
    assert deploy["forks"] == 50  # documented as kept
    assert others["id"] in store.items["job_templates"]
    assert not store.items["credentials"]
    assert "azureml kubeconfig" not in complete.by_name("credential_types")
    assert set(complete.by_name("notification_templates")) == {"azureml chat"}
    assert complete.by_name("notification_templates")["azureml chat"]["notification_configuration"]["channels"] == [
        "#other"
    ]

    again = complete.run(**{**fewer, "azureml_awx_verify_rrule": ""})

    assert changed_tasks(again) == ["Schedule the verification"], again.output[-6000:]
    assert not store.items["schedules"]


def test_removal_waits_for_objects_in_use_and_keeps_objects_of_others(complete):
    store, organization = complete.store, complete.by_name("organizations")["Azure Machine Learning"]
    store.create("teams", {"name": "others", "organization": organization["id"]})
    kind = complete.by_name("credential_types")["azureml kubeconfig"]
    other_organization = store.create("organizations", {"name": "other"})["id"]
    given = {"name": "theirs", "organization": other_organization, "credential_type": kind["id"], "inputs": {}}
    store.create("credentials", given)
    store.pending_notifications.add(complete.by_name("notification_templates")["azureml chat"]["id"])
    (job,), _ignored = launch_job(store, complete.by_name("job_templates")["azureml verify"], {}, hosts=1)
    complete.controller.later(40, lambda: (job.update(status="successful"), store.pending_notifications.clear()))

    # Variables without the secrets in a vault, and without some of the objects.
    absent = complete.run("absent", azureml_awx_credentials="{{ vault_azure }}", azureml_awx_notifications={})

    assert absent.status == 0, absent.output[-6000:]
    left = {name: {one.get("name") for one in items.values()} for name, items in store.items.items() if items}
    assert left["credentials"] == {"theirs"}
    assert left["teams"] == {"others"}
    assert "azureml kubeconfig" in left["credential_types"]
    assert left["organizations"] == {"Azure Machine Learning", "other"}
    assert not {"job_templates", "projects", "inventories", "notification_templates", "schedules"} & set(left)
    message = absent.result("Report that the organization was kept", "localhost")["msg"]
    assert message == 'Kept: organization "Azure Machine Learning", which contains teams: others.'
    (kept,) = absent.result("Report the kept credential type", "localhost")["results"]
    assert kept["msg"].startswith('Kept: credential type "azureml kubeconfig"')

    store.items["teams"].clear()
    store.items["credentials"].clear()
    last = complete.run("absent")

    assert last.status == 0, last.output[-6000:]
    assert set(complete.by_name("organizations")) == {"other"}
    assert "azureml kubeconfig" not in complete.by_name("credential_types")


def test_check_mode_with_a_new_organization_creates_nothing(setup):
    run = setup.run(arguments=("--check",))

    assert run.status == 0, run.output[-6000:]
    assert changed_tasks(run) == ["Report that everything would be created"]
    assert setup.controller.server.writes == []
    assert not setup.controller.server.tokens


def test_name_that_another_organization_uses_ends_the_run_before_any_change(setup):
    other = setup.store.create("organizations", {"name": "other"})["id"]
    setup.store.create("execution_environments", {"name": "azureml", "image": "i", "organization": other})

    present = setup.run()

    assert present.status == 2
    assert "execution environment 'azureml' belongs to another organization" in present.output
    assert setup.controller.server.writes == []
    absent = setup.run("absent")
    assert absent.status == 0, absent.output[-6000:]
    assert setup.controller.server.writes == []
    assert not setup.controller.server.tokens


def test_setup_recovers_after_a_failed_project_update(setup, tmp_path):
    """Also checks that credentials are assigned to project, execution environment and templates by their type."""
    hidden = tmp_path / "hidden"
    setup.repository.rename(hidden)
    credentials = {
        **VARIABLES["azureml_awx_credentials"],
        "git": {"type": "Source Control", "inputs": {"username": "u", "password": SECRET}},
        "images": {"type": "Container Registry", "inputs": {"host": "h", "username": "u", "password": SECRET}},
    }

    broken = setup.run(azureml_awx_credentials=credentials)

    assert broken.status == 2
    shown = broken.result("Fail if the update has failed", "localhost")["msg"]
    assert "Could not read from remote repository" in shown
    assert not setup.store.items["job_templates"]
    hidden.rename(setup.repository)
    (setup.repository / "canary.yml").unlink()
    commit(setup.repository)

    lacking = setup.run(azureml_awx_credentials=credentials)

    assert "lacks the playbooks canary.yml" in lacking.result("Fail if playbooks are missing", "localhost")["msg"]
    (setup.repository / "canary.yml").write_text((AWX_PROJECT / "canary.yml").read_text(encoding="utf-8"))
    commit(setup.repository)
    scm = {
        "scm_type": "git",
        "scm_url": f"file://{setup.repository}",
        "scm_update_on_launch": True,
        "allow_override": True,
    }

    healed = setup.run(azureml_awx_credentials=credentials, azureml_awx_project=scm, azureml_awx_image_pull="always")

    assert healed.status == 0, healed.output[-6000:]
    names = {one["id"]: name for name, one in setup.by_name("credentials").items()}
    project, image = setup.by_name("projects")["azureml"], setup.by_name("execution_environments")["azureml"]
    assert (names[project["credential"]], names[image["credential"]]) == ("azureml git", "azureml images")
    assert (project["scm_update_on_launch"], project["allow_override"], image["pull"]) == (True, True, "always")
    template = setup.by_name("job_templates")["azureml deploy"]
    assigned = setup.store.associated["job_templates", template["id"], "credentials"]
    assert {names[one] for one in assigned} == {"azureml azure", "azureml fleet"}


def test_organization_administrator_needs_a_credential_type_that_a_system_administrator_created(setup):
    """Also checks that a failed canary fails the workflow."""
    server, store = setup.controller.server, setup.store
    organization = store.create("organizations", {"name": "Azure Machine Learning"})["id"]
    server.users.append(User("manager", "manager-password", organization=organization))
    setup.environment = {"CONTROLLER_USERNAME": "manager", "CONTROLLER_PASSWORD": "manager-password"}

    refused = setup.run()

    assert refused.status == 2
    assert "only a system administrator can create or change it" in refused.output
    names = yaml.safe_load((AWX_PROJECT.parent / "names.yml").read_text(encoding="utf-8").replace("!unsafe ", ""))
    store.create("credential_types", {"name": "azureml kubeconfig", **names["azureml_awx_kubeconfig_type"]})

    accepted = setup.run()

    assert accepted.status == 0, accepted.output[-6000:]
    workflow = setup.by_name("workflow_job_templates")["azureml fleet"]
    store.outcomes["azureml canary"] = store.outcomes["azureml rollout_failed"] = "failed"
    job = launch_workflow(store, workflow, {"limit": "arc-1"})
    assert job["status"] == "failed"
    assert [(one["name"], one["limit"]) for one in store.items["jobs"].values()] == [
        ("azureml rollout", "arc-1"),
        ("azureml canary", "arc-1"),
        ("azureml rollout_failed", "arc-1"),
    ]
    for one in store.items["jobs"].values():
        assert one["extra_vars"].get("azureml_canary") == ("all[0]" if one["name"] == "azureml canary" else None)

    absent = setup.run("absent")

    assert absent.status == 0, absent.output[-6000:]
    assert set(setup.by_name("organizations")) == {"Azure Machine Learning"}
    assert "azureml kubeconfig" in setup.by_name("credential_types")
    assert not store.items["credentials"]
