# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run all checks, show their progress, and end with a table of results, skipped tests and durations.

Each check is a nox session. Its output is written to a file, and shown if the check fails.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from machine.results import Outcome, report

RESULTS = Path("build/results")
# Two lanes run at the same time: the longest tests, which mostly wait, and all others.
LANES = (
    ("unit", "integration"),
    (
        "ruff",
        "lint",
        "docs-check",
        "license-check",
        "build-import-check",
        "ansible-lint",
        "docs",
        "package",
        "sanity",
        "api_server",
        "newest",
    ),
)
PROGRESS_SECONDS = 20
PERCENT = re.compile(r"\[ *(\d+)%\]")


class Run:
    """A run of all checks. It prints a line when a check ends, and every C(PROGRESS_SECONDS)."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._output = threading.Lock()
        self._running: list[str] = []
        self._ended = threading.Event()

    def all(self) -> list[Outcome]:
        """Run all checks, and return their outcomes."""
        threading.Thread(target=self._show_progress, daemon=True).start()
        with ThreadPoolExecutor(len(LANES)) as pool:
            outcomes = [outcome for lane in pool.map(self._lane, LANES) for outcome in lane]
        self._ended.set()
        return outcomes

    def log(self, text: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self._start), 60)
        with self._output:
            print(f"{minutes:3}:{seconds:02}  {text}", flush=True)

    def _lane(self, names: tuple[str, ...]) -> list[Outcome]:
        return [self._check(name) for name in names]

    def _check(self, name: str) -> Outcome:
        log = RESULTS / f"{name}.log"
        self._running.append(name)
        start = time.monotonic()
        with log.open("w", encoding="utf-8") as output:
            finished = subprocess.run(["nox", "--session", name], stdout=output, stderr=output, check=False)
        self._running.remove(name)
        outcome = Outcome.of(name, finished.returncode == 0, time.monotonic() - start, RESULTS)
        self.log(f"{name} {outcome.result} after {outcome.seconds:.0f} s")
        if not outcome.passed:
            with self._output:
                print(log.read_text(encoding="utf-8"), flush=True)
        return outcome

    def _show_progress(self) -> None:
        while not self._ended.wait(PROGRESS_SECONDS):
            self.log("running: " + ", ".join(f"{name}{_percent(name)}" for name in sorted(self._running)))


def _percent(name: str) -> str:
    """Return the progress of a check's tests, from the last percentage in its log."""
    found = PERCENT.findall((RESULTS / f"{name}.log").read_text(encoding="utf-8", errors="replace"))
    return f" {found[-1]}%" if found else ""


def main() -> int:
    RESULTS.mkdir(parents=True, exist_ok=True)
    for path in RESULTS.iterdir():
        path.unlink()
    run = Run()
    outcomes = run.all()
    run.log("done")
    print(report(outcomes))
    skipped = os.environ.get("CI") == "true" and any(outcome.tests_skipped for outcome in outcomes)
    return int(skipped or not all(outcome.passed for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
