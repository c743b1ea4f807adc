# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings fail a module, or are shown as warnings."""

from __future__ import annotations

import contextlib
import re

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.findings import LEVELS, Finding, refuse_serious

FINDINGS = [Finding(level, level, "found.") for level in LEVELS]


@pytest.mark.parametrize(
    ("fail_on", "warnings", "failure"),
    [
        ("error", ["warning: found."], "it fails: [error] error: found."),
        ("warning", [], "it fails: [error] error: found. [warning] warning: found."),
        ("never", ["error: found.", "warning: found."], ""),
    ],
)
def test_finding_that_does_not_fail_is_a_warning(fail_on, warnings, failure):
    shown: list[str] = []
    fails = pytest.raises(AzureMLError, match=re.escape(failure)) if failure else contextlib.nullcontext()

    with fails:
        refuse_serious(FINDINGS, fail_on, "it fails", {}, shown.append)

    assert shown == warnings
