# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs that flows run to prove a compute: when they run, their results, and what a proof depends on."""

from __future__ import annotations

import pytest
from fake_modules import VARIABLES, FakeModules, run

JOB = {"prove": ["job"]}
CAUSE = {"code": "JobIdentity", "message": "it has no identity", "fix": "Give it one."}
FAILED = {
    "failed": True,
    "msg": "compute 'edge' does not run jobs",
    "error": {"code": "JobIdentity"},
    "jobs": [{"name": "arc-check", "succeeded": False, "cause": CAUSE, "request": {}}],
}


def modules(fake: FakeModules) -> list[str]:
    return [module for module, _options, _check_mode in fake.calls]


def options_of_job(fake: FakeModules) -> dict:
    (found,) = [options for module, options, _check_mode in fake.calls if module == "job_check"]
    return found


@pytest.mark.parametrize(
    ("flow", "fake", "variables"),
    [
        ("deploy", FakeModules(), {}),
        ("deploy", FakeModules(installed=True, attached=True), {}),
        ("verify", FakeModules(installed=True, attached=True), {"purge_instance_types": False}),
        ("upgrade", FakeModules(installed=True, attached=True), {"version": "1.1.61"}),
    ],
    ids=["deployed", "in sync", "verified", "upgraded"],
)
def test_job_is_the_last_step_and_does_not_count_as_a_change(flow, fake, variables):
    without = run(flow, FakeModules(installed=bool(fake.state), attached=fake.attached), **variables)

    result = run(flow, fake, **JOB, **variables)

    assert modules(fake)[-1] == "job_check"
    assert result["changed"] == without["changed"]
    assert [(job["name"], "request" in job) for job in result["jobs"]] == [("arc-check", False)]
    assert result["msg"] == f"{without['msg']}, a job completed"


@pytest.mark.parametrize(
    ("reused", "words"),
    [
        ([True], "a job of today reused (completed)"),
        ([True, False], "a job completed, a job of today reused (completed)"),
        ([True, True], "2 jobs of today reused (completed)"),
    ],
)
def test_reused_job_is_named_as_such(reused, words):
    jobs = [{"name": "arc-check", "succeeded": True, "reused": one} for one in reused]

    result = run("deploy", FakeModules(job_check={"jobs": jobs}), **JOB)

    assert result["msg"].endswith(f"compute attached, {words}")


@pytest.mark.parametrize("flow", ["rotate_tls", "detach", "remove"])
def test_other_flows_run_no_job(flow):
    fake = FakeModules(installed=True, attached=True)
    run(flow, fake, **JOB)
    assert "job_check" not in modules(fake)


@pytest.mark.parametrize(
    ("arguments", "runs"),
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
def test_job_is_run_depending_on_variables_wave_and_tags(arguments, runs):
    fake = FakeModules(installed=True, attached=True)
    run("deploy", fake, **arguments)
    assert ("job_check" in modules(fake)) is runs


def test_job_that_does_not_complete_fails_the_cluster():
    result = run("deploy", FakeModules(job_check=FAILED), **JOB)

    assert (result["failed"], result["failed_step"]) == (True, "Prove that jobs run")
    assert result["error"] == {"code": "JobIdentity"}
    assert result["jobs"] == [{"name": "arc-check", "succeeded": False, "cause": CAUSE}]


def test_version_on_which_no_job_completes_is_rolled_back():
    version = {"before": "1.1.61", "after": "1.1.70"}
    plan = {"action": "update", "reason": "", "settings": {}, "properties": {"version": version}}
    update = {"changed": True, "plan": plan}
    fake = FakeModules(installed=True, attached=True, extension=[update, update, {}], job_check=FAILED)

    result = run("upgrade", fake, version="1.1.70", rollback=True, **JOB)

    assert "Rolled back to version 1.1.61." in result["msg"]


def test_version_that_was_already_installed_is_not_rolled_back():
    fake = FakeModules(installed=True, attached=True, job_check=FAILED)

    result = run("upgrade", fake, version="1.1.61", rollback=True, **JOB)

    assert result["failed"]
    assert "rollback" not in result


def test_check_mode_checks_the_job_only_of_attached_computes():
    attached, missing = FakeModules(installed=True, attached=True), FakeModules(installed=True)

    result = run("deploy", attached, check_mode=True, **JOB)
    run("deploy", missing, check_mode=True, **JOB)

    assert result["msg"].endswith(", a job would be submitted")
    assert [check_mode for module, _options, check_mode in attached.calls if module == "job_check"] == [True]
    assert "job_check" not in modules(missing)


def test_start_without_wait_runs_no_job():
    fake = FakeModules(installed=True, attached=True)
    run("deploy", fake, wait=False, **JOB)
    assert "job_check" not in modules(fake)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({}, True),
        ({"extension": {"extension": {"current_version": "1.1.70", "provisioning_state": "Succeeded"}}}, False),
        ({"compute": {"compute": {"name": "edge", "namespace": "ml"}}}, False),
        ({"compute": {"compute": {"name": "edge", "identity": {"type": "UserAssigned"}}}}, False),
    ],
)
def test_changed_version_or_compute_has_another_revision(change, same):
    first, second = FakeModules(installed=True, attached=True), FakeModules(installed=True, attached=True, **change)
    for fake in (first, second):
        run("deploy", fake, **JOB)
    assert (options_of_job(first)["revision"] == options_of_job(second)["revision"]) is same


def test_options_of_the_job_come_from_azureml_prove_job():
    fake = FakeModules(installed=True, attached=True)
    run("deploy", fake, prove_job={"instance_types": ["gpu"], "every_wave": False, "wait_timeout": 60}, **JOB)

    options = options_of_job(fake)
    assert options.pop("revision").startswith("1.1.61 ")
    assert options == {
        "workspace": VARIABLES["azureml_workspace"],
        "compute": "edge",
        "instance_types": ["gpu"],
        "wait_timeout": 60,
        "kubeconfig": "k",
    }


def test_pods_are_not_read_if_the_cluster_is_reached_via_a_node():
    fake = FakeModules(installed=True, attached=True)
    run("deploy", fake, kubernetes_via="node", **JOB)
    options = options_of_job(fake)
    assert options["inspect_pods"] is False
    assert "kubeconfig" not in options
