# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Intervals and deadlines of waits."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Deadline, Intervals, interval

RETRIES = {"first": 0.5, "usual": 30.0}


@pytest.mark.parametrize(
    ("waited", "limits", "seconds"),
    [
        (0, {}, 1),
        (1, {}, 2),
        (3, {}, 4),
        (7, {}, 5),
        (25, {}, 5),
        (60, {}, 12),
        (145, {}, 29),
        (150, {}, 30),
        (3600, {}, 30),
        (0, {"first": 0.2, "longest": 20}, 0.2),
        (3600, {"first": 0.2, "longest": 20}, 20),
        (0, RETRIES, 0.5),
        (7.5, RETRIES, 8),
        (100, RETRIES, 30),
    ],
)
def test_interval_grows_with_the_time_waited(waited, limits, seconds):
    assert interval(waited, **limits) == pytest.approx(seconds)


# As ARM operations take them; the number of requests is what fleets divide among ARM's limits.
@pytest.mark.parametrize(("duration", "polls"), [(1, 1), (5, 3), (60, 12), (600, 32)])
def test_operation_is_noticed_at_most_a_fifth_or_five_seconds_late(duration, polls):
    waited, number = 0.0, 0
    while waited < duration:
        waited, number = waited + interval(waited), number + 1
    assert number == polls
    assert waited - duration <= max(5, duration / 5)


def test_intervals_have_jitter():
    intervals = Intervals()
    found = [intervals.next() for _poll in range(40)]
    assert 0.8 <= found[0] <= 1.2
    assert 24 <= found[-1] <= 36
    assert len(set(found)) == 40


def test_interval_is_not_shorter_than_the_service_asks():
    intervals = Intervals()
    assert intervals.next(least=20) == 20
    assert 4 <= intervals.next() <= 6
    assert intervals.next(least=0.5) >= 4


def test_sleep_ends_at_the_deadline():
    now, slept = [0.0], []
    deadline = Deadline(10, clock=lambda: now[0], sleep=slept.append)
    now[0] = 8.0
    deadline.sleep(5)
    assert slept == [2.0]
    now[0] = 11.0
    assert (deadline.remaining, deadline.passed) == (0.0, True)


def test_deadline_of_a_step_is_not_later_than_that_of_the_task():
    now = [0.0]
    deadline = Deadline(10, clock=lambda: now[0])
    now[0] = 8.0
    assert (deadline.within(60).remaining, deadline.within(1).remaining) == (2.0, 1.0)
