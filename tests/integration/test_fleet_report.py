# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Callback fleet_report: written by a real run, opened in a real browser."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET

import jsonschema
import pytest
from ansible_collections.azureml.arc.plugins.plugin_utils._report.page import page
from playbooks import ROOT
from playwright.sync_api import sync_playwright

import simulated
from simulator.scenario import ClusterPlan, InstallPlan, Scenario

CLUSTERS = [
    ClusterPlan("good", install=InstallPlan(30), attach_seconds=5),
    ClusterPlan(
        "bad",
        install=InstallPlan(30, "timed out waiting for the condition", pods={"relayserver": "ImagePullBackOff"}),
    ),
]
SECRET = "hush-hush-marker"
HOSTILE = "<img src=x onerror='window.hacked=1'></script><script>window.hacked=1</script>"


@pytest.fixture
def chromium():
    """A page of a headless Chromium, and what its console says."""
    browser_path = shutil.which("chromium")
    assert browser_path, "the report is looked at in Chromium: 'apt-get install chromium' on Debian"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=["--no-sandbox"])
        opened = browser.new_page()
        said: list[str] = []
        opened.on("console", lambda message: said.append(message.text))
        opened.on("pageerror", lambda error: said.append(str(error)))
        opened.on("request", lambda request: said.append(request.url) if not request.url.startswith("file:") else None)
        yield opened, said
        browser.close()


def test_a_run_is_reported(playbook, tmp_path, monkeypatch, chromium):
    with simulated.running(Scenario(clusters=CLUSTERS, time_scale=60), tmp_path / "simulator") as simulator:
        for name, value in simulator.environment.items():
            monkeypatch.setenv(name, value)
        inventory = simulated.inventory(simulator.directory, CLUSTERS)
        inventory["all"]["vars"]["azureml_protected_settings"] = {"proxy.password": SECRET}
        report = {
            "ANSIBLE_CALLBACKS_ENABLED": "azureml.arc.fleet_report",
            "AZUREML_ARC_FLEET_REPORT_DIRECTORY": str(tmp_path / "report"),
        }

        run = playbook("azureml.arc.deploy", inventory, "-vvvv", **report)

    assert run.status == 2, run.output
    texts = {path.suffix: path.read_text(encoding="utf-8") for path in (tmp_path / "report").iterdir()}
    assert set(texts) == {".html", ".json", ".xml"}
    for secret in (SECRET, simulator.secret, "SharedAccessKey"):
        assert not any(secret in text for text in texts.values())
    data = json.loads(texts[".json"])
    jsonschema.validate(data, json.loads((ROOT / "docs/fleet-report.schema.json").read_text(encoding="utf-8")))
    good, bad = sorted(data["clusters"], key=lambda one: one["name"], reverse=True)
    assert (good["outcome"], bad["outcome"]) == ("changed", "failed")
    assert [phase["name"] for phase in good["phases"]] == ["extension", "preflight", "readiness", "attach"]
    assert "ImagePullBackOff" in {row["reason"] for row in bad["readiness"]["not_ready"]}
    assert bad["failures"][0]["code"] == "ExtensionOperationFailed"
    assert ET.fromstring(texts[".xml"].encode()).get("failures") == "1"

    opened, said = chromium
    opened.goto((tmp_path / "report/fleet-report.html").as_uri())
    opened.click("tr.row:has-text('bad')")
    assert "Back-off pulling image" in opened.inner_text("tr.detail")
    assert said == []


def fleet(count: int) -> dict:
    """A report of many clusters, every tenth of which has failed."""

    def row(index: int) -> dict:
        failed = index % 10 == 0
        failure = {"task": "t", "message": HOSTILE, "code": "Timeout", "correlation_id": "", "hint": ""}
        return {
            "name": f"shop-{index:04}",
            "wave": 1 + index * 3 // count,
            "outcome": "failed" if failed else "ok",
            "phases": [{"name": "extension", "start": index / 100, "end": index / 100 + 60}],
            "extension": {"action": "none", "reason": "", "version": "1", "provisioning_state": "", "changes": {}},
            "readiness": None,
            "computes": [],
            "failures": [failure] if failed else [],
            "warnings": [],
        }

    return {
        "schema_version": 1,
        "playbook": "rollout.yml",
        "started": "2026-01-01T00:00:00+00:00",
        "seconds": 100.0,
        "totals": {"ok": count - count // 10, "changed": 0, "failed": count // 10, "unreachable": 0},
        "clusters": [row(index) for index in range(count)],
    }


def test_the_page_of_a_thousand_clusters(chromium, tmp_path):
    path = tmp_path / "report.html"
    path.write_text(page(fleet(1000)), encoding="utf-8")
    opened, said = chromium

    opened.goto(path.as_uri())

    assert opened.locator("tr.row").count() == 1000
    assert opened.locator("tr.row").first.inner_text().startswith("shop-0000"), "those that failed come first"
    assert opened.locator("tr.row .failed").count() == 100

    opened.fill("#filter", "shop-0123")
    assert opened.locator("tr.row").count() == 1
    opened.fill("#filter", "timeout")
    assert opened.inner_text("#count") == "100 of 1000 clusters"
    opened.fill("#filter", "")
    opened.click("button[data-outcome=ok]")
    assert opened.locator("tr.row").count() == 900

    opened.click("th button:has-text('cluster')")
    opened.click("th button:has-text('cluster')")
    assert opened.locator("tr.row").first.inner_text().startswith("shop-0999")
    assert opened.get_attribute("th[data-column='0']", "aria-sort") == "descending"

    opened.click("button[data-outcome=failed]")
    opened.locator("tr.row").first.click()
    assert HOSTILE in opened.inner_text("tr.detail")
    assert opened.evaluate("window.hacked") is None
    assert said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_the_reader_s(chromium, tmp_path, scheme):
    path = tmp_path / "report.html"
    path.write_text(page(fleet(10)), encoding="utf-8")
    opened, _said = chromium
    opened.emulate_media(color_scheme=scheme)

    opened.goto(path.as_uri())

    paper, ink = (opened.evaluate(f"getComputedStyle(document.body).{name}") for name in ("backgroundColor", "color"))
    brightness = [sum(int(part) for part in text[4:-1].split(",")) for text in (paper, ink)]
    assert (brightness[0] > brightness[1]) == (scheme == "light")


def test_on_paper_the_failures_are_open(chromium, tmp_path):
    path = tmp_path / "report.html"
    path.write_text(page(fleet(20)), encoding="utf-8")
    opened, _said = chromium
    opened.goto(path.as_uri())

    opened.pdf(path=tmp_path / "report.pdf")

    assert opened.locator("tr.detail").count() == 2
