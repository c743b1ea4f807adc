# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Install the requirements of the tests on Debian: packages, as root or with passwordless sudo, and the control plane.

On other systems, or if the installation fails, the tests that need a missing program are skipped with a reason.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from machine.programs import BUILT_FOR, CONTROL_PLANE, PROGRAMS, distribution

ROOT = Path(__file__).resolve().parents[2]


def as_root() -> list[str] | None:
    """Return the prefix of a command that runs as root, C(None) if this requires a password."""
    if os.geteuid() == 0:
        return []
    sudo = ["sudo", "--non-interactive"]
    works = shutil.which("sudo") and subprocess.run([*sudo, "true"], capture_output=True, check=False).returncode == 0
    return sudo if works else None


def install_packages(names: list[str], prefix: list[str]) -> None:
    """Install Debian packages.

    :raises subprocess.CalledProcessError: if C(apt-get) fails.
    """
    print(f"Installing {', '.join(names)}", flush=True)
    apt = [*prefix, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq"]
    subprocess.run([*apt, "update"], check=True)
    subprocess.run([*apt, "install", "--no-install-recommends", *names], check=True, stdout=subprocess.DEVNULL)


def main() -> None:
    missing = [one for one in PROGRAMS.values() if not one.find()]
    prefix = as_root()
    system = distribution()
    if not missing or system[0] != "debian" or prefix is None:
        return
    try:
        if packages := " ".join(one.packages["apt-get"] for one in missing if one.packages):
            install_packages(packages.split(), prefix)
        if system == BUILT_FOR and not PROGRAMS["control plane"].find():
            target = os.environ.get("KUBEBUILDER_ASSETS") or CONTROL_PLANE
            subprocess.run([ROOT / "tests/control_plane/build", target], check=True)
    except subprocess.CalledProcessError as error:
        print(f"{error}; tests that need a missing program are skipped", file=sys.stderr)


if __name__ == "__main__":
    main()
