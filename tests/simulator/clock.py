# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Simulated time: as much faster than real time as the scenario says."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime


class Clock:
    """A clock that runs C(scale) times as fast as the wall's.

    :param scale: simulated seconds a real second.
    """

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale
        self._start = time.time()

    def now(self) -> float:
        """Simulated seconds since 1970."""
        return self._start + (time.time() - self._start) * self.scale

    def timestamp(self) -> str:
        """Return the simulated time as Kubernetes and ARM write it."""
        return datetime.fromtimestamp(self.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    async def sleep(self, seconds: float) -> None:
        """Wait simulated seconds."""
        await asyncio.sleep(seconds / self.scale)
