# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects as tables, the format that kubectl requests and prints.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/#receiving-resources-as-tables. Source of the
columns: pkg/printers/internalversion/printers.go in Kubernetes, without the columns of C(-o wide). Column Status only
knows a part of the reasons that Kubernetes shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

UNITS = (("d", 86400), ("h", 3600), ("m", 60))


def wants_table(accept: str) -> bool:
    """Return whether the C(Accept) header requests a table."""
    return any("as=Table" in one and "g=meta.k8s.io" in one and "v=v1;" in f"{one};" for one in accept.split(","))


def table(kind: str, objects: Sequence[Mapping[str, Any]], metadata: Mapping[str, Any], now: float) -> dict[str, Any]:
    """Return objects of one kind as a table.

    :param metadata: the metadata of the list.
    :param now: simulated seconds since 1970, for the age.
    """
    columns = COLUMNS.get(kind, ())
    names = ["Name", *(name for name, value in columns), "Age"]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": dict(metadata),
        "columnDefinitions": [
            {
                "name": name,
                "type": "string",
                "format": "name" if name == "Name" else "",
                "description": "",
                "priority": 0,
            }
            for name in names
        ],
        "rows": [
            {
                "cells": [one["metadata"]["name"], *(value(one) for name, value in columns), _age(one, now)],
                "object": {
                    "kind": "PartialObjectMetadata",
                    "apiVersion": "meta.k8s.io/v1",
                    "metadata": one["metadata"],
                },
            }
            for one in objects
        ],
    }


def _age(one: Mapping[str, Any], now: float) -> str:
    created = datetime.fromisoformat(one["metadata"]["creationTimestamp"].replace("Z", "+00:00"))
    seconds = max(0, int(now - created.timestamp()))
    for unit, length in UNITS:
        if seconds >= 2 * length:
            return f"{seconds // length}{unit}"
    return f"{seconds}s"


def _statuses(pod: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return pod.get("status", {}).get("containerStatuses", [])


def _ready_containers(pod: Mapping[str, Any]) -> str:
    ready = sum(bool(one.get("ready")) for one in _statuses(pod))
    return f"{ready}/{len(pod['spec'].get('containers', []))}"


def _pod_status(pod: Mapping[str, Any]) -> str:
    if pod["metadata"].get("deletionTimestamp"):
        return "Terminating"
    for one in _statuses(pod):
        state = one.get("state", {})
        reason = (state.get("waiting") or state.get("terminated") or {}).get("reason")
        if reason:
            return str(reason)
    return str(pod.get("status", {}).get("phase", "Unknown"))


def _replicas(one: Mapping[str, Any]) -> str:
    return f"{one.get('status', {}).get('readyReplicas', 0)}/{one['spec'].get('replicas', 1)}"


def _count(section: str, *keys: str) -> Callable[[Mapping[str, Any]], int]:
    return lambda one: next((one.get(section, {})[key] for key in keys if key in one.get(section, {})), 0)


def _node_status(node: Mapping[str, Any]) -> str:
    conditions = {one["type"]: one["status"] for one in node.get("status", {}).get("conditions", [])}
    ready = "Ready" if conditions.get("Ready") == "True" else "NotReady"
    return f"{ready},SchedulingDisabled" if node.get("spec", {}).get("unschedulable") else ready


COLUMNS: Mapping[str, Sequence[tuple[str, Callable[[Mapping[str, Any]], object]]]] = {
    "DaemonSet": (
        ("Desired", _count("status", "desiredNumberScheduled")),
        ("Ready", _count("status", "numberReady")),
        ("Available", _count("status", "numberAvailable", "numberReady")),
    ),
    "Deployment": (
        ("Ready", _replicas),
        ("Up-to-date", _count("status", "updatedReplicas", "replicas")),
        ("Available", _count("status", "availableReplicas")),
    ),
    "Namespace": (("Status", lambda one: one.get("status", {}).get("phase", "Active")),),
    "Node": (
        ("Status", _node_status),
        ("Version", lambda one: one.get("status", {}).get("nodeInfo", {}).get("kubeletVersion", "")),
    ),
    "Pod": (
        ("Ready", _ready_containers),
        ("Status", _pod_status),
        ("Restarts", lambda one: sum(status.get("restartCount", 0) for status in _statuses(one))),
    ),
    "StatefulSet": (("Ready", _replicas),),
}
