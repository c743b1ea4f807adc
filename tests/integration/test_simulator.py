# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Unmodified official clients work against the simulator. For the rules of ARM, see test_simulator_arm.py."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from ansible_collections.azureml.arc.plugins.module_utils._azure.cloud import METADATA_PATH
from ansible_collections.azureml.arc.plugins.modules.extension import SPEC as EXTENSION_SPEC
from azure.core.exceptions import HttpResponseError
from azure.mgmt.kubernetesconfiguration.extensions import KubernetesConfigurationExtensionsMgmtClient
from kubernetes import client, config, watch
from objects import EXTENSION
from support import credential, wait_for

import simulated
from simulator.scenario import SUBSCRIPTION, Scenario


@pytest.fixture
def sdk(simulator):
    with KubernetesConfigurationExtensionsMgmtClient(
        credential(simulator),
        SUBSCRIPTION,
        base_url=simulator.endpoint,
        credential_scopes=[f"{simulator.endpoint}/.default"],
        polling_interval=0.2,
    ) as found:
        yield found


def place(cluster):
    return ("rg-edge", "Microsoft.Kubernetes", "connectedClusters", cluster, "azureml")


def test_sdk_creates_patches_and_deletes(sdk, arc):
    created = sdk.extensions.begin_create(*place(arc), EXTENSION).result()
    assert created.properties.provisioning_state == "Succeeded"
    assert created.properties.configuration_protected_settings == {"secret": ""}

    patch = {
        "properties": {"configurationSettings": {"a": None, "b": "2"}, "configurationProtectedSettings": {"other": "x"}}
    }
    patched = sdk.extensions.begin_update(*place(arc), patch).result()
    assert patched.properties.configuration_settings == {"enableTraining": "True", "b": "2"}
    assert patched.properties.configuration_protected_settings == {"other": ""}
    assert [one.name for one in sdk.extensions.list(*place(arc)[:-1])] == ["azureml"]

    sdk.extensions.begin_delete(*place(arc)).result()
    with pytest.raises(HttpResponseError) as missing:
        sdk.extensions.get(*place(arc))
    assert missing.value.error.code == "ResourceNotFound"


def test_extension_on_aks_rejects_an_identity_and_gets_its_own(sdk, aks):
    where = ("rg-edge", "Microsoft.ContainerService", "managedClusters", aks, "azureml")
    with pytest.raises(HttpResponseError, match="Failed to perform resource identity operation. Status: 'BadRequest'"):
        sdk.extensions.begin_create(*where, EXTENSION, polling=False)

    created = sdk.extensions.begin_create(*where, {"properties": EXTENSION["properties"]}).result()
    assert created.identity is None
    assert created.properties.aks_assigned_identity.type == "SystemAssigned"
    assert created.properties.aks_assigned_identity.principal_id


def test_second_operation_is_rejected_during_the_first(sdk, arc):
    sdk.extensions.begin_create(*place(arc), EXTENSION, polling=False)
    with pytest.raises(HttpResponseError) as conflict:
        sdk.extensions.begin_update(*place(arc), {"properties": {}}, polling=False)
    assert (conflict.value.status_code, conflict.value.error.code) == (409, "AnotherOperationInProgress")
    with pytest.raises(HttpResponseError) as conflict:
        sdk.extensions.begin_create(*place(arc), EXTENSION, polling=False)
    assert (conflict.value.status_code, conflict.value.error.code) == (409, "AnotherOperationInProgress")


@pytest.fixture
def kubernetes(simulator, arc):
    api = config.new_client_from_config(simulator.kubeconfigs[arc])
    yield api
    api.rest_client.pool_manager.clear()


def test_kubernetes_client_creates_lists_in_pages_watches_and_deletes(kubernetes):
    core = client.CoreV1Api(kubernetes)
    for index in range(5):
        core.create_namespaced_config_map(
            "default", {"metadata": {"name": f"map-{index}", "labels": {"odd": str(index % 2)}}, "data": {"a": "1"}}
        )

    page = core.list_namespaced_config_map("default", limit=2)
    rest = core.list_namespaced_config_map("default", _continue=page.metadata._continue)
    assert [one.metadata.name for one in page.items + rest.items] == [f"map-{index}" for index in range(5)]
    assert [one.metadata.name for one in core.list_namespaced_config_map("default", label_selector="odd=1").items] == [
        "map-1",
        "map-3",
    ]
    assert [
        one.metadata.name
        for one in core.list_namespaced_config_map("default", field_selector="metadata.name=map-2").items
    ] == ["map-2"]

    core.patch_namespaced_config_map("map-0", "default", {"data": {"b": "2"}})
    core.delete_namespaced_config_map("map-1", "default")
    events = watch.Watch().stream(
        core.list_namespaced_config_map, "default", resource_version=rest.metadata.resource_version, timeout_seconds=1
    )
    assert [(one["type"], one["object"].metadata.name) for one in events] == [
        ("MODIFIED", "map-0"),
        ("DELETED", "map-1"),
    ]


def test_kubernetes_api_returns_errors_of_a_real_server(kubernetes):
    core = client.CoreV1Api(kubernetes)

    def error_of(call, *arguments) -> tuple[int, str]:
        with pytest.raises(client.ApiException) as error:
            call(*arguments)
        return error.value.status, json.loads(error.value.body)["reason"]

    body = {"metadata": {"name": "once"}}
    stored = core.create_namespaced_config_map("default", body)
    stale = {"metadata": {"name": "once", "resourceVersion": "1"}}
    assert error_of(core.create_namespaced_config_map, "default", body) == (409, "AlreadyExists")
    assert error_of(core.replace_namespaced_config_map, "once", "default", stale) == (409, "Conflict")
    assert error_of(core.read_namespaced_config_map, "none", "default") == (404, "NotFound")
    assert error_of(core.create_namespaced_config_map, "nowhere", body) == (404, "NotFound")
    assert stored.metadata.generation == 1


def test_custom_resources_are_served_and_discovered(kubernetes):
    definition = {
        "metadata": {"name": "instancetypes.amlarc.azureml.com"},
        "spec": {
            "group": "amlarc.azureml.com",
            "scope": "Cluster",
            "names": {"plural": "instancetypes", "kind": "InstanceType"},
            "versions": [{"name": "v1alpha1", "served": True, "storage": True}],
        },
    }
    custom = client.CustomObjectsApi(kubernetes)
    place = ("amlarc.azureml.com", "v1alpha1", "instancetypes")
    with pytest.raises(client.ApiException, match="404"):
        custom.list_cluster_custom_object(*place)

    custom.create_cluster_custom_object("apiextensions.k8s.io", "v1", "customresourcedefinitions", definition)
    custom.create_cluster_custom_object(*place, {"metadata": {"name": "gpu"}, "spec": {}})

    assert custom.get_cluster_custom_object(*place, "gpu")["kind"] == "InstanceType"
    assert "amlarc.azureml.com" in [one.name for one in client.ApisApi(kubernetes).get_api_versions().groups]
    assert client.VersionApi(kubernetes).get_code().git_version == "v1.31.2"


def test_faults_are_served_in_order_and_recorded(simulator):
    simulator.add_fault(path="/metadata", status=429, headers={"Retry-After": "3"}, times=1)
    simulator.add_fault(path="/metadata", cut="reset", times=1)
    url = f"{simulator.endpoint}/metadata/endpoints?api-version=1"

    throttled = requests.get(url, timeout=10)
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=10)
    succeeded = requests.get(url, timeout=10)

    assert (throttled.status_code, throttled.headers["Retry-After"], succeeded.status_code) == (429, "3", 200)
    assert [one["status"] for one in simulator.journal() if one["path"] == "/metadata/endpoints"] == [429, 0, 200]


def test_simulator_starts_from_the_command_line_and_stops_on_sigterm(tmp_path):
    tests = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-m", "simulator", "--clusters", "2", "--directory", str(tmp_path / "d")]
    with subprocess.Popen(command, cwd=tests, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().startswith("2 clusters at https://localhost:")
        assert (tmp_path / "d/simulator.json").stat().st_mode & 0o777 == 0o600
        start = time.monotonic()
        process.terminate()
        assert process.wait(timeout=10) == 0
        assert time.monotonic() - start < 5


TABLE = (
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
)


@pytest.fixture
def kubectl_table(arc, kube):
    """Send a request as kubectl does, with C(TABLE) as Accept header, and return the response."""
    connection = kube(arc).client.configuration

    def get(path: str) -> dict:
        headers = {"Accept": TABLE, "Authorization": connection.auth_settings()["BearerToken"]["value"]}
        return requests.get(connection.host + path, headers=headers, verify=connection.ssl_ca_cert, timeout=10).json()

    return get


def test_simulator_ends_with_a_test_that_is_killed(tmp_path):
    begin = """
import sys, time
from pathlib import Path
import simulated
with simulated.running(simulated.Scenario(), Path(sys.argv[1])) as simulator:
    print(simulator.endpoint, simulator.ca, flush=True)
    time.sleep(60)
"""
    test = subprocess.Popen(
        [sys.executable, "-c", begin, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=simulated.TESTS
    )
    endpoint, certificates = test.stdout.readline().split()
    assert requests.get(endpoint + METADATA_PATH, verify=certificates, timeout=10).ok

    test.kill()
    test.communicate(timeout=10)

    def refuses() -> bool:
        try:
            return not requests.get(endpoint + METADATA_PATH, verify=certificates, timeout=10)
        except requests.ConnectionError:
            return True

    assert wait_for(refuses, seconds=10)


def test_kubectl_table_has_the_columns_of_a_real_server(arc, kube, kubectl_table):
    path = "/api/v1/namespaces/default/pods"
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    pod["status"] = {
        "phase": "Pending",
        "containerStatuses": [
            {"ready": False, "restartCount": 3, "state": {"waiting": {"reason": "ImagePullBackOff"}}}
        ],
    }
    kube(arc).resources.get(api_version="v1", kind="Pod").create(body=pod, namespace="default")

    for found in (kubectl_table(path), kubectl_table(f"{path}/p")):
        assert [one["name"] for one in found["columnDefinitions"]] == ["Name", "Ready", "Status", "Restarts", "Age"]
        assert found["rows"][0]["cells"][:4] == ["p", "0/1", "ImagePullBackOff", 3]
        assert found["rows"][0]["object"]["metadata"]["namespace"] == "default"
    assert kubectl_table("/api/v1/nodes")["rows"][0]["cells"][:2] == ["node-0", "Ready"]


def test_kubectl_shows_pods_of_daemon_sets_as_ready(run_module, arc, kubectl_table):
    options = {"workload_profile": "training", "install_nvidia_device_plugin": True}
    run_module(EXTENSION_SPEC, resource_group="rg-edge", cluster_name=arc, **options)

    rows = kubectl_table("/apis/apps/v1/namespaces/azureml/daemonsets")["rows"]

    assert [one["cells"][:4] for one in rows] == [["nvidia-device-plugin-daemonset", 1, 1, 1]]


def test_short_names_are_discovered(arc, kube):
    found = kube(arc)

    for short, kind in (
        ("po", "Pod"),
        ("svc", "Service"),
        ("deploy", "Deployment"),
        ("no", "Node"),
        ("ns", "Namespace"),
    ):
        assert found.resources.get(short_names=[short]).kind == kind


def test_responses_take_the_delay_of_the_scenario(tmp_path):
    with simulated.running(Scenario(faults=[{"delay": 0.5}]), tmp_path / "delayed") as delayed:
        start = time.monotonic()
        for _request in range(2):
            assert requests.get(f"{delayed.endpoint}{METADATA_PATH}", verify=delayed.ca, timeout=10).ok
        took = time.monotonic() - start

        paths = [one["path"] for one in delayed.journal()]
    assert took >= 1
    assert paths == ["/metadata/endpoints"] * 2
