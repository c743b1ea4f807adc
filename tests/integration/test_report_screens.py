# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of the fleet report at several screen widths, in print, and its accessibility."""

from __future__ import annotations

import itertools
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playbooks import ROOT
from playwright.sync_api import Page
from report_samples import image_pull, report, rollout

SCREENSHOTS = ROOT / "build" / "screenshots"
WIDTHS = (1280, 700, 360)
SCHEMES = ("light", "dark")
PHASES = ("checks", "setup", "extension", "readiness", "attachment", "proof")
OUTCOMES = ("ready", "failed", "unreachable", "waiting")
# Matrices of colour vision without one type of cone, for linear RGB: Machado, Oliveira and Fernandes, "A
# Physiologically-based Model for Simulation of Color Vision Deficiency" (2009), severity 1.
COLOUR_VISION = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152, 1.053, -0.205), (0.115, 0.786, 0.099), (-0.004, -0.048, 1.052)),
    "deuteranopia": ((0.367, 0.861, -0.228), (0.280, 0.673, 0.047), (-0.012, 0.043, 0.969)),
    "tritanopia": ((1.256, -0.077, -0.179), (-0.078, 0.931, 0.148), (0.005, 0.691, 0.304)),
}


def fit_window_to_page(page: Page, width: int) -> None:
    """Resize the window to the height of the page, because the page renders only visible rows."""
    for _round in range(2):
        height = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": width, "height": height})


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_page_fits_the_screen_and_is_accessible(opened, width, scheme):
    page = opened(rollout(), width, scheme, "#f3")
    fit_window_to_page(page, width)
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


def test_long_text_does_not_widen_the_page_on_a_phone(opened):
    name = "cluster-with-a-name-without-any-space-that-is-much-longer-than-a-telephone-is-wide"
    page = opened(report([{name: image_pull(name, 3, "x" * 500)}], 60), 360, fragment=f"#{name}")

    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def colour(page: Page, name: str) -> tuple[float, ...]:
    """Return a colour of the page as linear RGB."""
    page.evaluate(f"document.body.style.color = 'var(--{name})'")
    parts = re.findall(r"\d+", page.evaluate("getComputedStyle(document.body).color"))
    return tuple(
        (int(part) / 255 / 12.92 if int(part) < 11 else ((int(part) / 255 + 0.055) / 1.055) ** 2.4)
        for part in parts[:3]
    )


def contrast(one, other, vision) -> float:
    """Return the contrast ratio of WCAG 2 of two colours with the given colour vision."""

    def luminance(rgb) -> float:
        seen = [min(max(sum(a * b for a, b in zip(line, rgb, strict=True)), 0), 1) for line in vision]
        return sum(a * b for a, b in zip((0.2126, 0.7152, 0.0722), seen, strict=True)) + 0.05

    darker, lighter = sorted((luminance(one), luminance(other)))
    return lighter / darker


@pytest.mark.parametrize("scheme", SCHEMES)
def test_colours_of_phases_differ_in_greyscale_and_for_the_colour_blind(opened, scheme):
    page = opened(rollout(), scheme=scheme)
    colours = {name: colour(page, name) for name in PHASES}
    for (vision, matrix), (one, other) in itertools.product(COLOUR_VISION.items(), itertools.combinations(PHASES, 2)):
        assert contrast(colours[one], colours[other], matrix) > 1.45, (vision, one, other)
    paper = colour(page, "paper")
    assert all(contrast(one, paper, COLOUR_VISION["usual"]) > 1.9 for one in colours.values())


@pytest.mark.parametrize("scheme", SCHEMES)
def test_each_colour_has_one_meaning(opened, scheme):
    page = opened(rollout(), scheme=scheme)

    colours = [colour(page, name) for name in (*PHASES, *OUTCOMES, "ready-fill", "failed-fill", "unreachable-fill")]

    assert len(set(colours)) == len(colours)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_colours_follow_the_colour_scheme_of_the_browser(opened, scheme):
    page = opened(rollout(), scheme=scheme)

    paper, ink = (sum(colour(page, name)) for name in ("paper", "ink"))

    assert (paper > ink) == (scheme == "light")


def test_narrow_screens_show_cards(opened):
    page = opened(rollout(), 699)

    name, track = (page.locator(f"tr.row {one}").first.bounding_box() for one in (".name", ".track"))

    assert track["y"] > name["y"] + name["height"]
    assert track["width"] > 600
    assert "extension" in page.evaluate(
        "getComputedStyle(document.querySelector('td[data-label]'), '::before').content"
    )


def test_failed_clusters_are_expanded_in_print(opened, tmp_path):
    page = opened(rollout())

    page.pdf(path=tmp_path / "fleet-report.pdf")

    assert page.locator("tr.detail").count() == 2
    page.emulate_media(media="print")
    assert not page.is_visible("#filter")
