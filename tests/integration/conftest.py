# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures: a simulator for the whole session, a cluster for each test, and ways to run modules and playbooks."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import subprocess
from pathlib import Path

import fault_matrix
import fleets
import pytest
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes import config
from ansible_collections.azureml.arc.plugins.modules.extension import SPEC as EXTENSION_SPEC
from ansible_collections.azureml.arc.plugins.plugin_utils._report.page import page as render
from kubernetes.config import new_client_from_config
from kubernetes.dynamic import DynamicClient
from objects import WORKSPACE
from playbooks import COLLECTIONS, PlaybookRun, run_playbook, start_playbook
from playwright.sync_api import sync_playwright
from support import run_module_work

import simulated
from machine.needs import program
from simulator.scenario import ClusterPlan, InstallPlan, Scenario, WorkspacePlan

TIME_SCALE = 60.0  # an installation of 60 simulated seconds takes one second
# The number of clusters of each kind, and their differences from the default. No two tests use the same cluster.
SUPPLY = {
    "arc": (400, {}),
    "openshift": (80, {"distribution": "openshift"}),
    "aks": (40, {"type": "managedClusters", "nodes": 2}),
}
# Files whose tests take long.
LONG = ("test_awx", "test_nodes", "test_molecule", "test_waits", "test_awx_jobs", "test_in_process")


def pytest_collection_modifyitems(items):
    """Let each process begin with tests that take long, so that none of them runs alone at the end.

    C(--dist worksteal) first gives each process the same number of tests, in their order.
    """
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    long = [[one for one in items if one.path.stem in LONG[number::count]] for number in range(count)]
    others = iter([one for one in items if one.path.stem not in LONG])
    ends = [len(items) * number // count for number in range(count + 1)]
    shares = [
        [*first, *itertools.islice(others, max(0, end - start - len(first)))]
        for first, (start, end) in zip(long, itertools.pairwise(ends), strict=True)
    ]
    items[:] = [*itertools.chain.from_iterable(shares), *others]


def pytest_terminal_summary(terminalreporter):
    """Show the matrix of operations and faults, if its tests were run."""
    cells = [
        value
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == "fault cell"
    ]
    if cells:
        terminalreporter.write_sep("=", "operations under faults")
        terminalreporter.write_line(fault_matrix.table(cells))


@pytest.fixture(scope="session")
def simulator(tmp_path_factory):
    install = InstallPlan(seconds=30)
    clusters = [
        ClusterPlan(f"{kind}-{index}", install=install, **fields)
        for kind, (count, fields) in SUPPLY.items()
        for index in range(count)
    ]
    scenario = Scenario(clusters=clusters, workspaces=[WorkspacePlan(), WorkspacePlan("ws-2")], time_scale=TIME_SCALE)
    with simulated.running(scenario, tmp_path_factory.mktemp("simulator")) as running:
        yield running


@pytest.fixture(scope="session")
def _names():
    return {kind: itertools.count() for kind in SUPPLY}


@pytest.fixture
def arc(_names) -> str:
    """A connected cluster that no other test uses."""
    return f"arc-{next(_names['arc'])}"


@pytest.fixture
def openshift(_names) -> str:
    """A connected OpenShift cluster that no other test uses."""
    return f"openshift-{next(_names['openshift'])}"


@pytest.fixture
def aks(_names) -> str:
    """An AKS cluster with two nodes that no other test uses."""
    return f"aks-{next(_names['aks'])}"


@pytest.fixture
def sign_in_to(monkeypatch):
    """Return a function that sets the environment to sign in to a simulator, and clears its journal."""

    def run(simulator) -> None:
        for name, value in simulator.environment.items():
            monkeypatch.setenv(name, value)
        simulator.clear_journal()

    return run


@pytest.fixture(autouse=True)
def environment(simulator, sign_in_to, monkeypatch, tmp_path):
    """Sign in by environment variables like AWX, find the collection, and hide the configuration of the machine."""
    for name in list(os.environ):
        if name.startswith(("AZURE_", "K8S_AUTH_", "ANSIBLE_", "KUBE")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ANSIBLE_COLLECTIONS_PATH", str(COLLECTIONS))
    sign_in_to(simulator)
    yield
    simulator.clear_faults()


@pytest.fixture
def start_fleet(tmp_path, sign_in_to):
    """Return a function that starts a simulator, signs in to it, and returns it with the inventory of its clusters."""
    with contextlib.ExitStack() as stack:

        def start(clusters: list[ClusterPlan]) -> tuple[simulated.RunningSimulator, dict]:
            scenario = Scenario(clusters=clusters, time_scale=60)
            running = stack.enter_context(simulated.running(scenario, tmp_path / "simulator"))
            sign_in_to(running)
            return running, simulated.inventory(running.directory, clusters)

        yield start


@pytest.fixture
def fleet(start_fleet):
    """The clusters of C(fleets) in a new simulator, and their inventory."""
    return start_fleet(fleets.CLUSTERS)


@pytest.fixture
def run_module(tmp_path, monkeypatch):
    """Return a function that runs a module with the options of a task. It raises C(ModuleFailedError) on failure."""
    monkeypatch.setitem(config.RETRIES, "backoff_factor", 0.01)  # the pauses of this library ignore the module's clock
    return functools.partial(run_module_work, tmp_path)


@pytest.fixture
def kube(simulator, tmp_path):
    """Return a function that connects the official client to a cluster, by its name."""

    def connect(cluster: str) -> DynamicClient:
        cache = tmp_path / f"discovery-{cluster}.json"  # instead of a shared folder for temporary files
        return DynamicClient(new_client_from_config(simulator.kubeconfigs[cluster]), cache_file=str(cache))

    return connect


@pytest.fixture
def training(arc):
    """Options of module C(extension) for training on a connected cluster."""
    return {"resource_group": "rg-edge", "cluster_name": arc, "workload_profile": "training"}


@pytest.fixture
def ready(run_module, simulator, arc, training):
    """Options of module C(compute) for a cluster with the extension. The compute has the name of the cluster."""
    run_module(EXTENSION_SPEC, **training)
    simulator.clear_journal()
    return {"name": arc, "workspace": WORKSPACE, "resource_group": "rg-edge", "cluster_name": arc}


@pytest.fixture
def create(kube):
    """Return a function that creates an object in a cluster."""

    def run(cluster: str, api_version: str, kind: str, name: str, namespace: str | None = None, **fields):
        resource = kube(cluster).resources.get(api_version=api_version, kind=kind)
        metadata = {"name": name, **fields.pop("metadata", {})}
        body = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}
        return resource.create(body=body, namespace=namespace).to_dict()

    return run


@pytest.fixture
def playbook(tmp_path):
    """Return a function that runs C(ansible-playbook) with a playbook, an inventory, arguments and environment."""

    def run(content, inventory, *arguments: str, **environ: str) -> PlaybookRun:
        return run_playbook(content, inventory, tmp_path, arguments, environ)

    return run


@pytest.fixture
def begin(tmp_path_factory):
    """Return a function that starts a playbook, and returns its process and its folder with the file C(output).

    Processes that still run at the end are killed.
    """
    started = []

    def run(name: str, inventory: dict, *arguments: str, **environ: str) -> tuple[subprocess.Popen, Path]:
        directory = tmp_path_factory.mktemp("run")  # short: ansible-core 2.21 listens on a socket below TMPDIR
        with (directory / "output").open("w") as output:
            started.append(start_playbook(name, inventory, directory, arguments, environ, output))
        return started[-1], directory

    yield run
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def chromium():
    """A headless browser."""
    path = program("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(path), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium, tmp_path):
    """Return a function that opens the page of a report. Errors and requests of the page fail the test."""
    unexpected: list[str] = []
    contexts = []

    def run(data: dict, width: int = 1280, scheme: str = "light", fragment: str = ""):
        path = tmp_path / "fleet-report.html"
        path.write_text(render(data), encoding="utf-8")
        context = chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, timezone_id="Europe/Berlin"
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: unexpected.append(message.text))
        page.on("pageerror", lambda error: unexpected.append(str(error)))
        page.on(
            "request",
            lambda request: unexpected.append(request.url) if request.url[:5] not in ("file:", "data:") else None,
        )
        page.goto(path.as_uri() + fragment)
        return page

    yield run
    for context in contexts:
        context.close()
    assert unexpected == []
