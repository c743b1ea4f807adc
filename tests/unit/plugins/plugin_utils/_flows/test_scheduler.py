# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The scheduler of flows."""

from __future__ import annotations

import signal
import threading
import time

import pytest
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.scheduler import Scheduler, Stop


def flow(name: str, pauses: list[float], log: list):
    for pause in pauses:
        log.append(name)
        yield pause
    return name


def run(flows, threads=1) -> list:
    ended = []
    Scheduler(threads).run(flows, lambda number, result: ended.append((number, result)))
    return ended


def test_all_flows_start_before_any_continues():
    log: list = []

    ended = run([flow("a", [0, 0], log), flow("b", [], log), flow("c", [0], log)])

    assert log[:2] == ["a", "c"]
    assert sorted(ended) == [(0, "a"), (1, "b"), (2, "c")]


def test_flows_that_wait_do_not_block_others():
    start = time.monotonic()
    log: list = []

    ended = run(
        [*(flow(f"hangs {n}", [2.0], log) for n in range(40)), *(flow(f"{n}", [0.01], log) for n in range(160))], 2
    )

    assert {result for _number, result in ended[:160]} == {f"{n}" for n in range(160)}
    assert time.monotonic() - start < 10  # 40 times 2 seconds in 2 threads would take 40


def test_signal_that_another_thread_receives_ends_the_wait():
    never = threading.Event()

    def is_interrupted():
        time.sleep(0.3)  # until the main thread waits
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
        never.wait(30)
        return
        yield

    def leave(number, frame):
        raise SystemExit

    before = signal.signal(signal.SIGUSR1, leave)
    start = time.monotonic()
    try:
        with pytest.raises(SystemExit):
            run([is_interrupted()])
    finally:
        signal.signal(signal.SIGUSR1, before)
        never.set()
    assert time.monotonic() - start < 15


def test_flows_run_concurrently_in_all_threads():
    barrier = threading.Barrier(3, timeout=30)

    def waits_for_two_others():
        barrier.wait()
        return
        yield

    assert len(run([waits_for_two_others() for _flow in range(6)], threads=3)) == 6


def test_results_are_reported_in_the_thread_of_the_scheduler():
    threads = []

    Scheduler(2).run([flow("a", [0], [])], lambda number, result: threads.append(threading.current_thread()))

    assert threads == [threading.current_thread()]


def test_unexpected_exception_is_raised():
    def broken():
        yield 0.0
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        run([broken()])


def test_run_without_flows_ends_immediately():
    assert run([]) == []


def test_pauses_of_threads_end_on_request():
    stop = Stop()
    stop.request()
    with pytest.raises(SystemExit):
        stop.sleep(60)
