# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The client of Azure: eventual consistency, C(Retry-After), and links to other hosts."""

from __future__ import annotations

import time
from urllib.parse import unquote

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._azure.client import open_session
from ansible_collections.azureml.arc.plugins.module_utils._azure.provisioning import find_or_create
from ansible_collections.azureml.arc.plugins.module_utils._azure.resource import ArmResource
from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Deadline, wait_here
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall
from ansible_collections.azureml.arc.plugins.modules.extension import SPEC
from objects import GROUP
from support import ModuleFailedError, requests_to, run_module_work

import simulated
from simulator.scenario import ClusterPlan, InstallPlan, Scenario

TRAINING = {"resource_group": "rg-edge", "workload_profile": "training"}


@pytest.mark.parametrize("options", [{"wait_timeout": 300}, {"wait": False}, {"wait": False, "wait_timeout": 300}])
def test_retry_after_beyond_the_deadline_is_reported_immediately(run_module, simulator, arc, options):
    simulator.add_fault(method="GET", path=f"{arc}$", status=429, headers={"Retry-After": "600"})

    start = time.monotonic()
    with pytest.raises(ModuleFailedError, match="HTTP 429.*asks to wait 600 seconds, longer than the timeout"):
        run_module(SPEC, cluster_name=arc, **TRAINING, **options)

    assert time.monotonic() - start < 30
    assert len(requests_to(simulator, "GET", f"connectedClusters/{arc}")) == 1


def test_retries_end_at_the_deadline(run_module, simulator, arc):
    simulator.add_fault(method="GET", path=f"{arc}$", status=429, headers={"Retry-After": "20"})

    with pytest.raises(ModuleFailedError, match="HTTP 429.*asks to wait 20 seconds, longer than the timeout"):
        run_module(SPEC, cluster_name=arc, wait_timeout=50, **TRAINING)

    assert len(requests_to(simulator, "GET", f"connectedClusters/{arc}")) == 3


def test_operation_is_not_polled_before_the_time_that_the_service_asks_for(run_module, simulator, arc):
    working = {"status": 200, "body": '{"status": "Creating"}', "content_type": "application/json"}
    simulator.add_fault(path=f"{arc}/.*/operations/", headers={"Retry-After": "40"}, times=1, **working)

    run_module(SPEC, cluster_name=arc, pace=10, **TRAINING)

    first, second, *_others = (one["time"] for one in requests_to(simulator, "GET", "/operations/"))
    assert second - first >= 4


def test_token_is_not_sent_to_another_host(run_module, simulator, arc):
    elsewhere = "https://example.com:443/subscriptions/operations/1"
    simulator.add_fault(
        method="PUT",
        path=f"{arc}/.*/extensions/azureml$",
        status=201,
        headers={"Azure-AsyncOperation": elsewhere},
        body="{}",
        content_type="application/json",
    )
    message = f"refusing to send the token to {elsewhere}: not an endpoint of this cloud"
    with pytest.raises(ModuleFailedError, match=message):
        run_module(SPEC, cluster_name=arc, **TRAINING)


def test_relay_parts_are_not_read_again_after_the_response_to_their_creation(run_module, simulator, arc):
    run_module(SPEC, cluster_name=arc, **TRAINING)

    connection = f"hybridConnections/{arc}"
    parts = [one for one in simulator.journal() if connection in one["path"] and one["method"] != "POST"]
    # At most the first two requests for a child of the new namespace do not find the parent.
    assert len([one for one in parts if one["method"] == "PUT" and one["status"] == 200]) == 2
    assert [one["status"] for one in parts if one["method"] == "GET" and one["status"] == 200] == []


@pytest.mark.parametrize("name", ["größe", "工厂", "a%20b", "a b"])
def test_name_with_any_characters_reaches_the_service(simulator, name):
    cluster = f"{GROUP}/providers/Microsoft.Kubernetes/connectedClusters/{name}"

    assert open_session(ModuleCall({})).get(cluster, "2024-01-01", "cluster") is None

    (request,) = requests_to(simulator, "GET", "connectedClusters")
    assert request["path"] == unquote(cluster)


@pytest.fixture(scope="module")
def slow(tmp_path_factory):
    """A simulator in which a namespace takes seconds, and new resources are not visible to any client at first."""
    cluster = ClusterPlan("c", install=InstallPlan(seconds=20))
    scenario = Scenario(clusters=[cluster], time_scale=2, eventual_consistency="all")
    with simulated.running(scenario, tmp_path_factory.mktemp("slow")) as running:
        yield running


@pytest.fixture
def signed_in(slow, sign_in_to):
    """Sign in to the slow simulator."""
    sign_in_to(slow)


@pytest.mark.usefixtures("signed_in")
def test_resource_that_is_being_deleted_is_created_after_the_deletion():
    path = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/logs"
    session = open_session(ModuleCall({}))
    workspace = ArmResource(session, path, "2022-10-01", "workspace", Deadline(60))
    wait_here(_create_delete_and_create(workspace))


def _create_delete_and_create(workspace: ArmResource):
    first, is_new = yield from find_or_create(workspace, {"location": "westeurope"})
    assert (is_new, first["properties"]["provisioningState"]) == (True, "Succeeded")
    yield from workspace.submit("DELETE", wait=False, present=first)

    second, is_new = yield from find_or_create(workspace, {"location": "westeurope"})

    assert (is_new, second["properties"]["provisioningState"]) == (True, "Succeeded")
    assert second["properties"]["customerId"] != first["properties"]["customerId"]


@pytest.mark.usefixtures("signed_in")
def test_task_that_does_not_see_the_new_extension_of_another_task_joins_its_operation(slow, tmp_path):
    options = {**TRAINING, "cluster_name": "c"}
    run_module_work(tmp_path, SPEC, wait=False, **options)

    result = run_module_work(tmp_path, SPEC, **options)

    assert (result["changed"], result["extension"]["provisioning_state"]) == (False, "Succeeded")
    puts = requests_to(slow, "PUT", "c/providers/Microsoft.KubernetesConfiguration")
    assert [one["status"] for one in puts if one["status"] < 300] == [201]
