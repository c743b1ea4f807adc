# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Require a program for a test: if it is missing, the test is skipped, or fails in CI."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from machine.programs import PROGRAMS


def program(name: str) -> Path:
    """Return the path of a program of C(PROGRAMS).

    If it is missing, the test is skipped, with the command that installs the program as the reason. With C(CI=true),
    the test fails.
    """
    required = PROGRAMS[name]
    found = required.find()
    if found is None:
        reason = f"needs {required.what}: {required.how_to_install()}"
        # Contributors without Java or a browser can still run all other tests. CI must run every test.
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    return found
