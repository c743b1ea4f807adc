# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Intervals and deadlines of waits."""

from __future__ import annotations

from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Deadline, Intervals


def test_intervals_grow_to_a_limit_with_jitter():
    intervals = Intervals()
    found = [intervals.next() for _poll in range(20)]
    assert 0.8 <= found[0] <= 1.2
    assert 24 <= found[-1] <= 36
    assert len(set(found)) == 20


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
