# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the integration tests share beside fixtures."""

from __future__ import annotations

from pathlib import Path


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


def processes_of(directory: Path) -> list[str]:
    """The command lines of processes that work in a folder, or name it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            if str(directory) in command or (process / "cwd").readlink().is_relative_to(directory):
                found.append(command)
        except OSError:
            continue  # gone meanwhile
    return found
