# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulator accepts and rejects the same requests as Azure Resource Manager."""

from __future__ import annotations

import json

import pytest
import requests
from ansible_collections.azureml.arc.plugins.modules.compute import SPEC as COMPUTE_SPEC
from ansible_collections.azureml.arc.plugins.modules.extension import SPEC as EXTENSION_SPEC
from objects import EXTENSION, GROUP, arc_id, extension_id
from support import credential, wait_for

from simulator.scenario import SUBSCRIPTION

RELAY = f"{GROUP}/providers/Microsoft.Relay/namespaces"
BUS = f"{GROUP}/providers/Microsoft.ServiceBus/namespaces"
LOGS = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces"
WORKSPACE = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-ml/providers/Microsoft.MachineLearningServices/workspaces/ws"
)
NAMESPACE = {"location": "westeurope", "sku": {"name": "STANDARD"}}


@pytest.fixture
def token(simulator):
    """Get a token for an audience, by default ARM."""

    def get(audience: str = simulator.endpoint) -> str:
        return credential(simulator).get_token(f"{audience}/.default").token

    return get


@pytest.fixture
def send_request(simulator, token):
    """Send a request to ARM with a valid token or with the given one, and return the response."""

    def send(method, path, signed_in=None, **kwargs):
        value = token() if signed_in is None else signed_in
        headers = {"Authorization": f"Bearer {value}"} if value else {}
        headers |= kwargs.pop("headers", {})
        return requests.request(method, simulator.endpoint + path, headers=headers, timeout=10, **kwargs)

    return send


@pytest.fixture
def arm(send_request):
    """Send a request to ARM and return the status and the error code."""

    def send(method, path, **kwargs):
        answer = send_request(method, path, **kwargs)
        body = answer.json() if answer.content else {}
        return answer.status_code, body.get("error", {}).get("code", "")

    return send


def test_invalid_requests_return_the_errors_of_arm(arm, token, arc):
    cluster, extension = arc_id(arc), extension_of(arc)
    without_type = json.loads(json.dumps(EXTENSION))
    del without_type["properties"]["extensionType"]
    number = json.loads(json.dumps(EXTENSION))
    number["properties"]["configurationSettings"]["a"] = 1
    other_audience = token("https://vault.azure.net")

    assert arm("GET", f"{cluster}?api-version=2024-01-01") == (200, "")
    assert arm("GET", f"{cluster.upper()}?api-version=2024-01-01") == (200, "")
    assert arm("GET", cluster) == (400, "MissingApiVersionParameter")
    assert arm("GET", f"{cluster}?api-version=2099-01-01") == (400, "NoRegisteredProviderFound")
    assert arm("GET", f"{cluster}?api-version=2024-01-01", signed_in="") == (401, "AuthenticationFailed")
    assert arm("GET", f"{cluster}?api-version=2024-01-01", signed_in="forged") == (401, "ExpiredAuthenticationToken")
    assert arm("GET", f"{cluster}?api-version=2024-01-01", signed_in=other_audience) == (
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


def extension_of(cluster):
    return f"{extension_id(cluster)}?api-version=2025-03-01"


# simulator/arm/versions.py names the client of each recorded version.
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


def test_unknown_members_are_ignored(send_request, arc):
    body = {"location": "westeurope", **EXTENSION, "properties": {**EXTENSION["properties"], "unknown": 1}}
    created = send_request("PUT", extension_of(arc), json=body)
    assert created.status_code == 201
    assert "unknown" not in created.json()["properties"]
    wait_for(lambda: send_request("GET", extension_of(arc)).json()["properties"]["provisioningState"] == "Succeeded")

    patched = send_request("PATCH", extension_of(arc), json={"properties": {"unknown": 1, "version": "1.1.60"}})
    assert (patched.status_code, patched.json()["properties"]["version"]) == (202, "1.1.60")


# Source: a recording of C(az k8s-extension update), which sends this with each change of another setting.
@pytest.mark.parametrize("protected", [{}, None])
def test_empty_protected_settings_change_no_secret(send_request, arc, protected):
    send_request("PUT", extension_of(arc), json=EXTENSION)
    wait_for(lambda: send_request("GET", extension_of(arc)).json()["properties"]["provisioningState"] == "Succeeded")

    properties = {"configurationSettings": {"a": "2"}, "configurationProtectedSettings": protected}
    patched = send_request("PATCH", extension_of(arc), json={"properties": properties}).json()["properties"]

    assert patched["configurationProtectedSettings"] == {"secret": ""}
    assert patched["configurationSettings"]["a"] == "2"


def test_query_keys_and_enumerations_are_case_insensitive(send_request, arc):
    assert send_request("PUT", f"{BUS}/{arc}-words?API-VERSION=2021-11-01", json=NAMESPACE).status_code == 201
    refused = send_request(
        "PUT", f"{BUS}/{arc}-none?api-version=2021-11-01", json={**NAMESPACE, "sku": {"name": "Gold"}}
    )
    assert refused.status_code == 400


def test_compute_requests_of_other_clients_are_accepted(send_request, run_module, arc):
    run_module(EXTENSION_SPEC, resource_group="rg-edge", cluster_name=arc, workload_profile="training")
    compute = f"{WORKSPACE}/computes/{arc}?api-version=2023-08-01-preview"
    # azure-ai-ml 1.35 sends no identity; azureml-core 1.36 sends an empty location and additional members.
    body = {
        "location": "",
        "properties": {
            "computeType": "kubernetes",
            "resourceId": arc_id(arc).upper(),
            "namespace": "default",
            "properties": {"namespace": "default", "defaultInstanceType": None, "instanceTypes": None},
        },
    }
    created = send_request("PUT", compute, json=body)

    assert (created.status_code, created.json()["identity"], created.json()["location"]) == (201, None, "northeurope")
    assert "namespace" not in created.json()["properties"]
    wait_for(lambda: send_request("GET", compute).json()["properties"]["provisioningState"] == "Succeeded")
    assert send_request("DELETE", f"{compute}&underlyingresourceaction=detach").status_code == 202


def test_repeated_detach_succeeds(send_request, run_module, simulator, ready):
    run_module(COMPUTE_SPEC, **ready)
    compute = f"{WORKSPACE}/computes/{ready['name']}?api-version=2024-04-01&underlyingResourceAction=Detach"
    simulator.change_workspace("ws", detach_seconds=120)  # longer than the second request takes

    removals = [send_request("DELETE", compute) for _time in range(2)]
    simulator.change_workspace("ws", detach_seconds=5)

    assert [one.status_code for one in removals] == [202, 202]
    for one in removals:
        status = one.headers["Azure-AsyncOperation"].removeprefix(simulator.endpoint)
        wait_for(lambda status=status: send_request("GET", status).json()["status"] == "Succeeded")


def test_detach_cancels_an_attachment_in_progress(send_request, simulator, arc, ready):
    compute = f"{WORKSPACE}/computes/{ready['name']}?api-version=2024-04-01"
    properties = {"computeType": "Kubernetes", "resourceId": arc_id(arc), "properties": {"namespace": "default"}}
    simulator.change_plan(arc, attach_seconds=30)
    simulator.change_workspace("ws", detach_seconds=120)

    send_request("PUT", compute, json={"properties": properties})
    send_request("DELETE", f"{compute}&underlyingResourceAction=Detach")
    simulator.change_workspace("ws", detach_seconds=5)

    states = set()
    while (answer := send_request("GET", compute)).status_code == 200:
        states.add(answer.json()["properties"]["provisioningState"])
    assert states == {"Deleting"}


def test_repeated_deletion_of_an_extension_succeeds(send_request, simulator, arc):
    send_request("PUT", extension_of(arc), json=EXTENSION)

    removals = [send_request("DELETE", extension_of(arc)) for _time in range(2)]

    for one in removals:
        status = one.headers["Azure-AsyncOperation"].removeprefix(simulator.endpoint)
        wait_for(lambda status=status: send_request("GET", status).json()["status"] == "Succeeded")


def test_deletion_cancels_an_install_in_progress(send_request, simulator, arc, kube):
    # If the install continued, pods would appear after 60 seconds.
    simulator.change_plan(arc, install={"seconds": 600}, removal_seconds=120)
    send_request("PUT", extension_of(arc), json=EXTENSION)
    send_request("DELETE", extension_of(arc))

    wait_for(lambda: send_request("GET", extension_of(arc)).status_code == 404)

    assert kube(arc).resources.get(api_version="v1", kind="Pod").get(namespace="azureml").items == []


def test_authorization_rules_are_listed(send_request, arc):
    version = "api-version=2021-11-01"
    for path in ("", "/hybridConnections/c", "/hybridConnections/c/authorizationRules/rule"):
        body = {**NAMESPACE, "properties": {"rights": ["Send"]}}
        assert send_request("PUT", f"{RELAY}/{arc}-rules{path}?{version}", json=body).status_code in (200, 201)

    of_namespace = send_request("GET", f"{RELAY}/{arc}-rules/authorizationRules?{version}").json()["value"]
    of_connection = send_request("GET", f"{RELAY}/{arc}-rules/hybridConnections/c/authorizationRules?{version}").json()[
        "value"
    ]
    assert [one["name"] for one in of_namespace] == ["RootManageSharedAccessKey"]
    assert [one["name"] for one in of_connection] == ["rule"]


def test_names_keep_the_case_of_their_creation(send_request, arc):
    address = f"{RELAY}/{arc}-Name"
    send_request("PUT", f"{address}?api-version=2021-11-01", json=NAMESPACE)

    again = send_request("PUT", f"{address.upper()}?api-version=2021-11-01", json=NAMESPACE).json()
    assert (again["name"], again["id"], again["type"]) == (f"{arc}-Name", address, "Microsoft.Relay/namespaces")

    send_request("PUT", extension_of(arc), json=EXTENSION)
    upper = extension_of(arc.upper()).replace("extensions/azureml", "extensions/AZUREML")
    extension = send_request("GET", upper).json()
    assert (extension["name"], extension["id"]) == ("azureml", extension_id(arc))


# Sources are in simulator/arm/supporting.py.
def test_new_resources_have_transitional_states(send_request, arc):
    namespace = send_request("PUT", f"{RELAY}/{arc}-state?api-version=2021-11-01", json=NAMESPACE).json()
    workspace = send_request(
        "PUT", f"{LOGS}/{arc}-state?api-version=2022-10-01", json={"location": "westeurope"}
    ).json()
    states = [one["properties"]["provisioningState"] for one in (namespace, workspace)]
    assert states == ["Accepted", "ProvisioningAccount"]


def test_links_have_the_effective_port(send_request, token, arc):
    signed_in = token("https://localhost")
    created = send_request("PUT", extension_of(arc), signed_in, json=EXTENSION, headers={"Host": "localhost"})
    for name in ("Azure-AsyncOperation", "Location"):
        assert created.headers[name].startswith("https://localhost:443/subscriptions/")


# Sources are in simulator/arm/consistency.py.
def test_reads_are_eventually_consistent_for_the_caller(arm, arc):
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


def test_creation_during_deletion_is_rejected(send_request, arm, arc):
    address = f"{RELAY}/{arc}-deleted?api-version=2021-11-01"

    def is_rejected() -> bool:
        send_request("PUT", address, json=NAMESPACE)
        assert arm("DELETE", address) == (202, "")
        return arm("PUT", address, json=NAMESPACE) == (409, "Conflict")

    wait_for(is_rejected)  # repeat: on a slow machine the deletion may end before the last request


def test_namespace_created_after_repeated_deletion_stays(send_request, arm, arc):
    address = f"{RELAY}/{arc}-again?api-version=2021-11-01"
    send_request("PUT", address, json=NAMESPACE)
    while arm("DELETE", address) != (204, ""):
        pass

    send_request("PUT", address, json=NAMESPACE)

    wait_for(lambda: send_request("GET", address).json()["properties"]["provisioningState"] == "Succeeded")


def test_namespace_created_twice_is_provisioned(send_request, arm, arc):
    address = f"{RELAY}/{arc}-twice?api-version=2021-11-01"
    assert [arm("PUT", address, json=NAMESPACE) for _client in range(2)] == [(201, ""), (200, "")]

    wait_for(lambda: send_request("GET", address).json()["properties"]["provisioningState"] == "Succeeded")


@pytest.fixture
def job(run_module, ready):
    """Attach a cluster and return the body of a job for its compute."""
    run_module(COMPUTE_SPEC, **ready)
    properties = {
        "jobType": "Command",
        "command": "true",
        "environmentId": "azureml://registries/azureml/environments/sklearn-1.5/versions/1",
    }
    return {"properties": {**properties, "computeId": f"{WORKSPACE}/computes/{ready['name']}", "tags": {"a": "1"}}}


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("not.valid", {}),
        ("j", {"jobType": "Sweep"}),
        ("j", {"command": None}),
        ("j", {"environmentId": None}),
        ("j", {"environmentId": "sklearn-1.5"}),
        ("j", {"environmentId": "azureml://registries/azureml/environments/none/versions/46"}),
        ("j", {"computeId": f"{WORKSPACE}/computes/none"}),
    ],
)
def test_invalid_jobs_are_rejected(arm, job, name, change):
    body = {"properties": {**job["properties"], **change}}
    assert arm("PUT", f"{WORKSPACE}/jobs/{name}?api-version=2024-04-01", json=body)[0] == 400


def test_job_is_created_updated_canceled_and_deleted(send_request, simulator, arc, job):
    simulator.change_plan(arc, jobs={"queue_seconds": 3600})
    path, version = f"{WORKSPACE}/jobs/life-{arc}", "?api-version=2024-04-01"
    created = send_request("PUT", path + version, json=job)
    other = {"properties": {**job["properties"], "command": "false", "tags": {"b": "2"}}}

    again = send_request("PUT", path + version, json=other)

    assert (created.status_code, created.json()["properties"]["status"]) == (201, "Starting")
    properties = again.json()["properties"]
    assert (again.status_code, properties["command"], properties["tags"]) == (200, "true", {"b": "2"})
    listed = {
        query: [one["name"] for one in send_request("GET", f"{WORKSPACE}/jobs{version}&{query}").json()["value"]]
        for query in ("tag=b&jobType=Command", "tag=none", "tag=b&jobType=Sweep")
    }
    assert list(listed.values()) == [[f"life-{arc}"], [], []]
    assert send_request("DELETE", path + version).status_code == 409
    assert send_request("POST", f"{path}/cancel{version}").status_code == 202
    wait_for(lambda: send_request("GET", path + version).json()["properties"]["status"] == "Canceled")
    assert send_request("POST", f"{path}/cancel{version}").status_code == 400
    assert [send_request("DELETE", path + version).status_code for _time in range(2)] == [202, 204]


def test_run_history_requires_a_token_for_its_audience(send_request, token):
    path = f"/history/v1.0{WORKSPACE}/runs/none/details"
    assert send_request("GET", path, signed_in=token("https://vault.azure.net")).status_code == 401
    assert send_request("GET", path).status_code == 404
