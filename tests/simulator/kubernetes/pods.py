# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Statuses of pods, and events about pods.

Source: https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.clock import Clock

IMAGE = "mcr.microsoft.com/azureml/amlarc/docker"


def conditions(ready: bool = False) -> list[dict[str, str]]:
    return [
        {"type": "PodScheduled", "status": "True"},
        {"type": "Ready", "status": str(ready)},
    ]


def warning(namespace: str, pod: str, reason: str, message: str, clock: Clock) -> dict[str, Any]:
    """Return an event about a pod."""
    return {
        "metadata": {"name": f"{pod}.{reason.lower()}", "namespace": namespace},
        "type": "Warning",
        "reason": reason,
        "message": message,
        "involvedObject": {"kind": "Pod", "name": pod, "namespace": namespace},
        "lastTimestamp": clock.timestamp(),
    }


def status(
    phase: str, component: str, state: Mapping[str, Any], ready: bool = False, restarts: int = 0
) -> dict[str, Any]:
    container = {"name": component, "ready": ready, "restartCount": restarts, "state": state}
    return {"phase": phase, "conditions": conditions(ready=ready), "containerStatuses": [container]}


def pending() -> dict[str, Any]:
    return {"phase": "Pending", "conditions": []}


def creating(component: str) -> dict[str, Any]:
    return status("Pending", component, {"waiting": {"reason": "ContainerCreating"}})


def running(component: str) -> dict[str, Any]:
    return status("Running", component, {"running": {}}, ready=True)


def _image_pull(component: str) -> dict[str, Any]:
    message = f'Back-off pulling image "{IMAGE}/{component}:1.1.61"'
    return status("Pending", component, {"waiting": {"reason": "ImagePullBackOff", "message": message}})


def _crash_loop(component: str) -> dict[str, Any]:
    message = f"back-off 5m0s restarting failed container={component}"
    found = status("Running", component, {"waiting": {"reason": "CrashLoopBackOff", "message": message}}, restarts=7)
    found["containerStatuses"][0]["lastState"] = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    return found


def unschedulable(message: str) -> dict[str, Any]:
    """Return the status of a pod that cannot be scheduled.

    :param message: the message of the scheduler.
    """
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    return {"phase": "Pending", "conditions": [condition]}


def _unschedulable(component: str) -> dict[str, Any]:
    return unschedulable("0/1 nodes are available: 1 Insufficient cpu.")


FAILURES = {
    "ImagePullBackOff": _image_pull,
    "CrashLoopBackOff": _crash_loop,
    "Unschedulable": _unschedulable,
}
