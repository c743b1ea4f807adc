# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The facts of a cluster before the installation of the AzureML extension, and conclusions from them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.azureml.arc.plugins.module_utils._azure.cluster import Cluster
from ansible_collections.azureml.arc.plugins.module_utils._core.quantity import quantity
from ansible_collections.azureml.arc.plugins.module_utils._extension.plan import RELEASE_NAMESPACE
from ansible_collections.azureml.arc.plugins.module_utils._extension.settings import HIGH_AVAILABILITY_NODES, INFERENCE
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.resources import has_labels, is_true

# Prefixes of the taints that reserve nodes for AzureML, whose pods tolerate them.
TOLERATED_TAINTS = "ml.azure.com/"


@dataclass
class Facts:
    """The facts of a cluster.

    :param options: the options of M(azureml.arc.preflight).
    :param cluster: the cluster in Azure, C(None) if Azure was not read.
    :param objects: everything else that was read, by its purpose: Kubernetes objects, and the registration state of
        resource providers in Azure. For objects that the account cannot read, the error.
    :param scc_users: the service accounts that must be able to run privileged on OpenShift.
    """

    options: Mapping
    cluster: Cluster | None = None
    objects: dict[str, object] = field(default_factory=dict)
    scc_users: Sequence[str] = ()

    def usable_nodes(self) -> list[Mapping]:
        """Nodes that are ready and take the extension's pods."""
        selector = {str(key): str(value) for key, value in (self.options["node_selector"] or {}).items()}
        return [node for node in self.objects["nodes"] if _is_usable(node, selector)]

    def high_availability(self) -> bool:
        """Return whether the router will have three replicas. By default all nodes count, as in Azure."""
        if self.options["workload_profile"] not in INFERENCE:
            return False
        wanted = self.options["inference_router_ha"]
        count = self.cluster.node_count if self.cluster else len(self.objects["nodes"])
        return count >= HIGH_AVAILABILITY_NODES if wanted is None else wanted

    def free(self, name: str):
        """Return how much of a resource is free on usable nodes: C(cpu) in cores, C(memory) in bytes.

        Pods of the extension itself do not count, because their resources are those that it needs.
        """
        usable = {node["metadata"]["name"]: node for node in self.usable_nodes()}
        free = sum(quantity(node["status"]["allocatable"][name]) for node in usable.values())
        for pod in self.objects["pods"]:
            if pod["metadata"]["namespace"] != RELEASE_NAMESPACE and (pod.get("spec") or {}).get("nodeName") in usable:
                free -= _requested(pod, name)
        return free


def _is_usable(node: Mapping, selector: Mapping[str, str]) -> bool:
    spec = node.get("spec") or {}
    return (
        is_true(node, "Ready")
        and not spec.get("unschedulable")
        and has_labels(node, selector)
        and not any(
            taint.get("effect") in ("NoSchedule", "NoExecute") and not taint["key"].startswith(TOLERATED_TAINTS)
            for taint in spec.get("taints") or ()
        )
    )


def requests_of(pod: Mapping) -> dict:
    """Return the parts of a pod that determine its resources and its node; a cluster may have thousands of pods."""
    spec = pod.get("spec") or {}

    def held(containers: Sequence | None) -> list[dict]:
        return [
            {**_requests_alone(one), **({"restartPolicy": one["restartPolicy"]} if one.get("restartPolicy") else {})}
            for one in containers or ()
        ]

    return {
        "metadata": {"namespace": pod["metadata"]["namespace"]},
        "spec": {
            "nodeName": spec.get("nodeName"),
            "containers": held(spec.get("containers")),
            "initContainers": held(spec.get("initContainers")),
            "overhead": spec.get("overhead"),
            **_requests_alone(spec),
        },
    }


def _requests_alone(one: Mapping) -> dict:
    return {"resources": {"requests": (one.get("resources") or {}).get("requests")}}


def _requested(pod: Mapping, name: str):
    """Return the resources that the scheduler reserves for a pod.

    The sum of all containers and sidecars, or more if an init container needs more together with the running sidecars;
    the request of the pod as a whole takes precedence. The overhead of the runtime class is added. Source:
    C(PodRequests) in kubernetes/kubernetes, staging/src/k8s.io/component-helpers/resource/helpers.go.
    """
    spec = pod["spec"]
    sidecars = largest = quantity(0)
    for container in spec.get("initContainers") or ():
        amount = _amount(container, name)
        largest = max(largest, sidecars + amount)
        if container.get("restartPolicy") == "Always":
            sidecars += amount
    needed = max(sidecars + sum(_amount(one, name) for one in spec.get("containers") or ()), largest)
    whole = (_requests_alone(spec)["resources"]["requests"] or {}).get(name)
    overhead = (spec.get("overhead") or {}).get(name) or 0
    return (needed if whole is None else quantity(whole)) + quantity(overhead)


def _amount(container: Mapping, name: str):
    return quantity((_requests_alone(container)["resources"]["requests"] or {}).get(name) or 0)
