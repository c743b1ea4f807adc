# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of the collection, including those of antsibull-nox that do not need containers."""

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
# ansible-test would download an installer of pip. This file has the name that it expects, and installs pip from a wheel
# beside it.
PIP = "24.2"
PIP_BOOTSTRAP = f"get_pip_{PIP.replace('.', '_')}.py"
PIP_FROM_WHEEL = f"""\
import os, runpy, sys
wheel = os.path.join(os.path.dirname(__file__), "pip-{PIP}-py3-none-any.whl")
sys.path.insert(0, wheel)
sys.argv = ["pip", "install", "--quiet", "--no-index", "--no-deps", wheel]
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""
# ansible-test makes an environment for each of its tests, and passes no options of pip.
PIP_CONFIGURATION = "[install]\ncompile = no\n"
# More processes than cores, because tests mostly wait.
PARALLEL = ("-n", "7", "--dist", "worksteal")
BESIDE = ("-n", "2")  # for tests that run at the same time as others
# Each ansible-core with the versions of Python that both its controller and the tests support.
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
# Integration tests that do not depend on versions, and those that a version of ansible-core can break.
SAME_FOR_ALL = ("test_faults", "test_fleet_under_fire", "test_molecule", "test_demo")
OF_ANSIBLE = [f"tests/integration/test_{name}.py" for name in ("in_process", "inventory", "playbooks", "secrets")]
python = functools.cache(programs.python)  # several sessions use the same Python, and the search takes a while
HOME = BUILD.resolve() / "ansible"
os.environ["ANSIBLE_HOME"] = str(HOME)  # instead of the home of the current user
os.environ["GALAXY_IMPORTER_RUN_ANSIBLE_LINT"] = "false"  # the session ansible-lint runs it
nox.options.envdir = str(BUILD / "nox")
nox.options.reuse_existing_virtualenvs = True
nox.needs_version = ">=2025.2"

antsibull_nox.load_antsibull_nox_toml()


def _link_awx() -> None:
    """Link the collection awx.awx into C(ANSIBLE_HOME), the only place where ansible-lint searches for collections."""
    link = HOME / "collections" / "ansible_collections" / "awx"
    link.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        link.symlink_to(BUILD.resolve() / "awx" / "ansible_collections" / "awx")


_link_awx()


@nox.session(venv_backend="none")
def ruff(session: nox.Session) -> None:
    """Lint all Python code, and check its format."""
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")


@nox.session(venv_backend="none")
def sanity(session: nox.Session) -> None:
    """Run C(ansible-test sanity) and C(units) on a copy of the collection in the path that they require."""
    root = BUILD.resolve() / "sanity"
    home, copy = root / "home", root / "ansible_collections" / "azureml" / "arc"
    shutil.rmtree(copy, ignore_errors=True)
    for name in session.run("git", "ls-files", "-z", external=True, silent=True).rstrip("\0").split("\0"):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(name, copy / name)
    cache, configuration = home / ".ansible" / "test" / "cache", home / ".config" / "pip"
    for directory in (cache, configuration):
        directory.mkdir(parents=True, exist_ok=True)
    session.run("python", "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(cache), f"pip=={PIP}")
    (cache / PIP_BOOTSTRAP).write_text(PIP_FROM_WHEEL, encoding="utf-8")
    (configuration / "pip.conf").write_text(PIP_CONFIGURATION, encoding="utf-8")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    command = ("ansible-test", "sanity", "--local", "--requirements", "--python", version)
    with session.chdir(copy):
        # ansible-test lists files with git, and the outer repository ignores everything below build/.
        session.run("git", "init", "--quiet", external=True)
        session.run("git", "add", "--all", external=True)
        session.run(*command, env={"HOME": str(home)})
        # Only these are isolated from the code of the controller, like modules on a node.
        target = "tests/unit/plugins/module_utils/"
        session.run("ansible-test", "units", "--local", "--python", version, target, env={"HOME": str(home)})


@nox.session(venv_backend="none")
def unit(session: nox.Session) -> None:
    """Run the unit tests."""
    _pytest(session, "unit", "tests/unit", *session.posargs)


@nox.session(venv_backend="none")
def integration(session: nox.Session) -> None:
    """Run the integration tests against the simulator."""
    _pytest(session, "integration", "tests/integration", *PARALLEL, *session.posargs)


@nox.session(venv_backend="none")
def api_server(session: nox.Session) -> None:
    """Run the tests against a real Kubernetes API server."""
    _pytest(session, "api_server", "tests/api_server", *session.posargs)


def _pytest(session: nox.Session, results: str, *arguments: str) -> None:
    """Run tests, and write their results to build/results."""
    session.run("python", "-m", "pytest", "--junitxml", str(BUILD / "results" / f"{results}.xml"), *arguments)


def _unit_and(session: nox.Session, *integration: str) -> None:
    """Run the unit tests and some integration tests; name both results after the session."""
    _pytest(session, f"{session.name}-unit", "tests/unit")
    _pytest(session, f"{session.name}-integration", *PARALLEL, *integration)


def _requirements(lowest: bool) -> list[str]:
    """Return the libraries of requirements.txt.

    :param lowest: whether to pin each to the lower end of its range.
    """
    lines = Path("requirements.txt").read_text(encoding="utf-8").splitlines()
    ranges = [Requirement(line) for line in lines if line and not line.startswith("#")]
    if not lowest:
        return [str(one) for one in ranges]
    ends = [(one.name, end.version) for one in ranges for end in one.specifier if end.operator == ">="]
    return [f"{name}=={version}" for name, version in ends]


def _test_group() -> list[str]:
    return nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), "test")


def _session_on(version: str, **options: Any) -> Callable:
    """Decorate a session that runs with a version of Python, and is skipped if that is not installed."""
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
        """Run the tests with these versions, except those that do not depend on versions."""
        libraries = _requirements(lowest=ansible_core == OLDEST)
        session.install(f"ansible-core=={ansible_core}.*", *libraries, *_test_group())
        ignored = [f"--ignore=tests/integration/{name}.py" for name in SAME_FOR_ALL]
        _unit_and(session, "tests/integration", *ignored)


for pair in VERSIONS:
    _versions_session(*pair)


@_session_on(NEWEST[1])
def newest(session: nox.Session) -> None:
    """Run unit tests, and the integration tests that depend on versions, with the newest ansible-core and Python."""
    session.install(f"ansible-core=={NEWEST[0]}.*", *_requirements(lowest=False), *_test_group())
    _unit_and(session, *OF_ANSIBLE, *BESIDE)


@_session_on(NEWEST[1])
def prereleases(session: nox.Session) -> None:
    """Run the same tests with pre-releases of ansible-core and of all libraries."""
    names = [Requirement(one).name for one in _requirements(lowest=False)]
    session.install("--upgrade", "--pre", "ansible-core", *names, *_test_group())
    _unit_and(session, *OF_ANSIBLE)


@nox.session(venv_backend="venv", default=False)
def audit(session: nox.Session) -> None:
    """List known vulnerabilities of the required libraries, from a database on the internet."""
    session.install("pip-audit")
    session.run("pip-audit", "--requirement", "requirements.txt")


@nox.session(venv_backend="none")
def docs(session: nox.Session) -> None:
    """Build the documentation site in build/docs/html. Warnings are errors."""
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
    """Build the collection, install the tarball, and read it with ansible-doc and ansible-builder."""
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
