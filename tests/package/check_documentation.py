# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the documentation of every plugin and role of an installed collection with C(ansible-doc)."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

COLLECTION = "azureml.arc"


def plugins(root: Path) -> dict[str, list[str]]:
    """Return the names of the plugins and roles that have documentation, by type."""
    found = {
        "module": [path.stem for path in sorted((root / "plugins/modules").glob("*.py"))],
        "role": [path.name for path in sorted((root / "roles").iterdir())],
    }
    for kind in ("inventory", "callback"):
        found[kind] = [path.stem for path in sorted((root / "plugins" / kind).glob("*.py"))]
    return {kind: names for kind, names in found.items() if names}


def main(collections: Path) -> None:
    root = collections / "ansible_collections" / COLLECTION.replace(".", "/")
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(collections)}
    count = 0
    for kind, names in plugins(root).items():
        full = [f"{COLLECTION}.{name}" for name in names]
        command = ["ansible-doc", "--type", kind, "--json", *full]
        finished = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        documented = json.loads(finished.stdout or "{}")
        missing = [name for name in full if not documented.get(name)]
        if finished.returncode or missing or "ERROR" in finished.stderr:
            sys.exit(f"no documentation of {kind} {', '.join(missing)}:\n{finished.stderr}")
        count += len(full)
    print(f"ansible-doc reads {count} plugins and roles of {COLLECTION}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
