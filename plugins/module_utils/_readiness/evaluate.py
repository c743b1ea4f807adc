# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the AzureML extension's workloads run: Kubernetes objects in, a verdict out. Pure.

The rollout conditions are those of C(kubectl rollout status), see
https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status. Objects are plain dictionaries
as the API sends them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ansible_collections.azureml.arc.plugins.module_utils._core.text import printable
from ansible_collections.azureml.arc.plugins.module_utils._readiness.components import Component

# Controllers that replace a failed pod with a new one; what they left behind says nothing about their health.
REPLACING_CONTROLLERS = frozenset({"ReplicaSet", "DaemonSet", "StatefulSet", "ReplicationController"})
# The reason of a row that is left out of the verdict because its node is down.
NODE_NOT_READY = "NodeNotReady"


@dataclass(frozen=True)
class Surroundings:
    """What else decides whether a pod that is not ready is a fault.

    :param finished_jobs: controllers (kind, name) of Jobs that have a succeeded pod; a failed try of theirs is none.
    :param complete: workloads (kind, name) that have their replicas; a pod of theirs that is being removed is none.
    :param down_nodes: nodes that are not ready; a pod of a DaemonSet there is none, for it cannot run elsewhere.
    """

    finished_jobs: frozenset = frozenset()
    complete: frozenset = frozenset()
    down_nodes: frozenset = frozenset()


@dataclass(frozen=True)
class Verdict:
    """The state of a namespace: a row a component, a row a pod, and whether all of it is ready."""

    components: list
    pods: list

    @property
    def ready(self) -> bool:
        return bool(self.pods) and all(row["ready"] for row in self.components + self.pods)

    @property
    def components_ready(self) -> int:
        return sum(row["ready"] for row in self.components)

    @property
    def only_missing_components(self) -> bool:
        """Whether nothing is wrong but that expected components do not exist."""
        waiting = [row for row in self.components + self.pods if not row["ready"]]
        return bool(self.pods) and bool(waiting) and all(row["reason"] == "NotFound" for row in waiting)

    def problems(self) -> list[str]:
        """A line for each component and pod that is not ready."""
        lines = [f"{row['kind']} {row['name']}: {_explain(row)}" for row in self.components if not row["ready"]] + [
            f"Pod {row['name']}: {_explain(row)}" for row in self.pods if not row["ready"]
        ]
        return lines or ([] if self.pods else ["there are no pods"])

    def warnings(self) -> list[str]:
        """A line for each node that is down and has pods which are left out of the verdict."""
        lost: dict = {}
        for row in self.pods:
            if row["reason"] == NODE_NOT_READY:
                lost.setdefault(row["node"], []).append(row["name"])
        return [
            f"node '{node}' is not ready; pods of DaemonSets there are left out: {', '.join(names)}"
            for node, names in sorted(lost.items())
        ]

    def summary(self) -> str:
        pods_ready = sum(row["ready"] for row in self.pods)
        return (
            f"{self.components_ready} of {len(self.components)} components"
            f" and {pods_ready} of {len(self.pods)} pods are ready"
        )


def _explain(row: Mapping) -> str:
    return f"{row['reason']}: {row['message']}" if row["message"] else row["reason"]


def evaluate(
    expected: Iterable[Component], workloads: Mapping, pods: Iterable[Mapping], down_nodes: Iterable[str] = ()
) -> Verdict:
    """Judge a namespace.

    :param expected: the components to look for; an optional one that does not exist gets no row.
    :param workloads: the namespace's Deployments, DaemonSets and StatefulSets by (kind, name).
    :param pods: every pod of the namespace.
    :param down_nodes: names of nodes that are not ready.
    """
    pods, down_nodes = list(pods), frozenset(down_nodes)
    lost = Counter(_controller(pod) for pod in pods if _is_lost(pod, down_nodes))
    rows = {key: component_row(key[0], workload, lost[key]) for key, workload in workloads.items()}
    components = []
    for component in expected:
        row = rows.get((component.kind, component.name))
        if row is not None:
            components.append(row)
        elif component.required:
            components.append(
                _component(component.kind, component.name, 0, 0, "NotFound", "the workload does not exist")
            )
    around = Surroundings(
        frozenset(owner for owner in map(_controller, filter(_has_succeeded, pods)) if owner and owner[0] == "Job"),
        frozenset(key for key, row in rows.items() if row["ready"]),
        down_nodes,
    )
    return Verdict(components, [pod_row(pod, around) for pod in pods])


def not_ready(nodes: Iterable[Mapping]) -> frozenset:
    """The names of the nodes that are not ready."""
    return frozenset(
        node["metadata"]["name"]
        for node in nodes
        if _condition(node.get("status") or {}, "Ready").get("status") != "True"
    )


def may_be_lost(pod: Mapping) -> bool:
    """Whether a pod is one of a DaemonSet that is not ready on its node, so that the node's state matters."""
    controller = _controller(pod)
    is_placed = bool((pod.get("spec") or {}).get("nodeName"))
    return is_placed and controller is not None and controller[0] == "DaemonSet" and not _is_ready(pod)


def _is_lost(pod: Mapping, down_nodes: frozenset) -> bool:
    return may_be_lost(pod) and pod["spec"]["nodeName"] in down_nodes


def component_row(kind: str, workload: Mapping, lost: int = 0) -> dict:
    """The row of a workload that exists.

    :param lost: how many of its pods are on nodes that are down, and therefore not asked for.
    """
    spec, status = workload.get("spec") or {}, workload.get("status") or {}
    name = workload["metadata"]["name"]
    desired, ready, updated = _COUNTS[kind](spec, status)

    def row(reason="", message=""):
        return _component(kind, name, desired, ready, reason, message)

    if (status.get("observedGeneration") or 0) < (workload["metadata"].get("generation") or 0):
        return row("NotObserved", "the controller has not seen the latest change yet")
    for condition in status.get("conditions") or ():
        failed_progress = condition.get("reason") == "ProgressDeadlineExceeded"
        replica_failure = condition.get("type") == "ReplicaFailure" and condition.get("status") == "True"
        if failed_progress or replica_failure:
            return row(condition.get("reason") or condition["type"], condition.get("message") or "")
    if kind != "DaemonSet" and desired == 0:
        return row("ScaledToZero", "it is scaled to zero replicas")
    if updated + lost < desired:
        return row("RollingOut", f"{updated} of {desired} updated")
    if kind == "Deployment" and (status.get("replicas") or 0) > updated:
        return row("RollingOut", f"{status['replicas'] - updated} old replicas are still there")
    if ready + lost < desired:
        return row("Unavailable", f"{ready} of {desired} available")
    return row()


def _component(kind, name, desired, ready_count, reason, message) -> dict:
    return {
        "kind": kind,
        "name": printable(name),
        "ready": not reason,
        "desired_replicas": desired,
        "ready_replicas": ready_count,
        "reason": printable(reason),
        "message": printable(message),
    }


def _replicas(spec: Mapping) -> int:
    return 1 if spec.get("replicas") is None else spec["replicas"]


# Of each kind: desired, ready and updated replicas.
_COUNTS = {
    "Deployment": lambda spec, status: (
        _replicas(spec),
        status.get("availableReplicas") or 0,
        status.get("updatedReplicas") or 0,
    ),
    "StatefulSet": lambda spec, status: (
        _replicas(spec),
        status.get("readyReplicas") or 0,
        status.get("updatedReplicas") or 0,
    ),
    "DaemonSet": lambda spec, status: (
        status.get("desiredNumberScheduled") or 0,
        status.get("numberAvailable") or 0,
        status.get("updatedNumberScheduled") or 0,
    ),
}


def pod_row(pod: Mapping, around: Surroundings = Surroundings()) -> dict:
    """The row of a pod."""
    reason, message, ready = _judge_pod(pod, around)
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    return {
        "name": printable(pod["metadata"]["name"]),
        "phase": printable(_phase(pod)),
        "ready": ready,
        "node": printable((pod.get("spec") or {}).get("nodeName")),
        "restarts": sum(status.get("restartCount") or 0 for status in statuses),
        "reason": printable(reason),
        "message": printable(message),
    }


def _judge_pod(pod: Mapping, around: Surroundings) -> tuple[str, str, bool]:
    status = pod.get("status") or {}
    phase = _phase(pod)
    if phase == "Succeeded":
        return "Completed", "", True
    if phase == "Failed":
        reason = status.get("reason") or _terminated_reason(status) or "Failed"
        controller = _controller(pod)
        replaced = controller is not None and (
            controller[0] in REPLACING_CONTROLLERS or controller in around.finished_jobs
        )
        return reason, status.get("message") or "", replaced
    if _is_lost(pod, around.down_nodes):
        return NODE_NOT_READY, f"node '{pod['spec']['nodeName']}' is not ready", True
    if pod["metadata"].get("deletionTimestamp"):
        return "Terminating", "the pod is being removed", _workload(pod) in around.complete
    if _is_ready(pod):
        return "", "", True
    reason, message = _waiting_reason(status)
    return reason, message, False


def _workload(pod: Mapping) -> tuple[str, str] | None:
    """The workload that a pod belongs to; a ReplicaSet has the name of its Deployment and a hash."""
    controller = _controller(pod)
    if controller and controller[0] == "ReplicaSet":
        return "Deployment", controller[1].rpartition("-")[0]
    return controller


def _is_ready(pod: Mapping) -> bool:
    return _condition(pod.get("status") or {}, "Ready").get("status") == "True"


def _has_succeeded(pod: Mapping) -> bool:
    return _phase(pod) == "Succeeded"


def _waiting_reason(status: Mapping) -> tuple[str, str]:
    scheduled = _condition(status, "PodScheduled")
    if scheduled.get("status") == "False":
        return scheduled.get("reason") or "Unschedulable", scheduled.get("message") or ""
    init_statuses = status.get("initContainerStatuses") or ()
    for container in [*init_statuses, *(status.get("containerStatuses") or ())]:
        waiting = (container.get("state") or {}).get("waiting")
        if waiting and waiting.get("reason") != "PodInitializing":
            return waiting.get("reason") or "Waiting", _waiting_message(container, waiting)
        terminated = (container.get("state") or {}).get("terminated")
        if terminated and terminated.get("exitCode"):
            return terminated.get("reason") or "Error", f"container {container['name']}: {_exit(terminated)}"
    not_ready = _condition(status, "Ready")
    if _phase({"status": status}) == "Running":
        return not_ready.get("reason") or "ContainersNotReady", not_ready.get(
            "message"
        ) or "not all containers are ready"
    return status.get("reason") or _phase({"status": status}), status.get("message") or ""


def _waiting_message(container: Mapping, waiting: Mapping) -> str:
    message = f"container {container['name']}"
    if waiting.get("message"):
        message += f": {waiting['message']}"
    last = (container.get("lastState") or {}).get("terminated")
    if last:
        message += f" (last: {_exit(last)})"
    return message


def _exit(terminated: Mapping) -> str:
    text = f"exit code {terminated.get('exitCode')}"
    if terminated.get("reason"):
        text = f"{terminated['reason']}, {text}"
    return f"{text}, {terminated['message']}" if terminated.get("message") else text


def _terminated_reason(status: Mapping) -> str:
    for container in status.get("containerStatuses") or ():
        terminated = (container.get("state") or {}).get("terminated")
        if terminated and terminated.get("exitCode"):
            return terminated.get("reason") or "Error"
    return ""


def _phase(pod: Mapping) -> str:
    return (pod.get("status") or {}).get("phase") or "Unknown"


def _condition(status: Mapping, kind: str) -> Mapping:
    return next((one for one in status.get("conditions") or () if one.get("type") == kind), {})


def last_seen(event: Mapping) -> str:
    """When an event was last seen, as text that sorts by time; empty where it does not say.

    Newer reporters count in C(series) and leave C(lastTimestamp) empty, see
    https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/.
    """
    times = (
        (event.get("series") or {}).get("lastObservedTime"),
        event.get("lastTimestamp"),
        event.get("eventTime"),
        (event.get("metadata") or {}).get("creationTimestamp"),
    )
    return next((str(time).rstrip("Z") for time in times if time), "")  # fractions of a second sort after none


def _controller(pod: Mapping) -> tuple[str, str] | None:
    for owner in pod["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            return owner["kind"], owner["name"]
    return None
