# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result of a wave: its rows, its table and its budget; progress lines."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.progress import Progress
from ansible_collections.azureml.arc.plugins.plugin_utils._report.rollout import (
    Row,
    Wave,
    allowed_failures,
    count_waves,
    row,
)

READY = {"pod_readiness": {"summary": "2 of 2 are ready"}}


@pytest.mark.parametrize(
    ("budget", "fleet", "allowed"),
    [("0", 10, 0), (3, 10, 3), ("5%", 1000, 50), ("5 %", 10, 0), ("100%", 7, 7), ("12", 10, 12)],
)
def test_budget_is_a_number_or_a_percentage(budget, fleet, allowed):
    assert allowed_failures(budget, fleet) == allowed


@pytest.mark.parametrize("budget", ["", "few", "-1", "1.5", "101%", "%", "\N{SUPERSCRIPT TWO}"])
def test_invalid_budget_is_rejected(budget):
    with pytest.raises(AzureMLError, match="azureml_max_failures must be"):
        allowed_failures(budget, 10)


@pytest.mark.parametrize(
    ("result", "outcome", "extension"),
    [
        ({"changed": True, "plan": {"action": "create"}, **READY}, "changed", "installed"),
        ({"changed": False, "plan": {"action": "none"}, **READY}, "ok", "unchanged"),
        ({"changed": True, "plan": {"action": "none"}, "pod_readiness": None}, "changed", "unchanged"),
        ({"failed": True, "msg": "bad variable", "plan": {}}, "failed", ""),
        (
            {
                "failed": True,
                "msg": "it broke",
                "plan": {"action": "create"},
                "extension": {"provisioning_state": "Creating"},
            },
            "failed",
            "failed",
        ),
        ({"failed": True, "gone": True, "msg": "it does not exist"}, "gone", ""),
        ({"skipped": True, "changed": False}, "not started", ""),
        (None, "unreachable", ""),
        (
            {
                "changed": True,
                "plan": {"action": "update", "properties": {"version": {"before": "1.1.61", "after": "1.1.70"}}},
            },
            "changed",
            "1.1.61 -> 1.1.70",
        ),
    ],
)
def test_row_shows_the_result_of_a_cluster(result, outcome, extension):
    found = row("shop", result, check_mode=False)

    assert (found.outcome, found.extension) == (outcome, extension)
    assert bool(found.cause) == (outcome in ("failed", "unreachable", "gone"))


def test_check_mode_shows_the_planned_change():
    plan = {"action": "update", "settings": {"b": [], "a": []}, "properties": {}, "protected_settings": ["c"]}

    assert row("shop", {"changed": True, "plan": plan}, check_mode=True).extension == "would be updated: a, b, c"


@pytest.mark.parametrize(
    ("result", "cause"),
    [
        ({"failed_step": "Attach", "msg": "Attach: no workspace"}, "Attach: no workspace"),
        (
            {"msg": "it is offline", "error": {"code": "ClusterNotConnected", "message": "it is offline"}},
            "not connected: it is offline",
        ),
    ],
)
def test_row_of_a_failed_cluster_shows_its_cause(result, cause):
    assert row("shop", {"failed": True, **result}, check_mode=False).cause == cause


def test_failures_are_first_in_the_table():
    cause = "image pull: relayserver-1: ImagePullBackOff"
    wave = Wave([Row("f1", "ok", "unchanged", "2 of 2"), Row("f2", "failed", "failed", "", cause)], ["f2"])

    lines = wave.table().splitlines()

    assert [line.split()[0] for line in lines] == ["cluster", "f2", "f1"]
    assert lines[1].endswith("  image pull")


@pytest.mark.parametrize(
    ("wave", "stopped", "summary"),
    [
        (Wave([Row("f1", "ok")]), False, "1 cluster: 1 ok"),
        (Wave([]), False, "0 clusters"),
        (Wave([Row("m1", "ok"), Row("m2", "changed")], noun="machine"), False, "2 machines: 1 ok, 1 changed"),
        (
            Wave([Row("f1", "failed"), Row("f2", "pending")], ["f1"], [], 1, 1, 5),
            False,
            "wave 1 (5 s): 1 failed, 1 pending; failed so far: 1 (f1)",
        ),
        (
            Wave([Row("f2", "not started")], ["f1"], ["f2"], 0, 2, 9, 2, "wave 1 of 2 (5 s): 1 failed"),
            True,
            "wave 2 of 2: not started; wave 1 of 2 (5 s): 1 failed",
        ),
        (
            Wave([Row("f1", "ok"), Row("f2", "gone")], [], [], 0, 1, 5),
            False,
            "wave 1 (5 s): 1 ok, 1 gone; failed so far: none",
        ),
        (
            Wave([Row("f1", "ok"), Row("f2", "failed")], ["f2"]),
            False,
            "2 clusters: 1 ok, 1 failed; retry with --limit f2",
        ),
        (
            Wave([Row("f1", "changed")], [], ["f2"], 0, 1, 61.4, 3),
            False,
            "wave 1 of 3 (61 s): 1 changed; failed so far: none; still to come: 1 (f2)",
        ),
        (
            Wave([Row("f2", "ok"), Row("f3", "failed")], ["f3"], [], 0, 2, 5, 2),
            True,
            "wave 2 of 2 (5 s): 1 ok, 1 failed; failed so far: 1 (f3); retry with --limit f3",
        ),
        (
            Wave([Row("f1", "ok"), Row("f2", "failed")], ["f2"], ["f3"], 0, 2, 5),
            True,
            "wave 2 (5 s): 1 ok, 1 failed; failed so far: 1 (f2); still to come: 1 (f3); the rollout stops,"
            " because azureml_max_failures allows 0; retry with --limit f2,f3",
        ),
        (
            Wave([Row("f1", "failed")], ["f1"], ["f2"], 5, 1, 5),
            True,
            "wave 1 (5 s): 1 failed; failed so far: 1 (f1); still to come: 1 (f2); the rollout stops, because every"
            " cluster of the wave failed; retry with --limit f1,f2",
        ),
        (
            Wave([Row("f1", "gone")], [], ["f2"], 0, 1, 5),
            True,
            "wave 1 (5 s): 1 gone; failed so far: none; still to come: 1 (f2); the rollout stops, because every cluster"
            " of the wave failed or is gone; retry with --limit f2",
        ),
        (
            Wave([Row("f1", "failed"), Row("f2", "ok")], ["f1"], ["f3"], 1, 1, 5),
            False,
            "wave 1 (5 s): 1 ok, 1 failed; failed so far: 1 (f1); still to come: 1 (f3)",
        ),
    ],
)
def test_summary_contains_the_next_step(wave, stopped, summary):
    assert (wave.stopped, wave.summary()) == (stopped, summary)


@pytest.mark.parametrize(
    ("sizes", "hosts", "waves"),
    [
        ([], 6, 1),
        (["100%"], 6, 1),
        (["1", "25%", "100%"], 6, 3),
        (["1", "50%", "100%"], 6, 3),
        ([2], 5, 3),
        (["10%"], 5, 5),
    ],
)
def test_number_of_waves_is_that_of_ansible_batches(sizes, hosts, waves):
    assert count_waves(sizes, hosts) == waves


def test_names_beyond_the_limit_are_counted():
    names = [f"f{number}" for number in range(12)]

    assert "failed so far: 12 (f0, f1, f2, f3, f4, f5, f6, f7, f8, f9 and 2 more)" in Wave([], names, [], 20).summary()


def test_statistics_contain_failed_and_not_started_clusters():
    stats = Wave([Row("f1", "failed", cause="it broke")], ["f1"], ["f2"], 0).stats()

    assert stats["errors"] == {"f1": "it broke"}
    assert (stats["failed_clusters"], stats["not_started"], stats["exceeded"]) == (["f1"], ["f2"], True)


def test_pending_cluster_counts_as_failed_in_the_statistics():
    """The statistics come from the last result that arrives, and a cluster that fails later adds none."""
    stats = Wave([Row("f1", "ok"), Row("f2", "pending", cause="no result so far")], [], ["f3"], 0).stats()

    assert (stats["failed_clusters"], stats["exceeded"]) == (["f2"], True)
    assert stats["errors"] == {"f2": "no result so far"}


def test_cluster_without_a_result_is_pending_until_its_wave_has_ended():
    unreachable = {"failed": True, "unreachable": True, "msg": "no route to host"}

    assert row("shop", None, False, ended=False).outcome == "pending"
    assert row("shop", None, False, ended=True).outcome == "unreachable"
    assert row("shop", unreachable, False, ended=False) == Row("shop", "unreachable", cause="no route to host")


def test_progress_lines_are_printed_at_intervals():
    now, lines = [100.0], []
    progress = Progress("shop", 30, lines.append, clock=lambda: now[0])
    for now[0] in (110.0, 131.0, 140.0, 162.0):
        progress("extension: Creating")

    assert [line.split(" (since")[0] for line in lines] == ["waiting: [shop] extension: Creating"] * 2


def test_interval_of_zero_prints_no_progress_lines():
    lines: list = []
    Progress("shop", 0, lines.append, clock=lambda: 1e9)("state")
    assert lines == []
