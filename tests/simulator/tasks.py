# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Background tasks that end with the simulation."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Coroutine


class Tasks:
    """Starts background tasks, keeps references to them, and prints their exceptions."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task] = set()
        self._of_resources: dict[str, asyncio.Task] = {}

    def start(self, work: Coroutine) -> asyncio.Task:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def start_on(self, key: str, work: Coroutine) -> None:
        """Start a task on a resource, and cancel the current one: two would overwrite each other's state."""
        former = self._of_resources.get(key)
        if former:
            former.cancel()
        self._of_resources[key] = self.start(work)

    async def stop(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _done(self, task: asyncio.Task) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception():
            traceback.print_exception(task.exception())
