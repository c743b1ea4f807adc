# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulator is as strict as what it stands for, and the official clients work against it unchanged."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
import requests
from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential
from azure.mgmt.kubernetesconfiguration.extensions import KubernetesConfigurationExtensionsMgmtClient
from kubernetes import client, config, watch

from simulator.scenario import SUBSCRIPTION

EXTENSION = {
    "identity": {"type": "SystemAssigned"},
    "properties": {
        "extensionType": "Microsoft.AzureML.Kubernetes",
        "scope": {"cluster": {"releaseNamespace": "azureml"}},
        "configurationSettings": {"enableTraining": "True", "a": "1"},
        "configurationProtectedSettings": {"secret": "value"},
    },
}


@pytest.fixture
def credential(simulator):
    environment = simulator.environment
    return ClientSecretCredential(
        environment["AZURE_TENANT"],
        environment["AZURE_CLIENT_ID"],
        environment["AZURE_SECRET"],
        authority=simulator.endpoint,
        disable_instance_discovery=True,
    )


@pytest.fixture
def sdk(simulator, credential):
    with KubernetesConfigurationExtensionsMgmtClient(
        credential,
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


def test_extension_on_aks_takes_no_identity_and_gets_one(sdk, aks):
    where = ("rg-edge", "Microsoft.ContainerService", "managedClusters", aks, "azureml")
    with pytest.raises(HttpResponseError, match="Failed to perform resource identity operation. Status: 'BadRequest'"):
        sdk.extensions.begin_create(*where, EXTENSION, polling=False)

    created = sdk.extensions.begin_create(*where, {"properties": EXTENSION["properties"]}).result()
    assert created.identity is None
    assert created.properties.aks_assigned_identity.type == "SystemAssigned"
    assert created.properties.aks_assigned_identity.principal_id


def test_second_operation_is_refused_while_one_is_under_way(sdk, arc):
    sdk.extensions.begin_create(*place(arc), EXTENSION, polling=False)
    with pytest.raises(HttpResponseError) as conflict:
        sdk.extensions.begin_update(*place(arc), {"properties": {}}, polling=False)
    assert (conflict.value.status_code, conflict.value.error.code) == (409, "AnotherOperationInProgress")
    with pytest.raises(HttpResponseError) as conflict:
        sdk.extensions.begin_create(*place(arc), EXTENSION, polling=False)
    assert (conflict.value.status_code, conflict.value.error.code) == (409, "AnotherOperationInProgress")


@pytest.fixture
def arm(simulator, credential):
    """One request to ARM with a valid token; returns status and error code."""

    def send(method, path, token=None, **kwargs):
        value = token if token is not None else credential.get_token(f"{simulator.endpoint}/.default").token
        headers = {"Authorization": f"Bearer {value}"} if value else {}
        headers |= kwargs.pop("headers", {})
        answer = requests.request(method, simulator.endpoint + path, headers=headers, timeout=10, **kwargs)
        body = answer.json() if answer.content else {}
        return answer.status_code, body.get("error", {}).get("code", "")

    return send


def test_arm_rejects_what_arm_rejects(arm, credential, simulator, arc):
    cluster = (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-edge/providers/Microsoft.Kubernetes/connectedClusters/{arc}"
    )
    extension = f"{cluster}/providers/Microsoft.KubernetesConfiguration/extensions/azureml?api-version=2025-03-01"
    without_type = json.loads(json.dumps(EXTENSION))
    del without_type["properties"]["extensionType"]
    number = json.loads(json.dumps(EXTENSION))
    number["properties"]["configurationSettings"]["a"] = 1
    other_audience = credential.get_token("https://vault.azure.net/.default").token

    assert arm("GET", f"{cluster}?api-version=2024-01-01") == (200, "")
    assert arm("GET", f"{cluster.upper()}?api-version=2024-01-01") == (200, "")
    assert arm("GET", cluster) == (400, "MissingApiVersionParameter")
    assert arm("GET", f"{cluster}?api-version=2099-01-01") == (400, "NoRegisteredProviderFound")
    assert arm("GET", f"{cluster}?api-version=2024-01-01", token="") == (401, "AuthenticationFailed")
    assert arm("GET", f"{cluster}?api-version=2024-01-01", token="forged") == (401, "ExpiredAuthenticationToken")
    assert arm("GET", f"{cluster}?api-version=2024-01-01", token=other_audience) == (
        401,
        "InvalidAuthenticationTokenAudience",
    )
    assert arm("PUT", extension, json=without_type) == (400, "InvalidRequestContent")
    assert arm("PUT", extension, json=number) == (400, "InvalidRequestContent")
    assert arm("PUT", extension, data="{}", headers={"Content-Type": "text/plain"}) == (415, "UnsupportedMediaType")
    assert arm("PUT", extension, data="{", headers={"Content-Type": "application/json"}) == (
        400,
        "InvalidRequestContent",
    )
    assert arm("DELETE", extension)[0] == 204
    assert arm("GET", extension.replace(arc, "nowhere")) == (404, "ParentResourceNotFound")
    assert arm("GET", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g/providers/A.B/c/d?api-version=1") == (
        404,
        "InvalidResourceType",
    )
    assert arm("PATCH", f"{cluster}?api-version=2024-01-01", json={}) == (405, "MethodNotAllowed")


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


def test_kubernetes_errors(kubernetes):
    core = client.CoreV1Api(kubernetes)

    def refused(call, *arguments) -> tuple[int, str]:
        with pytest.raises(client.ApiException) as error:
            call(*arguments)
        return error.value.status, json.loads(error.value.body)["reason"]

    body = {"metadata": {"name": "once"}}
    stored = core.create_namespaced_config_map("default", body)
    stale = {"metadata": {"name": "once", "resourceVersion": "1"}}
    assert refused(core.create_namespaced_config_map, "default", body) == (409, "AlreadyExists")
    assert refused(core.replace_namespaced_config_map, "once", "default", stale) == (409, "Conflict")
    assert refused(core.read_namespaced_config_map, "none", "default") == (404, "NotFound")
    assert refused(core.create_namespaced_config_map, "nowhere", body) == (404, "NotFound")
    assert stored.metadata.generation == 1


def test_custom_resources_and_discovery(kubernetes):
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


def test_faults_and_journal(simulator):
    simulator.add_fault(path="/metadata", status=429, headers={"Retry-After": "3"}, times=1)
    simulator.add_fault(path="/metadata", cut="reset", times=1)
    url = f"{simulator.endpoint}/metadata/endpoints?api-version=1"

    throttled = requests.get(url, timeout=10)
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=10)
    through = requests.get(url, timeout=10)

    assert (throttled.status_code, throttled.headers["Retry-After"], through.status_code) == (429, "3", 200)
    assert [one["status"] for one in simulator.journal() if one["path"] == "/metadata/endpoints"] == [429, 0, 200]


def test_it_starts_from_the_command_line_and_stops_at_a_signal(tmp_path):
    tests = Path(__file__).resolve().parents[1]
    command = [sys.executable, "-m", "simulator", "--clusters", "2", "--directory", str(tmp_path / "d")]
    with subprocess.Popen(command, cwd=tests, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline().startswith("2 clusters at https://localhost:")
        assert (tmp_path / "d/simulator.json").stat().st_mode & 0o777 == 0o600
        start = time.monotonic()
        process.terminate()
        assert process.wait(timeout=10) == 0
        assert time.monotonic() - start < 5
