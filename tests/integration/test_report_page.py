# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of the fleet report in a browser: content, filters, links and keyboard."""

from __future__ import annotations

import re

import pytest
from ansible_collections.azureml.arc.plugins.plugin_utils._report.page import page as render
from playwright.sync_api import Page
from report_samples import CORRELATION_ID, HOSTILE, deployed, fleet, report, rollout, stopped_rollout


def row(page: Page, name: str):
    """Return the row of a cluster."""
    return page.locator("tr.row", has=page.get_by_role("button", name=name, exact=True))


def test_headline_shows_the_result(opened):
    page = opened(rollout())

    assert page.title() == page.inner_text("h1") == "Rollout: 4 of 6 clusters ready, 2 failed"
    facts = page.locator("#facts span").all_inner_texts()
    assert facts[1:] == ["took 5 min 30 s", "rollout.yml", "inventory clusters.yml", "limit edge"]
    assert re.fullmatch(r"26 Nov 2026, 00:01 (CET|GMT\+1)", facts[0]), "in the local time zone of the browser"


def test_causes_are_listed_first_with_their_clusters(opened):
    page = opened(rollout())

    assert page.inner_text("#causes") == "2 failed: 1 image pull, 1 not connected"
    cards = page.locator(".causes li").all_inner_texts()
    assert [card.splitlines()[0] for card in cards] == ["Image pull: 1 cluster", "Not connected: 1 cluster"]
    assert "Repair its Arc agents" in cards[1]
    assert page.locator(".causes a").all_inner_texts() == ["f3", "f5"]


def test_cause_is_visible_in_the_row(opened):
    page = opened(rollout())

    assert "image pull: relayserver-8d1ee11e2-142a3: ImagePullBackOff" in row(page, "f3").inner_text()
    assert "connectivity status Offline" in row(page, "f5").inner_text()


def test_cells_are_compact(opened):
    page = opened(rollout())

    assert row(page, "f1").locator("td").all_inner_texts()[1:5] == ["1.1.61 installed", "5/5", "f1", "1 min 29 s"]
    assert row(page, "f2").locator("td").nth(1).inner_text() == "1.1.61 \u2192 1.1.70 updated"
    assert row(page, "f3").locator("td").all_inner_texts()[1:3] == ["install failed", "3/5"]


def test_failed_clusters_come_first_in_their_wave(opened):
    page = opened(rollout())

    names = page.locator("button.name").all_inner_texts()

    assert names == ["f1", "f3", "f2", "f5", "f4", "f6"]


def test_waves_are_sections_with_their_failure_budget(opened):
    page = opened(stopped_rollout())

    assert page.locator("tr.wave th").all_inner_texts() == [
        "Wave 1\n1 cluster, none failed\nfailure budget: 0 of 0 used",
        "Wave 2\n1 cluster, 1 failed\nfailure budget: 1 of 0 used\nrollout stopped",
        "Not started\n2 clusters",
    ]
    assert page.inner_text("h1") == "Rollout: 1 of 4 clusters ready, 1 failed, 2 not started"


def test_run_without_waves_has_no_sections(opened):
    page = opened(report([{"f1": deployed("f1", 1)}], 90, playbook="deploy.yml"))

    assert page.locator("tr.wave").count() == 0
    assert page.locator("#causes").count() == 0


def test_check_mode_is_stated(opened):
    page = opened(report([{"f1": deployed("f1", 1)}], 90, playbook="deploy.yml", check_mode=True))

    assert page.inner_text("h1") == "Deployment in check mode: 1 would change"
    assert page.inner_text(".notice") == "Check mode: nothing was changed."
    result, extension = row(page, "f1").locator("td").all_inner_texts()[:2]
    assert (result, extension) == ("\u25cb\u00a0Would change", "1.1.61 would be installed")


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_rows_open_by_keyboard(opened, key):
    page = opened(rollout())
    button = page.get_by_role("button", name="f3", exact=True)
    button.focus()

    page.keyboard.press(key)
    assert (button.get_attribute("aria-expanded"), page.locator("tr.detail").count()) == ("true", 1)
    page.keyboard.press(key)
    assert (button.get_attribute("aria-expanded"), page.locator("tr.detail").count()) == ("false", 0)


def test_click_anywhere_in_a_row_opens_it(opened):
    page = opened(rollout())

    row(page, "f3").locator(".cause").click()

    assert page.locator("tr.detail").count() == 1
    # The compute is not attached yet.
    assert "Compute" not in page.locator("tr.detail dt").all_inner_texts()


def test_details_show_how_long_the_served_certificate_is_valid(opened):
    summary = "serves the certificate, 90 days left"
    endpoint = {"outcome": "ok", "summary": summary, "checked_from": "controller", "certificate": {"days_left": 90.0}}

    page = opened(report([{"f1": {**deployed("f1", 3), "endpoint": endpoint}}], 60), fragment="#f1")

    assert re.search(rf"Endpoint\s+{summary}", page.inner_text("tr.detail"))


def test_details_show_each_text_once(opened):
    page = opened(rollout(), fragment="#f3")

    text = page.inner_text("tr.detail")

    for part in ("Helm installation failed", CORRELATION_ID, "Back-off pulling image", "Insufficient cpu", "Next step"):
        assert text.count(part) == 1, part


def test_link_opens_its_cluster_even_if_the_filter_hides_it(opened):
    page = opened(rollout(), fragment="#f3")
    assert page.get_by_role("button", name="f3", exact=True).get_attribute("aria-expanded") == "true"

    page.fill("#filter", "f1")
    page.evaluate("location.hash = '#f5'")
    page.wait_for_function("document.activeElement.textContent === 'f5'")

    assert page.input_value("#filter") == ""
    assert "connectivity" in page.locator("tr.detail").last.inner_text()


@pytest.mark.parametrize("link", ["#unknown", "#%", "#__proto__"])
def test_link_to_an_unknown_cluster_does_nothing(opened, link):
    assert opened(rollout(), fragment=link).locator("tr.detail").count() == 0


def test_button_copies_the_retry_line(opened):
    page = opened(rollout())
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])

    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()

    assert page.evaluate("navigator.clipboard.readText()") == "--limit f3,f5"


def test_retry_line_includes_clusters_not_started(opened):
    assert opened(stopped_rollout()).inner_text(".retry code") == "--limit f2,f3,f4"


def test_timeline_shows_axis_wave_borders_and_failures(opened):
    page = opened(rollout())

    assert page.locator(".axis span").all_inner_texts() == ["0", "2 min", "4 min", "W1", "W2", "W3"]
    assert page.locator("tr.row i.end").count() == 2
    phase, mark = (row(page, "f3").locator(one).bounding_box() for one in ("i.extension", "i.end"))
    assert mark["x"] == pytest.approx(phase["x"] + phase["width"], abs=1), "the mark is at the end of the last phase"
    assert row(page, "f3").get_by_role("img").get_attribute("aria-label") == "Checks 2 s, Extension 45 s, failed"
    lines = page.evaluate("getComputedStyle(document.querySelector('tr.row .track')).backgroundImage")
    assert lines.count("linear-gradient") == 3 + 2, "three ticks and two wave borders"


def test_html_in_results_is_escaped(opened):
    page = opened(stopped_rollout(), fragment="#f2")

    assert HOSTILE in page.inner_text("tr.detail")
    assert page.evaluate("window.hacked") is None


def test_content_security_policy_blocks_other_scripts(chromium, tmp_path):
    path = tmp_path / "fleet-report.html"
    path.write_text(render(rollout()).replace("</body>", "<script>window.hacked = 1</script></body>"), encoding="utf-8")
    page = chromium.new_page()
    page.goto(path.as_uri())

    assert page.locator("tr.row").count() == 6
    assert page.evaluate("window.hacked") is None
    page.close()


def test_page_without_scripts_links_to_the_data(chromium, tmp_path):
    path = tmp_path / "fleet-report.html"
    path.write_text(render(rollout()), encoding="utf-8")
    page = chromium.new_page(java_script_enabled=False)
    page.goto(path.as_uri())

    assert page.inner_text("h1") == "Rollout: 4 of 6 clusters ready, 2 failed"
    assert "fleet-report.json" in page.inner_text("#facts")
    page.close()


def test_two_thousand_clusters_are_filtered_and_sorted(opened):
    data = fleet(2000)
    page = opened(data)
    size = len(render(data).encode())
    visible = page.locator("tr.row:not([hidden])")
    filtering = """text => {
      const start = performance.now(), input = document.getElementById('filter');
      input.value = text;
      input.dispatchEvent(new Event('input'));
      document.body.getBoundingClientRect();
      return performance.now() - start;
    }"""

    took = {}
    for text, count in (("shop-0123", 1), ("imagepull", 100), ("not connected", 100), ("", 2000)):
        took[text] = page.evaluate(filtering, text)
        assert visible.count() == count
        assert page.inner_text("#count") == f"{count} of 2000 clusters"
    print(f"\n2000 clusters: {size / 1e6:.1f} MB; filter, in ms: {[round(one) for one in took.values()]}")
    assert size < 4_000_000

    page.get_by_role("button", name="Changed 1800").click()
    assert visible.count() == 1800
    page.get_by_role("button", name="All 2000").click()
    for order in ("ascending", "descending"):
        page.get_by_role("columnheader").get_by_role("button", name="Cluster").click()
        assert page.get_attribute("th[data-column='0']", "aria-sort") == order
    assert page.locator("button.name").first.inner_text() == "shop-0099", "sorted within the first wave"
