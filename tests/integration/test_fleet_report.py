# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The callback plugin fleet_report in real runs."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import jsonschema
import pytest
from playbooks import ROOT

from simulator.scenario import ClusterPlan, InstallPlan, JobPlan

GOOD = ClusterPlan("c1", install=InstallPlan(30), attach_seconds=5)
BAD = ClusterPlan(
    "c2",
    install=InstallPlan(30, "timed out waiting for the condition", pods={"relayserver": "ImagePullBackOff"}),
)
LATE = ClusterPlan("c3", install=InstallPlan(30))
SECRET = "hush-hush-marker"


@pytest.fixture
def run(playbook, start_fleet, tmp_path):
    """Return a function that runs a playbook, and returns the run, the report files by suffix, and the JSON report."""

    def start(name, clusters, *arguments, **variables):
        simulator, inventory = start_fleet(clusters)
        inventory["all"]["vars"] |= variables
        settings = {
            "ANSIBLE_CALLBACKS_ENABLED": "azureml.arc.fleet_report",
            "AZUREML_ARC_FLEET_REPORT_DIRECTORY": str(tmp_path / "report"),
        }
        finished = playbook(name, inventory, *arguments, **settings)
        texts = {path.suffix: path.read_text(encoding="utf-8") for path in (tmp_path / "report").iterdir()}
        assert set(texts) == {".html", ".json", ".xml"}, finished.output
        assert not any(
            secret in text for text in texts.values() for secret in (SECRET, simulator.secret, "SharedAccessKey")
        )
        report = json.loads(texts[".json"])
        jsonschema.validate(report, json.loads((ROOT / "docs/fleet-report.schema.json").read_text(encoding="utf-8")))
        return finished, texts, report

    return start


def test_deployment_is_reported_with_causes_and_without_secrets(run, tmp_path):
    secret = {"proxy.password": SECRET}

    finished, texts, report = run("azureml.arc.deploy", [GOOD, BAD], "-vvvv", azureml_protected_settings=secret)

    assert finished.status == 2, finished.output
    assert f"fleet report: {tmp_path}/report/fleet-report.html\n" in finished.output
    assert report["headline"] == "Deployment: 1 of 2 clusters ready, 1 failed"
    assert report["causes"] == [{"kind": "image pull", "clusters": ["c2"]}]
    rows = {one["name"]: one for one in report["clusters"]}
    good, bad = rows["c1"], rows["c2"]
    assert (good["outcome"], bad["outcome"]) == ("changed", "failed")
    assert [phase["name"] for phase in good["phases"]] == ["checks", "extension", "readiness", "attachment"]
    assert good["readiness"]["components_ready"] == good["readiness"]["components"] > 0
    assert "ImagePullBackOff" in {row["reason"] for row in bad["readiness"]["not_ready"]}
    (failure,) = bad["failures"]
    assert failure["code"] == "ExtensionOperationFailed"
    assert failure["code"] not in failure["message"]
    assert ET.fromstring(texts[".xml"].encode()).get("failures") == "1"
    assert "<h1>Deployment: 1 of 2 clusters ready, 1 failed</h1>" in texts[".html"]


def test_stopped_rollout_is_reported_with_waves_and_clusters_not_started(run):
    waves = ("-e", '{"azureml_waves": [1, 1, "100%"]}', "--limit", "c1,c2,c3")

    _finished, texts, report = run("azureml.arc.rollout", [GOOD, BAD, LATE], *waves)

    assert report["headline"] == "Rollout: 1 of 3 clusters ready, 1 failed, 1 not started"
    assert (report["inventory"], report["limit"]) == ("inventory.yml", "c1,c2,c3")
    assert report["waves"] == [
        {"number": 1, "allowed_failures": 0, "stopped": False},
        {"number": 2, "allowed_failures": 0, "stopped": True},
    ]
    assert {one["name"]: (one["wave"], one["outcome"]) for one in report["clusters"]} == {
        "c1": (1, "changed"),
        "c2": (2, "failed"),
        "c3": (None, "not_started"),
    }
    assert ET.fromstring(texts[".xml"].encode()).get("skipped") == "1"


def test_jobs_are_in_the_report(run):
    failing = replace(LATE, jobs=JobPlan(failures={"": "identity"}))

    finished, texts, report = run("azureml.arc.deploy", [GOOD, failing], azureml_prove=["job"])

    assert finished.status == 2, finished.output
    assert report["causes"] == [{"kind": "job identity", "clusters": ["c3"]}]
    rows = {one["name"]: one for one in report["clusters"]}
    assert [job["succeeded"] for name in ("c1", "c3") for job in rows[name]["jobs"]] == [True, False]
    assert rows["c1"]["phases"][-1]["name"] == rows["c3"]["phases"][-1]["name"] == "proof"
    assert rows["c3"]["cause"]["fix"].startswith("Attach the cluster with a managed identity")
    jobs = [
        one.get("value") for one in ET.fromstring(texts[".xml"].encode()).iter("property") if one.get("name") == "job"
    ]
    assert sorted(one.split(",")[0] for one in jobs) == ["c1: Completed on node-0", "c3: Failed on node-0"]


def test_check_mode_is_in_the_headline(run):
    finished, _texts, report = run("azureml.arc.deploy", [GOOD], "--check")

    assert finished.status == 0, finished.output
    assert report["check_mode"]
    assert report["headline"] == "Deployment in check mode: 1 would change"


def test_verification_of_a_cluster_without_the_extension_has_a_cause(run):
    _finished, _texts, report = run("azureml.arc.verify", [GOOD])

    assert report["headline"] == "Verification: 0 of 1 cluster in sync, 1 failed"
    (row,) = report["clusters"]
    assert row["cause"]["detail"]


def test_invalid_variable_is_the_cause(run):
    _finished, _texts, report = run("azureml.arc.deploy", [GOOD], azureml_profile="serving")

    (row,) = report["clusters"]
    assert row["cause"]["kind"] == "Check variables"
    assert "azureml_profile" in row["cause"]["detail"]
