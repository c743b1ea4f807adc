# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evaluate whether a pod runs, or why not. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.azureml.arc.plugins.module_utils._core.text import printable
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.resources import condition, is_true

# Controllers that replace a failed pod with a new one, so failed pods do not affect their health.
REPLACING_CONTROLLERS = frozenset({"ReplicaSet", "DaemonSet", "StatefulSet", "ReplicationController"})
# The reasons of containers whose image cannot be pulled. Source: pkg/kubelet/images/types.go in Kubernetes.
IMAGE_PULL = ("ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull", "InvalidImageName", "RegistryUnavailable")
# The reason of a row that the verdict ignores because its node is down.
NODE_NOT_READY = "NodeNotReady"


@dataclass(frozen=True)
class PodContext:
    """The context that decides whether a pod that is not ready is a problem.

    :param finished_jobs: controllers (kind, name) of Jobs with a succeeded pod; their failed attempts are ignored.
    :param complete: workloads (kind, name) that have their replicas; their terminating pods are ignored.
    :param down_nodes: nodes that are not ready; DaemonSets' pods there, which cannot run elsewhere, are ignored.
    """

    finished_jobs: frozenset = frozenset()
    complete: frozenset = frozenset()
    down_nodes: frozenset = frozenset()


def pod_row(pod: Mapping, context: PodContext = PodContext()) -> dict:
    """Return the row of a pod."""
    reason, message, ready = _judge_pod(pod, context)
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


def _judge_pod(pod: Mapping, context: PodContext) -> tuple[str, str, bool]:
    status = pod.get("status") or {}
    phase = _phase(pod)
    if phase == "Succeeded":
        return "Completed", "", True
    if phase == "Failed":
        failures = [one for one in map(_failure, status.get("containerStatuses") or ()) if one]
        reason = status.get("reason") or (failures[0].get("reason") or "Error" if failures else "Failed")
        controller = controller_of(pod)
        replaced = controller is not None and (
            controller[0] in REPLACING_CONTROLLERS or controller in context.finished_jobs
        )
        return reason, status.get("message") or "", replaced
    if is_lost(pod, context.down_nodes):
        return NODE_NOT_READY, f"node '{pod['spec']['nodeName']}' is not ready", True
    if pod["metadata"].get("deletionTimestamp"):
        return "Terminating", "the pod is being removed", _workload(pod) in context.complete
    if is_true(pod, "Ready"):
        return "", "", True
    return (*_waiting_reason(pod), False)


def _workload(pod: Mapping) -> tuple[str, str] | None:
    """Return the workload that a pod belongs to; a ReplicaSet has the name of its Deployment and a hash."""
    controller = controller_of(pod)
    if controller and controller[0] == "ReplicaSet":
        return "Deployment", controller[1].rpartition("-")[0]
    return controller


def has_succeeded(pod: Mapping) -> bool:
    """Return whether all containers of a pod have succeeded."""
    return _phase(pod) == "Succeeded"


def _waiting_reason(pod: Mapping) -> tuple[str, str]:
    status, scheduled = pod.get("status") or {}, condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        return scheduled.get("reason") or "Unschedulable", scheduled.get("message") or ""
    init_statuses = status.get("initContainerStatuses") or ()
    for container in [*init_statuses, *(status.get("containerStatuses") or ())]:
        waiting = (container.get("state") or {}).get("waiting")
        if waiting and waiting.get("reason") != "PodInitializing":
            return waiting.get("reason") or "Waiting", _waiting_message(container, waiting)
        failure = _failure(container)
        if failure:
            return failure.get("reason") or "Error", f"container {container['name']}: {_exit(failure)}"
    if _phase(pod) != "Running":
        return status.get("reason") or _phase(pod), status.get("message") or ""
    ready = condition(pod, "Ready")
    return ready.get("reason") or "ContainersNotReady", ready.get("message") or "not all containers are ready"


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


def _failure(container: Mapping) -> Mapping | None:
    """Return how a container has failed; C(None) if it runs or has succeeded."""
    terminated = (container.get("state") or {}).get("terminated") or {}
    return terminated if terminated.get("exitCode") else None


def _phase(pod: Mapping) -> str:
    return (pod.get("status") or {}).get("phase") or "Unknown"


def may_be_lost(pod: Mapping) -> bool:
    """Return whether a pod is a DaemonSet's pod that is not ready, so that the state of its node matters."""
    controller = controller_of(pod)
    is_placed = bool((pod.get("spec") or {}).get("nodeName"))
    return is_placed and controller is not None and controller[0] == "DaemonSet" and not is_true(pod, "Ready")


def is_lost(pod: Mapping, down_nodes: frozenset) -> bool:
    """Return whether a pod is a DaemonSet's pod that is not ready because its node is down."""
    return may_be_lost(pod) and pod["spec"]["nodeName"] in down_nodes


def controller_of(pod: Mapping) -> tuple[str, str] | None:
    """Return the controller that has created a pod, as (kind, name)."""
    for owner in pod["metadata"].get("ownerReferences") or ():
        if owner.get("controller"):
            return owner["kind"], owner["name"]
    return None
