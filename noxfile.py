# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of the collection: those of antsibull-nox that work without containers, and ours."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import antsibull_nox
import nox
from packaging.requirements import Requirement

BUILD = Path("build")
# ansible-test downloads the installer of its pip; this one, under the name that it looks for, takes pip from the index
# like every other package.
PIP_BOOTSTRAP = "get_pip_24_2.py"
PIP_FROM_INDEX = """\
import subprocess, sys
subprocess.check_call([sys.executable, "-m", "ensurepip"])
subprocess.check_call([sys.executable, "-m", "pip", "install", "pip==24.2"])
"""
os.environ["ANSIBLE_HOME"] = str(BUILD.resolve() / "ansible")  # not the one of whoever runs the checks
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
    session.run("python", "-m", "pytest", "tests/unit", *session.posargs)


@nox.session(venv_backend="none", default=False)  # 'make test' runs it beside the others
def integration(session: nox.Session) -> None:
    """Integration tests against the simulator, in both ways of running."""
    session.run("python", "-m", "pytest", "tests/integration", "-n", "4", "--dist", "worksteal", *session.posargs)


@nox.session(venv_backend="none")
def api_server(session: nox.Session) -> None:
    """Tests against a real Kubernetes API server."""
    sought = session.run("python", "-m", "control_plane", env={"PYTHONPATH": "tests"}, silent=True)
    if not sought.strip():
        session.skip(
            "there is no Kubernetes control plane. Where the internet is reachable, set KUBEBUILDER_ASSETS to what"
            " 'setup-envtest use -p path' prints; on Debian 12, 'make control-plane' builds one"
        )
    session.run("python", "-m", "pytest", "tests/api_server", *session.posargs)


def _both_ends() -> dict[str, list[str]]:
    """Requirements by ansible-core's version: the lowest of all with the oldest, the newest with the others."""
    lines = Path("requirements.txt").read_text(encoding="utf-8").splitlines()
    ranges = [Requirement(line) for line in lines if line and not line.startswith("#")]
    lowest = [
        f"{one.name}=={specifier.version}"
        for one in ranges
        for specifier in one.specifier
        if specifier.operator == ">="
    ]
    return {"2.17": lowest, "2.18": [str(one) for one in ranges], "2.19": [str(one) for one in ranges]}


@nox.session(venv_backend="venv", default=False)
@nox.parametrize("ansible_core", list(_both_ends()))
def versions(session: nox.Session, ansible_core: str) -> None:
    """The tests with the versions at both ends of each range, but for those that hold the same for all versions."""
    tests = nox.project.dependency_groups(nox.project.load_toml("pyproject.toml"), "test")
    session.install(f"ansible-core=={ansible_core}.*", *_both_ends()[ansible_core], *tests)
    same_for_all = ("test_faults", "test_fleet_under_fire", "test_molecule", "test_demo")
    left_out = [f"--ignore=tests/integration/{name}.py" for name in same_for_all]
    session.run("python", "-m", "pytest", "tests/unit")
    session.run("python", "-m", "pytest", "tests/integration", *left_out, "-n", "4", "--dist", "worksteal")


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
