# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The facts that the report reads from the result of a task."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.plugin_utils._report.results import (
    innermost,
    phase_of,
    read_cluster,
    read_module,
)

PLAN = {"action": "create", "reason": "the extension does not exist", "settings": {"a": {"before": None, "after": "b"}}}
EXTENSION = {"current_version": "1.1.61", "provisioning_state": "Succeeded"}
READY = {"kind": "Deployment", "name": "gateway", "ready": True, "reason": "", "message": ""}
PULL = {"name": "relayserver-1", "ready": False, "reason": "ImagePullBackOff", "message": "Back-off pulling image"}
PODS = {
    "ready": False,
    "summary": "1 of 2 components and 1 of 2 pods are ready",
    "components": [READY, {**READY, "name": "relayserver", "ready": False, "reason": "Unavailable"}],
    "pods": [PULL],
    "problems": ["Deployment relayserver: Unavailable", "Pod relayserver-1: ImagePullBackOff: Back-off pulling image"],
}
ENDPOINT = {
    "outcome": "ok",
    "summary": "serves the certificate, 90 days left",
    "checked_from": "controller",
    "problems": [],
    "certificate": {"chain": ["ab"], "names": ["ml"], "not_after": "2027-02-23T12:00:00+00:00", "days_left": 89.5},
}
COMPUTE = {"plan": {"action": "create"}, "compute": {"name": "c", "provisioning_state": "Creating"}}
HELM = (
    "The extension operation failed with the following error: Error: [ InnerError: [The extension operation failed:"
    " Error: [ InnerError: [Helm installation failed : timed out]]]] occurred while doing the operation"
)


def test_empty_result_has_no_facts():
    found = read_cluster({})

    assert (found.extension, found.readiness, found.computes, found.failure, found.phases) == (None, None, [], None, [])


def test_result_of_a_deployed_cluster_has_all_facts():
    step = {"name": "Submit the extension", "module": "extension", "start": 1.0, "end": 2.0}
    found = read_cluster(
        {
            "changed": True,
            "plan": PLAN,
            "extension": EXTENSION,
            "pod_readiness": PODS,
            "computes": [COMPUTE],
            "steps": [step, {"name": "begun", "module": "compute", "start": 2.0}, {"name": "other", "module": "x"}],
            "in_sync": False,
        }
    )

    assert found.changed
    assert (found.extension["action"], found.extension["version"], found.extension["changes"]) == (
        "create",
        "1.1.61",
        {},
    )
    assert (found.readiness["components_ready"], found.readiness["components"]) == (1, 2)
    assert [one["name"] for one in found.readiness["not_ready"]] == ["relayserver-1", "relayserver"]
    assert found.computes == [{"name": "c", "action": "create", "provisioning_state": "Creating"}]
    assert found.phases == [{"name": "extension", "start": 1.0, "end": 2.0}]


def test_updated_settings_are_listed():
    plan = {**PLAN, "action": "update", "properties": {"version": {"before": "1", "after": "2"}}}

    changes = read_cluster({"plan": plan, "extension": EXTENSION}).extension["changes"]

    assert changes == {"a": {"before": "", "after": "b"}, "version": {"before": "1", "after": "2"}}


FAILURES = {
    "error: message without code and hint": (
        {"msg": "step: it broke (code C). Fix it.", "error": {"code": "C", "message": "it broke", "hint": "Fix it."}},
        {"message": "it broke", "code": "C", "hint": "Fix it.", "findings": []},
    ),
    "message: without the step": (
        {"msg": "Check variables: azureml_profile is required", "failed_step": "Check variables"},
        {"message": "azureml_profile is required", "task": "Check variables"},
    ),
    "preflight: only findings of level error": (
        {
            "error": {"message": "is not ready for the extension: [error] connectivity: it is Offline. Start it."},
            "findings": [
                {"check": "nodes", "level": "warning", "message": "two nodes"},
                {"check": "connectivity", "level": "error", "message": "it is Offline.", "fix": "Start it."},
            ],
        },
        {
            "message": "is not ready for the extension",
            "findings": [{"check": "connectivity", "message": "it is Offline.", "hint": "Start it."}],
        },
    ),
    "verification: findings except those about pods": (
        {
            "msg": "extension: it differs; pods: Pod relayserver-1: ImagePullBackOff: Back-off pulling image",
            "findings": [
                "extension: it differs",
                "pods: Pod relayserver-1: ImagePullBackOff: Back-off pulling image",
            ],
            "pod_readiness": PODS,
        },
        {"message": "", "findings": [{"check": "", "message": "extension: it differs", "hint": ""}]},
    ),
    "endpoint: problems that are not elsewhere in the result": (
        {
            "pod_readiness": PODS,
            "problems": ["1.2.3.4:443: it serves plain HTTP"],
            "msg": "Check the inference endpoint: the inference endpoint is wrong: 1.2.3.4:443: it serves plain HTTP.",
            "failed_step": "Check the inference endpoint",
        },
        {"message": "the inference endpoint is wrong: 1.2.3.4:443: it serves plain HTTP."},
    ),
    "wait for pods: without problems that the readiness contains": (
        {**PODS, "msg": f"namespace 'azureml' is not ready: 1 of 2; {'; '.join(PODS['problems'])}"},
        {"message": "namespace 'azureml' is not ready: 1 of 2", "findings": []},
    ),
}


@pytest.mark.parametrize(("result", "expected"), FAILURES.values(), ids=FAILURES)
def test_failure_contains_no_repetitions(result, expected):
    failure = read_cluster({**result, "failed": True}).failure

    assert {name: failure[name] for name in expected} == expected


JOB = {
    "name": "arc-check",
    "compute": "edge",
    "instance_type": None,
    "status": "Completed",
    "succeeded": True,
    "reused": False,
    "queue_seconds": 12.3,
    "seconds": 4.0,
    "node": "node-0",
    "studio_url": "https://ml.azure.com/runs/arc-check",
}
MODULES = {
    "azureml.arc.pod_readiness": (PODS, lambda found: found.readiness["components"] == 2),
    "azureml.arc.endpoint_check": (ENDPOINT, lambda found: found.endpoint["days_left"] == 89.5),
    "azureml.arc.job_check": ({"jobs": [JOB]}, lambda found: found.jobs[0]["summary"].startswith("edge: Completed")),
    "azureml.arc.compute": (COMPUTE, lambda found: found.computes[0]["name"] == "c"),
    "azureml.arc.extension": ({"plan": PLAN, "extension": EXTENSION}, lambda found: found.extension["version"]),
    "vendor.cloud.stack": ({"plan": PLAN, "components": [{}], "msg": "m"}, lambda found: not found.extension),
}


@pytest.mark.parametrize(("action", "case"), MODULES.items(), ids=MODULES)
def test_result_of_a_single_module_has_its_facts(action, case):
    result, holds = case

    assert holds(read_module(action, "a task", result, failed=False))


@pytest.mark.parametrize(
    ("changes", "summary"),
    [
        ({}, "edge: Completed on node-0, queued for 12 s, ran for 4 s"),
        (
            {"instance_type": "gpu", "reused": True, "node": ""},
            "edge (gpu): Completed, queued for 12 s, ran for 4 s, of an earlier run",
        ),
        ({"status": "Queued", "node": "", "queue_seconds": None, "seconds": None}, "edge: Queued"),
        ({"status": "NotSubmitted", "node": None, "queue_seconds": None, "seconds": None}, "edge: NotSubmitted"),
    ],
)
def test_job_has_a_summary_in_one_line(changes, summary):
    (job,) = read_cluster({"jobs": [{**JOB, **changes}]}).jobs
    assert job["summary"] == summary


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        ("https://ml.azure.com/runs/j", True),
        ("javascript:alert(1)", False),
        ("http://ml.azure.com", False),
        (None, False),
    ],
)
def test_page_of_a_job_is_kept_only_if_it_is_an_https_url(url, kept):
    (job,) = read_cluster({"jobs": [{**JOB, "studio_url": url}]}).jobs
    assert bool(job["studio_url"]) is kept


@pytest.mark.parametrize(
    ("module", "phase"),
    [
        ("azureml.arc.preflight", "checks"),
        ("compute", "attachment"),
        ("job_check", "proof"),
        ("azureml.arc.fleet", None),
        ("other.x.y", None),
    ],
)
def test_module_belongs_to_a_phase(module, phase):
    assert phase_of(module) == phase


@pytest.mark.parametrize(
    ("message", "expected"),
    [(HELM, "Helm installation failed : timed out"), ("plain", "plain"), ("InnerError: [ open", "InnerError: [ open")],
)
def test_innermost_error_of_a_message_is_extracted(message, expected):
    assert innermost(message) == expected
