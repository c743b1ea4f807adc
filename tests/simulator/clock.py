# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Simulated time, which the scenario scales."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime


class Clock:
    """A clock for simulated time.

    :param scale: simulated seconds per real second.
    """

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale
        self._start = time.time()

    def now(self) -> float:
        """Return the simulated seconds since 1970."""
        return self._start + (time.time() - self._start) * self.scale

    def timestamp(self) -> str:
        """Return the simulated time in the format of Kubernetes and ARM."""
        return datetime.fromtimestamp(self.now(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    async def sleep(self, seconds: float) -> None:
        """Wait for simulated seconds."""
        await asyncio.sleep(seconds / self.scale)
