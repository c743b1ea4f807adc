# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lines on the console: the progress of waits at intervals, and the outcome of each cluster."""

from __future__ import annotations

import time
from collections.abc import Callable

from ansible import constants
from ansible.utils.display import Display
from ansible_collections.azureml.arc.plugins.module_utils._core.text import printable

COLORS = {"failed": constants.COLOR_ERROR, "changed": constants.COLOR_CHANGED, "ok": constants.COLOR_OK}


class Progress:
    """Shows the progress of a host's wait, at most once per interval.

    :param host: the name of the host.
    :param interval: seconds between two lines, and before the first; 0 shows none.
    :param show: takes a line.
    :param clock: seconds since 1970.
    """

    def __init__(
        self, host: str, interval: float, show: Callable[[str], object], clock: Callable[[], float] = time.time
    ) -> None:
        self._host = host
        self._interval = interval
        self._show = show
        self._clock = clock
        self._start = self._last = clock()

    def __call__(self, state: str) -> None:
        """Show the current state, if the interval has passed."""
        now = self._clock()
        if self._interval <= 0 or now - self._last < self._interval:
            return
        self._last = now
        since = time.strftime("%H:%M:%S", time.localtime(self._start))
        self._show(f"waiting: [{self._host}] {printable(state)} (since {since}, {now - self._start:.0f} s)")


def show_outcome(display: Display, outcome: str, text: str) -> None:
    """Show the outcome of a cluster.

    :param outcome: a key of C(COLORS).
    """
    display.display(f"{outcome}: {text}", color=COLORS[outcome])
