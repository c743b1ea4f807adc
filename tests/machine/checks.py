# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run all checks, show how far they are, and end with one table: what passed, what was left out, how long it took.

Each check is a session of nox, whose output goes to a separate file and is shown if it fails.
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
# Side by side: tests, which also wait, and what only computes.
LANES = (
    ("unit", "integration", "api_server", "newest"),
    ("ruff", "lint", "docs-check", "license-check", "sanity", "build-import-check", "ansible-lint", "docs", "package"),
)
PROGRESS_SECONDS = 20
PERCENT = re.compile(r"\[ *(\d+)%\]")


class Run:
    """A run of all checks; shows a line where one begins or ends, and every C(PROGRESS_SECONDS)."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._output = threading.Lock()
        self._running: list[str] = []
        self._ended = threading.Event()

    def all(self) -> list[Outcome]:
        """Run every check. Returns an outcome for each."""
        threading.Thread(target=self._show_progress, daemon=True).start()
        with ThreadPoolExecutor(len(LANES)) as pool:
            outcomes = [outcome for lane in pool.map(self._lane, LANES) for outcome in lane]
        self._ended.set()
        return outcomes

    def say(self, text: str) -> None:
        minutes, seconds = divmod(int(time.monotonic() - self._began), 60)
        with self._output:
            print(f"{minutes:3}:{seconds:02}  {text}", flush=True)

    def _lane(self, names: tuple[str, ...]) -> list[Outcome]:
        return [self._check(name) for name in names]

    def _check(self, name: str) -> Outcome:
        log = RESULTS / f"{name}.log"
        self._running.append(name)
        began = time.monotonic()
        with log.open("w", encoding="utf-8") as output:
            finished = subprocess.run(["nox", "--session", name], stdout=output, stderr=output, check=False)
        self._running.remove(name)
        outcome = Outcome.of(name, finished.returncode == 0, time.monotonic() - began, RESULTS)
        self.say(f"{name} {outcome.result} after {outcome.seconds:.0f} s")
        if not outcome.passed:
            with self._output:
                print(log.read_text(encoding="utf-8"), flush=True)
        return outcome

    def _show_progress(self) -> None:
        while not self._ended.wait(PROGRESS_SECONDS):
            self.say("running: " + ", ".join(f"{name}{_percent(name)}" for name in sorted(self._running)))


def _percent(name: str) -> str:
    """Return how far the tests of a check are, by what pytest has said last."""
    found = PERCENT.findall((RESULTS / f"{name}.log").read_text(encoding="utf-8", errors="replace"))
    return f" {found[-1]}%" if found else ""


def main() -> int:
    RESULTS.mkdir(parents=True, exist_ok=True)
    for path in RESULTS.iterdir():
        path.unlink()
    run = Run()
    outcomes = run.all()
    run.say("done")
    print(report(outcomes))
    left_out = os.environ.get("CI") == "true" and any(outcome.tests_left_out for outcome in outcomes)
    return int(left_out or not all(outcome.passed for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
