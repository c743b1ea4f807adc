# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The programs that some tests need beside Python: where they are, and the command that installs each.

Nothing else in the tests looks for them, so a program that is missing leaves out exactly the tests that ask for it.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

CONTROL_PLANE = Path.home() / ".cache/azureml.arc/control-plane"
# Of administrators, and not in everybody's PATH.
MORE_FOLDERS = ("/usr/sbin", "/usr/local/sbin")
OS_RELEASE = Path("/etc/os-release")
BUILT_FOR = ("debian", "12")  # what tests/control_plane/build needs


@dataclass(frozen=True)
class Program:
    """Something that tests need.

    :ivar what: how a sentence names it.
    :ivar find: returns if it is, C(None) if it is missing.
    :ivar packages: the packages that bring it, by package manager.
    :ivar otherwise: how to get it where no package does.
    """

    what: str
    find: Callable[[], Path | None]
    packages: Mapping[str, str] = field(default_factory=dict)
    otherwise: str = ""

    def how_to_install(self) -> str:
        """Return the command that brings it on this machine."""
        manager = next((one for one in self.packages if shutil.which(one)), None)
        if manager is None:
            return self.otherwise
        command = f"{manager} install {self.packages[manager]}"
        return command if manager == "brew" else f"sudo {command}"


def _command(*names: str) -> Path | None:
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), *MORE_FOLDERS))
    found = (shutil.which(name, path=path) for name in names)
    return next((Path(one) for one in found if one), None)


def _chromium() -> Path | None:
    """Chromium, and the library that Playwright's driver needs on Linux beside it."""
    try:
        if sys.platform == "linux":
            ctypes.CDLL("libatomic.so.1")
    except OSError:
        return None
    return _command("chromium", "chromium-browser", "google-chrome")


def _java() -> Path | None:
    """Java 17 or later, which ansible-rulebook needs; macOS has a C(java) that only says that there is none."""
    java = _command("java")
    version = java and re.search(r'version "(\d+)', _output(str(java), "-version"))
    return java if version and int(version[1]) >= 17 else None


def _programs_of_kubernetes(*names: str) -> Path | None:
    folder = Path(os.environ.get("KUBEBUILDER_ASSETS") or CONTROL_PLANE)
    return folder if all((folder / name).exists() for name in names) else None


def python(version: str) -> Path | None:
    """Return a Python of a version, C(3.13) for instance: from PATH, or from pyenv."""
    if (found := _executable(f"python{version}")) or not shutil.which("pyenv"):
        return found
    installed = [one for one in _output("pyenv", "versions", "--bare").split() if one.startswith(f"{version}.")]
    prefixes = [_output("pyenv", "prefix", one).strip() for one in reversed(installed)]
    return next((found for one in prefixes if (found := _executable(f"{one}/bin/python"))), None)


def _executable(name: str) -> Path | None:
    """Return the Python behind a name; a shim of pyenv may stand for none."""
    found = _output(name, "-c", "import sys; print(sys.executable)").strip()
    return Path(found) if found else None


def _output(*command: str) -> str:
    """Return what a command says, nothing if it fails or does not exist."""
    try:
        finished = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return finished.stdout + finished.stderr


PROGRAMS = {
    "sshd": Program(
        "an SSH server", lambda: _command("sshd"), {"apt-get": "openssh-server", "dnf": "openssh-server"}, "see sshd(8)"
    ),
    "chromium": Program(
        "Chromium",
        _chromium,
        {"apt-get": "chromium libatomic1", "dnf": "chromium libatomic", "brew": "--cask chromium"},
        "see https://www.chromium.org/getting-involved/download-chromium",
    ),
    "java": Program(
        "Java 17",
        _java,
        {"apt-get": "default-jre-headless", "dnf": "java-latest-openjdk-headless", "brew": "openjdk"},
        "see https://adoptium.net",
    ),
    "control plane": Program(
        "a Kubernetes control plane",
        lambda: _programs_of_kubernetes("etcd", "kube-apiserver"),
        otherwise="export KUBEBUILDER_ASSETS=$(setup-envtest use -p path), or 'make control-plane' on Debian 12",
    ),
    "controllers": Program(
        "kube-controller-manager and kube-scheduler, which setup-envtest does not bring",
        lambda: _programs_of_kubernetes("kube-controller-manager", "kube-scheduler"),
        otherwise="'make control-plane' on Debian 12",
    ),
}


def distribution() -> tuple[str, str]:
    """Return the name and the version of this Linux distribution; empty if it has no os-release."""
    lines = OS_RELEASE.read_text(encoding="utf-8").splitlines() if OS_RELEASE.exists() else []
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    return values.get("ID", "").strip('"'), values.get("VERSION_ID", "").strip('"')
