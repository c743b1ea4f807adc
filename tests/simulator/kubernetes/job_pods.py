# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pod of a job of Azure Machine Learning.

Source of its name, labels, owner and containers: the manifest in "Kubernetes pro velka data a strojove uceni",
https://www.tomaskubica.cz of 2022-07-12, with extension 1.1.6. The digest in its name is a guess.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from simulator.cluster import SimulatedCluster
from simulator.kubernetes import pods

# The instance type of a job that names none. Source: https://learn.microsoft.com/azure/machine-learning/
# how-to-manage-kubernetes-instance-types
DEFAULT = "defaultinstancetype"
DEFAULT_SPEC = {"resources": {"requests": {"cpu": "100m", "memory": "2Gi"}}}
UNITS = {"m": 0.001, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "": 1}
IMAGE = "example.azurecr.io/azureml/environment"


class JobPods:
    """The pod of one job.

    :param compute: the body of the compute.
    :param job: the name of the job.
    :param kind: the instance type of the job, empty for the default one.
    """

    def __init__(self, cluster: SimulatedCluster, compute: Mapping[str, Any], job: str, kind: str) -> None:
        properties = compute["properties"]["properties"]
        self._cluster = cluster
        self._store = cluster.store
        self._namespace = properties["namespace"]
        self._kind = kind or properties.get("defaultInstanceType") or DEFAULT
        digest = hashlib.md5(job.encode(), usedforsecurity=False).hexdigest()
        self._owner = f"{self._namespace}-{digest}"
        self._name = f"{self._owner}-worker-0"
        self._labels = {
            "controller": "aml-operator",
            "jobId": digest,
            "jobsource": "aml",
            "ml.azure.com/compute": compute["name"],
            "ml.azure.com/run-id": job,
            "volcano.sh/job-name": self._owner,
        }

    def exceeds_nodes(self) -> bool:
        """Return whether the instance type is larger than any node, or does not exist (which is a guess)."""
        spec = self._spec()
        return spec is None or not any(self._fits(node, spec) for node in self._nodes())

    def failure(self) -> str:
        """Return the fault of a pod that no node can run, empty if one can."""
        spec = self._spec() or {}
        fitting = [node for node in self._nodes() if self._fits(node, spec)]
        return "" if any(_matches(node, spec) for node in fitting) else "Unschedulable"

    async def start(self, failure: str) -> None:
        """Create the pod."""
        if failure == "Unschedulable":
            await self._put(pods.unschedulable(self._why_unschedulable()))
        elif failure:
            await self._put(pods.FAILURES[failure]("execution-wrapper"), on_node=True)
            # The message of the kubelet for a failed pull; the registry's part as in kubeflow/examples#654.
            refused = f'Failed to pull image "{IMAGE}:1": unauthorized: authentication required'
            event = pods.warning(self._namespace, self._name, "Failed", refused, self._cluster.clock)
            await self._store.put(self._store.kind("Event"), event)
        else:
            await self._put({"phase": "Pending", "conditions": pods.conditions()}, on_node=True)

    async def run(self) -> None:
        """Let the pod run."""
        await self._put({"phase": "Running", "conditions": pods.conditions(ready=True)}, on_node=True)

    async def end(self, failed: bool) -> None:
        """End the containers of the pod."""
        if not failed:
            await self._put({"phase": "Succeeded", "conditions": pods.conditions()}, on_node=True)
            return
        ended = {"terminated": {"exitCode": 1, "reason": "Error"}}
        await self._put(pods.status("Failed", "execution-wrapper", ended), on_node=True)

    async def remove(self) -> None:
        """Delete the pod."""
        await self._store.delete(self._store.kind("Pod"), self._namespace, self._name)

    def _spec(self) -> Mapping[str, Any] | None:
        resource = self._store.resource("amlarc.azureml.com", "v1alpha1", "instancetypes")
        found = self._store.get(resource, "", self._kind) if resource else None
        if found:
            return found.get("spec") or {}
        return DEFAULT_SPEC if self._kind == DEFAULT else None

    def _nodes(self) -> list[dict[str, Any]]:
        return self._store.list(self._store.kind("Node"))

    def _fits(self, node: Mapping[str, Any], spec: Mapping[str, Any]) -> bool:
        resources = spec.get("resources") or {}
        wanted = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
        allocatable = node["status"]["allocatable"]
        return all(_number(amount) <= _number(allocatable.get(name, 0)) for name, amount in wanted.items())

    def _why_unschedulable(self) -> str:
        """Return the message of the scheduler. Source: https://kubernetes.io/docs/concepts/scheduling-eviction"""
        count, spec = len(self._nodes()), self._spec() or {}
        why = "Insufficient cpu"
        if not any(_matches(node, spec) for node in self._nodes()):
            why = "node(s) didn't match Pod's node affinity/selector"
        return f"0/{count} nodes are available: {count} {why}."

    async def _put(self, status: Mapping[str, Any], on_node: bool = False) -> None:
        owner = {"apiVersion": "batch.volcano.sh/v1alpha1", "kind": "Job", "name": self._owner, "controller": True}
        metadata = {
            "name": self._name,
            "namespace": self._namespace,
            "labels": self._labels,
            "ownerReferences": [{**owner, "uid": self._owner}],
        }
        names = ("training-identity-sidecar", "lifecycler", "execution-wrapper")
        spec: dict[str, Any] = {"containers": [{"name": name, "image": f"{IMAGE}:1"} for name in names]}
        if on_node:
            found = self._spec() or {}
            spec["nodeName"] = next(one["metadata"]["name"] for one in self._nodes() if _matches(one, found))
        await self._store.put(self._store.kind("Pod"), {"metadata": metadata, "spec": spec, "status": status})


def _matches(node: Mapping[str, Any], spec: Mapping[str, Any]) -> bool:
    labels = node["metadata"].get("labels") or {}
    return all(labels.get(key) == value for key, value in (spec.get("nodeSelector") or {}).items())


def _number(amount: object) -> float:
    text = str(amount)
    unit = next(one for one in UNITS if text.endswith(one))
    return float(text.removesuffix(unit)) * UNITS[unit]
