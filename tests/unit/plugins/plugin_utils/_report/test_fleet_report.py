# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a run: its content, its schema, and its form as JUnit XML and as a page."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import pytest
from ansible_collections.azureml.arc.plugins.plugin_utils._report.fleet_report import Ended, FleetReport, Run
from ansible_collections.azureml.arc.plugins.plugin_utils._report.junit import as_junit
from ansible_collections.azureml.arc.plugins.plugin_utils._report.page import page

ROOT = Path(__file__).resolve().parents[5]
SCHEMA = json.loads((ROOT / "docs/fleet-report.schema.json").read_text(encoding="utf-8"))
MESSAGE = "extension 'azureml' on connected cluster 'shop' failed: timed out waiting for the condition"
FLOW = ("cluster_identity", "preflight", "extension", "pod_readiness", "extension")
HOSTILE = "</script><script>alert(1)</script><!-- \x1b[31m \x00 \ud800 \u202e ]]> &amp;"


def installed(action="create", **fields):
    return {
        "changed": action != "none",
        "plan": {"action": action, "reason": "it differs", "settings": {}, "properties": {}},
        "extension": {"current_version": "1.1.61", "provisioning_state": "Succeeded"},
        **fields,
    }


def not_ready(message="Back-off pulling image"):
    return {
        "ready": False,
        "summary": "0 of 1 components and 0 of 1 pods are ready",
        "components": [{"kind": "Deployment", "name": "gateway", "ready": False, "reason": "Unavailable"}],
        "pods": [{"name": "gateway-1", "ready": False, "reason": "ImagePullBackOff", "message": message}],
        "health_check": [
            {"code": "E40002", "check": "clusterresource", "message": "one node", "hint": "switch HA off"}
        ],
    }


def ended(module, outcome="ok", start=100.0, end=110.0, task="a task"):
    return Ended(f"azureml.arc.{module}", task, outcome, start, end)


@pytest.fixture
def report():
    new = FleetReport(Run("rollout.yml", started=100.0, inventory="clusters.yml", limit="shop*"))
    new.begin_play()
    return new


def finish(report, failed=()):
    found = report.as_dict(set(failed), ended=200.0)
    jsonschema.validate(found, SCHEMA)
    return found


def test_tasks_of_a_cluster_are_combined_in_one_row(report):
    report.add_task("shop", ended("preflight", start=101, end=102), {"warnings": ["old agents"]})
    report.add_task("shop", ended("extension", start=102, end=103), installed())
    report.add_task("shop", ended("extension", start=140, end=150), installed("none"))
    attached = {
        "plan": {"action": "create"},
        "compute": {"name": "c", "provisioning_state": "Creating"},
        "changed": True,
    }
    report.add_task("shop", ended("compute", start=150, end=160), {"results": [attached], "changed": True})

    (row,) = finish(report)["clusters"]

    assert row["outcome"] == "changed"
    assert row["phases"] == [
        {"name": "checks", "start": 1, "end": 2},
        {"name": "extension", "start": 2, "end": 50},
        {"name": "attachment", "start": 50, "end": 60},
    ]
    assert row["extension"]["action"] == "create", "a later task without a change does not replace the change"
    assert row["computes"] == [{"name": "c", "action": "create", "provisioning_state": "Creating"}]
    assert row["warnings"] == ["old agents"]


def test_jobs_are_in_the_report_and_in_junit(report):
    job = {
        "name": "j",
        "compute": "c",
        "status": "Completed",
        "succeeded": True,
        "studio_url": "https://ml.azure.com/j",
    }
    step = {"name": "s", "module": "job_check", "start": 110, "end": 130}
    report.add_cluster("shop", {**installed(), "jobs": [{**job, "node": "n", "seconds": 5.0}], "steps": [step]})

    found = finish(report)

    (row,) = found["clusters"]
    assert row["phases"] == [{"name": "proof", "start": 10, "end": 30}]
    assert (row["jobs"][0]["summary"], row["jobs"][0]["queue_seconds"]) == ("c: Completed on n, ran for 5 s", None)
    properties = ET.fromstring(as_junit(found).encode()).findall("testcase/properties/property")
    assert [(one.get("name"), one.get("value")) for one in properties] == [
        ("job", "c: Completed on n, ran for 5 s"),
        ("job page", "https://ml.azure.com/j"),
    ]


def test_endpoint_is_in_the_report_with_the_remaining_days_of_its_certificate(report):
    served = {"outcome": "ok", "summary": "serves the certificate, 90 days left", "checked_from": "controller"}
    certificate = {"chain": ["ab"], "names": ["ml"], "not_after": "2027-02-23T12:00:00+00:00", "days_left": 89.5}
    step = {"name": "s", "module": "endpoint_check", "start": 110, "end": 111}
    report.add_cluster("shop", {**installed(), "endpoint": {**served, "certificate": certificate}, "steps": [step]})

    found = finish(report)

    (row,) = found["clusters"]
    assert row["phases"] == [{"name": "proof", "start": 10, "end": 11}]
    assert row["endpoint"] == {**served, "not_after": certificate["not_after"], "days_left": 89.5}
    (one,) = ET.fromstring(as_junit(found).encode()).findall("testcase/properties/property")
    assert (one.get("name"), one.get("value")) == ("endpoint", served["summary"])


def test_steps_of_a_cluster_become_phases(report):
    steps = [{"name": "s", "module": module, "start": 100 + at, "end": 101 + at} for at, module in enumerate(FLOW)]
    report.add_cluster("shop", {**installed(), "pod_readiness": not_ready(), "steps": steps})

    (row,) = finish(report)["clusters"]

    assert row["outcome"] == "changed"
    assert [(one["name"], one["start"], one["end"]) for one in row["phases"]] == [
        ("checks", 0, 2),
        ("extension", 2, 3),
        ("readiness", 3, 4),
        ("extension", 4, 5),
    ]
    assert (row["readiness"]["components_ready"], row["readiness"]["components"]) == (0, 1)


def test_report_describes_the_run(report):
    found = finish(report)

    assert (found["playbook"], found["inventory"], found["limit"]) == ("rollout.yml", "clusters.yml", "shop*")
    assert (found["started"], found["seconds"], found["check_mode"]) == ("1970-01-01T00:01:40+00:00", 100, False)
    assert (found["headline"], found["clusters"], found["waves"]) == ("Rollout: no clusters", [], [])


def test_pods_that_explain_a_failure_are_first(report):
    readiness = not_ready()
    readiness["pods"].insert(0, {"name": "aml-operator-1", "ready": False, "reason": "Unschedulable"})
    report.add_task("shop", ended("pod_readiness", "failed"), {**readiness, "msg": "not ready"})

    (row,) = finish(report, failed=["shop"])["clusters"]

    assert [one["name"] for one in row["readiness"]["not_ready"]] == ["gateway-1", "aml-operator-1", "gateway"]


def test_failure_has_a_cause_and_its_diagnosis(report):
    error = {"code": "ExtensionOperationFailed", "correlation_id": "1-2-3", "hint": "see the pods", "message": MESSAGE}
    report.add_task("shop", ended("extension", "failed", task="wait"), {"msg": f"{MESSAGE} (code ...)", "error": error})
    report.add_task("shop", ended("pod_readiness"), not_ready())
    report.add_task(
        "shop", Ended("ansible.builtin.fail", "pass on", "failed", 110, 110), {"msg": f"wait: {MESSAGE} (c"}
    )

    found = finish(report, failed=["shop"])

    (row,) = found["clusters"]
    assert found["headline"] == "Rollout: 0 of 1 cluster ready, 1 failed"
    assert found["causes"] == [{"kind": "health check E40002", "clusters": ["shop"]}]
    assert row["cause"]["detail"] == "clusterresource: one node"
    assert row["failures"] == [{"task": "wait", "findings": [], **error}], (
        "a task that only repeats the failure adds none"
    )
    assert [one["name"] for one in row["readiness"]["not_ready"]] == ["gateway-1", "gateway"]
    (check,) = row["readiness"]["health_check"]
    assert (check["code"], check["name"]) == ("E40002", "clusterresource")


def test_failed_cluster_without_a_message_has_a_default_message(report):
    report.add_task("shop", ended("extension"), installed())

    (row,) = finish(report, failed=["shop"])["clusters"]

    assert row["failures"][0]["message"] == "it failed without a message"


def test_rescued_failure_does_not_count(report):
    report.add_task("shop", ended("pod_readiness", "failed"), {"msg": "forbidden"})
    report.add_task("shop", ended("extension"), installed("none"))

    (row,) = finish(report)["clusters"]

    assert (row["outcome"], row["failures"], row["cause"]) == ("ok", [], None)


def test_failed_items_of_a_loop_are_failures(report):
    items = [{"failed": True, "msg": "no such namespace"}, {"plan": {"action": "none"}, "compute": {"name": "b"}}]
    report.add_task("shop", ended("compute", "failed"), {"msg": "One or more items failed", "results": items})

    (row,) = finish(report, failed=["shop"])["clusters"]

    assert [one["message"] for one in row["failures"]] == ["no such namespace"]


def test_hosts_without_work_on_a_cluster_have_no_row(report):
    report.add_task("jump", Ended("ansible.builtin.ping", "t", "ok", 1, 2), {"changed": True})
    report.add_task("shop", ended("extension"), installed("none"))
    report.add_task("shop", Ended("ansible.builtin.copy", "t", "ok", 1, 2), {"changed": True})

    found = finish(report)

    assert [(one["name"], one["outcome"]) for one in found["clusters"]] == [("shop", "ok")]


def test_report_contains_waves_with_budget_and_clusters_that_were_not_started(report):
    report.add_task("a", ended("extension"), installed())
    report.end_wave({"allowed_failures": 0, "not_started": ["b", "c"], "stopped": False})
    report.begin_play()
    report.add_task("b", ended("pod_readiness", "unreachable"), {"msg": "Connection refused"})
    report.end_wave({"allowed_failures": 0, "not_started": ["c"], "stopped": True})
    report.begin_play()
    report.add_task("b", Ended("ansible.builtin.fail", "pass on", "failed", 110, 110), {"msg": "Connection refused"})

    found = finish(report, failed=["b"])

    assert [(one["name"], one["wave"], one["outcome"]) for one in found["clusters"]] == [
        ("a", 1, "changed"),
        ("b", 2, "unreachable"),
        ("c", None, "not_started"),
    ]
    assert found["waves"] == [
        {"number": 1, "allowed_failures": 0, "stopped": False},
        {"number": 2, "allowed_failures": 0, "stopped": True},
    ]
    assert found["causes"] == [{"kind": "node unreachable", "clusters": ["b"]}]


def test_junit_distinguishes_failed_unreachable_and_not_started_clusters(report):
    report.add_task("good", ended("extension"), installed())
    report.add_task("bad", ended("extension", "failed"), {"msg": HOSTILE, "error": {"code": "Conflict"}})
    report.add_task("gone", ended("pod_readiness", "unreachable"), {"msg": "Connection refused"})
    report.end_wave({"not_started": ["late"]})

    suite = ET.fromstring(as_junit(finish(report, failed=["bad", "gone"])).encode())

    assert suite.attrib | {"timestamp": "", "time": ""} == {
        "name": "rollout.yml",
        "tests": "4",
        "failures": "1",
        "errors": "1",
        "skipped": "1",
        "timestamp": "",
        "time": "",
    }
    assert [(one.get("name"), [element.tag for element in one]) for one in suite] == [
        ("good", []),
        ("bad", ["failure"]),
        ("gone", ["error"]),
        ("late", ["skipped"]),
    ]
    assert suite[1][0].get("type") == "Conflict"
    assert suite[1][0].get("message").startswith("conflict: </script><script>alert(1)</script>")


def test_data_is_escaped_in_the_page(report):
    report.add_task(HOSTILE, ended("pod_readiness", "failed"), {**not_ready(HOSTILE), "msg": HOSTILE})

    html = page(finish(report, failed=[HOSTILE]))

    assert html.count("</script>") == 2
    assert html.count("<!--") == 1, "the licence"
    assert "alert(1)\\u003c/script" in html
    html.encode("utf-8")


def test_headline_is_escaped_in_the_page():
    report = FleetReport(Run("<script>alert(1)</script>.yml"))

    assert "<h1>&lt;script&gt;alert(1)&lt;/script&gt;.yml: no clusters</h1>" in page(finish(report))


def test_page_of_two_thousand_clusters_is_below_four_megabytes(report):
    failed = [f"shop-{index:04}" for index in range(0, 2000, 5)]
    error = {
        "code": "ExtensionOperationFailed",
        "correlation_id": "1" * 36,
        "message": MESSAGE * 4,
        "hint": "see the pods",
    }
    step = {"name": "s", "module": "extension", "start": 100.0, "end": 160.0}
    for index in range(2000):
        name = f"shop-{index:04}"
        result = {**installed(), "pod_readiness": not_ready(), "steps": [step, {**step, "module": "compute"}]}
        report.add_cluster(name, {**result, "error": error, "failed": True} if name in failed else result)

    html = page(finish(report, failed=failed))

    assert len(html.encode()) < 4_000_000
