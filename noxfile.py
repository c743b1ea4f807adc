# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of the collection: those of antsibull-nox that work without containers, and ours."""

from __future__ import annotations

from pathlib import Path

import antsibull_nox
import nox

BUILD = Path("build")
nox.options.envdir = str(BUILD / "nox")
nox.options.reuse_existing_virtualenvs = True
nox.needs_version = ">=2025.2"

antsibull_nox.load_antsibull_nox_toml()


@nox.session(venv_backend="none")
def ruff(session: nox.Session) -> None:
    """Lint and format of all Python, the simulator and the tests included."""
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session(venv_backend="none")
def unit(session: nox.Session) -> None:
    """Unit tests."""
    session.run("python", "-m", "pytest", "tests/unit", *session.posargs)


@nox.session(venv_backend="none")
def integration(session: nox.Session) -> None:
    """Integration tests against the simulator, in both ways of running."""
    session.run("python", "-m", "pytest", "tests/integration", "-n", "4", *session.posargs)


@nox.session(venv_backend="none")
def package(session: nox.Session) -> None:
    """Build the collection, install what was built, and read the documentation of every plugin from it."""
    directory = BUILD / "package"
    session.run("ansible-galaxy", "collection", "build", "--force", "--output-path", str(directory))
    (tarball,) = directory.glob("azureml-arc-*.tar.gz")
    installed = directory / "collections"
    session.run("ansible-galaxy", "collection", "install", "--force", str(tarball), "-p", str(installed))
    session.run("python", "tests/package/check_documentation.py", str(installed))


if __name__ == "__main__":
    nox.main()
