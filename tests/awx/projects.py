# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWX does with a project: fetch it with git, and look for playbooks in it."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

# As awx/main/utils/ansible.py has it: names of playbooks of collections are in no project.
PLAYBOOK_LINE = re.compile(r"^\s*?-?\s*?(?:hosts|(ansible\.builtin\.)?include|(ansible\.builtin\.)?import_playbook):")
LEFT_OUT = {"roles", "tasks", "group_vars", "host_vars"}


async def fetch(url: str, branch: str, directory: Path) -> str | None:
    """Fetch a project.

    :returns: its revision, C(None) where it cannot be fetched.
    """
    command = ["git", "clone", "--quiet", "--depth", "1", *(["--branch", branch] if branch else []), url]
    if await _run(*command, str(directory)) is None:
        return None
    return await _run("git", "-C", str(directory), "rev-parse", "HEAD")


async def _run(*command: str) -> str | None:
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=asyncio.subprocess.DEVNULL)
    output = (await process.communicate())[0]
    return output.decode().strip() if process.returncode == 0 else None


def playbooks(directory: Path) -> list[str]:
    """The files that a job template may name."""
    return sorted(
        str(path.relative_to(directory)) for path in directory.rglob("*.y*ml") if _is_playbook(path, directory)
    )


def _is_playbook(path: Path, directory: Path) -> bool:
    folders = path.relative_to(directory).parts[:-1]
    if LEFT_OUT.intersection(folders) or any(one.startswith(".") for one in folders):
        return False
    return any(PLAYBOOK_LINE.match(line) for line in path.read_text(encoding="utf-8").splitlines())
