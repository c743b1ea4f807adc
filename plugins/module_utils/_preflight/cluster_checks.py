# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of the objects in a cluster. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ansible_collections.azureml.arc.plugins.module_utils._core.findings import ERROR, INFO, WARNING
from ansible_collections.azureml.arc.plugins.module_utils._core.quantity import quantity
from ansible_collections.azureml.arc.plugins.module_utils._extension.plan import RELEASE_NAMESPACE
from ansible_collections.azureml.arc.plugins.module_utils._extension.settings import (
    HIGH_AVAILABILITY_NODES,
    INFERENCE,
)
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.resources import is_being_removed
from ansible_collections.azureml.arc.plugins.module_utils._preflight.facts import Facts

# CPU cores and bytes of memory that the extension's pods request.
REQUIRED = {
    "training": ("410m", "1492Mi"),
    "inference": ("1780m", "2440Mi"),
    "training_inference": ("1910m", "2884Mi"),
}
REQUIRED_WITH_HIGH_AVAILABILITY = ("3600m", "4240Mi")
VOLCANO_DEFINITION = "jobs.batch.volcano.sh"
PROMETHEUS_DEFINITION = "prometheuses.monitoring.coreos.com"
LOAD_BALANCER_DEFINITION = "ipaddresspools.metallb.io"
LEGACY_ROUTER = "azureml-fe"
LEGACY_ROLE = "azureml-fe-role"
# Distributions and clouds with a load balancer, the latter by the prefix of a node's provider id.
DISTRIBUTIONS_WITH_LOAD_BALANCER = ("k3s", "aks", "eks", "gke", "aks_edge_k3s")
CLOUDS = ("azure://", "aws://", "gce://", "openstack://", "vsphere://", "ibm://")


def namespace(facts: Facts) -> Iterator[tuple]:
    found = facts.objects["namespace"]
    if is_being_removed(found):
        yield ERROR, f"namespace '{found['metadata']['name']}' is being removed.", "Wait until it is gone."


def compute_namespaces(facts: Facts) -> Iterator[tuple]:
    for name, found in facts.objects["compute_namespaces"].items():
        if found is None:
            yield (
                ERROR,
                f"namespace '{name}', which a compute uses, does not exist.",
                "Create it, for instance with azureml.arc.namespace.",
            )
        elif is_being_removed(found):
            yield ERROR, f"namespace '{name}', which a compute uses, is being removed.", "Wait until it is gone."


def nodes(facts: Facts) -> Iterator[tuple]:
    usable, total = len(facts.usable_nodes()), len(facts.objects["nodes"])
    seen = (
        f"{usable} of {total} nodes can run pods of the extension (ready, schedulable, matching node_selector, without"
        " taints)"
    )
    if not usable:
        yield ERROR, f"{seen}.", "Add or uncordon nodes, or change node_selector."
    elif usable < HIGH_AVAILABILITY_NODES and facts.high_availability():
        yield (
            ERROR,
            f"{seen}, but high availability of the inference router needs {HIGH_AVAILABILITY_NODES}.",
            "Set inference_router_ha to false, or add nodes.",
        )
    elif facts.options["workload_profile"] in INFERENCE and not facts.high_availability():
        yield INFO, f"{seen}: the inference router gets one replica.", "Use three nodes in production."


def resources(facts: Facts) -> Iterator[tuple]:
    profile = facts.options["workload_profile"]
    required = REQUIRED_WITH_HIGH_AVAILABILITY if facts.high_availability() else REQUIRED[profile]
    # A cluster that scales automatically may add nodes.
    level = WARNING if facts.options["cluster_type"] == "managed_cluster" else ERROR
    for name, unit, divisor, need in (("cpu", "m", 1000, required[0]), ("memory", "Mi", 2**-20, required[1])):
        free = facts.free(name)
        if free < quantity(need):
            amount = int(float(free) * divisor)
            yield (
                level,
                f"{amount}{unit} of {name} are free on these nodes, but {profile} needs {need}.",
                "Add nodes, or free resources.",
            )


def _is_foreign(definition: Mapping | None, extension_name: str) -> bool:
    """Return whether an object exists that Helm would not count as the extension's own."""
    if not definition:
        return False
    annotations = definition["metadata"].get("annotations") or {}
    return annotations.get("meta.helm.sh/release-name") != extension_name


def volcano(facts: Facts) -> Iterator[tuple]:
    yield from _reuse(facts, "install_volcano", "Volcano", facts.objects["volcano"], default=True)


def prometheus_operator(facts: Facts) -> Iterator[tuple]:
    yield from _reuse(
        facts, "install_prometheus_operator", "the Prometheus operator", facts.objects["prometheus"], default=True
    )


def nvidia_device_plugin(facts: Facts) -> Iterator[tuple]:
    plugin = next(
        (
            one
            for one in facts.objects["daemon_sets"]
            if "nvidia-device-plugin" in one["metadata"]["name"] and one["metadata"]["namespace"] != RELEASE_NAMESPACE
        ),
        None,
    )
    yield from _reuse(facts, "install_nvidia_device_plugin", "the NVIDIA device plugin", plugin, default=False)


def _reuse(facts: Facts, option: str, title: str, found: Mapping | None, default: bool) -> Iterator[tuple]:
    """Check whether a component that the extension would install already exists."""
    choice = facts.options[option]
    exists = _is_foreign(found, facts.options["extension_name"])
    if exists and (default if choice is None else choice):
        if choice is None and facts.options["install_components"] == "auto":
            yield INFO, f"{title} is already installed and is used.", "", {option: False}
        else:
            yield (
                ERROR,
                f"{title} is already installed ('{found['metadata']['name']}').",
                f"Set {option} to false to use it, or install_components to auto.",
            )
    elif choice is False and default and not found:
        yield WARNING, f"{option} is false, but {title} is not installed.", "Remove the option to install it."


def legacy_router(facts: Facts) -> Iterator[tuple]:
    left = [
        f"deployment '{one['metadata']['name']}' in namespace '{one['metadata']['namespace']}'"
        for one in facts.objects["legacy_routers"]
        if one["metadata"]["namespace"] != RELEASE_NAMESPACE
    ]
    if _is_foreign(facts.objects["legacy_role"], facts.options["extension_name"]):
        left.append(f"ClusterRole '{LEGACY_ROLE}'")
    if left:
        yield ERROR, f"the router of AzureML v1 still exists: {', '.join(left)}.", "Remove it."


def load_balancer(facts: Facts) -> Iterator[tuple]:
    if not _has_load_balancer(facts):
        yield (
            WARNING,
            "no load balancer implementation was found in this cluster: the router may never get an address.",
            "Install one (MetalLB, for instance), or set inference_service to node_port or cluster_ip.",
        )


def _has_load_balancer(facts: Facts) -> bool:
    provider_ids = ((node.get("spec") or {}).get("providerID") or "" for node in facts.objects["nodes"])
    served = (
        one
        for one in facts.objects["services"]
        if (one.get("spec") or {}).get("type") == "LoadBalancer"
        and ((one.get("status") or {}).get("loadBalancer") or {}).get("ingress")
    )
    return (
        (facts.cluster is not None and facts.cluster.distribution.lower() in DISTRIBUTIONS_WITH_LOAD_BALANCER)
        or any(one.startswith((*CLOUDS, "k3s://")) for one in provider_ids)
        or facts.objects["metallb"] is not None
        or any(served)
    )


def openshift_scc(facts: Facts) -> Iterator[tuple]:
    users = facts.objects["scc"]
    if users is None:
        return
    missing = [user for user in facts.scc_users if user not in users]
    if missing:
        yield (
            ERROR,
            f"{len(missing)} service accounts may not use SecurityContextConstraints 'privileged':"
            f" {', '.join(missing)}.",
            "Bind them with azureml.arc.openshift_scc.",
        )
