# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tests that need a missing program are skipped and reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from machine import needs, programs
from machine.programs import PROGRAMS, Program
from machine.results import Outcome, report

JUNIT = """\
<testsuites><testsuite>
<testcase classname="tests.test_a" name="test_one" time="1.5"/>
<testcase classname="tests.test_a" name="test_two" time="0.2"><skipped message="needs Java 17: install it"/></testcase>
<testcase classname="tests.test_a" name="test_three" time="9.0"/>
</testsuite></testsuites>
"""


@pytest.fixture
def without_java(monkeypatch):
    monkeypatch.setitem(PROGRAMS, "java", Program("Java 17", lambda: None, otherwise="see https://adoptium.net"))


@pytest.fixture
def command(tmp_path, monkeypatch):
    """Return a function that adds a shell script to PATH, before all other programs."""

    def create(name: str, script: str) -> Path:
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        path.chmod(0o755)
        return path

    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    return create


def test_missing_program_skips_the_test_and_tells_how_to_install_it(without_java, monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    # The exception of pytest.skip(). It is caught here, so this test itself is not skipped.
    with pytest.raises(pytest.skip.Exception, match="needs Java 17: see https://adoptium.net"):
        needs.program("java")


def test_missing_program_fails_the_test_in_ci(without_java, monkeypatch):
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="needs Java 17"):
        needs.program("java")


def test_python_with_a_broken_shim_is_found_in_pyenv(command):
    command("python3.99", "echo 'pyenv: python3.99: command not found' >&2; exit 127")
    home = command("python", "echo /opt/python3.99.1/python")
    prefix = home.parent / "prefix"
    (prefix / "bin").mkdir(parents=True)
    home.rename(prefix / "bin/python")
    command("pyenv", f'[ "$1" = versions ] && echo "3.9.1\n3.99.1" || echo "{prefix}"')
    assert programs.python("3.99") == Path("/opt/python3.99.1/python")


def test_python_version_that_is_not_installed_is_not_found(command):
    command("pyenv", "[ $1 = versions ] && echo 3.9.1")
    assert programs.python("3.99") is None


@pytest.mark.parametrize(
    ("output", "found"),
    [('openjdk version "17.0.9" 2026', True), ('openjdk version "11.0.2" 2019', False), ("", False)],
)
def test_java_is_found_from_version_17_on(command, output, found):
    command("java", f"echo '{output}' >&2")
    assert bool(PROGRAMS["java"].find()) is found


def test_report_ends_with_skipped_tests_and_reasons(tmp_path):
    (tmp_path / "integration.xml").write_text(JUNIT, encoding="utf-8")
    (tmp_path / "integration.log").write_text("", encoding="utf-8")
    skipped = "nox > Running session newest\nnox > Session newest skipped: needs Python 3.13: pyenv install 3.13.\n"
    (tmp_path / "newest.log").write_text(skipped, encoding="utf-8")
    outcomes = [Outcome.of("integration", False, 12.3, tmp_path), Outcome.of("newest", True, 0.4, tmp_path)]

    lines = report(outcomes).splitlines()

    assert [line.split() for line in lines[1:4]] == [
        ["check", "result", "tests", "skipped", "seconds"],
        ["integration", "FAILED", "2", "1", "12"],
        ["newest", "skipped", "0"],
    ]
    assert [line.split()[2] for line in lines[7:10]] == [
        "tests.test_a.test_three",
        "tests.test_a.test_one",
        "tests.test_a.test_two",
    ]
    assert lines[-2:] == [
        "skipped: 1 test of integration, needs Java 17: install it",
        "skipped: newest, needs Python 3.13: pyenv install 3.13",
    ]
