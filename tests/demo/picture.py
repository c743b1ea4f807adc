# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the output of C(make demo) as an SVG picture for the documentation: C(make picture)."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path

from rich.console import CONSOLE_SVG_FORMAT, Console
from rich.text import Text

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
COLUMNS = 132
# Common fonts, instead of a web font.
SVG_FORMAT = re.sub(r"@font-face \{\{.*?\}\}\n", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL).replace("Fira Code, ", "")


def record(directory: Path) -> str:
    """Run the demonstration; return its output with colours."""
    finished = subprocess.run(
        [sys.executable, str(HERE / "demo.py"), str(directory)],
        env={**os.environ, "ANSIBLE_FORCE_COLOR": "1", "COLUMNS": str(COLUMNS)},
        capture_output=True,
        text=True,
        check=True,
    )
    return finished.stdout.strip().replace(str(ROOT / "build" / "collections"), "~/.ansible/collections")


def main(directory: Path, picture: Path) -> None:
    console = Console(record=True, width=COLUMNS, file=io.StringIO())
    console.print(Text.from_ansi(record(directory)))
    picture.write_text(console.export_svg(title="make demo", code_format=SVG_FORMAT), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]))
