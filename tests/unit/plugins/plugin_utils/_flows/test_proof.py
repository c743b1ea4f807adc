# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where flows run a job, what they make of it, and what a proof holds for."""

from __future__ import annotations

import pytest
from flow_world import VARIABLES, World, run

JOB = {"prove": ["job"]}
CAUSE = {"code": "JobIdentity", "message": "it has no identity", "fix": "Give it one."}
FAILED = {
    "failed": True,
    "msg": "compute 'edge' does not run jobs",
    "error": {"code": "JobIdentity"},
    "jobs": [{"name": "arc-check", "succeeded": False, "cause": CAUSE, "request": {}}],
}


def modules(world: World) -> list[str]:
    return [module for module, _options, _check_mode in world.calls]


def options_of_job(world: World) -> dict:
    (found,) = [options for module, options, _check_mode in world.calls if module == "job_check"]
    return found


@pytest.mark.parametrize(
    ("flow", "world", "variables"),
    [
        ("deploy", World(), {}),
        ("deploy", World(installed=True, attached=True), {}),
        ("verify", World(installed=True, attached=True), {"purge_instance_types": False}),
        ("upgrade", World(installed=True, attached=True), {"version": "1.1.61"}),
    ],
    ids=["deployed", "in sync", "verified", "upgraded"],
)
def test_job_is_run_last_and_changes_nothing_of_the_cluster(flow, world, variables):
    without = run(flow, World(installed=bool(world.state), attached=world.attached), **variables)

    result = run(flow, world, **JOB, **variables)

    assert modules(world)[-1] == "job_check"
    assert result["changed"] == without["changed"]
    assert [(job["name"], "request" in job) for job in result["jobs"]] == [("arc-check", False)]
    assert result["msg"] == f"{without['msg']}, a job completed"


@pytest.mark.parametrize("flow", ["rotate_tls", "detach", "remove"])
def test_other_flows_run_no_job(flow):
    world = World(installed=True, attached=True)
    run(flow, world, **JOB)
    assert "job_check" not in modules(world)


@pytest.mark.parametrize(
    ("how", "runs"),
    [
        ({}, False),
        ({"prove": ["endpoint"]}, False),
        (JOB, True),
        ({**JOB, "first_wave": False}, False),
        ({**JOB, "first_wave": False, "prove_job": {"every_wave": True}}, True),
        ({**JOB, "parts": ("extension", "readiness", "attach")}, False),
        ({**JOB, "parts": ("prove",)}, True),
    ],
)
def test_variables_waves_and_tags_decide_whether_a_job_is_run(how, runs):
    world = World(installed=True, attached=True)
    run("deploy", world, **how)
    assert ("job_check" in modules(world)) is runs


def test_job_that_does_not_complete_fails_the_cluster():
    result = run("deploy", World(job_check=FAILED), **JOB)

    assert (result["failed"], result["failed_step"]) == (True, "Prove that jobs run")
    assert result["error"] == {"code": "JobIdentity"}
    assert result["jobs"] == [{"name": "arc-check", "succeeded": False, "cause": CAUSE}]


def test_version_on_which_no_job_runs_is_rolled_back():
    update = {"changed": True, "plan": {"action": "update", "reason": "", "settings": {}, "properties": {"version": 1}}}
    world = World(installed=True, attached=True, extension=[update, update, {}], job_check=FAILED)

    result = run("upgrade", world, version="1.1.70", rollback=True, **JOB)

    assert "Rolled back to version 1.1.61." in result["msg"]


def test_version_that_was_there_before_is_not_rolled_back():
    world = World(installed=True, attached=True, job_check=FAILED)

    result = run("upgrade", world, version="1.1.61", rollback=True, **JOB)

    assert result["failed"]
    assert "rollback" not in result


def test_check_mode_asks_for_the_job_of_an_attached_compute_alone():
    attached, missing = World(installed=True, attached=True), World(installed=True)

    result = run("deploy", attached, check_mode=True, **JOB)
    run("deploy", missing, check_mode=True, **JOB)

    assert result["msg"].endswith(", a job would be submitted")
    assert [check_mode for module, _options, check_mode in attached.calls if module == "job_check"] == [True]
    assert "job_check" not in modules(missing)


def test_start_without_wait_leaves_the_job_to_a_later_task():
    world = World(installed=True, attached=True)
    run("deploy", world, wait=False, **JOB)
    assert "job_check" not in modules(world)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"extension": {"extension": {"current_version": "1.1.70", "provisioning_state": "Succeeded"}}}, False),
        ({"compute": {"compute": {"name": "edge", "namespace": "ml"}}}, False),
        ({"compute": {"compute": {"name": "edge", "identity": {"type": "UserAssigned"}}}}, False),
    ],
)
def test_proof_applies_to_a_revision(change, same):
    first, second = World(installed=True, attached=True), World(installed=True, attached=True, **change)
    for world in (first, second):
        run("deploy", world, **JOB)
    assert (options_of_job(first)["revision"] == options_of_job(second)["revision"]) is same


def test_options_of_the_job():
    world = World(installed=True, attached=True)
    run("deploy", world, prove_job={"instance_types": ["gpu"], "every_wave": False, "wait_timeout": 60}, **JOB)

    options = options_of_job(world)
    assert options.pop("revision").startswith("1.1.61 ")
    assert options == {
        "workspace": VARIABLES["azureml_workspace"],
        "compute": "edge",
        "instance_types": ["gpu"],
        "wait_timeout": 60,
        "kubeconfig": "k",
    }


def test_pods_are_left_out_where_only_a_node_reaches_them():
    world = World(installed=True, attached=True)
    run("deploy", world, kubernetes_via="node", **JOB)
    options = options_of_job(world)
    assert options["inspect_pods"] is False
    assert "kubeconfig" not in options
