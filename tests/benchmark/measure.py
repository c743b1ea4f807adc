# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure wall time, processor time and memory of a program, including its children."""

from __future__ import annotations

import contextlib
import os
import platform
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SAMPLE_SECONDS = 0.5


@dataclass(frozen=True)
class Cost:
    """Wall and processor time in seconds, and the peak of memory in bytes, with shared pages counted once."""

    wall: float
    processor: float
    memory: int


class CommandFailedError(Exception):
    """A measured command has failed, so its cost is meaningless."""


def measure(command: Sequence[str], cwd: Path, environment: dict[str, str], log: Path) -> Cost:
    """Run a command, and return its cost.

    :param log: the file for its output.
    :raises CommandFailedError: if the command fails.
    """
    start = time.monotonic()
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(command, cwd=cwd, env=environment, stdout=output, stderr=output)
        peak = _Peak(process.pid)
        _pid, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - start
    memory = peak.end()
    if process.returncode:
        raise CommandFailedError(f"{' '.join(command)} ended with {process.returncode}, see {log}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, memory)


class _Peak:
    """The peak of memory of a process and its descendants, from samples."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._highest = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    def end(self) -> int:
        self._stop.set()
        self._thread.join()
        return self._highest

    def _watch(self) -> None:
        while not self._stop.wait(SAMPLE_SECONDS):
            self._highest = max(self._highest, sum(map(_proportional_memory, _family(self._pid))))


def _family(pid: int) -> list[int]:
    """Return a process and its descendants."""
    parents = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            parents[int(process.name)] = int((process / "stat").read_text().rpartition(")")[2].split()[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def _proportional_memory(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def machine() -> dict[str, object]:
    """Return the machine on which the figures were measured."""
    return {
        "cores": os.cpu_count(),
        "machine": platform.platform(),
        "python": platform.python_version(),
    }
