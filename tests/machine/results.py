# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has come of the checks, read from the JUnit files of their tests, and the table that shows it."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

SLOWEST = 20
# What nox says of a session that it does not run, and why.
SKIPPED_SESSION = re.compile(r"nox > Session \S+ skipped: (.*?)\.?$", re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    """What has come of one check.

    :ivar ran: how many tests ran, 0 for a check that has none.
    :ivar tests_left_out: how many tests were left out, by the reason.
    :ivar left_out: why the whole check was left out.
    :ivar durations: how long each test took, in seconds, by its name.
    """

    name: str
    passed: bool
    seconds: float
    ran: int = 0
    tests_left_out: Counter = field(default_factory=Counter)
    left_out: str = ""
    durations: dict[str, float] = field(default_factory=dict)

    @property
    def result(self) -> str:
        return "left out" if self.left_out else "passed" if self.passed else "FAILED"

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
    """Return the table of all checks, the slowest tests, and last what was left out, why, and how to change that."""
    rows = [("check", "result", "tests", "left out", "seconds")]
    for one in outcomes:
        left_out = one.tests_left_out.total()
        rows.append((one.name, one.result, str(one.ran or ""), str(left_out or ""), f"{one.seconds:.0f}"))
    times = [(seconds, one.name, name) for one in outcomes for name, seconds in one.durations.items()]
    slowest = [(f"{seconds:.1f}", check, name) for seconds, check, name in sorted(times, reverse=True)[:SLOWEST]]
    parts = [_table(rows)]
    if slowest:
        parts.append(f"The slowest {len(slowest)} tests:\n" + _table([("seconds", "check", "test"), *slowest]))
    parts.append("\n".join(_left_out(outcomes)) or "Nothing was left out.")
    return "\n" + "\n\n".join(parts)


def _left_out(outcomes: Iterable[Outcome]) -> Iterable[str]:
    for one in outcomes:
        if one.left_out:
            yield f"left out: {one.name}, {one.left_out}"
        for reason, count in one.tests_left_out.items():
            tests = "1 test" if count == 1 else f"{count} tests"
            yield f"left out: {tests} of {one.name}, {reason}"


def _table(rows: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)
