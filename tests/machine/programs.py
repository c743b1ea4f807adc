# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The programs that some tests need in addition to Python, and the commands that install them.

Tests find these programs only through this module, so a missing program skips exactly the tests that need it.
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
# Folders of administrators, which are not in the PATH of all users.
MORE_FOLDERS = ("/usr/sbin", "/usr/local/sbin")
OS_RELEASE = Path("/etc/os-release")
BUILT_FOR = ("debian", "12")  # the system that tests/control_plane/build supports


@dataclass(frozen=True)
class Program:
    """A program that tests need.

    :ivar what: its name in a sentence.
    :ivar find: returns its path, C(None) if it is missing.
    :ivar packages: its packages, by package manager.
    :ivar otherwise: how to install it without a package.
    """

    what: str
    find: Callable[[], Path | None]
    packages: Mapping[str, str] = field(default_factory=dict)
    otherwise: str = ""

    def how_to_install(self) -> str:
        """Return the command that installs it on this machine."""
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
    """Return Chromium, C(None) also if the library that Playwright's driver needs on Linux is missing."""
    try:
        if sys.platform == "linux":
            ctypes.CDLL("libatomic.so.1")
    except OSError:
        return None
    return _command("chromium", "chromium-browser", "google-chrome")


def _java() -> Path | None:
    """Return Java 17 or later, which ansible-rulebook needs. macOS has a C(java) that only prints an error."""
    java = _command("java")
    version = java and re.search(r'version "(\d+)', _output(str(java), "-version"))
    return java if version and int(version[1]) >= 17 else None


def _programs_of_kubernetes(*names: str) -> Path | None:
    folder = Path(os.environ.get("KUBEBUILDER_ASSETS") or CONTROL_PLANE)
    return folder if all((folder / name).exists() for name in names) else None


def python(version: str) -> Path | None:
    """Return the Python of a version such as C(3.13), from PATH or from pyenv."""
    if (found := _executable(f"python{version}")) or not shutil.which("pyenv"):
        return found
    installed = [one for one in _output("pyenv", "versions", "--bare").split() if one.startswith(f"{version}.")]
    prefixes = [_output("pyenv", "prefix", one).strip() for one in reversed(installed)]
    return next((found for one in prefixes if (found := _executable(f"{one}/bin/python"))), None)


def _executable(name: str) -> Path | None:
    """Return the path of a Python that can be started, C(None) for instance for a pyenv shim without a version."""
    found = _output(name, "-c", "import sys; print(sys.executable)").strip()
    return Path(found) if found else None


def _output(*command: str) -> str:
    """Return the output of a command, empty if it fails or does not exist."""
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
        "kube-controller-manager and kube-scheduler, which setup-envtest does not install",
        lambda: _programs_of_kubernetes("kube-controller-manager", "kube-scheduler"),
        otherwise="'make control-plane' on Debian 12",
    ),
}


def distribution() -> tuple[str, str]:
    """Return the name and the version of this Linux distribution; empty if it has no os-release."""
    lines = OS_RELEASE.read_text(encoding="utf-8").splitlines() if OS_RELEASE.exists() else []
    values = dict(line.split("=", 1) for line in lines if "=" in line)
    return values.get("ID", "").strip('"'), values.get("VERSION_ID", "").strip('"')
