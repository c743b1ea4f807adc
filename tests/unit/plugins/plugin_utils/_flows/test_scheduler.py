# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many flows in threads."""

from __future__ import annotations

import threading
import time

import pytest
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.scheduler import Stop, advance_all


class Recorded:
    """Notes each phase in a list that all flows share."""

    def __init__(self, name: str, phases: int, log: list) -> None:
        self.name = name
        self._left = list(range(1, phases + 1))
        self._log = log

    @property
    def ended(self) -> bool:
        return not self._left

    def advance(self) -> None:
        self._log.append((self.name, self._left.pop(0)))


def test_a_phase_is_taken_by_all_before_the_next_is_by_any():
    log, ended = [], []

    advance_all(
        [Recorded("a", 2, log), Recorded("b", 1, log), Recorded("c", 3, log)], 1, lambda flow: ended.append(flow.name)
    )

    assert log == [("a", 1), ("b", 1), ("c", 1), ("a", 2), ("c", 2), ("c", 3)]
    assert ended == ["b", "a", "c"]


def test_as_many_at_once_as_asked_for():
    together = threading.Barrier(3, timeout=30)

    class Meeting(Recorded):
        def advance(self) -> None:
            super().advance()
            together.wait()

    log: list = []
    advance_all([Meeting(str(number), 1, log) for number in range(6)], 3, lambda flow: None)

    assert len(log) == 6


def test_who_ends_is_told_in_this_thread():
    threads = []

    advance_all([Recorded("a", 1, [])], 2, lambda flow: threads.append(threading.current_thread()))

    assert threads == [threading.main_thread()]


def test_what_goes_wrong_is_raised_and_nothing_more_is_begun():
    log: list = []

    class Broken(Recorded):
        def advance(self) -> None:
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        advance_all(
            [Broken("a", 1, log), *(Recorded(str(number), 2, log) for number in range(9))], 1, lambda flow: None
        )

    assert len([one for one in log if one[1] == 2]) == 0


def test_a_wait_ends_when_the_process_is_to_end():
    stop = Stop()
    stop.sleep(0)
    threading.Timer(0.1, stop.ask).start()
    start = time.monotonic()

    for seconds in (60, 60):
        with pytest.raises(SystemExit):
            stop.sleep(seconds)

    assert time.monotonic() - start < 30
