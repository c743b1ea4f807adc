# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The outcomes of the checks, from their logs and JUnit files, and the table that shows them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

SLOWEST = 20
# The line of nox for a skipped session, with the reason.
SKIPPED_SESSION = re.compile(r"nox > Session \S+ skipped: (.*?)\.?$", re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    """The outcome of one check.

    :ivar ran: number of tests that ran, 0 for a check without tests.
    :ivar tests_skipped: numbers of skipped tests, by reason.
    :ivar skipped: why the whole check was skipped.
    :ivar durations: seconds of each test, by name.
    """

    name: str
    passed: bool
    seconds: float
    ran: int = 0
    tests_skipped: Counter = field(default_factory=Counter)
    skipped: str = ""
    durations: dict[str, float] = field(default_factory=dict)

    @property
    def result(self) -> str:
        return "skipped" if self.skipped else "passed" if self.passed else "FAILED"

    @classmethod
    def of(cls, name: str, passed: bool, seconds: float, directory: Path) -> Outcome:
        """Read the outcome of a check from its log and, if it has tests, its JUnit files C(name*.xml)."""
        skipped = SKIPPED_SESSION.search((directory / f"{name}.log").read_text(encoding="utf-8", errors="replace"))
        cases = [case for path in directory.glob(f"{name}*.xml") for case in ET.parse(path).iter("testcase")]
        reasons = Counter(one.get("message") for case in cases for one in case.findall("skipped"))
        durations = {f"{case.get('classname')}.{case.get('name')}": float(case.get("time")) for case in cases}
        ran = len(cases) - reasons.total()
        return cls(name, passed, seconds, ran, reasons, skipped[1] if skipped else "", durations)


def report(outcomes: list[Outcome]) -> str:
    """Return the table of all checks, the slowest tests, and the skipped tests with the reasons."""
    rows = [("check", "result", "tests", "skipped", "seconds")]
    for one in outcomes:
        skipped = one.tests_skipped.total()
        rows.append((one.name, one.result, str(one.ran or ""), str(skipped or ""), f"{one.seconds:.0f}"))
    times = [(seconds, one.name, name) for one in outcomes for name, seconds in one.durations.items()]
    slowest = [(f"{seconds:.1f}", check, name) for seconds, check, name in sorted(times, reverse=True)[:SLOWEST]]
    parts = [_table(rows)]
    if slowest:
        parts.append(f"The slowest {len(slowest)} tests:\n" + _table([("seconds", "check", "test"), *slowest]))
    parts.append("\n".join(_skipped(outcomes)) or "No tests were skipped.")
    return "\n" + "\n\n".join(parts)


def _skipped(outcomes: Iterable[Outcome]) -> Iterable[str]:
    for one in outcomes:
        if one.skipped:
            yield f"skipped: {one.name}, {one.skipped}"
        for reason, count in one.tests_skipped.items():
            tests = "1 test" if count == 1 else f"{count} tests"
            yield f"skipped: {tests} of {one.name}, {reason}"


def _table(rows: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
