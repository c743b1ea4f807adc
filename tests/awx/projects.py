# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Projects: fetch them with git, and list their playbooks."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

# Source: awx/main/utils/ansible.py. Playbooks of collections are not in a project.
PLAYBOOK_LINE = re.compile(r"^\s*?-?\s*?(?:hosts|(ansible\.builtin\.)?include|(ansible\.builtin\.)?import_playbook):")
IGNORED = {"roles", "tasks", "group_vars", "host_vars"}


async def fetch(url: str, branch: str, directory: Path) -> tuple[str, str]:
    """Fetch a project.

    :returns: its revision and an empty string, or an empty string and the error.
    """
    command = ["git", "clone", "--quiet", "--depth", "1", *(["--branch", branch] if branch else []), url]
    cloned, output = await _run(*command, str(directory))
    if not cloned:
        return "", output
    return (await _run("git", "-C", str(directory), "rev-parse", "HEAD"))[1], ""


async def _run(*command: str) -> tuple[bool, str]:
    pipe, both = asyncio.subprocess.PIPE, asyncio.subprocess.STDOUT
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=both)
    output = (await process.communicate())[0]
    return process.returncode == 0, output.decode().strip()


def playbooks(directory: Path) -> list[str]:
    """Return the playbooks of a project, empty if it was not fetched yet."""
    return sorted(
        str(path.relative_to(directory)) for path in directory.rglob("*.y*ml") if _is_playbook(path, directory)
    )


def _is_playbook(path: Path, directory: Path) -> bool:
    folders = path.relative_to(directory).parts[:-1]
    if IGNORED.intersection(folders) or any(one.startswith(".") for one in folders):
        return False
    return any(PLAYBOOK_LINE.match(line) for line in path.read_text(encoding="utf-8").splitlines())
