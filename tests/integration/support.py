# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the integration tests share beside fixtures."""

from __future__ import annotations


class ModuleFailedError(AssertionError):
    """A module failed; C(result) is what it said."""

    def __init__(self, result: dict) -> None:
        super().__init__(result["msg"])
        self.result = result


def requests_to(simulator, method: str, part: str) -> list[dict]:
    """Requests of a method whose path contains C(part), without case."""
    return [one for one in simulator.journal() if one["method"] == method and part.lower() in one["path"].lower()]


def writes(simulator) -> list[tuple[str, str]]:
    """All requests that create, change or remove a resource."""
    return [(one["method"], one["path"]) for one in simulator.journal() if one["method"] in ("PUT", "PATCH", "DELETE")]
