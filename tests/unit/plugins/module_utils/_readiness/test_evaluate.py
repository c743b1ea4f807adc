# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The readiness predicates, on objects as the Kubernetes API sends them."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._readiness.components import Component
from ansible_collections.azureml.arc.plugins.module_utils._readiness.evaluate import evaluate, last_seen, not_ready
from ansible_collections.azureml.arc.plugins.module_utils._readiness.pods import pod_row
from ansible_collections.azureml.arc.plugins.module_utils._readiness.workloads import component_row


def deployment(name="gateway", replicas=1, generation=1, spec=None, **status):
    return {
        "metadata": {"name": name, "generation": generation},
        "spec": {"replicas": replicas} if spec is None else spec,
        "status": {
            "observedGeneration": generation,
            "replicas": replicas,
            "updatedReplicas": replicas,
            "availableReplicas": replicas,
            **status,
        },
    }


def pod(name="gateway-1", phase="Running", ready=None, owner=None, containers=(), metadata=None, **status):
    conditions = status.pop("conditions", [])
    if ready is not None:
        conditions = [*conditions, {"type": "Ready", "status": str(ready)}]
    references = [{"kind": owner[0], "name": owner[1], "controller": True}] if owner else []
    return {
        "metadata": {"name": name, "ownerReferences": references, **(metadata or {})},
        "spec": {"nodeName": "node-0"},
        "status": {"phase": phase, "conditions": conditions, "containerStatuses": list(containers), **status},
    }


def waiting(reason, message="", **fields):
    return {"name": "main", "state": {"waiting": {"reason": reason, "message": message}}, **fields}


@pytest.mark.parametrize(
    ("workload", "reason"),
    [
        (deployment(), ""),
        (deployment(spec={}), ""),
        (deployment(generation=2, observedGeneration=1), "NotObserved"),
        (deployment(replicas=3, updatedReplicas=1), "RollingOut"),
        (deployment(replicas=2, availableReplicas=1), "Unavailable"),
        (deployment(replicas=0), "ScaledToZero"),
        (
            deployment(conditions=[{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]),
            "ProgressDeadlineExceeded",
        ),
        (
            deployment(
                conditions=[{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "quota"}]
            ),
            "FailedCreate",
        ),
        (deployment(conditions=[{"type": "ReplicaFailure", "status": "False", "reason": "x"}]), ""),
    ],
)
def test_deployment(workload, reason):
    row = component_row("Deployment", workload)
    assert (row["reason"], row["ready"]) == (reason, reason == "")


def test_deployment_with_old_replicas_is_rolling_out():
    workload = deployment()
    workload["status"]["replicas"] = 2
    assert component_row("Deployment", workload)["message"] == "1 old replicas are still there"


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({"desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 3}, ""),
        ({"desiredNumberScheduled": 3, "updatedNumberScheduled": 1, "numberAvailable": 3}, "RollingOut"),
        ({"desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 2}, "Unavailable"),
        ({"desiredNumberScheduled": 0}, ""),
    ],
)
def test_daemon_set(status, reason):
    assert component_row("DaemonSet", {"metadata": {"name": "d"}, "spec": {}, "status": status})["reason"] == reason


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({"readyReplicas": 1, "updatedReplicas": 1}, ""),
        ({"readyReplicas": 0, "updatedReplicas": 1}, "Unavailable"),
        ({"readyReplicas": 1, "updatedReplicas": 0}, "RollingOut"),
        ({}, "RollingOut"),
    ],
)
def test_stateful_set(status, reason):
    assert component_row("StatefulSet", {"metadata": {"name": "s"}, "spec": {}, "status": status})["reason"] == reason


@pytest.mark.parametrize(
    ("body", "ready", "reason", "message"),
    [
        (pod(ready=True), True, "", ""),
        (pod(phase="Succeeded"), True, "Completed", ""),
        (pod(phase="Pending"), False, "Pending", ""),
        (
            pod(phase="Pending", containers=[waiting("ImagePullBackOff", "Back-off pulling image")]),
            False,
            "ImagePullBackOff",
            "container main: Back-off pulling image",
        ),
        (
            pod(
                phase="Running",
                ready=False,
                containers=[
                    waiting(
                        "CrashLoopBackOff",
                        "back-off",
                        lastState={"terminated": {"exitCode": 1, "message": "no config"}},
                    )
                ],
            ),
            False,
            "CrashLoopBackOff",
            "container main: back-off (last: exit code 1, no config)",
        ),
        (
            pod(
                phase="Pending",
                conditions=[
                    {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no nodes"}
                ],
            ),
            False,
            "Unschedulable",
            "no nodes",
        ),
        (
            pod(
                phase="Pending",
                containers=[waiting("PodInitializing")],
                initContainerStatuses=[{**waiting("ErrImagePull"), "name": "init"}],
            ),
            False,
            "ErrImagePull",
            "container init",
        ),
        (
            pod(
                phase="Running",
                ready=False,
                conditions=[{"type": "Initialized", "status": "True"}],
                containers=[{"name": "main", "state": {"running": {}}}],
            ),
            False,
            "ContainersNotReady",
            "not all containers are ready",
        ),
        (pod(metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}), False, "Terminating", "the pod is being removed"),
        (pod(phase="Failed", owner=("Job", "j")), False, "Failed", ""),
        (pod(phase="Failed", reason="Evicted", message="disk", owner=("ReplicaSet", "r")), True, "Evicted", "disk"),
        (
            pod(
                phase="Failed", containers=[{"name": "m", "state": {"terminated": {"exitCode": 2, "reason": "Error"}}}]
            ),
            False,
            "Error",
            "",
        ),
        ({"metadata": {"name": "bare"}}, False, "Unknown", ""),
    ],
)
def test_pod(body, ready, reason, message):
    row = pod_row(body)
    assert (row["ready"], row["reason"], row["message"]) == (ready, reason, message)


def test_pod_counts_restarts():
    assert pod_row(pod(ready=True, containers=[{"restartCount": 2}, {"restartCount": 3}, {}]))["restarts"] == 5


def test_failed_try_of_a_job_that_succeeded_is_no_fault():
    tries = [pod("try-1", "Failed", owner=("Job", "check")), pod("try-2", "Succeeded", owner=("Job", "check"))]
    assert evaluate((), {}, tries).ready
    assert not evaluate((), {}, tries[:1]).ready


def test_no_pods_is_not_ready():
    verdict = evaluate((), {}, [])
    assert not verdict.ready
    assert verdict.problems() == ["there are no pods"]


def test_missing_components():
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
def test_pod_being_removed_is_no_fault_where_its_workload_has_its_replicas(owner, workload, ready):
    workloads = {(workload[0], workload[1]["metadata"]["name"]): workload[1]} if workload else {}
    verdict = evaluate((), workloads, [leaving(owner), pod(ready=True)])
    assert verdict.ready is ready
    assert verdict.pods[0]["reason"] == "Terminating"


def test_pod_of_a_stateful_set_that_is_being_removed_is_a_fault():
    """It is not replaced before it is gone, so its StatefulSet lacks a replica."""
    store = {"metadata": {"name": "store"}, "spec": {"replicas": 2}, "status": {"readyReplicas": 1}}
    verdict = evaluate((), {("StatefulSet", "store"): store}, [leaving(("StatefulSet", "store")), pod(ready=True)])
    assert not verdict.ready


def on_node(node, ready, **fields):
    return {**pod(f"agent-{node}", ready=ready, owner=("DaemonSet", "agent"), **fields), "spec": {"nodeName": node}}


def agents(last, down, status=None):
    workload = {"metadata": {"name": "agent"}, "spec": {}, "status": {**DAEMON_SET, **(status or {})}}
    pods = [on_node("n1", True), on_node("n2", True), last]
    return evaluate([Component("DaemonSet", "agent")], {("DaemonSet", "agent"): workload}, pods, down)


def test_pods_of_daemon_sets_on_nodes_that_are_down_are_a_warning():
    verdict = agents(on_node("n3", False), ["n3"])
    assert verdict.ready
    assert verdict.pods[2]["reason"] == "NodeNotReady"
    assert verdict.warnings() == ["node 'n3' is not ready; pods of DaemonSets there are left out: agent-n3"]
    assert not agents(on_node("n3", False), []).ready
    assert not agents(on_node("n3", False), ["n2"]).ready
    assert agents(on_node("n3", True), ["n3"], {"numberAvailable": 3}).warnings() == []


def test_pod_of_a_daemon_set_that_leaves_a_down_node_is_a_warning():
    assert agents(on_node("n3", False, metadata=DELETED), ["n3"], {"updatedNumberScheduled": 2}).ready


def test_down_node_excuses_as_many_replicas_as_it_has_pods():
    verdict = agents(on_node("n3", False), ["n3"], {"numberAvailable": 1})
    assert [row["reason"] for row in verdict.components] == ["Unavailable"]


def test_pods_of_other_workloads_on_down_nodes_are_a_fault_until_they_are_replaced():
    body = pod(ready=False, owner=("ReplicaSet", "gateway-5d9f"))
    assert not evaluate((), {("Deployment", "gateway"): deployment()}, [body], ["node-0"]).ready


def test_nodes_that_are_not_ready():
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
def test_event_is_dated_by_when_it_was_last_seen(event, expected):
    assert last_seen(event) == expected


def test_fraction_of_a_second_is_later_than_the_second():
    events = [{"eventTime": "2026-01-01T00:00:00.000001Z"}, {"lastTimestamp": "2026-01-01T00:00:00Z"}]
    assert sorted(events, key=last_seen) == events[::-1]
