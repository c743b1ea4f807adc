# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Events of the fleet start jobs in AWX, with ansible-rulebook and the rulebook of the collection."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import ssl
import subprocess
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path

import pytest
import yaml
from ansible_collections.azureml.arc.plugins.modules.extension import SPEC
from awx_setup import AWX_PROJECT, create_project
from playbooks import LOCALHOST, ROOT
from support import requests_to, wait_for

import certificates
import simulated
from awx.running import RunningServer
from machine.needs import program
from simulator.scenario import ClusterPlan, InstallPlan, Scenario

SOURCES = ROOT / "extensions/eda/plugins/event_source"
CLUSTERS = [ClusterPlan(f"shop-{index}", install=InstallPlan(5)) for index in range(2)]


@pytest.fixture
def azure(tmp_path, sign_in_to):
    with simulated.running(Scenario(clusters=CLUSTERS, time_scale=60), tmp_path / "simulator") as running:
        sign_in_to(running)
        yield running


@pytest.fixture
def controller(tmp_path):
    """AWX with the job templates that the rulebook launches, under the names from the setup playbook."""
    with RunningServer(tmp_path / "awx") as running:
        store = running.server.store
        needed = create_project(store, tmp_path / "awx/projects")
        variables = yaml.safe_load((AWX_PROJECT.parent / "variables.yml").read_text(encoding="utf-8"))
        for name in ("verify", "rotate_tls"):
            names = {"name": f"{variables['azureml_awx_prefix']}{name}", "playbook": f"{name}.yml"}
            prompts = {"ask_limit_on_launch": True, "ask_job_slice_count_on_launch": name == "verify"}
            template = store.create("job_templates", {**needed, **names, **prompts})
            template["job_slice_count"] = 3 if name == "verify" else 1
        store.hosts[needed["inventory"]] = len(CLUSTERS)
        yield running


@pytest.fixture
def endpoint(tmp_path):
    """Return a function that serves HTTPS with a certificate that is valid for some days, and returns the address."""
    with contextlib.ExitStack() as stack:

        def run(days: float) -> str:
            pair = tmp_path / f"{days}.pem"
            pair.write_bytes(b"".join(certificates.make(end=timedelta(days=days))))
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pair)
            server = HTTPServer(("127.0.0.1", 0), SimpleHTTPRequestHandler)
            server.socket = context.wrap_socket(server.socket, server_side=True)
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            stack.callback(lambda: (server.shutdown(), thread.join(), server.server_close()))
            return f"localhost:{server.server_port}"

        yield run


@contextlib.contextmanager
def rulebook(directory: Path, azure, controller, **variables) -> Iterator[None]:
    """Run the rulebook of the collection by its full name, with the credentials of Azure and AWX."""
    program("java")
    (directory / "azureml_clusters.yml").write_text("plugin: azureml.arc.clusters\n", encoding="utf-8")
    (directory / "hosts.yml").write_text(yaml.safe_dump(LOCALHOST), encoding="utf-8")
    given = {"azureml_inventory": str(directory / "azureml_clusters.yml"), "azureml_organization": "ml", **variables}
    (directory / "variables.yml").write_text(yaml.safe_dump(given), encoding="utf-8")
    command = ["ansible-rulebook", "--rulebook", "azureml.arc.fleet", "--vars", "variables.yml", "-i", "hosts.yml"]
    command += ["--controller-url", controller.environment["CONTROLLER_HOST"]]
    command += ["--controller-ssl-verify", str(controller.authority)]
    environment = {
        **os.environ,
        "EDA_CONTROLLER_USERNAME": controller.environment["CONTROLLER_USERNAME"],
        "EDA_CONTROLLER_PASSWORD": controller.environment["CONTROLLER_PASSWORD"],
        "EDA_JOB_TEMPLATE_REFRESH_DELAY": "0.2",
    }
    with (directory / "rulebook.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=directory, env=environment, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(30)


def jobs(controller) -> list[tuple[str, str]]:
    """Return name and limit of the launched jobs."""
    return [(job["name"], job["limit"].rpartition("_")[0]) for job in controller.server.store.items["jobs"].values()]


def test_events_of_clusters_and_certificates_start_jobs(azure, controller, endpoint, run_module, tmp_path):
    """An event launches one job although the template is sliced, because slices without a host of the limit fail."""
    extension = {"resource_group": "rg-edge", "cluster_name": "shop-0", "workload_profile": "training"}
    run_module(SPEC, **extension, version="1.1.60")
    endpoints = [
        {"host": "shop-0_1", "address": endpoint(10)},
        {"host": "shop-1_1", "address": endpoint(90)},
        {"host": "shop-1_1", "address": "localhost:9"},
    ]
    with rulebook(tmp_path, azure, controller, azureml_interval=0.5, azureml_endpoints=endpoints):
        wait_for(lambda: jobs(controller) == [("azureml rotate_tls", "shop-0")], seconds=60)
        # A check sends two queries, so the first check has ended when the third query is sent.
        wait_for(lambda: len(requests_to(azure, "POST", "Microsoft.ResourceGraph")) > 2, seconds=60)

        run_module(SPEC, **extension, version="1.1.61")

        wait_for(lambda: ("azureml verify", "shop-0") in jobs(controller), seconds=60)

    assert sorted(jobs(controller)) == [("azureml rotate_tls", "shop-0"), ("azureml verify", "shop-0")]
    log = (tmp_path / "rulebook.log").read_text(encoding="utf-8")
    assert azure.secret not in log
    assert controller.environment["CONTROLLER_PASSWORD"] not in log


@pytest.fixture(scope="module")
def events():
    """The function of the event source for clusters that returns the events of a check."""
    specification = importlib.util.spec_from_file_location("clusters", SOURCES / "clusters.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module.events


GOOD = {"provisioning_state": "Succeeded", "version": "1.1.60", "settings": {"enableTraining": "True"}}
FAILED = {**GOOD, "provisioning_state": "Failed"}


@pytest.mark.parametrize(
    ("readings", "reported"),
    [
        ([GOOD, GOOD], [None, None]),
        ([FAILED, FAILED], ["extension_failed", None]),
        ([None, GOOD], [None, None]),
        ([GOOD, {**GOOD, "version": "1.1.61"}], [None, "extension_changed"]),
        ([GOOD, {**GOOD, "settings": {}}], [None, "extension_changed"]),
        ([GOOD, {**GOOD, "provisioning_state": "Updating", "version": "1.1.61"}, GOOD], [None, None, None]),
        ([GOOD, {**GOOD, "provisioning_state": "Updating"}, FAILED], [None, None, "extension_failed"]),
        ([GOOD, {**GOOD, "provisioning_state": "Accepted", "version": "1.1.61"}, GOOD], [None, None, None]),
        ([FAILED, GOOD], ["extension_failed", "extension_changed"]),
        ([GOOD, None, None, GOOD], [None, "extension_missing", None, None]),
    ],
)
def test_difference_between_two_checks_is_reported(events, readings, reported):
    before: dict = {}

    found = [events(before, {"host": one}) for one in readings]

    assert [one[0]["reason"] if one else None for one in found] == reported
    assert all(event["host"] == "host" for one in found for event in one)
