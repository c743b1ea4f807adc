# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the AzureML extension's workloads run: Kubernetes objects in, a verdict out. Pure.

The rollout conditions are those of C(kubectl rollout status), see
https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status. Objects are plain dictionaries
as the API sends them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ansible_collections.azureml.arc.plugins.module_utils._core.text import printable
from ansible_collections.azureml.arc.plugins.module_utils._readiness.components import Component

# Controllers that replace a failed pod with a new one; what they left behind says nothing about their health.
REPLACING_CONTROLLERS = frozenset({"ReplicaSet", "DaemonSet", "StatefulSet", "ReplicationController"})


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

    def summary(self) -> str:
        pods_ready = sum(row["ready"] for row in self.pods)
        return (
            f"{self.components_ready} of {len(self.components)} components"
            f" and {pods_ready} of {len(self.pods)} pods are ready"
        )


def _explain(row: Mapping) -> str:
    return f"{row['reason']}: {row['message']}" if row["message"] else row["reason"]


def evaluate(expected: Iterable[Component], workloads: Mapping, pods: Iterable[Mapping]) -> Verdict:
    """Judge a namespace.

    :param expected: the components to look for; an optional one that does not exist gets no row.
    :param workloads: the namespace's Deployments, DaemonSets and StatefulSets by (kind, name).
    :param pods: every pod of the namespace.
    """
    components = []
    for component in expected:
        workload = workloads.get((component.kind, component.name))
        if workload is not None:
            components.append(component_row(component.kind, workload))
        elif component.required:
            components.append(
                _component(component.kind, component.name, 0, 0, "NotFound", "the workload does not exist")
            )
    pods = list(pods)
    finished_jobs = {
        owner
        for owner in (_controller(pod) for pod in pods if _phase(pod) == "Succeeded")
        if owner and owner[0] == "Job"
    }
    return Verdict(components, [pod_row(pod, finished_jobs) for pod in pods])


def component_row(kind: str, workload: Mapping) -> dict:
    """The row of a workload that exists."""
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
    if updated < desired:
        return row("RollingOut", f"{updated} of {desired} updated")
    if kind == "Deployment" and (status.get("replicas") or 0) > updated:
        return row("RollingOut", f"{status['replicas'] - updated} old replicas are still there")
    if ready < desired:
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


def pod_row(pod: Mapping, finished_jobs: Iterable = ()) -> dict:
    """The row of a pod.

    :param finished_jobs: controllers (kind, name) of Jobs that have a succeeded pod; a failed try of theirs is no
    fault.
    """
    reason, message, ready = _judge_pod(pod, finished_jobs)
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


def _judge_pod(pod: Mapping, finished_jobs: Iterable) -> tuple[str, str, bool]:
    status = pod.get("status") or {}
    phase = _phase(pod)
    if phase == "Succeeded":
        return "Completed", "", True
    if phase == "Failed":
        reason = status.get("reason") or _terminated_reason(status) or "Failed"
        controller = _controller(pod)
        replaced = controller is not None and (controller[0] in REPLACING_CONTROLLERS or controller in finished_jobs)
        return reason, status.get("message") or "", replaced
    if pod["metadata"].get("deletionTimestamp"):
        return "Terminating", "the pod is being removed", False
    if _condition(status, "Ready").get("status") == "True":
        return "", "", True
    reason, message = _waiting_reason(status)
    return reason, message, False


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


def _controller(pod: Mapping) -> tuple[str, str] | None:
    for owner in pod["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            return owner["kind"], owner["name"]
    return None
