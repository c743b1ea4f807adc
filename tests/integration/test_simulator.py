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
from ansible_collections.azureml.arc.plugins.modules.extension import SPEC as EXTENSION_SPEC
from azure.core.exceptions import HttpResponseError
from azure.identity import ClientSecretCredential
from azure.mgmt.kubernetesconfiguration.extensions import KubernetesConfigurationExtensionsMgmtClient
from kubernetes import client, config, watch
from support import wait_for

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
def ask(simulator, credential):
    """Send one request to ARM with a valid token, or with another one. Returns the answer."""

    def send(method, path, token=None, **kwargs):
        value = token if token is not None else credential.get_token(f"{simulator.endpoint}/.default").token
        headers = {"Authorization": f"Bearer {value}"} if value else {}
        headers |= kwargs.pop("headers", {})
        return requests.request(method, simulator.endpoint + path, headers=headers, timeout=10, **kwargs)

    return send


@pytest.fixture
def arm(ask):
    """Send one request to ARM. Returns status and error code."""

    def send(method, path, **kwargs):
        answer = ask(method, path, **kwargs)
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


GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-edge"
RELAY = f"{GROUP}/providers/Microsoft.Relay/namespaces"
BUS = f"{GROUP}/providers/Microsoft.ServiceBus/namespaces"
LOGS = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces"
WORKSPACE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-ml/providers/Microsoft.MachineLearningServices/workspaces/ws"
)
NAMESPACE = {"location": "westeurope", "sku": {"name": "STANDARD"}}


def extension_of(cluster, version="2025-03-01"):
    return (
        f"{GROUP}/providers/Microsoft.Kubernetes/connectedClusters/{cluster}"
        f"/providers/Microsoft.KubernetesConfiguration/extensions/azureml?api-version={version}"
    )


# By which client each was recorded stands in simulator/arm/versions.py.
@pytest.mark.parametrize(
    ("path", "versions"),
    [
        ("{group}/providers/Microsoft.Kubernetes/connectedClusters/{arc}", ["2021-10-01", "2024-01-01"]),
        ("{relay}/none", ["2017-04-01", "2021-11-01"]),
        ("{bus}/none", ["2017-04-01", "2018-01-01-preview"]),
        ("{logs}/none", ["2020-08-01", "2020-10-01", "2021-12-01-preview"]),
        ("{workspace}", ["2023-08-01-preview", "2024-04-01"]),
    ],
)
def test_several_api_versions_of_a_type_are_served(arm, arc, path, versions):
    address = path.format(group=GROUP, arc=arc, relay=RELAY, bus=BUS, logs=LOGS, workspace=WORKSPACE)
    for version in versions:
        assert arm("GET", f"{address}?api-version={version}") in [(200, ""), (404, "ResourceNotFound")]
    assert arm("GET", f"{address}?api-version=2099-01-01") == (400, "NoRegisteredProviderFound")


def test_unknown_members_are_ignored(ask, arc):
    body = {"location": "westeurope", **EXTENSION, "properties": {**EXTENSION["properties"], "unknown": 1}}
    created = ask("PUT", extension_of(arc), json=body)
    assert created.status_code == 201
    assert "unknown" not in created.json()["properties"]
    wait_for(lambda: ask("GET", extension_of(arc)).json()["properties"]["provisioningState"] == "Succeeded")

    patched = ask("PATCH", extension_of(arc), json={"properties": {"unknown": 1, "version": "1.1.60"}})
    assert (patched.status_code, patched.json()["properties"]["version"]) == (202, "1.1.60")


# Source: what C(az k8s-extension update) was recorded to send with every change of a plain setting.
@pytest.mark.parametrize("protected", [{}, None])
def test_empty_protected_settings_change_no_secret(ask, arc, protected):
    ask("PUT", extension_of(arc), json=EXTENSION)
    wait_for(lambda: ask("GET", extension_of(arc)).json()["properties"]["provisioningState"] == "Succeeded")

    properties = {"configurationSettings": {"a": "2"}, "configurationProtectedSettings": protected}
    patched = ask("PATCH", extension_of(arc), json={"properties": properties}).json()["properties"]

    assert patched["configurationProtectedSettings"] == {"secret": ""}
    assert patched["configurationSettings"]["a"] == "2"


def test_words_compare_without_case(ask, arc):
    assert ask("PUT", f"{BUS}/{arc}-words?API-VERSION=2021-11-01", json=NAMESPACE).status_code == 201
    refused = ask("PUT", f"{BUS}/{arc}-none?api-version=2021-11-01", json={**NAMESPACE, "sku": {"name": "Gold"}})
    assert refused.status_code == 400


def test_compute_as_other_clients_send_it(ask, run_module, arc):
    run_module(EXTENSION_SPEC, resource_group="rg-edge", cluster_name=arc, workload_profile="training")
    cluster = extension_of(arc).partition("/providers/Microsoft.KubernetesConfiguration")[0]
    compute = f"{WORKSPACE}/computes/{arc}?api-version=2023-08-01-preview"
    # azure-ai-ml 1.35 sends no identity; azureml-core 1.36 an empty location, and members where none are expected.
    body = {
        "location": "",
        "properties": {
            "computeType": "kubernetes",
            "resourceId": cluster.upper(),
            "namespace": "default",
            "properties": {"namespace": "default", "defaultInstanceType": None, "instanceTypes": None},
        },
    }
    created = ask("PUT", compute, json=body)

    assert (created.status_code, created.json()["identity"], created.json()["location"]) == (201, None, "northeurope")
    assert "namespace" not in created.json()["properties"]
    wait_for(lambda: ask("GET", compute).json()["properties"]["provisioningState"] == "Succeeded")
    assert ask("DELETE", f"{compute}&underlyingresourceaction=detach").status_code == 202


def test_authorization_rules_are_listed(ask, arc):
    version = "api-version=2021-11-01"
    for path in ("", "/hybridConnections/c", "/hybridConnections/c/authorizationRules/rule"):
        body = {**NAMESPACE, "properties": {"rights": ["Send"]}}
        assert ask("PUT", f"{RELAY}/{arc}-rules{path}?{version}", json=body).status_code in (200, 201)

    of_namespace = ask("GET", f"{RELAY}/{arc}-rules/authorizationRules?{version}").json()["value"]
    of_connection = ask("GET", f"{RELAY}/{arc}-rules/hybridConnections/c/authorizationRules?{version}").json()["value"]
    assert [one["name"] for one in of_namespace] == ["RootManageSharedAccessKey"]
    assert [one["name"] for one in of_connection] == ["rule"]


def test_names_come_back_as_they_were_created(ask, arc):
    address = f"{RELAY}/{arc}-Name"
    ask("PUT", f"{address}?api-version=2021-11-01", json=NAMESPACE)

    again = ask("PUT", f"{address.upper()}?api-version=2021-11-01", json=NAMESPACE).json()
    assert (again["name"], again["id"], again["type"]) == (f"{arc}-Name", address, "Microsoft.Relay/namespaces")

    ask("PUT", extension_of(arc), json=EXTENSION)
    upper = extension_of(arc.upper()).replace("extensions/azureml", "extensions/AZUREML")
    extension = ask("GET", upper).json()
    assert (extension["name"], extension["id"]) == ("azureml", extension_of(arc).partition("?")[0])


# Sources stand in simulator/arm/supporting.py.
def test_states_beside_the_final_ones(ask, arc):
    namespace = ask("PUT", f"{RELAY}/{arc}-state?api-version=2021-11-01", json=NAMESPACE).json()
    workspace = ask("PUT", f"{LOGS}/{arc}-state?api-version=2022-10-01", json={"location": "westeurope"}).json()
    states = [one["properties"]["provisioningState"] for one in (namespace, workspace)]
    assert states == ["Accepted", "ProvisioningAccount"]


def test_links_have_the_effective_port(ask, credential, arc):
    token = credential.get_token("https://localhost/.default").token
    created = ask("PUT", extension_of(arc), token=token, json=EXTENSION, headers={"Host": "localhost"})
    for name in ("Azure-AsyncOperation", "Location"):
        assert created.headers[name].startswith("https://localhost:443/subscriptions/")


# Sources stand in simulator/arm/consistency.py.
def test_reads_are_eventually_consistent_for_the_caller(ask, arm, arc):
    caller = {"headers": {"x-ms-correlation-request-id": arc}}
    address, version = f"{RELAY}/{arc}-lag", "api-version=2021-11-01"
    assert arm("PUT", f"{address}?{version}", json=NAMESPACE, **caller) == (201, "")

    assert arm("GET", f"{address}?{version}") == (200, "")
    child = f"{address}/hybridConnections/c?{version}"
    assert arm("PUT", child, json={"properties": {}}, **caller) == (404, "ParentResourceNotFound")
    assert arm("PUT", child, json={"properties": {}}, **caller) == (200, "")
    answers = [arm("GET", f"{address}?{version}", **caller) for _read in range(3)]
    assert answers[0] == (404, "ResourceNotFound")
    assert answers[-1] == (200, "")


def test_namespace_is_not_created_while_it_is_deleted(ask, arm, arc):
    address = f"{RELAY}/{arc}-deleted?api-version=2021-11-01"
    ask("PUT", address, json=NAMESPACE)
    assert arm("DELETE", address) == (202, "")
    assert arm("PUT", address, json=NAMESPACE) == (409, "Conflict")


def test_namespace_that_two_create_at_once_is_provisioned(ask, arm, arc):
    address = f"{RELAY}/{arc}-twice?api-version=2021-11-01"
    assert [arm("PUT", address, json=NAMESPACE) for _client in range(2)] == [(201, ""), (200, "")]

    wait_for(lambda: ask("GET", address).json()["properties"]["provisioningState"] == "Succeeded")


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


TABLE = (
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
)


def test_kubectl_is_answered_with_a_table_of_its_columns(simulator, arc, kube):
    """Kubectl sends C(TABLE) and prints the cells as they come."""
    connection = kube(arc).client.configuration
    path = "/api/v1/namespaces/default/pods"
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    pod["status"] = {
        "phase": "Pending",
        "containerStatuses": [
            {"ready": False, "restartCount": 3, "state": {"waiting": {"reason": "ImagePullBackOff"}}}
        ],
    }
    kube(arc).resources.get(api_version="v1", kind="Pod").create(body=pod, namespace="default")

    def get(path: str) -> dict:
        headers = {"Accept": TABLE, "Authorization": connection.auth_settings()["BearerToken"]["value"]}
        return requests.get(connection.host + path, headers=headers, verify=connection.ssl_ca_cert, timeout=10).json()

    for found in (get(path), get(f"{path}/p")):
        assert [one["name"] for one in found["columnDefinitions"]] == ["Name", "Ready", "Status", "Restarts", "Age"]
        assert found["rows"][0]["cells"][:4] == ["p", "0/1", "ImagePullBackOff", 3]
        assert found["rows"][0]["object"]["metadata"]["namespace"] == "default"
    assert get("/api/v1/nodes")["rows"][0]["cells"][:2] == ["node-0", "Ready"]


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
