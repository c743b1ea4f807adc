# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulated Kubernetes API answers like the real one: the same requests to both, with compared answers."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.labels import label_selector

import simulated
from control_plane.programs import ADMIN_TOKEN
from simulator.scenario import ClusterPlan, Scenario

MERGE, JSON_PATCH, JSON = "application/merge-patch+json", "application/json-patch+json", "application/json"
MAPS = "/api/v1/namespaces/conformance/configmaps"
SECRETS = "/api/v1/namespaces/conformance/secrets"
WIDGETS = "/apis/example.com/v1/widgets"
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
CONSTANT = {"kind": "ConfigMap", "apiVersion": "v1"}
WIDGET = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "widgets.example.com"},
    "spec": {
        "group": "example.com",
        "scope": "Cluster",
        "names": {"plural": "widgets", "singular": "widget", "kind": "Widget", "listKind": "WidgetList"},
        "versions": [
            {
                "name": "v1",
                "served": True,
                "storage": True,
                "schema": {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}},
            }
        ],
    },
}


def config_map(name: str, **metadata) -> dict:
    return {**CONSTANT, "metadata": {"name": name, **metadata}, "data": {"key": "value"}}


# Method, path, body, and content type, in this order: requests depend on the changes of earlier ones.
REQUESTS = [
    ("GET", "/version"),
    ("GET", "/api"),
    ("GET", "/apis"),
    ("GET", "/api/v1"),
    ("GET", "/apis/apps/v1"),
    ("GET", "/apis/none.example.com/v1"),
    ("GET", "/api/v1/namespaces/conformance"),
    ("POST", MAPS, config_map("early")),
    ("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "conformance"}}),
    ("POST", "/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "conformance"}}),
    ("GET", "/api/v1/namespaces/conformance"),
    ("GET", MAPS + "?labelSelector=app%3Dnone"),
    ("POST", MAPS, config_map("one", labels={"app": "one"})),
    ("POST", MAPS, config_map("one")),
    ("POST", MAPS, config_map("elsewhere", namespace="default")),
    ("POST", MAPS, {**CONSTANT, "metadata": {}}),
    ("POST", MAPS, "not an object"),
    ("POST", MAPS + "/one", config_map("one")),
    ("GET", MAPS + "/one"),
    ("GET", MAPS + "/none"),
    ("GET", MAPS + "?labelSelector=app%3Done"),
    ("GET", MAPS + "?labelSelector=app+in+(one,two)"),
    ("GET", MAPS + "?labelSelector=%21other,app"),
    ("GET", MAPS + "?fieldSelector=metadata.name%3Done"),
    ("GET", MAPS + "?limit=1&labelSelector=app"),
    ("GET", MAPS + "?limit=1&continue=nonsense"),
    ("PATCH", MAPS + "/one", {"data": {"more": "value", "key": None}}, MERGE),
    ("PATCH", MAPS + "/one", {"metadata": {"resourceVersion": "1"}, "data": {"stale": "x"}}, MERGE),
    ("PATCH", MAPS + "/one", [{"op": "add", "path": "/data/added", "value": "x"}], JSON_PATCH),
    ("PATCH", MAPS + "/one", [{"op": "test", "path": "/data/added", "value": "y"}], JSON_PATCH),
    ("PATCH", MAPS + "/one", {"data": {"key": "value"}}, "application/json"),
    ("PATCH", MAPS + "/none", {"data": {"key": "value"}}, MERGE),
    ("PUT", MAPS + "/one", config_map("one", labels={"app": "one"})),
    ("PUT", MAPS + "/one", config_map("one", resourceVersion="1")),
    ("GET", MAPS + "/one"),
    ("POST", SECRETS, {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"a": "YQ=="}}),
    ("PATCH", SECRETS + "/s", {"data": {"b": "Yg=="}}, MERGE),
    ("GET", SECRETS + "/s"),
    ("DELETE", SECRETS + "/s"),
    ("DELETE", SECRETS + "/s"),
    ("GET", WIDGETS),
    ("POST", DEFINITIONS, WIDGET),
    ("DELETE", MAPS + "/one"),
    ("DELETE", MAPS + "/none"),
    ("GET", "/api/v1/pods?fieldSelector=metadata.namespace%3Dconformance,status.phase%21%3DSucceeded"),
    ("GET", "/api/v1/nodes/none"),
    ("GET", "/api/v1/nothings"),
    ("GET", "/apis/security.openshift.io/v1/securitycontextconstraints/privileged"),
]

LABELLED = {"b": {"a": "b"}, "c": {"a": "c", "in": "in"}, "five": {"a": "5", "b": "1"}, "none": {}}
LABEL_SELECTORS = [
    *("", " ", "a", "!a", "a=b", "a == b", "a!=b", "a=", "a!=", "a in (b,c)", "a in(b)", "a notin (b)", "a in ()"),
    *("a in (,b)", "a in (b,,c)", "a\tin\n(b)", "in in (in)", "in", "!in", "a=in", "a>1,b<2", "example.com/a=b"),
    *("a in (b", "a in b", "a in", "a in (b) c", "a in (=)", "a=b=c", "a=b c", "a===b", "a=>1", "a>x", "a b", "a gt 5"),
    *("a,", ",a", ",", "=b", "!=b", "!", "!a=b", "! !a", "(a)", "a=b)", "in (b)"),
    *("-a", "a&b", "a/b/c", "a/=x", "é=b", "a=-x", "a=b/c", "a=*", "a in (b-)", "a>-1", "x" * 64, "a=" + "x" * 64),
]
FIELD_SELECTORS = ["metadata.name=", "metadata.name==x,", ",", "metadata.name", "metadata.name>1", "metadata.name!=b,c"]


@dataclass
class Server:
    """The real or the simulated API server."""

    endpoint: str
    token: str
    authority: str

    def send(self, method: str, path: str, body=None, content_type: str = JSON, token: str | None = None):
        """Return status and body of the response."""
        request = urllib.request.Request(
            self.endpoint + path,
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Bearer {token or self.token}", "Content-Type": content_type},
            method=method,
        )
        context = ssl.create_default_context(cafile=self.authority)
        try:
            with urllib.request.urlopen(request, context=context, timeout=30) as response:
                return response.status, response.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


@pytest.fixture(scope="module")
def servers(plane, tmp_path_factory) -> tuple[Server, Server]:
    directory = tmp_path_factory.mktemp("simulator")
    with simulated.running(Scenario(clusters=[ClusterPlan("c")]), directory) as simulator:
        kubeconfig = simulator.kubeconfig("c")
        endpoint = kubeconfig["clusters"][0]["cluster"]["server"]
        token = kubeconfig["users"][0]["user"]["token"]
        yield Server(plane.endpoint, ADMIN_TOKEN, str(plane.authority)), Server(endpoint, token, simulator.ca)


def essence(answer: tuple[int, str]) -> dict:
    """Return the parts of an answer that clients use: status, reason, kinds, names and data."""
    status, text = answer
    try:
        body = json.loads(text)
    except ValueError:
        return {"status": status, "text": text[:80]}
    found = {"status": status, **{key: body.get(key) for key in ("kind", "apiVersion", "reason", "code", "data")}}
    if "items" in body:
        found["items"] = sorted(one["metadata"]["name"] for one in body["items"])
        found["more"] = bool(body["metadata"].get("continue"))
    elif "metadata" in body and status < 300:
        found["metadata"] = {key: body["metadata"].get(key) for key in ("name", "namespace", "labels")}
        if found["metadata"]["labels"]:
            found["metadata"]["labels"].pop("kubernetes.io/metadata.name", None)
    return found


def test_both_servers_return_the_same_response_to_each_request(servers):
    differences = []
    for request in REQUESTS:
        real, simulated_answer = (essence(server.send(*request)) for server in servers)
        if real != simulated_answer:
            differences.append(f"{request[0]} {request[1]}\n  real:      {real}\n  simulated: {simulated_answer}")
    assert not differences, "\n" + "\n".join(differences)


@pytest.mark.parametrize(
    ("parameter", "selectors"), [("labelSelector", LABEL_SELECTORS), ("fieldSelector", FIELD_SELECTORS)]
)
def test_both_servers_select_the_same_objects_and_refuse_the_same_selectors(servers, parameter, selectors):
    real, other = (selected(server, parameter, selectors) for server in servers)

    assert other == real
    assert {status for status, _message, _names in real.values()} == {200, 400}


def test_client_refuses_exactly_the_label_selectors_that_the_server_refuses(servers):
    refused = []
    for one in LABEL_SELECTORS:
        try:
            label_selector([one], "label_selectors")
        except AzureMLError:
            refused.append(one)

    found = selected(servers[0], "labelSelector", LABEL_SELECTORS)
    assert refused == [one for one in LABEL_SELECTORS if found[one][0] == 400]


def selected(server: Server, parameter: str, selectors: list[str]) -> dict[str, tuple]:
    """Return status, message and names for each selector, of objects with different labels."""
    namespace = "selected"
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    server.send("POST", "/api/v1/namespaces", {"metadata": {"name": namespace}})
    for name, labels in LABELLED.items():
        server.send("POST", path, config_map(name, labels=labels))
    found = {}
    for one in selectors:
        status, text = server.send("GET", f"{path}?{urllib.parse.urlencode({parameter: one})}")
        body = json.loads(text)
        names = sorted(one["metadata"]["name"] for one in body.get("items", ()))
        # A real cluster adds a ConfigMap to each namespace.
        found[one] = (status, body.get("message"), [name for name in names if name != "kube-root-ca.crt"])
    return found


def test_both_servers_refuse_to_watch_an_invalid_selector(servers):
    path = "/api/v1/pods?watch=true&timeoutSeconds=1&labelSelector=a+in+(b"
    assert [server.send("GET", path)[0] for server in servers] == [400, 400]


def test_both_servers_refuse_an_unknown_token(servers):
    real, other = (essence(server.send("GET", MAPS, token="unknown")) for server in servers)
    assert real == other
    assert real["status"] == 401


def test_both_servers_send_the_same_events_of_a_watch(servers):
    seen = []
    for server in servers:
        server.send("POST", "/api/v1/namespaces", {"metadata": {"name": "watched"}})
        path = "/api/v1/namespaces/watched/configmaps"
        version = json.loads(server.send("GET", path)[1])["metadata"]["resourceVersion"]
        server.send("POST", path, config_map("w"))
        server.send("PATCH", f"{path}/w", {"data": {"key": "other"}}, MERGE)
        server.send("DELETE", f"{path}/w")
        text = server.send(
            "GET", f"{path}?watch=true&timeoutSeconds=2&fieldSelector=metadata.name%3Dw&resourceVersion={version}"
        )[1]
        events = [json.loads(line) for line in text.splitlines()]
        seen.append([(event["type"], event["object"]["kind"], event["object"]["data"]) for event in events])
    assert seen[0] == seen[1]
    assert [kind for kind, *rest in seen[0]] == ["ADDED", "MODIFIED", "DELETED"]


def test_both_servers_begin_a_watch_without_a_version_with_the_selected_objects(servers):
    for server in servers:
        server.send("POST", "/api/v1/namespaces", {"metadata": {"name": "selected"}})
        path = "/api/v1/namespaces/selected/configmaps"
        for name in ("a", "b"):
            server.send("POST", path, config_map(name))
        text = server.send("GET", f"{path}?watch=true&timeoutSeconds=1&fieldSelector=metadata.name%3Db")[1]
        events = [json.loads(line) for line in text.splitlines()]
        assert [(event["type"], event["object"]["metadata"]["name"]) for event in events] == [("ADDED", "b")]
