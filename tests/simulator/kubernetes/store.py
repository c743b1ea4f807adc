# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects of a cluster, their versions and their changes."""

from __future__ import annotations

import asyncio
import copy
import uuid
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from simulator.clock import Clock

HISTORY = 5000  # changes that a watch can resume from


@dataclass(frozen=True)
class Resource:
    """A kind of object as the API serves it."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version


BUILT_IN = (
    Resource("", "v1", "namespaces", "Namespace", namespaced=False),
    Resource("", "v1", "nodes", "Node", namespaced=False),
    Resource("", "v1", "pods", "Pod"),
    Resource("", "v1", "events", "Event"),
    Resource("", "v1", "secrets", "Secret"),
    Resource("", "v1", "configmaps", "ConfigMap"),
    Resource("", "v1", "services", "Service"),
    Resource("apps", "v1", "deployments", "Deployment"),
    Resource("apps", "v1", "statefulsets", "StatefulSet"),
    Resource("apps", "v1", "daemonsets", "DaemonSet"),
    Resource("apps", "v1", "replicasets", "ReplicaSet"),
    Resource("batch", "v1", "jobs", "Job"),
    Resource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", namespaced=False),
    Resource("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False),
    Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding"),
    Resource("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition", namespaced=False),
)


# Only OpenShift serves it.
SECURITY_CONTEXT_CONSTRAINTS = Resource(
    "security.openshift.io", "v1", "securitycontextconstraints", "SecurityContextConstraints", namespaced=False
)


@dataclass(frozen=True)
class Change:
    """One change, as a watch reports it."""

    version: int
    type: str  # ADDED, MODIFIED or DELETED
    resource: Resource
    object: Mapping[str, Any]


class Store:
    """All objects of one cluster. Not thread-safe: one event loop uses it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._objects: dict[tuple[Resource, str, str], dict[str, Any]] = {}
        self._history: deque[Change] = deque(maxlen=HISTORY)
        self._changed = asyncio.Condition()
        self._resources = {(one.group, one.version, one.plural): one for one in BUILT_IN}
        self.version = 1

    def resources(self) -> list[Resource]:
        return list(self._resources.values())

    def resource(self, group: str, version: str, plural: str) -> Resource | None:
        return self._resources.get((group, version, plural))

    def kind(self, kind: str) -> Resource:
        """Return the built-in resource of a kind."""
        return next(one for one in BUILT_IN if one.kind == kind)

    def get(self, resource: Resource, namespace: str, name: str) -> dict[str, Any] | None:
        return self._objects.get((resource, namespace, name))

    def list(self, resource: Resource, namespace: str = "") -> list[dict[str, Any]]:
        """Return objects, ordered by namespace and name.

        :param namespace: empty for all namespaces.
        """
        found = [
            (key, body)
            for key, body in self._objects.items()
            if key[0] == resource and (not namespace or key[1] == namespace)
        ]
        return [body for key, body in sorted(found, key=lambda pair: pair[0][1:])]

    async def put(self, resource: Resource, body: Mapping[str, Any]) -> dict[str, Any]:
        """Create or replace an object. The store sets its version, uid and generation."""
        metadata = body["metadata"]
        key = (resource, metadata.get("namespace", "") if resource.namespaced else "", metadata["name"])
        present = self._objects.get(key)
        self.version += 1
        stored = copy.deepcopy(dict(body))
        old = present["metadata"] if present else {}
        spec_changed = present is not None and present.get("spec") != stored.get("spec")
        stored["apiVersion"], stored["kind"] = resource.api_version, resource.kind
        stored["metadata"] = {
            **stored["metadata"],
            "uid": old.get("uid") or str(uuid.uuid4()),
            "creationTimestamp": old.get("creationTimestamp") or self._clock.timestamp(),
            "resourceVersion": str(self.version),
            "generation": (old.get("generation") or 0) + (1 if spec_changed or not present else 0),
        }
        self._objects[key] = stored
        if resource.kind == "CustomResourceDefinition":
            stored["status"] = {"conditions": [{"type": "Established", "status": "True"}]}
            for defined in _defined(stored):
                self.serve(defined)
        await self._publish(Change(self.version, "MODIFIED" if present else "ADDED", resource, stored))
        return stored

    async def delete(self, resource: Resource, namespace: str, name: str) -> dict[str, Any] | None:
        stored = self._objects.pop((resource, namespace, name), None)
        if stored is None:
            return None
        self.version += 1
        last = {**stored, "metadata": {**stored["metadata"], "resourceVersion": str(self.version)}}
        await self._publish(Change(self.version, "DELETED", resource, last))
        return last

    def changes_since(self, version: int) -> list[Change] | None:
        """Return the changes after a version, C(None) if the history does not reach back that far."""
        if self._history and version < self._history[0].version - 1 and len(self._history) == HISTORY:
            return None
        return [change for change in self._history if change.version > version]

    async def wait_for_change(self, version: int, seconds: float) -> bool:
        """Wait for a change after a version; return C(False) if the time is up."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: self.version > version)
        except TimeoutError:
            return False
        return True

    def serve(self, resource: Resource) -> None:
        """Serve a resource that is not built in."""
        self._resources[(resource.group, resource.version, resource.plural)] = resource

    async def _publish(self, change: Change) -> None:
        self._history.append(change)
        async with self._changed:
            self._changed.notify_all()


def _defined(definition: Mapping[str, Any]) -> Iterator[Resource]:
    spec = definition["spec"]
    for version in spec["versions"]:
        if version.get("served"):
            names = spec["names"]
            yield Resource(
                spec["group"], version["name"], names["plural"], names["kind"], spec["scope"] == "Namespaced"
            )
