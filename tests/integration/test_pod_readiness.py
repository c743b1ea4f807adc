# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M(azureml.arc.pod_readiness) against the simulator's Kubernetes, through the official client."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes import client as kubernetes_client
from ansible_collections.azureml.arc.plugins.modules.extension import SPEC as EXTENSION
from ansible_collections.azureml.arc.plugins.modules.pod_readiness import SPEC
from support import ModuleFailedError, requests_to


@pytest.fixture
def install(run_module, simulator, arc):
    """Install the extension, with or without a wait, and with faults of its pods."""

    def run(wait=True, **plan):
        if plan:
            simulator.change_plan(arc, install={"seconds": 30, **plan})
        run_module(EXTENSION, resource_group="rg-edge", cluster_name=arc, workload_profile="training", wait=wait)

    return run


@pytest.fixture
def check(run_module, simulator, arc):
    """Run the module with the cluster's kubeconfig."""

    def run(**options):
        return run_module(SPEC, **{"kubeconfig": simulator.kubeconfigs[arc], "workload_profile": "training", **options})

    return run


def read(simulator) -> list[str]:
    """Return the kinds of the objects that were read, in order."""
    return [one["path"].rsplit("/", 1)[-1] for one in simulator.journal()]


def test_waits_until_the_last_pod_is_ready(install, check):
    install(wait=False, seconds=120)

    result = check(wait_timeout=30)

    assert result["ready"]
    assert {row["name"] for row in result["components"]} >= {
        "relayserver",
        "aml-operator",
        "prometheus-prom-prometheus",
    }
    assert all(row["ready"] for row in result["components"] + result["pods"])
    assert result["summary"] == "10 of 10 components and 10 of 10 pods are ready"


def test_ready_pods_take_three_requests(install, check, simulator):
    install()
    simulator.clear_journal()

    check()

    assert read(simulator) == ["deployments", "statefulsets", "pods"]


def test_wait_watches_the_pods_instead_of_polling(install, check, simulator):
    install(wait=False, seconds=300)
    simulator.clear_journal()

    check(wait_timeout=60)

    watches = [one for one in simulator.journal() if one["query"].get("watch", "").lower() == "true"]
    lists = requests_to(simulator, "GET", "/pods")
    assert 1 <= len(watches) <= 3
    assert len(lists) <= len(watches) + 4
    # A pod that was created after the watched ones were ready is in the result, too: workloads are read before pods.
    assert read(simulator)[-3:] == ["deployments", "statefulsets", "pods"]


@pytest.mark.parametrize(
    ("failure_reason", "component", "explanation"),
    [
        ("ImagePullBackOff", "relayserver", "ImagePullBackOff: container relayserver: Back-off pulling image"),
        (
            "CrashLoopBackOff",
            "gateway",
            "CrashLoopBackOff: container gateway: back-off 5m0s .*OOMKilled, exit code 137",
        ),
        ("Unschedulable", "aml-operator", "Unschedulable: 0/1 nodes are available: 1 Insufficient cpu."),
    ],
)
def test_pod_failure_is_explained(install, check, failure_reason, component, explanation):
    install(pods={component: failure_reason})

    with pytest.raises(
        ModuleFailedError, match=rf"9 of 10 components and 9 of 10 pods are ready; .*{explanation}"
    ) as failure:
        check(wait_timeout=2)

    result = failure.value.result
    (component_row,) = [row for row in result["components"] if not row["ready"]]
    (pod_row,) = [row for row in result["pods"] if not row["ready"]]
    assert (component_row["name"], component_row["reason"]) == (component, "Unavailable")
    assert pod_row["reason"] == failure_reason
    assert result["error"]["code"] == "NotReady"


def test_failed_health_check_is_decoded(install, check):
    report = "Status: Passed Name: info\nStatus: Failed Name: node ErrorCode: E40002 ErrorMessage: Only 1 node is ready"
    install(health_check=report)

    result = check(wait=False)

    (row,) = result["health_check"]
    assert (row["code"], row["title"], row["blocking"]) == ("E40002", "INSUFFICIENT_NODE", True)
    assert result["problems"][0].startswith("Health check pre-install, node: E40002 INSUFFICIENT_NODE: Only 1 node")


def test_unready_pods_are_reported_without_wait(install, check):
    install(pods={"relayserver": "ImagePullBackOff"})

    result = check(wait=False)

    assert not result["ready"]
    assert len(result["problems"]) == 2


def test_namespace_without_pods_is_not_ready(check):
    result = check(wait=False)

    assert not result["ready"]
    assert "Deployment relayserver: NotFound: the workload does not exist" in result["problems"]
    assert check(wait=False, components=[])["problems"] == ["there are no pods"]


def test_components_can_be_set(install, check):
    install()

    components = [
        {"name": "relayserver"},
        {"name": "not-there", "required": False},
        {"kind": "DaemonSet", "name": "fluent-bit"},
    ]
    result = check(components=components, wait=False)

    assert [(row["name"], row["reason"]) for row in result["components"]] == [
        ("relayserver", ""),
        ("fluent-bit", "NotFound"),
    ]
    assert result["component_table"] == "components option"


def test_missing_component_without_other_problems_names_the_option_that_lists_components(install, check):
    install()

    components = [{"name": "relayserver"}, {"name": "absent"}]
    with pytest.raises(ModuleFailedError, match="All other pods are ready.*set components to those that it contains"):
        check(components=components, wait_timeout=1)


def test_inline_kubeconfig_and_context_are_used(install, check, simulator, arc):
    install()
    content = simulator.kubeconfig(arc)

    assert check(kubeconfig=json.dumps(content), context=arc, wait=False)["ready"]
    with pytest.raises(ModuleFailedError, match="kubeconfig: no cluster can be read from it: .*other"):
        check(kubeconfig=json.dumps(content), context="other", wait=False)


def test_host_and_api_key_are_read_from_the_environment(install, run_module, simulator, arc, monkeypatch):
    install()
    content = simulator.kubeconfig(arc)
    monkeypatch.setenv("K8S_AUTH_HOST", content["clusters"][0]["cluster"]["server"])
    monkeypatch.setenv("K8S_AUTH_API_KEY", content["users"][0]["user"]["token"])
    monkeypatch.setenv("K8S_AUTH_SSL_CA_CERT", simulator.ca)

    assert run_module(SPEC, workload_profile="training", wait=False)["ready"]


def test_credentials_leave_no_file_behind(install, check, simulator, arc, tmp_path):
    install()
    check(kubeconfig=Path(simulator.kubeconfigs[arc]).read_text(), wait=False)

    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_closed_watch_is_restarted(install, check, simulator, arc):
    install(wait=False, seconds=240)
    simulator.add_fault(method="GET", path=f"{arc}/api/v1/namespaces/azureml/pods", cut="reset", times=1)

    assert check(wait_timeout=60)["ready"]


def test_watch_that_fails_repeatedly_restarts_with_pauses(install, check, simulator, arc):
    install(pods={"gateway": "Unschedulable"})
    simulator.clear_journal()
    simulator.add_fault(path=f"{arc}/api/v1/namespaces/azureml/pods", query="watch", status=500)

    with pytest.raises(ModuleFailedError, match="Unschedulable"):
        check(wait_timeout=3)
    assert len(requests_to(simulator, "GET", "/pods")) < 30


def test_wait_ends_at_the_timeout(check):
    start = time.monotonic()

    with pytest.raises(ModuleFailedError, match="waited at most 2 seconds"):
        check(wait_timeout=2)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("option", ["host", "api_key"])
def test_option_overrides_the_kubeconfig(check, simulator, arc, option):
    """Test several requests: the client reads the kubeconfig again before each one."""
    kubeconfig = simulator.kubeconfig(arc)
    place, key, wrong = {
        "host": (kubeconfig["clusters"][0]["cluster"], "server", "https://localhost:9"),
        "api_key": (kubeconfig["users"][0]["user"], "token", "expired"),
    }[option]
    right, place[key] = place[key], wrong

    result = check(kubeconfig=json.dumps(kubeconfig), wait=False, **{option: right})

    assert not result["ready"]
    assert len(requests_to(simulator, "GET", "/kubernetes/")) > 2


def test_expired_pages_are_read_again_in_one_request(install, check, simulator, monkeypatch):
    """The server answers the second page with C(410) because the version of the list has expired."""
    install()
    monkeypatch.setattr(kubernetes_client, "PAGE_SIZE", 4)
    expired = (
        '{"kind": "Status", "reason": "Expired", "message": "The provided continue parameter is too old", "code": 410}'
    )
    simulator.add_fault(path="/pods$", query="continue", status=410, body=expired, times=1)

    result = check()

    assert result["summary"] == "10 of 10 components and 10 of 10 pods are ready"
    reads = [one["query"] for one in requests_to(simulator, "GET", "/namespaces/azureml/pods")]
    assert ["continue" in query for query in reads] == [False, True, False]
    assert "limit" not in reads[2]


@pytest.fixture
def lost_node(install, create, kube, arc):
    """Create a node that is down, with a pod of a DaemonSet and a pod of a Deployment that is being replaced."""
    install()
    nodes = kube(arc).resources.get(api_version="v1", kind="Node")
    down = {"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}
    nodes.patch(name="node-2", body=down, content_type="application/merge-patch+json")
    status = {"phase": "Running", "conditions": [{"type": "Ready", "status": "False"}]}
    spec = {"nodeName": "node-2", "containers": [{"name": "c"}]}
    for name, kind, owner, deleted in (
        ("fluent-bit-x", "DaemonSet", "fluent-bit", {}),
        ("gateway-0a1b-x", "ReplicaSet", "gateway-0a1b", {"deletionTimestamp": "2026-01-01T00:00:00Z"}),
    ):
        owners = [{"apiVersion": "apps/v1", "kind": kind, "name": owner, "uid": owner, "controller": True}]
        metadata = {"ownerReferences": owners, "labels": {"app": owner}, **deleted}
        create(arc, "v1", "Pod", name, "azureml", metadata=metadata, spec=spec, status=status)


def test_lost_node_is_a_warning(check, lost_node):
    result = check(wait_timeout=5)
    assert result["ready"]
    assert result["warnings"] == ["node 'node-2' is not ready; pods of its DaemonSets are ignored: fluent-bit-x"]
    rows = {row["name"]: (row["ready"], row["reason"]) for row in result["pods"]}
    assert rows["fluent-bit-x"] == (True, "NodeNotReady")
    assert rows["gateway-0a1b-x"] == (True, "Terminating")


def test_missing_permission_for_nodes_is_a_warning(check, lost_node, simulator, arc):
    simulator.change_plan(arc, forbidden=["list nodes"])
    result = check(wait=False)
    assert not result["ready"]
    assert "The account may not list nodes" in result["warnings"][0]
    assert [row["name"] for row in result["pods"] if not row["ready"]] == ["fluent-bit-x"]


def test_latest_event_explains_a_pod(check, create, arc):
    """Newer event sources set eventTime and leave lastTimestamp empty."""
    create(arc, "v1", "Namespace", "azureml")
    create(arc, "v1", "Pod", "late", "azureml", spec={"containers": []}, status={"phase": "Pending"})
    about = {"type": "Warning", "involvedObject": {"kind": "Pod", "name": "late", "namespace": "azureml"}}
    times = {"b": {"lastTimestamp": "2026-01-01T00:00:00Z"}, "a": {"eventTime": "2026-01-02T00:00:00.000000Z"}}
    for name, time_of in times.items():
        create(
            arc, "v1", "Event", name, "azureml", reason=name, message="m", **{"lastTimestamp": None, **about, **time_of}
        )
    assert [row["message"] for row in check(wait=False)["pods"]] == ["a: m"]
