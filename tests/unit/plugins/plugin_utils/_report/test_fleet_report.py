# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a run: what is kept of results, its schema, and its form as JUnit and as a page."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import pytest
from ansible_collections.azureml.arc.plugins.plugin_utils._report.fleet_report import Ended, FleetReport, as_junit
from ansible_collections.azureml.arc.plugins.plugin_utils._report.page import page

ROOT = Path(__file__).resolve().parents[5]
SCHEMA = json.loads((ROOT / "docs/fleet-report.schema.json").read_text(encoding="utf-8"))
MESSAGE = "extension 'azureml' on connected cluster 'shop' failed: timed out waiting for the condition"
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


def ended(module, how="ok", start=100.0, end=110.0, task="a task"):
    return Ended(f"azureml.arc.{module}", task, how, start, end)


@pytest.fixture
def report():
    made = FleetReport("rollout.yml", started=100.0)
    made.begin_play()
    return made


def finish(report, failed=()):
    found = report.as_dict(dict.fromkeys(failed, True), ended=200.0)
    jsonschema.validate(found, SCHEMA)
    return found


def test_a_cluster_that_is_installed(report):
    report.add("shop", ended("preflight", start=101, end=102), {"warnings": ["old agents"]})
    report.add("shop", ended("extension", start=102, end=103), installed())
    report.add("shop", ended("extension", start=140, end=150), installed("none"))
    attached = {
        "plan": {"action": "create"},
        "compute": {"name": "c", "provisioning_state": "Creating"},
        "changed": True,
    }
    report.add("shop", ended("compute", start=150, end=160), {"results": [attached], "changed": True})

    (row,) = finish(report)["clusters"]

    assert row["outcome"] == "changed"
    assert row["phases"] == [
        {"name": "preflight", "start": 1, "end": 2},
        {"name": "extension", "start": 2, "end": 50},
        {"name": "attach", "start": 50, "end": 60},
    ]
    assert row["extension"]["action"] == "create", "a later look that finds nothing to do has undone nothing"
    assert row["computes"] == [{"name": "c", "action": "create", "provisioning_state": "Creating"}]
    assert row["warnings"] == ["old agents"]


def test_settings_that_were_changed(report):
    plan = {"action": "update", "settings": {"openshift": {"before": None, "after": "true"}}, "properties": {}}
    report.add("shop", ended("extension"), installed("update", plan=plan))

    (row,) = finish(report)["clusters"]

    assert row["extension"]["changes"] == {"openshift": {"before": "", "after": "true"}}


def test_a_failure_is_told_once_with_its_diagnosis(report):
    error = {"code": "ExtensionOperationFailed", "correlation_id": "1-2-3", "hint": "look at the pods"}
    report.add("shop", ended("extension", "failed", task="wait"), {"msg": MESSAGE, "error": error})
    report.add("shop", ended("pod_readiness"), not_ready())
    report.add("shop", Ended("ansible.builtin.fail", "pass on", "failed", 110, 110), {"msg": f"wait: {MESSAGE}"})

    found = finish(report, failed=["shop"])

    (row,) = found["clusters"]
    assert found["totals"] == {"ok": 0, "changed": 0, "failed": 1, "unreachable": 0}
    assert row["failures"] == [{"task": "wait", "message": MESSAGE, **error}]
    assert [one["name"] for one in row["readiness"]["not_ready"]] == ["gateway", "gateway-1"]
    (check,) = row["readiness"]["health_check"]
    assert (check["code"], check["name"]) == ("E40002", "clusterresource")


def test_what_was_rescued_is_no_failure(report):
    report.add("shop", ended("pod_readiness", "failed"), {"msg": "forbidden"})
    report.add("shop", ended("extension"), installed("none"))

    (row,) = finish(report)["clusters"]

    assert (row["outcome"], row["failures"]) == ("ok", [])


def test_of_a_loop_the_items_that_failed_count(report):
    items = [{"failed": True, "msg": "no such namespace"}, {"plan": {"action": "none"}, "compute": {"name": "b"}}]
    report.add("shop", ended("compute", "failed"), {"msg": "One or more items failed", "results": items})

    (row,) = finish(report, failed=["shop"])["clusters"]

    assert [one["message"] for one in row["failures"]] == ["no such namespace"]


def test_waves_and_machines_that_do_not_answer(report):
    report.add("a", ended("extension"), installed())
    report.begin_play()
    report.add("b", ended("pod_readiness", "unreachable"), {"msg": "Connection refused"})

    found = finish(report, failed=["b"])

    assert [(one["name"], one["wave"], one["outcome"]) for one in found["clusters"]] == [
        ("a", 1, "changed"),
        ("b", 2, "unreachable"),
    ]


def test_junit(report):
    report.add("good", ended("extension"), installed())
    report.add("bad", ended("extension", "failed"), {"msg": HOSTILE, "error": {"code": "Timeout"}})
    report.add("gone", ended("pod_readiness", "unreachable"), {"msg": "Connection refused"})

    suite = ET.fromstring(as_junit(finish(report, failed=["bad", "gone"])).encode())

    assert suite.attrib | {"timestamp": "", "time": ""} == {
        "name": "rollout.yml",
        "tests": "3",
        "failures": "1",
        "errors": "1",
        "timestamp": "",
        "time": "",
    }
    assert [one.get("name") for one in suite] == ["good", "bad", "gone"]
    assert suite[1][0].get("type") == "Timeout"
    assert "</script><script>alert(1)</script>" in suite[1][0].get("message")


def test_the_data_cannot_leave_its_place_in_the_page(report):
    report.add(HOSTILE, ended("pod_readiness", "failed"), {**not_ready(HOSTILE), "msg": HOSTILE})

    made = page(finish(report, failed=[HOSTILE]))

    assert made.count("</script>") == 2
    assert "<!--" not in made
    assert "alert(1)\\u003c/script" in made
    made.encode("utf-8")


def test_a_thousand_clusters_fit(report):
    for index in range(1000):
        how = "failed" if index % 5 == 0 else "ok"
        report.add(f"shop-{index:04}", ended("extension", how), {**installed(), "msg": MESSAGE * 4})
        report.add(f"shop-{index:04}", ended("pod_readiness"), {**not_ready(), "ready": how == "ok"})

    made = page(finish(report, failed=[f"shop-{index:04}" for index in range(0, 1000, 5)]))

    assert len(made.encode()) < 3_000_000
