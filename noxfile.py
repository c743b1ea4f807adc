# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of the collection: those of antsibull-nox that work without containers, and ours."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import antsibull_nox
import nox
from packaging.requirements import Requirement

sys.path.insert(0, "tests")
from machine import programs

BUILD = Path("build")
# ansible-test downloads the installer of its pip; this one, under the name that it looks for, takes pip from the index
# like every other package.
PIP_BOOTSTRAP = "get_pip_24_2.py"
PIP_FROM_INDEX = """\
import subprocess, sys
subprocess.check_call([sys.executable, "-m", "ensurepip"])
subprocess.check_call([sys.executable, "-m", "pip", "install", "pip==24.2"])
"""
# More than two cores have: tests wait for most of their time.
PARALLEL = ("-n", "6", "--dist", "worksteal")
# Each ansible-core on the Pythons that its controller supports and the tests run on.
VERSIONS = (
    ("2.17", "3.11"),
    ("2.18", "3.11"),
    ("2.19", "3.11"),
    ("2.20", "3.12"),
    ("2.20", "3.13"),
    ("2.21", "3.12"),
    ("2.21", "3.13"),
)
OLDEST, NEWEST = VERSIONS[0][0], VERSIONS[-1]
# Integration tests that hold the same for all versions, and those that a version of ansible-core can break.
SAME_FOR_ALL = ("test_faults", "test_fleet_under_fire", "test_molecule", "test_demo")
OF_ANSIBLE = [f"tests/integration/test_{name}.py" for name in ("in_process", "inventory", "playbooks", "secrets")]
python = functools.cache(programs.python)  # for several sessions run on the same one, and to look takes a while
HOME = BUILD.resolve() / "ansible"
os.environ["ANSIBLE_HOME"] = str(HOME)  # not the one of whoever runs the checks
os.environ["GALAXY_IMPORTER_RUN_ANSIBLE_LINT"] = "false"  # session ansible-lint does
nox.options.envdir = str(BUILD / "nox")
nox.options.reuse_existing_virtualenvs = True
nox.needs_version = ">=2025.2"

antsibull_nox.load_antsibull_nox_toml()


def _link_awx() -> None:
    """Let ansible-lint, which looks for collections in the home alone, find the modules that set AWX up."""
    link = HOME / "collections" / "ansible_collections" / "awx"
    link.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        link.symlink_to(BUILD.resolve() / "awx" / "ansible_collections" / "awx")


_link_awx()


@nox.session(venv_backend="none")
def ruff(session: nox.Session) -> None:
    """Lint and format of all Python, the simulator and the tests included."""
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session(venv_backend="none")
def sanity(session: nox.Session) -> None:
    """C(ansible-test sanity) and C(units), on a copy at the place that they ask for, with a home below build/."""
    root = BUILD.resolve() / "sanity"
    home, copy = root / "home", root / "ansible_collections" / "azureml" / "arc"
    shutil.rmtree(copy, ignore_errors=True)
    for name in session.run("git", "ls-files", "-z", external=True, silent=True).rstrip("\0").split("\0"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(name, copy / name)
    bootstrap = home / ".ansible" / "test" / "cache" / PIP_BOOTSTRAP
    bootstrap.parent.mkdir(parents=True, exist_ok=True)
    bootstrap.write_text(PIP_FROM_INDEX, encoding="utf-8")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    command = ("ansible-test", "sanity", "--local", "--requirements", "--python", version)
    with session.chdir(copy):
        # A repository of its own: to the one above, everything below build/ is to be ignored.
        session.run("git", "init", "--quiet", external=True)
        session.run("git", "add", "--all", external=True)
        session.run(*command, env={"HOME": str(home)})
        session.run("ansible-test", "units", "--local", "--python", version, env={"HOME": str(home)})


@nox.session(venv_backend="none")
def unit(session: nox.Session) -> None:
    """Unit tests."""
    _pytest(session, "unit", "tests/unit", *session.posargs)


@nox.session(venv_backend="none")
def integration(session: nox.Session) -> None:
    """Integration tests against the simulator, in both ways of running."""
    _pytest(session, "integration", "tests/integration", *PARALLEL, *session.posargs)


@nox.session(venv_backend="none")
def api_server(session: nox.Session) -> None:
    """Tests against a real Kubernetes API server."""
    _pytest(session, "api_server", "tests/api_server", *session.posargs)


def _pytest(session: nox.Session, results: str, *arguments: str) -> None:
    """Run tests; what came of them goes to build/results as well."""
    session.run("python", "-m", "pytest", "--junitxml", str(BUILD / "results" / f"{results}.xml"), *arguments)


def _unit_and(session: nox.Session, *integration: str) -> None:
    """Run the unit tests and some integration tests; the reports of both have the name of the session."""
    _pytest(session, f"{session.name}-unit", "tests/unit")
    _pytest(session, f"{session.name}-integration", *integration, *PARALLEL)


def _requirements(lowest: bool) -> list[str]:
    """Each library of requirements.txt at the lower end of its range, or anywhere in it."""
    lines = Path("requirements.txt").read_text(encoding="utf-8").splitlines()
    ranges = [Requirement(line) for line in lines if line and not line.startswith("#")]
    if not lowest:
        return [str(one) for one in ranges]
    ends = [(one.name, end.version) for one in ranges for end in one.specifier if end.operator == ">="]
    return [f"{name}=={version}" for name, version in ends]


def _test_group() -> list[str]:
    return nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), "test")


def _session_on(version: str, **options: Any) -> Callable:
    """Decorate a session that runs on a Python of a version, and is skipped where this machine has none."""
    found = python(version)

    def decorate(function: Callable[[nox.Session], None]) -> Callable:
        @functools.wraps(function)
        def run(session: nox.Session) -> None:
            if found is None:
                session.skip(f"needs Python {version}: pyenv install {version}")
            function(session)

        return nox.session(run, python=str(found) if found else False, venv_backend="venv", default=False, **options)

    return decorate


def _versions_session(ansible_core: str, version: str) -> None:
    @_session_on(version, name=f"versions-{ansible_core}-{version}", tags=["versions"])
    def versions(session: nox.Session) -> None:
        """The tests with other versions, but for those that hold the same for all versions."""
        libraries = _requirements(lowest=ansible_core == OLDEST)
        session.install(f"ansible-core=={ansible_core}.*", *libraries, *_test_group())
        left_out = [f"--ignore=tests/integration/{name}.py" for name in SAME_FOR_ALL]
        _unit_and(session, "tests/integration", *left_out)


for pair in VERSIONS:
    _versions_session(*pair)


@_session_on(NEWEST[1])
def newest(session: nox.Session) -> None:
    """The newest ansible-core on the newest Python: unit tests, and the integration tests that depend on both most."""
    session.install(f"ansible-core=={NEWEST[0]}.*", *_requirements(lowest=False), *_test_group())
    _unit_and(session, *OF_ANSIBLE)


@_session_on(NEWEST[1])
def prereleases(session: nox.Session) -> None:
    """The same with the pre-releases of ansible-core and all libraries, to know what comes."""
    names = [Requirement(one).name for one in _requirements(lowest=False)]
    session.install("--upgrade", "--pre", "ansible-core", *names, *_test_group())
    _unit_and(session, *OF_ANSIBLE)


@nox.session(venv_backend="venv", default=False)
def audit(session: nox.Session) -> None:
    """Known weaknesses of what the modules need. Asks a database on the internet."""
    session.install("pip-audit")
    session.run("pip-audit", "--requirement", "requirements.txt")


@nox.session(venv_backend="none")
def docs(session: nox.Session) -> None:
    """The documentation as a site in build/docs/html; any warning is an error."""
    site = BUILD.resolve() / "docs"
    source = site / "source"
    shutil.rmtree(site, ignore_errors=True)
    shutil.copytree("docs", source)
    (source / "reference").mkdir(mode=0o700)
    shutil.copy2("CHANGELOG.rst", source / "changelog.rst")
    security = Path("SECURITY.md").read_text(encoding="utf-8")
    (source / "security.md").write_text(security.replace("](docs/", "]("), encoding="utf-8")
    environment = {"ANSIBLE_COLLECTIONS_PATH": str(BUILD.resolve() / "collections")}
    command = ("antsibull-docs", "collection", "--use-current", "--squash-hierarchy", "--fail-on-error")
    session.run(*command, "--dest-dir", str(source / "reference"), "azureml.arc", env=environment)
    session.run(
        "sphinx-build",
        "--fail-on-warning",
        "--keep-going",
        "--quiet",
        "-c",
        "docs/site",
        str(source),
        str(site / "html"),
    )


@nox.session(venv_backend="none")
def package(session: nox.Session) -> None:
    """Build the collection, install what was built, read all documentation from it, let ansible-builder see it."""
    directory = BUILD / "package"
    shutil.rmtree(directory, ignore_errors=True)
    session.run("ansible-galaxy", "collection", "build", "--force", "--output-path", str(directory))
    (tarball,) = directory.glob("azureml-arc-*.tar.gz")
    session.log(f"{tarball.name}: {tarball.stat().st_size / 1024:.0f} KiB")
    installed = directory / "collections"
    session.run("ansible-galaxy", "collection", "install", "--force", str(tarball), "-p", str(installed))
    session.run("python", "tests/package/check_documentation.py", str(installed))
    session.run("python", "tests/package/check_execution_environment.py", str(installed))


if __name__ == "__main__":
    nox.main()
