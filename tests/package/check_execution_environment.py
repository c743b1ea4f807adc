# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the requirements that ansible-builder finds in an installed collection, and the image that it defines."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]


def entries(path: Path) -> list[str]:
    """Return the lines of a requirements file without comments."""
    lines = (line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return [line for line in lines if line]


def builder(*arguments: str) -> str:
    return subprocess.run(["ansible-builder", *arguments], capture_output=True, text=True, check=True).stdout


def check(found: object, expected: object, what: str) -> None:
    if found != expected:
        sys.exit(f"{what}: {found}, not {expected}")


def main(collections: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        pip, bindep = directory / "requirements.txt", directory / "bindep.txt"
        builder("introspect", str(collections), "--write-pip", str(pip), "--write-bindep", str(bindep))
        check(sorted(entries(pip)), sorted(entries(ROOT / "requirements.txt")), "Python packages of the collection")
        check(sorted(entries(bindep)), sorted(entries(ROOT / "bindep.txt")), "system packages of the collection")
        context = directory / "context"
        definition = collections / "ansible_collections/azureml/arc/execution-environment.yml"
        builder("create", "--file", str(definition), "--context", str(context), "--output-filename", "Containerfile")
        galaxy = yaml.safe_load((context / "_build/requirements.yml").read_text(encoding="utf-8"))
        check([one["name"] for one in galaxy["collections"]], ["azureml.arc"], "collections of the image")
        content = (context / "Containerfile").read_text(encoding="utf-8")
        wanted = yaml.safe_load(definition.read_text(encoding="utf-8"))
        for part in (wanted["images"]["base_image"], *wanted["dependencies"].values()):
            for value in part.values():
                if isinstance(value, str) and value not in content:
                    sys.exit(f"'{value}' is not in the Containerfile of the image")
    print("ansible-builder finds the requirements of the collection, and creates the build context of the image")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
