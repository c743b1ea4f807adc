# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The connections that the calls of a task share: their number, and the separation of their credentials."""

from __future__ import annotations

import contextlib
import functools
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import outbound_proxy
import pytest
from ansible_collections.azureml.arc.plugins.module_utils._core.connections import Connections
from ansible_collections.azureml.arc.plugins.module_utils._extension import presence
from ansible_collections.azureml.arc.plugins.modules.certificate_info import SPEC as CERTIFICATE_INFO
from ansible_collections.azureml.arc.plugins.modules.extension import SPEC as EXTENSION
from ansible_collections.azureml.arc.plugins.modules.extension_info import SPEC as EXTENSION_INFO
from ansible_collections.azureml.arc.plugins.modules.pod_readiness import SPEC as READINESS
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.run_cache import RunCache
from support import ModuleFailedError, requests_to, run_module_work

import certificates
import simulated
from simulator.scenario import ClusterPlan, InstallPlan, Principal, Scenario, WorkspacePlan

NAMES = ("c0", "c1", "c2", "c3")


@pytest.fixture
def start(tmp_path_factory):
    """Start a simulator with clusters C(NAMES), for one test."""
    with contextlib.ExitStack() as stack:

        def run(**scenario) -> simulated.RunningSimulator:
            clusters = [ClusterPlan(name, install=InstallPlan(seconds=10)) for name in NAMES]
            directory = tmp_path_factory.mktemp("own")
            return stack.enter_context(simulated.running(Scenario(clusters=clusters, **scenario), directory))

        yield run


@pytest.fixture
def task(tmp_path):
    """Run modules as one task does: with the same connections and the same tokens."""
    (tmp_path / "cache").mkdir()
    with Connections() as connections:
        shared = {"connections": connections, "cache": RunCache(str(tmp_path / "cache"))}
        yield functools.partial(run_module_work, tmp_path, shared=shared)


@pytest.fixture
def through(simulator, monkeypatch):
    """Run a proxy to Azure and the clusters; return its address, and a list of the requested hosts."""
    target = ("127.0.0.1", urlsplit(simulator.endpoint).port)
    with outbound_proxy.proxy(("localhost",), target) as (address, requested), monkeypatch.context() as patch:
        patch.setenv("HTTPS_PROXY", address)
        yield address, requested


@pytest.fixture
def key_vault(simulator, arc) -> str:
    """The address of a certificate in a key vault."""
    simulator.import_certificate(arc, certificates.Authority().issue("ml.example.com"))
    return f"{simulator.endpoint}/certificates/{arc}"


def read(task, name: str, **options) -> dict:
    return task(EXTENSION_INFO, resource_group="rg-edge", cluster_name=name, **options)


def access_to(simulator: simulated.RunningSimulator) -> dict:
    """Return the options that sign in to a simulator."""
    environment = simulator.environment
    return {
        "cloud_environment": environment["AZURE_CLOUD_ENVIRONMENT"],
        "client_id": environment["AZURE_CLIENT_ID"],
        "secret": environment["AZURE_SECRET"],
        "tenant": environment["AZURE_TENANT"],
        "subscription_id": environment["AZURE_SUBSCRIPTION_ID"],
    }


def token_requests(simulator: simulated.RunningSimulator) -> int:
    return len(requests_to(simulator, "POST", "/oauth2/v2.0/token"))


def refused(simulator: simulated.RunningSimulator) -> list[dict]:
    return [one for one in simulator.journal() if one["status"] in (401, 403)]


def test_calls_of_a_task_share_a_connection_to_azure(task, through, arc):
    _address, requested = through
    read(task, arc)
    before = len(requested)

    for _call in range(3):
        read(task, arc)

    assert len(requested) == before


def test_calls_of_a_task_share_a_connection_to_a_cluster(task, through, simulator, arc):
    address, requested = through
    options = {"wait": False, "workload_profile": "training", "kubeconfig": simulator.kubeconfigs[arc]}
    for _call in range(3):
        task(READINESS, proxy=address, **options)

    assert len(requested) == 1


def test_calls_of_a_task_share_a_connection_to_a_key_vault(task, through, key_vault):
    _address, requested = through
    task(CERTIFICATE_INFO, key_vault=key_vault)
    before = len(requested)

    for _call in range(3):
        task(CERTIFICATE_INFO, key_vault=key_vault)

    assert len(requested) == before


def test_each_service_receives_only_its_own_token(task, start, monkeypatch, tmp_path):
    one, other = start(), start(principal=Principal(client_id="f" * 32, secret="another-secret"))
    bundle = tmp_path / "both.pem"
    bundle.write_text(Path(one.ca).read_text("utf-8") + Path(other.ca).read_text("utf-8"), encoding="utf-8")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))

    def read_one(number: int) -> dict:
        return read(task, NAMES[number % 4], **access_to((one, other)[number % 2]))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(read_one, range(24))) == [{"extensions": [], "warnings": []}] * 24
    assert refused(one) == refused(other) == []
    assert token_requests(one) == token_requests(other) == 1


def test_second_identity_does_not_use_the_connection_of_the_first(task, simulator, arc):
    assert read(task, arc, **access_to(simulator))
    with pytest.raises(ModuleFailedError, match="Could not sign in to Azure"):
        read(task, arc, **{**access_to(simulator), "secret": "wrong"})


def test_each_cluster_receives_only_its_own_token(task, start):
    simulator = start()
    wanted = {name: 2 * number + 1 for number, name in enumerate(NAMES)}

    def check(name: str) -> None:
        task(READINESS, wait=False, workload_profile="training", kubeconfig=simulator.kubeconfigs[name])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(check, [name for name, count in wanted.items() for _call in range(count)]))
    assert refused(simulator) == []
    assert {
        name: len(requests_to(simulator, "GET", f"/{name}/api/v1/namespaces/azureml/pods")) for name in NAMES
    } == wanted


def test_expired_token_is_replaced_once_for_all_clients(task, start, sign_in_to):
    # The response with the token claims a lifetime of an hour.
    simulator = start(principal=Principal(token_seconds=3))
    sign_in_to(simulator)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: read(task, name), NAMES))
        time.sleep(4)
        list(pool.map(lambda name: read(task, name), NAMES))

    assert token_requests(simulator) == 2
    assert 1 <= len(refused(simulator)) <= len(NAMES)


def without_polls(simulator) -> list[str]:
    """Return the methods of all requests but the reads of a relay, whose number depends on how long it takes."""
    relay = re.compile(r"/Microsoft\.Relay/namespaces/[^/]+$")
    return [one["method"] for one in simulator.journal() if one["method"] != "GET" or not relay.search(one["path"])]


def test_connection_that_the_service_closed_is_reopened_and_no_request_is_sent_twice(
    task, start, sign_in_to, monkeypatch
):
    monkeypatch.setattr(presence, "FRESH_FOR", 60)  # on a busy machine, creating the relay takes longer
    simulator = start(keep_alive=1, time_scale=60, eventual_consistency="none", workspaces=[WorkspacePlan()])
    sign_in_to(simulator)
    options = {"resource_group": "rg-edge", "workload_profile": "training", "wait": False}
    read(task, "c0")
    task(EXTENSION, cluster_name="c0", **options)
    simulator.clear_journal()
    task(EXTENSION, cluster_name="c1", **options)
    expected = without_polls(simulator)
    time.sleep(2.5)
    simulator.clear_journal()

    task(EXTENSION, cluster_name="c2", **options)

    assert without_polls(simulator) == expected
    assert len(requests_to(simulator, "PUT", "/extensions/")) == 1


def test_credentials_in_netrc_do_not_replace_the_tokens(task, arc, key_vault, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("default login user password secret\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))

    assert read(task, arc)["extensions"] == []
    assert task(CERTIFICATE_INFO, key_vault=key_vault)["certificate"]["names"] == ["ml.example.com"]


@pytest.mark.parametrize("content", [None, "no certificate\n"])
def test_unreadable_ca_bundle_is_reported_with_its_path(task, simulator, arc, tmp_path, monkeypatch, content):
    path = tmp_path / "ca.pem"
    if content:
        path.write_text(content, encoding="utf-8")
    with monkeypatch.context() as patch:
        patch.setenv("REQUESTS_CA_BUNDLE", str(path))
        with pytest.raises(ModuleFailedError, match=f"REQUESTS_CA_BUNDLE: no certificates can be read from {path}"):
            read(task, arc)

    assert simulator.journal() == []
