# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The examples in README and documentation: their blocks, and their commands with the documented output."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from playbooks import ROOT

PAGES = (
    ROOT / "README.md",
    ROOT / "SECURITY.md",
    ROOT / "CONTRIBUTING.md",
    *ROOT.glob("docs/*.md"),
    *ROOT.glob("roles/*/README.md"),
)
BLOCK = re.compile(r"^```(?P<language>[^\n]*)\n(?P<content>.*?)^```$", re.MULTILINE | re.DOTALL)
# Commands within a sentence or a table.
INLINE = re.compile(r"`(ansible-[a-z]+ [^`]+)`")
PROMPT = "$ "


@dataclass(frozen=True)
class Example:
    """A block of a page."""

    page: Path
    line: int
    language: str
    content: str

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def examples(*languages: str) -> list[Example]:
    """Return the blocks in these languages, all blocks if no language is given."""
    return [
        Example(page, text[: block.start()].count("\n") + 1, block["language"], block["content"])
        for page in PAGES
        for text in [page.read_text(encoding="utf-8")]
        for block in BLOCK.finditer(text)
        if not languages or block["language"] in languages
    ]


def files_of(page: Path) -> dict[str, str]:
    """Return the files in a page, by the name in their first line."""
    blocks = [example.content for example in examples("yaml") if example.page == page]
    return {found[1]: content for content in blocks if (found := re.match(r"# (\S+\.yml)\n", content))}


@dataclass(frozen=True)
class Command:
    """A command of a page, and its documented output."""

    page: Path
    text: str
    output: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)} {self.text}"


def commands(page: Path) -> list[Command]:
    """Return the commands of a page: first those in blocks, then those in sentences that are not in a block."""
    found = [command for example in examples("console") if example.page == page for command in _of_block(example)]
    known = {command.text for command in found}
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    return found + [Command(page, one) for one in dict.fromkeys(INLINE.findall(text)) if one not in known]


def _of_block(example: Example) -> Iterator[Command]:
    lines = example.content.replace("\\\n", " ").splitlines()
    starts = [number for number, line in enumerate(lines) if line.startswith(PROMPT)]
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        yield Command(example.page, lines[start].removeprefix(PROMPT), tuple(lines[start + 1 : end]))
