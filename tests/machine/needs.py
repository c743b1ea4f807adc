# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a test asks for a program: it gets the path, or is left out. In CI nothing may be left out."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from machine.programs import PROGRAMS


def program(name: str) -> Path:
    """Return where a program of C(PROGRAMS) is.

    Where it is missing, the test that asks is left out, with the reason and the command that installs the program; with
    C(CI=true) it fails.
    """
    wanted = PROGRAMS[name]
    found = wanted.find()
    if found is None:
        reason = f"needs {wanted.what}: {wanted.how_to_install()}"
        # Whoever contributes may lack Java or a browser, and still runs all other tests. CI has to have everything: a
        # test that is left out there is one that nobody runs.
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    return found
