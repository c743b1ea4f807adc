# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The readiness of a cluster, from objects in the form of the Kubernetes API."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._readiness.components import Component
from ansible_collections.azureml.arc.plugins.module_utils._readiness.evaluate import evaluate, last_seen, not_ready
from workloads import deployment, pod


def test_failed_pod_of_a_job_that_succeeded_later_is_ready():
    tries = [pod("try-1", "Failed", owner=("Job", "check")), pod("try-2", "Succeeded", owner=("Job", "check"))]
    assert evaluate((), {}, tries).ready
    assert not evaluate((), {}, tries[:1]).ready


def test_cluster_without_pods_is_not_ready():
    verdict = evaluate((), {}, [])
    assert not verdict.ready
    assert verdict.problems() == ["there are no pods"]


def test_missing_required_component_is_a_problem():
    expected = [Component("Deployment", "gateway"), Component("DaemonSet", "fluent-bit", required=False)]
    verdict = evaluate(expected, {}, [pod(ready=True)])
    assert not verdict.ready
    assert verdict.only_missing_components
    assert [row["name"] for row in verdict.components] == ["gateway"]
    assert verdict.problems() == ["Deployment gateway: NotFound: the workload does not exist"]
    assert verdict.summary() == "0 of 1 components and 1 of 1 pods are ready"


def test_optional_component_that_exists_must_be_ready():
    expected = [Component("Deployment", "gateway", required=False)]
    workloads = {("Deployment", "gateway"): deployment(availableReplicas=0)}
    verdict = evaluate(expected, workloads, [pod(ready=True)])
    assert not verdict.ready
    assert not verdict.only_missing_components


DELETED = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
DAEMON_SET = {"desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 2}


def leaving(owner, node="n3"):
    body = pod("gateway-0", ready=False, owner=owner, metadata=DELETED)
    return {**body, "spec": {"nodeName": node}}


@pytest.mark.parametrize(
    ("owner", "workload", "ready"),
    [
        (("ReplicaSet", "gateway-5d9f"), ("Deployment", deployment()), True),
        (("ReplicaSet", "gateway-5d9f"), ("Deployment", deployment(availableReplicas=0)), False),
        (("ReplicaSet", "gateway-5d9f"), ("Deployment", deployment(name="other")), False),
        (("ReplicaSet", "gateway-5d9f"), None, False),
        (("Job", "gateway"), ("Deployment", deployment()), False),
        (None, ("Deployment", deployment()), False),
    ],
)
def test_terminating_pod_is_ignored_if_its_workload_has_all_replicas(owner, workload, ready):
    workloads = {(workload[0], workload[1]["metadata"]["name"]): workload[1]} if workload else {}
    verdict = evaluate((), workloads, [leaving(owner), pod(ready=True)])
    assert verdict.ready is ready
    assert verdict.pods[0]["reason"] == "Terminating"


def test_terminating_pod_of_a_stateful_set_is_not_ready():
    """A StatefulSet does not replace a pod before it is deleted, so it lacks a replica."""
    store = {"metadata": {"name": "store"}, "spec": {"replicas": 2}, "status": {"readyReplicas": 1}}
    verdict = evaluate((), {("StatefulSet", "store"): store}, [leaving(("StatefulSet", "store")), pod(ready=True)])
    assert not verdict.ready


def on_node(node, ready, **fields):
    return {**pod(f"agent-{node}", ready=ready, owner=("DaemonSet", "agent"), **fields), "spec": {"nodeName": node}}


def agents(last, down, status=None):
    workload = {"metadata": {"name": "agent"}, "spec": {}, "status": {**DAEMON_SET, **(status or {})}}
    pods = [on_node("n1", True), on_node("n2", True), last]
    return evaluate([Component("DaemonSet", "agent")], {("DaemonSet", "agent"): workload}, pods, down)


def test_pods_of_daemon_sets_on_down_nodes_are_a_warning():
    verdict = agents(on_node("n3", False), ["n3"])
    assert verdict.ready
    assert verdict.pods[2]["reason"] == "NodeNotReady"
    assert verdict.warnings() == ["node 'n3' is not ready; pods of its DaemonSets are ignored: agent-n3"]
    assert not agents(on_node("n3", False), []).ready
    assert not agents(on_node("n3", False), ["n2"]).ready
    assert agents(on_node("n3", True), ["n3"], {"numberAvailable": 3}).warnings() == []


def test_terminating_pod_of_a_daemon_set_on_a_down_node_is_a_warning():
    assert agents(on_node("n3", False, metadata=DELETED), ["n3"], {"updatedNumberScheduled": 2}).ready


def test_down_node_accounts_only_for_the_replicas_of_its_pods():
    verdict = agents(on_node("n3", False), ["n3"], {"numberAvailable": 1})
    assert [row["reason"] for row in verdict.components] == ["Unavailable"]


def test_pods_of_other_workloads_on_down_nodes_are_not_ready():
    body = pod(ready=False, owner=("ReplicaSet", "gateway-5d9f"))
    assert not evaluate((), {("Deployment", "gateway"): deployment()}, [body], ["node-0"]).ready


def test_node_is_ready_only_with_condition_ready_true():
    def node(name, *conditions):
        return {"metadata": {"name": name}, "status": {"conditions": list(conditions)}}

    states = [{"type": "Ready", "status": status} for status in ("True", "False", "Unknown")]
    nodes = [node(one["status"], {"type": "DiskPressure", "status": "True"}, one) for one in states]
    assert not_ready([*nodes, node("new")]) == {"False", "Unknown", "new"}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"series": {"lastObservedTime": "4Z"}, "lastTimestamp": "3Z", "eventTime": "2Z"}, "4"),
        ({"series": None, "lastTimestamp": "3Z", "eventTime": "2Z"}, "3"),
        ({"lastTimestamp": None, "eventTime": "2Z", "metadata": {"creationTimestamp": "1Z"}}, "2"),
        ({"lastTimestamp": None, "eventTime": None, "metadata": {"creationTimestamp": "1Z"}}, "1"),
        ({}, ""),
    ],
)
def test_event_has_the_time_of_its_last_occurrence(event, expected):
    assert last_seen(event) == expected


def test_time_with_a_fraction_sorts_after_the_whole_second():
    events = [{"eventTime": "2026-01-01T00:00:00.000001Z"}, {"lastTimestamp": "2026-01-01T00:00:00Z"}]
    assert sorted(events, key=last_seen) == events[::-1]
