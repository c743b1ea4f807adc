# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a cluster can take the AzureML extension: what is known of it in, findings out. Pure.

Each check looks at one thing, says what is wrong with it and how to fix it. Sources: the prerequisites of
https://learn.microsoft.com/azure/machine-learning/how-to-deploy-kubernetes-extension, its table of resources, and the
codes of the extension's own health check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.azureml.arc.plugins.module_utils._azure.cluster import why_unreachable
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.findings import ERROR, INFO, WARNING, Finding
from ansible_collections.azureml.arc.plugins.module_utils._core.quantity import quantity
from ansible_collections.azureml.arc.plugins.module_utils._extension.plan import RELEASE_NAMESPACE
from ansible_collections.azureml.arc.plugins.module_utils._extension.settings import (
    HIGH_AVAILABILITY_NODES,
    INFERENCE,
    TRAINING,
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
# Distributions and clouds that bring a load balancer, by what a node's provider id begins with.
DISTRIBUTIONS_WITH_LOAD_BALANCER = ("k3s", "aks", "eks", "gke", "aks_edge_k3s")
CLOUDS = ("azure://", "aws://", "gce://", "openstack://", "vsphere://", "ibm://")


def connectivity(facts: Facts) -> Iterator[tuple]:
    found = why_unreachable(facts.cluster)
    if found:
        _code, state, hint = found
        yield ERROR, f"the cluster {state}.", hint


def agent_version(facts: Facts) -> Iterator[tuple]:
    cluster, least = facts.cluster, facts.options["minimum_agent_version"]
    upgrade = "Upgrade the Arc agents with 'az connectedk8s upgrade'."
    if not cluster.agent_version:
        yield WARNING, "the Arc agents have not reported a version.", "Check the pods of namespace 'azure-arc'."
    elif least and version_of(cluster.agent_version) < version_of(least):
        yield ERROR, f"the Arc agents have version {cluster.agent_version}, and {least} is asked for.", upgrade


def version_of(text: str) -> tuple[int, ...]:
    """A version to compare: C(1.21.10) as its numbers.

    :raises AzureMLError: where it is not made of numbers.
    """
    try:
        return tuple(int(part) for part in text.split("."))
    except ValueError as error:
        raise AzureMLError(f"'{text}' is not a version like 1.21.10") from error


def resource_providers(facts: Facts) -> Iterator[tuple]:
    for name, state in sorted(facts.objects["providers"].items()):
        if state.lower() != "registered":
            yield (
                ERROR,
                f"resource provider {name} has registration state {state}.",
                f"Register it: 'az provider register --namespace {name}'.",
            )


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
                "Create it, or have azureml.arc.namespace do it.",
            )
        elif is_being_removed(found):
            yield ERROR, f"namespace '{name}', which a compute uses, is being removed.", "Wait until it is gone."


def nodes(facts: Facts) -> Iterator[tuple]:
    usable, total = len(facts.usable_nodes()), len(facts.objects["nodes"])
    seen = f"{usable} of {total} nodes can take its pods (ready, schedulable, matching node_selector, without taints)"
    if not usable:
        yield ERROR, f"{seen}.", "Add or uncordon nodes, or change node_selector."
    elif usable < HIGH_AVAILABILITY_NODES and facts.high_availability():
        yield (
            ERROR,
            f"{seen}, and high availability of the router needs {HIGH_AVAILABILITY_NODES}.",
            "Set inference_router_ha to false, or add nodes.",
        )
    elif facts.options["workload_profile"] in INFERENCE and not facts.high_availability():
        yield INFO, f"{seen}: the inference router gets one replica.", "For production, have three nodes."


def resources(facts: Facts) -> Iterator[tuple]:
    profile = facts.options["workload_profile"]
    required = REQUIRED_WITH_HIGH_AVAILABILITY if facts.high_availability() else REQUIRED[profile]
    # More nodes may come where the cluster scales by itself.
    level = WARNING if facts.options["cluster_type"] == "managed_cluster" else ERROR
    for name, unit, divisor, need in (("cpu", "m", 1000, required[0]), ("memory", "Mi", 2**-20, required[1])):
        free = facts.free(name)
        if free < quantity(need):
            amount = int(float(free) * divisor)
            yield (
                level,
                f"{amount}{unit} of {name} are free on its nodes, and {profile} needs {need}.",
                "Add nodes, or free resources.",
            )


def _is_foreign(definition: Mapping | None, extension_name: str) -> bool:
    """Whether something exists that Helm would not take for the extension's own."""
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
    """Whether a component that the extension would bring is in the cluster already."""
    choice = facts.options[option]
    there = _is_foreign(found, facts.options["extension_name"])
    if there and (default if choice is None else choice):
        if choice is None and facts.options["install_components"] == "auto":
            yield INFO, f"{title} is in the cluster already and is used.", "", {option: False}
        else:
            yield (
                ERROR,
                f"{title} is in the cluster already ('{found['metadata']['name']}').",
                f"Set {option} to false to use it, or install_components to auto.",
            )
    elif choice is False and default and not found:
        yield WARNING, f"{option} is false, and {title} is not in the cluster.", "Leave the option out to install it."


def legacy_router(facts: Facts) -> Iterator[tuple]:
    left = [
        f"deployment '{one['metadata']['name']}' in namespace '{one['metadata']['namespace']}'"
        for one in facts.objects["legacy_routers"]
        if one["metadata"]["namespace"] != RELEASE_NAMESPACE
    ]
    if _is_foreign(facts.objects["legacy_role"], facts.options["extension_name"]):
        left.append(f"ClusterRole '{LEGACY_ROLE}'")
    if left:
        yield ERROR, f"the router of AzureML v1 is still there: {', '.join(left)}.", "Remove it."


def load_balancer(facts: Facts) -> Iterator[tuple]:
    if not _has_load_balancer(facts):
        yield (
            WARNING,
            "nothing is known to serve load balancers in this cluster: the router may wait for its address for ever.",
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


@dataclass(frozen=True)
class Check:
    """A check.

    :param objects: what it needs of C(Facts.objects).
    :param concerns: whether it concerns a task with these options.
    """

    run: Callable[[Facts], Iterator[tuple]]
    objects: tuple = ()
    concerns: Callable[[Mapping], bool] = lambda options: True

    @property
    def name(self) -> str:
        return self.run.__name__


def _connected(options: Mapping) -> bool:
    return options["cluster_type"] == "connected_cluster"


def _for_training(options: Mapping) -> bool:
    return options["workload_profile"] in TRAINING


def _for_inference(options: Mapping) -> bool:
    return options["workload_profile"] in INFERENCE


def _asks_for_load_balancer(options: Mapping) -> bool:
    return _connected(options) and options["inference_service"] == "load_balancer"


AZURE_CHECKS = (
    Check(connectivity),
    Check(agent_version, concerns=_connected),
    Check(resource_providers, ("providers",)),
)
KUBERNETES_CHECKS = (
    Check(namespace, ("namespace",)),
    Check(compute_namespaces, ("compute_namespaces",), lambda options: bool(options["compute_namespaces"])),
    Check(nodes, ("nodes",)),
    Check(resources, ("nodes", "pods")),
    Check(volcano, ("volcano",), _for_training),
    Check(prometheus_operator, ("prometheus",)),
    Check(nvidia_device_plugin, ("daemon_sets",)),
    Check(legacy_router, ("legacy_routers", "legacy_role"), _for_inference),
    Check(load_balancer, ("nodes", "services", "metallb"), _asks_for_load_balancer),
    Check(openshift_scc, ("scc",)),
)
NAMES = [check.name for check in (*AZURE_CHECKS, *KUBERNETES_CHECKS)]


def select(checks: Sequence[Check], options: Mapping) -> list[Check]:
    """The checks that concern a task."""
    return [check for check in checks if check.name not in options["skip_checks"] and check.concerns(options)]


def findings(facts: Facts, checks: Sequence[Check]) -> tuple[list[Finding], dict[str, bool]]:
    """What the checks find, errors first, and the install options that follow from it.

    An object that could not be read stands in C(facts.objects) as the error: its checks are a warning then.
    """
    found, install = [], {}
    for check in checks:
        unread = next(
            (facts.objects[name] for name in check.objects if isinstance(facts.objects[name], Exception)), None
        )
        if unread is not None:
            found.append(Finding(check.name, WARNING, f"could not be looked at. {unread}"))
            continue
        for level, message, fix, *options in check.run(facts):
            found.append(Finding(check.name, level, message, fix))
            for option in options:
                install.update(option)
    return sorted(found, key=lambda finding: finding.rank), install
