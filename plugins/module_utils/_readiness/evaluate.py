# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evaluate whether the AzureML extension's workloads run, by Kubernetes objects. Pure.

Objects are plain dictionaries as in responses of the API.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.resources import is_true
from ansible_collections.azureml.arc.plugins.module_utils._readiness.components import Component
from ansible_collections.azureml.arc.plugins.module_utils._readiness.pods import (
    NODE_NOT_READY,
    PodContext,
    controller_of,
    has_succeeded,
    is_lost,
    pod_row,
)
from ansible_collections.azureml.arc.plugins.module_utils._readiness.workloads import component_row, missing_row


@dataclass(frozen=True)
class Verdict:
    """The state of a namespace: a row for each component and pod, and whether all are ready."""

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
        """Whether missing components are the only problem."""
        waiting = [row for row in self.components + self.pods if not row["ready"]]
        return bool(self.pods) and bool(waiting) and all(row["reason"] == "NotFound" for row in waiting)

    def problems(self) -> list[str]:
        """Return a line for each component and pod that is not ready."""
        lines = [f"{row['kind']} {row['name']}: {_explain(row)}" for row in self.components if not row["ready"]] + [
            f"Pod {row['name']}: {_explain(row)}" for row in self.pods if not row["ready"]
        ]
        return lines or ([] if self.pods else ["there are no pods"])

    def warnings(self) -> list[str]:
        """Return a line for each node that is down and has pods that the verdict ignores."""
        lost: dict = {}
        for row in self.pods:
            if row["reason"] == NODE_NOT_READY:
                lost.setdefault(row["node"], []).append(row["name"])
        return [
            f"node '{node}' is not ready; pods of its DaemonSets are ignored: {', '.join(names)}"
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
    """Evaluate a namespace.

    :param expected: the expected components; an optional one that does not exist has no row.
    :param workloads: the namespace's Deployments, DaemonSets and StatefulSets by (kind, name).
    :param pods: every pod of the namespace.
    :param down_nodes: names of nodes that are not ready.
    """
    pods, down_nodes = list(pods), frozenset(down_nodes)
    lost = Counter(controller_of(pod) for pod in pods if is_lost(pod, down_nodes))
    rows = {key: component_row(key[0], workload, lost[key]) for key, workload in workloads.items()}
    components = []
    for component in expected:
        row = rows.get((component.kind, component.name))
        if row is not None:
            components.append(row)
        elif component.required:
            components.append(missing_row(component.kind, component.name))
    context = PodContext(
        frozenset(owner for owner in map(controller_of, filter(has_succeeded, pods)) if owner and owner[0] == "Job"),
        frozenset(key for key, row in rows.items() if row["ready"]),
        down_nodes,
    )
    return Verdict(components, [pod_row(pod, context) for pod in pods])


def not_ready(nodes: Iterable[Mapping]) -> frozenset:
    """Return the names of the nodes that are not ready."""
    return frozenset(node["metadata"]["name"] for node in nodes if not is_true(node, "Ready"))


def last_seen(event: Mapping) -> str:
    """Return when an event was last seen, as text that sorts by time; empty if unknown.

    Newer reporters count in C(series) and leave C(lastTimestamp) empty, see
    https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/.
    """
    times = (
        (event.get("series") or {}).get("lastObservedTime"),
        event.get("lastTimestamp"),
        event.get("eventTime"),
        (event.get("metadata") or {}).get("creationTimestamp"),
    )
    return next((str(time).rstrip("Z") for time in times if time), "")  # fractions of a second sort last
