# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Many clusters in one process: a thread costs a thousandth of the worker process that Ansible has for a host."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol


class Flow(Protocol):
    """What is done in phases."""

    @property
    def ended(self) -> bool:
        """Whether nothing is left to do."""

    def advance(self) -> None:
        """Take the next phase; does not raise."""


class Stop:
    """Ends waits that threads are in. Only the main thread of a process hears that it is to end."""

    def __init__(self) -> None:
        self._asked = threading.Event()

    def ask(self) -> None:
        """End all waits, those to come included."""
        self._asked.set()

    def sleep(self, seconds: float) -> None:
        """Wait for seconds.

        :raises SystemExit: in a thread whose process is to end.
        """
        if self._asked.wait(seconds):
            raise SystemExit


def advance_all(flows: Sequence[Flow], at_once: int, ended: Callable[[Flow], None]) -> None:
    """Take all to their end.

    Each phase is queued behind those that wait already, so a phase is taken by all before the next one is by any, while
    nobody waits for the slowest.

    :param at_once: how many threads.
    :param ended: is told each that has ended, in this thread.
    """
    advanced: queue.SimpleQueue = queue.SimpleQueue()
    pool = ThreadPoolExecutor(at_once)

    def take_phase(flow: Flow) -> None:
        def tell(future: Future) -> None:
            advanced.put((flow, future))

        pool.submit(flow.advance).add_done_callback(tell)

    try:
        for flow in flows:
            take_phase(flow)
        left = len(flows)
        while left:
            flow, future = advanced.get()
            future.result()
            if flow.ended:
                left -= 1
                ended(flow)
            else:
                take_phase(flow)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
