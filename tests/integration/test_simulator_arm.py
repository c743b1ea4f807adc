# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulator is as strict as Azure Resource Manager."""

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
    """A token for an audience, ARM itself if none is named."""

    def get(audience: str = simulator.endpoint) -> str:
        return credential(simulator).get_token(f"{audience}/.default").token

    return get


@pytest.fixture
def ask(simulator, token):
    """Send one request to ARM with a valid token, or with another one. Returns the answer."""

    def send(method, path, signed_in=None, **kwargs):
        value = token() if signed_in is None else signed_in
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


def test_arm_rejects_what_arm_rejects(arm, token, arc):
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
    compute = f"{WORKSPACE}/computes/{arc}?api-version=2023-08-01-preview"
    # azure-ai-ml 1.35 sends no identity; azureml-core 1.36 an empty location, and members where none are expected.
    body = {
        "location": "",
        "properties": {
            "computeType": "kubernetes",
            "resourceId": arc_id(arc).upper(),
            "namespace": "default",
            "properties": {"namespace": "default", "defaultInstanceType": None, "instanceTypes": None},
        },
    }
    created = ask("PUT", compute, json=body)

    assert (created.status_code, created.json()["identity"], created.json()["location"]) == (201, None, "northeurope")
    assert "namespace" not in created.json()["properties"]
    wait_for(lambda: ask("GET", compute).json()["properties"]["provisioningState"] == "Succeeded")
    assert ask("DELETE", f"{compute}&underlyingresourceaction=detach").status_code == 202


def test_compute_is_detached_once_however_often_that_is_asked_for(ask, run_module, simulator, ready):
    run_module(COMPUTE_SPEC, **ready)
    compute = f"{WORKSPACE}/computes/{ready['name']}?api-version=2024-04-01&underlyingResourceAction=Detach"
    simulator.change_workspace("ws", detach_seconds=120)  # longer than the second request may take to arrive

    removals = [ask("DELETE", compute) for _time in range(2)]
    simulator.change_workspace("ws", detach_seconds=5)

    assert [one.status_code for one in removals] == [202, 202]
    for one in removals:
        status = one.headers["Azure-AsyncOperation"].removeprefix(simulator.endpoint)
        wait_for(lambda status=status: ask("GET", status).json()["status"] == "Succeeded")


def test_detach_ends_an_attachment_that_is_under_way(ask, simulator, arc, ready):
    compute = f"{WORKSPACE}/computes/{ready['name']}?api-version=2024-04-01"
    properties = {"computeType": "Kubernetes", "resourceId": arc_id(arc), "properties": {"namespace": "default"}}
    simulator.change_plan(arc, attach_seconds=30)
    simulator.change_workspace("ws", detach_seconds=120)

    ask("PUT", compute, json={"properties": properties})
    ask("DELETE", f"{compute}&underlyingResourceAction=Detach")
    simulator.change_workspace("ws", detach_seconds=5)

    states = set()
    while (answer := ask("GET", compute)).status_code == 200:
        states.add(answer.json()["properties"]["provisioningState"])
    assert states == {"Deleting"}


def test_extension_is_removed_once_however_often_that_is_asked_for(ask, simulator, arc):
    ask("PUT", extension_of(arc), json=EXTENSION)

    removals = [ask("DELETE", extension_of(arc)) for _time in range(2)]

    for one in removals:
        status = one.headers["Azure-AsyncOperation"].removeprefix(simulator.endpoint)
        wait_for(lambda status=status: ask("GET", status).json()["status"] == "Succeeded")


def test_removal_ends_an_install_that_is_under_way(ask, simulator, arc, kube):
    # Without an end, pods would appear after 60 seconds.
    simulator.change_plan(arc, install={"seconds": 600}, removal_seconds=120)
    ask("PUT", extension_of(arc), json=EXTENSION)
    ask("DELETE", extension_of(arc))

    wait_for(lambda: ask("GET", extension_of(arc)).status_code == 404)

    assert kube(arc).resources.get(api_version="v1", kind="Pod").get(namespace="azureml").items == []


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
    assert (extension["name"], extension["id"]) == ("azureml", extension_id(arc))


# Sources are in simulator/arm/supporting.py.
def test_states_beside_the_final_ones(ask, arc):
    namespace = ask("PUT", f"{RELAY}/{arc}-state?api-version=2021-11-01", json=NAMESPACE).json()
    workspace = ask("PUT", f"{LOGS}/{arc}-state?api-version=2022-10-01", json={"location": "westeurope"}).json()
    states = [one["properties"]["provisioningState"] for one in (namespace, workspace)]
    assert states == ["Accepted", "ProvisioningAccount"]


def test_links_have_the_effective_port(ask, token, arc):
    signed_in = token("https://localhost")
    created = ask("PUT", extension_of(arc), signed_in, json=EXTENSION, headers={"Host": "localhost"})
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


def test_namespace_is_not_created_while_it_is_deleted(ask, arm, arc):
    address = f"{RELAY}/{arc}-deleted?api-version=2021-11-01"

    def is_refused() -> bool:
        ask("PUT", address, json=NAMESPACE)
        assert arm("DELETE", address) == (202, "")
        return arm("PUT", address, json=NAMESPACE) == (409, "Conflict")

    wait_for(is_refused)  # on a busy machine the deletion may end before the last request arrives


def test_namespace_stays_that_is_created_after_repeated_deletion(ask, arm, arc):
    address = f"{RELAY}/{arc}-again?api-version=2021-11-01"
    ask("PUT", address, json=NAMESPACE)
    while arm("DELETE", address) != (204, ""):
        pass

    ask("PUT", address, json=NAMESPACE)

    wait_for(lambda: ask("GET", address).json()["properties"]["provisioningState"] == "Succeeded")


def test_namespace_that_two_create_at_once_is_provisioned(ask, arm, arc):
    address = f"{RELAY}/{arc}-twice?api-version=2021-11-01"
    assert [arm("PUT", address, json=NAMESPACE) for _client in range(2)] == [(201, ""), (200, "")]

    wait_for(lambda: ask("GET", address).json()["properties"]["provisioningState"] == "Succeeded")


@pytest.fixture
def job(run_module, ready):
    """The body of a job for the compute of a cluster that runs jobs."""
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
def test_jobs_are_rejected_as_the_specification_says(arm, job, name, change):
    body = {"properties": {**job["properties"], **change}}
    assert arm("PUT", f"{WORKSPACE}/jobs/{name}?api-version=2024-04-01", json=body)[0] == 400


def test_life_of_a_job(ask, simulator, arc, job):
    simulator.change_plan(arc, jobs={"queue_seconds": 3600})
    path, version = f"{WORKSPACE}/jobs/life-{arc}", "?api-version=2024-04-01"
    created = ask("PUT", path + version, json=job)
    other = {"properties": {**job["properties"], "command": "false", "tags": {"b": "2"}}}

    again = ask("PUT", path + version, json=other)

    assert (created.status_code, created.json()["properties"]["status"]) == (201, "Starting")
    properties = again.json()["properties"]
    assert (again.status_code, properties["command"], properties["tags"]) == (200, "true", {"b": "2"})
    listed = {
        query: [one["name"] for one in ask("GET", f"{WORKSPACE}/jobs{version}&{query}").json()["value"]]
        for query in ("tag=b&jobType=Command", "tag=none", "tag=b&jobType=Sweep")
    }
    assert list(listed.values()) == [[f"life-{arc}"], [], []]
    assert ask("DELETE", path + version).status_code == 409
    assert ask("POST", f"{path}/cancel{version}").status_code == 202
    wait_for(lambda: ask("GET", path + version).json()["properties"]["status"] == "Canceled")
    assert ask("POST", f"{path}/cancel{version}").status_code == 400
    assert [ask("DELETE", path + version).status_code for _time in range(2)] == [202, 204]


def test_run_history_wants_a_token_of_its_own_audience(ask, token):
    path = f"/history/v1.0{WORKSPACE}/runs/none/details"
    assert ask("GET", path, signed_in=token("https://vault.azure.net")).status_code == 401
    assert ask("GET", path).status_code == 404
