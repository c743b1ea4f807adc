# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run many flows in one process: a few threads work, and flows that wait are parked until they are due.

A thread costs a thousandth of the worker process that Ansible starts for a host, and a cluster that waits has no
thread, so clusters that hang do not block the others.
"""

from __future__ import annotations

import heapq
import itertools
import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Waiting
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.worker import LONGEST_WAIT

T = TypeVar("T")


class Stop:
    """Ends the pauses of threads. Only the main thread of a process receives signals."""

    def __init__(self) -> None:
        self._requested = threading.Event()

    def request(self) -> None:
        """End all pauses, later ones included."""
        self._requested.set()

    def sleep(self, seconds: float) -> None:
        """Pause a thread for some seconds.

        :raises SystemExit: if the process ends.
        """
        if self._requested.wait(seconds):
            raise SystemExit


class Scheduler:
    """Runs flows that wait.

    :param threads: how many flows may work at a time.
    :param clock: seconds since some start.
    """

    def __init__(self, threads: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._threads = threads
        self._clock = clock
        self._advanced: queue.SimpleQueue = queue.SimpleQueue()

    def run(self, flows: Sequence[Waiting[T]], ended: Callable[[int, T], None]) -> None:
        """Run flows to their end.

        Flows run in the order in which they became due, so that all have started before any continues.

        :param ended: called in this thread with the number of each flow that has ended, and its result.
        """
        parked: list[tuple[float, int, int]] = []  # due, order, number of the flow
        order = itertools.count()
        left = len(flows)
        pool = ThreadPoolExecutor(self._threads)
        try:
            for number in range(len(flows)):
                pool.submit(self._advance, flows, number)
            while left:
                for number, pause, result, error in self._wait(parked):
                    if error is not None:
                        raise error
                    if pause is None:
                        left -= 1
                        ended(number, result)
                    else:
                        heapq.heappush(parked, (self._clock() + pause, next(order), number))
                while parked and parked[0][0] <= self._clock():
                    pool.submit(self._advance, flows, heapq.heappop(parked)[2])
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _advance(self, flows: Sequence[Waiting], number: int) -> None:
        """Run a flow until it waits or ends, and notify the scheduling thread."""
        pause = result = error = None
        try:
            pause = max(0.0, next(flows[number]))
        except StopIteration as end:
            result = end.value
        except BaseException as raised:  # to be raised in the scheduling thread
            error = raised
        self._advanced.put((number, pause, result, error))

    def _wait(self, parked: Sequence[tuple[float, int, int]]) -> list[tuple]:
        """Return the flows that have advanced, as soon as there are any.

        Return none if there are none when a parked flow is due, or after C(LONGEST_WAIT).
        """
        due = max(0.0, parked[0][0] - self._clock()) if parked else LONGEST_WAIT
        found = []
        try:
            found.append(self._advanced.get(timeout=min(due, LONGEST_WAIT)))
            while True:
                found.append(self._advanced.get_nowait())
        except queue.Empty:
            return found
