# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of the fleet report in a real browser: what it shows, on which screens, and to whom."""

from __future__ import annotations

import itertools
import re

import pytest
from ansible_collections.azureml.arc.plugins.plugin_utils._report.page import page as render
from axe_playwright_python.sync_playwright import Axe
from playbooks import ROOT
from playwright.sync_api import Page, sync_playwright
from report_samples import CORRELATION_ID, HOSTILE, deployed, fleet, image_pull, report, rollout, stopped_rollout

from machine.needs import program

SCREENSHOTS = ROOT / "build" / "screenshots"
WIDTHS = (1280, 700, 360)
SCHEMES = ("light", "dark")
PHASES = ("checks", "setup", "extension", "readiness", "attachment")
OUTCOMES = ("ready", "failed", "unreachable", "waiting")
# How colours look without one kind of cone, on linear RGB: Machado, Oliveira and Fernandes, "A Physiologically-based
# Model for Simulation of Color Vision Deficiency" (2009), severity 1.
SIGHTS = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "deuteranopia": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "tritanopia": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
}


@pytest.fixture(scope="module")
def chromium():
    path = program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(path), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium, tmp_path):
    """Open the page of a report. Neither errors nor requests are tolerated."""
    heard: list[str] = []
    contexts = []

    def run(data: dict, width: int = 1280, scheme: str = "light", fragment: str = "") -> Page:
        path = tmp_path / "fleet-report.html"
        path.write_text(render(data), encoding="utf-8")
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, timezone_id="Europe/Berlin"
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: heard.append(message.text))
        page.on("pageerror", lambda error: heard.append(str(error)))
        page.on(
            "request", lambda request: heard.append(request.url) if request.url[:5] not in ("file:", "data:") else None
        )
        page.goto(path.as_uri() + fragment)
        return page

    yield run
    for context in contexts:
        context.close()
    assert heard == []


def row(page: Page, name: str):
    """The row of a cluster."""
    return page.locator("tr.row", has=page.get_by_role("button", name=name, exact=True))


def whole_page(page: Page, width: int) -> None:
    """Make the window as high as the page: rows are only painted where they are seen."""
    for _round in range(2):
        height = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": width, "height": height})


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_screens_without_sideways_scrolling_or_barriers(opened, width, scheme):
    page = opened(rollout(), width, scheme, "#f3")
    whole_page(page, width)
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"fleet-report-{width}-{scheme}.png")

    wider = page.evaluate(
        """[...document.querySelectorAll('main *')]
           .filter(one => one.getBoundingClientRect().right > innerWidth && !one.closest('thead'))
           .map(one => one.outerHTML.slice(0, 100))"""
    )
    assert wider == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    violations = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in violations] == []


def test_long_foreign_text_does_not_widen_a_phone(opened):
    name = "cluster-with-a-name-without-any-space-that-is-much-longer-than-a-telephone-is-wide"
    page = opened(report([{name: image_pull(name, 3, "x" * 500)}], 60), 360, fragment=f"#{name}")

    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_headline_is_the_result(opened):
    page = opened(rollout())

    assert page.title() == page.inner_text("h1") == "Rollout: 4 of 6 clusters ready, 2 failed"
    facts = page.locator("#facts span").all_inner_texts()
    assert facts[1:] == ["took 5 min 30 s", "rollout.yml", "inventory clusters.yml", "limit edge"]
    assert re.fullmatch(r"26 Nov 2026, 00:01 (CET|GMT\+1)", facts[0]), "in the local time of the reader"


def test_causes_come_first_grouped_with_their_clusters(opened):
    page = opened(rollout())

    assert page.inner_text("#causes") == "2 failed: 1 image pull, 1 not connected"
    cards = page.locator(".causes li").all_inner_texts()
    assert [card.splitlines()[0] for card in cards] == ["Image pull: 1 cluster", "Not connected: 1 cluster"]
    assert "Bring its Arc agents back" in cards[1]
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


def test_waves_are_sections_with_their_budget(opened):
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


def test_check_mode_is_named(opened):
    page = opened(report([{"f1": deployed("f1", 1)}], 90, playbook="deploy.yml", check_mode=True))

    assert page.inner_text("h1") == "Deployment in check mode: 1 would change"
    assert page.inner_text(".plan") == "Check mode: nothing was changed."
    assert row(page, "f1").locator("td").nth(1).inner_text() == "1.1.61 would be installed"


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_rows_open_by_keyboard(opened, key):
    page = opened(rollout())
    button = page.get_by_role("button", name="f3", exact=True)
    button.focus()

    page.keyboard.press(key)
    assert (button.get_attribute("aria-expanded"), page.locator("tr.detail").count()) == ("true", 1)
    page.keyboard.press(key)
    assert (button.get_attribute("aria-expanded"), page.locator("tr.detail").count()) == ("false", 0)


def test_rows_open_by_mouse_anywhere(opened):
    page = opened(rollout())

    row(page, "f3").locator(".cause").click()

    assert page.locator("tr.detail").count() == 1


def test_details_repeat_nothing(opened):
    page = opened(rollout(), fragment="#f3")

    text = page.inner_text("tr.detail")

    for told in ("Helm installation failed", CORRELATION_ID, "Back-off pulling image", "Insufficient cpu", "Next step"):
        assert text.count(told) == 1, told


def test_link_opens_its_cluster_even_if_it_is_filtered_out(opened):
    page = opened(rollout(), fragment="#f3")
    assert page.get_by_role("button", name="f3", exact=True).get_attribute("aria-expanded") == "true"

    page.fill("#filter", "f1")
    page.evaluate("location.hash = '#f5'")
    page.wait_for_function("document.activeElement.textContent === 'f5'")

    assert page.input_value("#filter") == ""
    assert "connectivity" in page.locator("tr.detail").last.inner_text()


@pytest.mark.parametrize("link", ["#nobody", "#%", "#__proto__"])
def test_link_to_an_unknown_cluster_does_nothing(opened, link):
    assert opened(rollout(), fragment=link).locator("tr.detail").count() == 0


def test_retry_line_is_copied(opened):
    page = opened(rollout())
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])

    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()

    assert page.evaluate("navigator.clipboard.readText()") == "--limit f3,f5"


def test_timeline_has_an_axis_wave_borders_and_marks_of_failure(opened):
    page = opened(rollout())

    assert page.locator(".axis span").all_inner_texts() == ["0", "2 min", "4 min", "W1", "W2", "W3"]
    assert page.locator("tr.row i.end").count() == 2
    bar, mark = (row(page, "f3").locator(one).bounding_box() for one in ("i.extension", "i.end"))
    assert mark["x"] == pytest.approx(bar["x"] + bar["width"], abs=1), "the mark stands where the work ended"
    assert row(page, "f3").get_by_role("img").get_attribute("aria-label") == "Checks 2 s, Extension 45 s, failed"
    lines = page.evaluate("getComputedStyle(document.querySelector('tr.row .track')).backgroundImage")
    assert lines.count("linear-gradient") == 3 + 2, "three ticks and two borders of waves"


def colour(page: Page, name: str) -> tuple[float, ...]:
    """A colour of the page as linear RGB."""
    page.evaluate(f"document.body.style.color = 'var(--{name})'")
    parts = re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).color"))
    return tuple(
        (int(part) / 255 / 12.92 if int(part) < 11 else ((int(part) / 255 + 0.055) / 1.055) ** 2.4)
        for part in parts[:3]
    )


def contrast(one, other, sight) -> float:
    """The contrast ratio of WCAG 2 as somebody sees it."""

    def luminance(rgb) -> float:
        seen = [min(max(sum(a * b for a, b in zip(line, rgb, strict=True)), 0), 1) for line in sight]
        return sum(a * b for a, b in zip((0.2126, 0.7152, 0.0722), seen, strict=True)) + 0.05

    darker, lighter = sorted((luminance(one), luminance(other)))
    return lighter / darker


@pytest.mark.parametrize("scheme", SCHEMES)
def test_colours_of_phases_differ_in_greyscale_and_for_the_colour_blind(opened, scheme):
    page = opened(rollout(), scheme=scheme)
    colours = {name: colour(page, name) for name in PHASES}
    for (sight, matrix), (one, other) in itertools.product(SIGHTS.items(), itertools.combinations(PHASES, 2)):
        assert contrast(colours[one], colours[other], matrix) > 1.45, (sight, one, other)
    paper = colour(page, "paper")
    assert all(contrast(one, paper, SIGHTS["usual"]) > 1.9 for one in colours.values())


@pytest.mark.parametrize("scheme", SCHEMES)
def test_no_colour_means_two_things(opened, scheme):
    page = opened(rollout(), scheme=scheme)

    colours = [colour(page, name) for name in (*PHASES, *OUTCOMES, "ready-fill", "failed-fill", "unreachable-fill")]

    assert len(set(colours)) == len(colours)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_paper_and_ink_follow_the_scheme_of_the_reader(opened, scheme):
    page = opened(rollout(), scheme=scheme)

    paper, ink = (sum(colour(page, name)) for name in ("paper", "ink"))

    assert (paper > ink) == (scheme == "light")


def test_narrow_screens_have_cards(opened):
    page = opened(rollout(), 699)
    card = row(page, "f1")

    name, track = (card.locator(one).bounding_box() for one in (".name", ".track"))

    assert track["y"] > name["y"] + name["height"]
    assert track["width"] > 600
    assert "extension" in page.evaluate(
        "getComputedStyle(document.querySelector('td[data-label]'), '::before').content"
    )


def test_failures_are_open_on_paper(opened, tmp_path):
    page = opened(rollout())

    page.pdf(path=tmp_path / "fleet-report.pdf")

    assert page.locator("tr.detail").count() == 2
    page.emulate_media(media="print")
    assert not page.is_visible("#filter")


def test_text_of_clusters_stays_text(opened):
    page = opened(stopped_rollout(), fragment="#f2")

    assert HOSTILE in page.inner_text("tr.detail")
    assert page.evaluate("window.hacked") is None


def test_policy_runs_no_script_but_its_own(chromium, tmp_path):
    path = tmp_path / "fleet-report.html"
    path.write_text(render(rollout()).replace("</body>", "<script>window.hacked = 1</script></body>"), encoding="utf-8")
    page = chromium.new_page()
    page.goto(path.as_uri())

    assert page.locator("tr.row").count() == 6
    assert page.evaluate("window.hacked") is None
    page.close()


def test_page_tells_where_the_data_is_without_scripts(chromium, tmp_path):
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
