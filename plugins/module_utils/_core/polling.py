# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait at jittered intervals, which grow with the time waited, up to a deadline.

A wait is a generator that yields the seconds until it continues, so that its caller decides how to wait: an ordinary
module sleeps, the scheduler of a fleet parks it and works on other clusters meanwhile.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator
from typing import TypeVar

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError

T = TypeVar("T")
# Yields seconds to wait, returns a result.
Waiting = Generator[float, None, T]

FIRST_INTERVAL = 1.0  # seconds
USUAL_INTERVAL = 5.0  # seconds
LONGEST_INTERVAL = 30.0  # seconds; 100 waiting forks then send 12,000 requests an hour, which is ARM's limit
SHARE = 0.2  # of the time waited so far
JITTER = 0.2  # a fifth more or less, so that the requests of a fleet spread


def interval(
    waited: float, first: float = FIRST_INTERVAL, usual: float = USUAL_INTERVAL, longest: float = LONGEST_INTERVAL
) -> float:
    """Return the seconds until the next attempt.

    They double from C(first) to C(usual), so that a short operation does not take much longer, and then are a
    C(SHARE) of the time waited, so that a long one is polled seldom and its end is noticed only that much later.

    :param waited: seconds so far.
    :param longest: a limit for all of them.
    """
    return min(max(min(first + waited, usual), SHARE * waited), longest)


class Intervals:
    """The seconds to wait before each attempt, with jitter. For the parameters see C(interval)."""

    def __init__(self, **limits: float) -> None:
        self._limits = limits
        self._waited = 0.0

    def next(self, least: float | None = None) -> float:
        """Return the next interval, in seconds. The sequence is infinite.

        :param least: what the service asks to wait, C(None) if it does not.
        """
        pause = interval(self._waited, **self._limits) * random.uniform(1 - JITTER, 1 + JITTER)
        pause = max(least or 0.0, pause)
        self._waited += pause
        return pause


class Deadline:
    """A point in time on the monotonic clock.

    :param seconds: how long from now.
    :param clock: seconds since some start.
    :param sleep: waits for seconds.
    :param progress: takes the progress as a line of text.
    """

    def __init__(
        self,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        progress: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.report = progress
        self.seconds = seconds
        self._clock = clock
        self._sleep = sleep
        self._end = clock() + seconds

    @property
    def remaining(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self._end - self._clock())

    @property
    def passed(self) -> bool:
        return self.remaining <= 0

    def within(self, seconds: float) -> Deadline:
        """Return the deadline of a part of the work: C(seconds) from now, but not later than this one."""
        return Deadline(min(seconds, self.remaining), self._clock, self._sleep, self.report)

    def sleep(self, seconds: float) -> None:
        """Wait, but not past the deadline."""
        self._sleep(min(seconds, self.remaining))

    def pause(self, seconds: float) -> Waiting[None]:
        """Wait as C(sleep) does, as a generator: C(yield from deadline.pause(5))."""
        yield min(seconds, self.remaining)


def waiting(result: T | Waiting[T]) -> Waiting[T]:
    """Return a result, or a generator that waits for one, as a generator."""
    if isinstance(result, Generator):
        result = yield from result
    return result


def wait_here(steps: Waiting[T], sleep: Callable[[float], None] = time.sleep) -> T:
    """Run a generator that waits to its end in this thread, and return its result."""
    while True:
        try:
            seconds = next(steps)
        except StopIteration as end:
            return end.value
        sleep(seconds)


def timeout_error(what: str, deadline: Deadline, state: str, **details) -> AzureMLError:
    """Return the error of a wait that timed out; C(state) is the last state."""
    return AzureMLError(
        f"Timed out after {deadline.seconds:g} seconds waiting for {what}: {state}",
        code="Timeout",
        hint="The operation continues: run again to join it, or raise the timeout.",
        **details,
    )
