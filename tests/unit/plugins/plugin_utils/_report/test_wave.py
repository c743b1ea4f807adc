# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a wave has come to, its budget and its table; progress lines."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.progress import Progress
from ansible_collections.azureml.arc.plugins.plugin_utils._report.wave import Wave, allowed_failures, cluster

INSTALLED = {"azureml_extension": {"plan": {"action": "create"}}, "azureml_readiness": {"summary": "2 of 2 are ready"}}
AS_IT_WAS = {"azureml_extension": {"plan": {"action": "none"}}, "azureml_attached": {"changed": False}}


@pytest.mark.parametrize(
    ("budget", "fleet", "allowed"),
    [("0", 10, 0), (3, 10, 3), ("5%", 1000, 50), ("5 %", 10, 0), ("100%", 7, 7), ("12", 10, 12)],
)
def test_budget(budget, fleet, allowed):
    assert allowed_failures(budget, fleet) == allowed


@pytest.mark.parametrize("budget", ["", "few", "-1", "1.5", "101%", "%"])
def test_budget_that_is_none(budget):
    with pytest.raises(AzureMLError, match="azureml_max_failures must be"):
        allowed_failures(budget, 10)


@pytest.mark.parametrize(
    ("variables", "reachable", "outcome", "extension"),
    [
        (INSTALLED, True, "changed", "installed"),
        (AS_IT_WAS, True, "ok", "as it was"),
        ({**AS_IT_WAS, "azureml_attached": {"changed": True}}, True, "changed", "as it was"),
        ({**INSTALLED, "azureml_failure": "it timed out"}, True, "failed", "installed"),
        (INSTALLED, False, "unreachable", "installed"),
        ({"azureml_failure": "bad variable"}, True, "failed", ""),
    ],
)
def test_a_cluster_by_its_variables(variables, reachable, outcome, extension):
    found = cluster("shop", variables, {}, reachable, check_mode=False)

    assert (found.outcome, found.extension) == (outcome, extension)
    assert bool(found.error) == (outcome in ("failed", "unreachable"))


@pytest.mark.parametrize(
    ("converged", "outcome", "pods"),
    [
        ({"changed": True, "plan": {"action": "none"}, "pod_readiness": {"summary": "2 of 2"}}, "changed", "2 of 2"),
        ({"changed": False, "plan": {"action": "none"}, "pod_readiness": None}, "ok", ""),
    ],
)
def test_a_cluster_that_was_deployed_with_others(converged, outcome, pods):
    found = cluster("shop", {}, converged, reachable=True, check_mode=False)

    assert (found.outcome, found.extension, found.pods) == (outcome, "as it was", pods)


def test_plans_are_told_with_the_keys_that_differ():
    plan = {
        "action": "update",
        "properties": {"version": {}},
        "settings": {"openshift": {}},
        "protected_settings": ["proxy.password"],
    }

    found = cluster("shop", {"azureml_extension": {"plan": plan}}, {}, reachable=True, check_mode=True)

    assert found.extension == "update openshift, proxy.password, version"


def test_the_table():
    clusters = [
        cluster("a", INSTALLED, {}, reachable=True, check_mode=False),
        cluster("bb", {"azureml_failure": "it\n  timed out " + "x" * 500}, {}, reachable=True, check_mode=False),
    ]
    wave = Wave(clusters, failed=["bb"], not_started=[f"c{number}" for number in range(12)], allowed=0)

    head, first, second, summary = wave.table().splitlines()

    assert head.split() == ["cluster", "outcome", "extension", "pods", "why"]
    assert first == "a        changed  installed  2 of 2 are ready"
    assert second.startswith("bb       failed ")
    assert second[head.index("why") :].startswith("it timed out xxx")
    assert second.endswith("...")
    assert summary == (
        "1 changed, 1 failed; failed so far: 1 (bb);"
        " still to come: 12 (c0, c1, c2, c3, c4, c5, c6, c7, c8, c9 and 2 more);"
        " the rollout stops, azureml_max_failures allows 0"
    )


def test_progress_is_told_now_and_then():
    now, lines = [1000.0], []
    progress = Progress("shop", 30, lines.append, clock=lambda: now[0])
    for second in range(0, 100, 5):
        now[0] = 1000.0 + second
        progress("Creating")

    assert len(lines) == 3
    assert lines[0].startswith("waiting: [shop] Creating (since ")
    assert lines[0].endswith(", 30 s)")


def test_progress_that_nobody_wants():
    lines = []
    progress = Progress("shop", 0, lines.append)

    progress("Creating")

    assert lines == []
