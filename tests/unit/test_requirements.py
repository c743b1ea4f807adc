# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Python packages that the collection requires."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]


def requirement(name: str) -> Requirement:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    (found,) = [one for one in map(Requirement, (line for line in lines if line[:1].isalpha())) if one.name == name]
    return found


@pytest.mark.parametrize(
    ("version", "allowed"), [("35.0.0", True), ("36.0.0", False), ("36.0.1", False), ("36.0.2", True)]
)
def test_versions_of_the_kubernetes_client_that_lose_tokens_are_excluded(version, allowed):
    assert (version in requirement("kubernetes").specifier) is allowed
