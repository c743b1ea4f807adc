# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evaluate whether a Deployment, DaemonSet or StatefulSet has its replicas. Pure.

The rollout conditions are those of C(kubectl rollout status), see
https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#deployment-status.
"""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.azureml.arc.plugins.module_utils._core.text import printable


def component_row(kind: str, workload: Mapping, lost: int = 0) -> dict:
    """Return the row of a workload that exists.

    :param lost: the number of its pods on nodes that are down, which do not count.
    """
    spec, status = workload.get("spec") or {}, workload.get("status") or {}
    name = workload["metadata"]["name"]
    desired, ready, updated = _counts(kind, spec, status)

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
        return row("RollingOut", f"{status['replicas'] - updated} old replicas still exist")
    if ready + lost < desired:
        return row("Unavailable", f"{ready} of {desired} available")
    return row()


def missing_row(kind: str, name: str) -> dict:
    """Return the row of a workload that does not exist."""
    return _component(kind, name, 0, 0, "NotFound", "the workload does not exist")


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


# The fields with the ready and the updated replicas, in the status of each kind.
_COUNTED = {
    "Deployment": ("availableReplicas", "updatedReplicas"),
    "StatefulSet": ("readyReplicas", "updatedReplicas"),
    "DaemonSet": ("numberAvailable", "updatedNumberScheduled"),
}


def _counts(kind: str, spec: Mapping, status: Mapping) -> tuple[int, int, int]:
    """Return the desired, ready and updated replicas."""
    ready, updated = (status.get(name) or 0 for name in _COUNTED[kind])
    if kind == "DaemonSet":
        return status.get("desiredNumberScheduled") or 0, ready, updated
    return 1 if spec.get("replicas") is None else spec["replicas"], ready, updated
