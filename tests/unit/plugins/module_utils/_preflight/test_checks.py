# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The findings of each check of a cluster, and their level."""

from __future__ import annotations

import re

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._azure.cluster import Cluster
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.findings import Finding
from ansible_collections.azureml.arc.plugins.module_utils._preflight import azure_checks, checks
from ansible_collections.azureml.arc.plugins.module_utils._preflight.facts import Facts

OPTIONS = {
    "workload_profile": "training_inference",
    "cluster_type": "connected_cluster",
    "extension_name": "ml",
    "inference_service": "load_balancer",
    "inference_router_ha": None,
    "node_selector": None,
    "install_components": "check",
    "install_volcano": None,
    "install_prometheus_operator": None,
    "install_nvidia_device_plugin": None,
    "minimum_agent_version": None,
    "compute_namespaces": ["ml"],
    "skip_checks": [],
}
CLUSTER = {
    "id": "/c",
    "name": "c",
    "type": "connected_cluster",
    "location": "westeurope",
    "node_count": 3,
    "connectivity_status": "Connected",
    "agent_version": "1.21.10",
}
OWN = {"meta.helm.sh/release-name": "ml", "meta.helm.sh/release-namespace": "azureml"}


def named(name, namespace=None, **metadata):
    return {"metadata": {"name": name, **({"namespace": namespace} if namespace else {}), **metadata}}


def node(name="n", ready="True", cpu="4", memory="16Gi", labels=None, **spec):
    return {
        **named(name, labels=labels or {}),
        "spec": spec,
        "status": {
            "allocatable": {"cpu": cpu, "memory": memory},
            "conditions": [{"type": "MemoryPressure", "status": "False"}, {"type": "Ready", "status": ready}],
        },
    }


def pod(cpu="0", memory="0", namespace="shop", where="n", init=None):
    def containers(*requests):
        return [{"name": "c", "resources": {"requests": request} if request else {}} for request in requests]

    spec = {"nodeName": where, "containers": containers({"cpu": cpu, "memory": memory}, None)}
    if init:
        spec["initContainers"] = containers({"cpu": init})
    return {**named("p", namespace), "spec": spec}


def run_check(check, objects=None, cluster=None, scc_users=(), **options):
    """Return the findings of one check on a cluster with three suitable nodes and the given differences."""
    known = {
        "providers": {},
        "namespace": None,
        "compute_namespaces": {"ml": named("ml")},
        "nodes": [node(f"n{index}") for index in range(3)],
        "pods": [],
        "services": [],
        "daemon_sets": [],
        "volcano": None,
        "prometheus": None,
        "metallb": None,
        "legacy_routers": [],
        "legacy_role": None,
        "scc": None,
        **(objects or {}),
    }
    facts = Facts({**OPTIONS, **options}, Cluster(**{**CLUSTER, **(cluster or {})}), known, scc_users)
    chosen = checks.select((*checks.AZURE_CHECKS, *checks.KUBERNETES_CHECKS), facts.options)
    return checks.findings(facts, [one for one in chosen if one.name == check])


TAINT = {"key": "gpu", "effect": "NoSchedule"}
SERVED = {"spec": {"type": "LoadBalancer"}, "status": {"loadBalancer": {"ingress": [{"ip": "10.0.0.1"}]}}}
WAITING = {"spec": {"type": "LoadBalancer"}, "status": {"loadBalancer": {}}}


@pytest.mark.parametrize(
    ("check", "given", "level", "part"),
    [
        ("connectivity", {"cluster": {"connectivity_status": "Offline"}}, "error", "connectivity status Offline."),
        ("connectivity", {"cluster": {"power_state": "Stopped"}}, "error", "the cluster is stopped."),
        ("agent_version", {"cluster": {"agent_version": ""}}, "warning", "have not reported a version"),
        ("agent_version", {"minimum_agent_version": "1.22"}, "error", "have version 1.21.10, but 1.22 is required"),
        (
            "agent_version",
            {"minimum_agent_version": "1.22", "cluster": {"agent_version": "1.22.1-preview"}},
            "warning",
            "version 1.22.1-preview of the Arc agents cannot be compared with the required 1.22.",
        ),
        (
            "resource_providers",
            {"objects": {"providers": {"Microsoft.Relay": "NotRegistered"}}},
            "error",
            "Register it: 'az provider register --namespace Microsoft.Relay'.",
        ),
        (
            "compute_namespaces",
            {"objects": {"compute_namespaces": {"ml": None}}},
            "error",
            "namespace 'ml', which a compute uses, does not exist. Create it",
        ),
        (
            "compute_namespaces",
            {"objects": {"compute_namespaces": {"ml": {**named("ml"), "status": {"phase": "Terminating"}}}}},
            "error",
            "namespace 'ml', which a compute uses, is being removed",
        ),
        (
            "namespace",
            {"objects": {"namespace": {**named("azureml"), "status": {"phase": "Terminating"}}}},
            "error",
            "namespace 'azureml' is being removed.",
        ),
        ("nodes", {"objects": {"nodes": [node(ready="False")]}}, "error", "0 of 1 nodes can run pods of the extension"),
        ("nodes", {"objects": {"nodes": [node(unschedulable=True)]}}, "error", "0 of 1"),
        ("nodes", {"objects": {"nodes": [node(taints=[TAINT])]}}, "error", "0 of 1"),
        ("nodes", {"node_selector": {"pool": "ml"}}, "error", "0 of 3"),
        (
            "nodes",
            {"objects": {"nodes": [node("a"), node("b"), node("c", ready="Unknown")]}},
            "error",
            "2 of 3 .* high availability of the inference router needs 3.*Set inference_router_ha to false",
        ),
        ("nodes", {"objects": {"nodes": [node()]}, "inference_router_ha": True}, "error", "1 of 1 .* needs 3"),
        ("nodes", {"objects": {"nodes": [node()]}, "cluster": {"node_count": 1}}, "info", "router gets one replica"),
        (
            "resources",
            {"objects": {"nodes": [node(cpu="2", memory="8Gi")], "pods": [pod("1800m")]}, "cluster": {"node_count": 1}},
            "error",
            "200m of cpu are free on these nodes, but training_inference needs 1910m.",
        ),
        (
            "resources",
            {"objects": {"nodes": [node()], "pods": [pod(memory="15Gi")]}, "workload_profile": "training"},
            "error",
            "1024Mi of memory are free on these nodes, but training needs 1492Mi.",
        ),
        ("resources", {"objects": {"nodes": [node("n", cpu="3")]}}, "error", "3000m of cpu .* needs 3600m"),
        ("resources", {"objects": {"nodes": [node()], "pods": [pod("1", init="3900m")]}}, "error", "100m of cpu"),
        (
            "resources",
            {"objects": {"nodes": [node(cpu="1")]}, "cluster_type": "managed_cluster"},
            "warning",
            "1000m of",
        ),
        ("volcano", {"objects": {"volcano": named("jobs.batch.volcano.sh")}}, "error", "Set install_volcano to false"),
        (
            "volcano",
            {"objects": {"volcano": named("j")}, "install_volcano": True, "install_components": "auto"},
            "error",
            "is already installed",
        ),
        ("volcano", {"install_volcano": False}, "warning", "install_volcano is false, but Volcano is not"),
        ("prometheus_operator", {"objects": {"prometheus": named("p")}}, "error", "install_prometheus_operator to"),
        (
            "nvidia_device_plugin",
            {
                "objects": {"daemon_sets": [named("nvdp-nvidia-device-plugin", "kube-system")]},
                "install_nvidia_device_plugin": True,
            },
            "error",
            "Set install_nvidia_device_plugin to false",
        ),
        (
            "legacy_router",
            {"objects": {"legacy_routers": [named("azureml-fe", "default")], "legacy_role": named("azureml-fe-role")}},
            "error",
            "deployment 'azureml-fe' in namespace 'default', ClusterRole 'azureml-fe-role'",
        ),
        ("load_balancer", {}, "warning", "no load balancer implementation was found"),
        ("load_balancer", {"objects": {"services": [WAITING]}}, "warning", "no load balancer implementation"),
        (
            "openshift_scc",
            {"objects": {"scc": ["a"]}, "scc_users": ["a", "b", "c"]},
            "error",
            "2 service accounts may not use .*: b, c.*azureml.arc.openshift_scc",
        ),
        (
            "resources",
            {"objects": {"pods": AzureMLError("Reading Pods: HTTP 403")}},
            "warning",
            "could not be checked. Reading Pods: HTTP 403",
        ),
    ],
)
def test_problem_is_a_finding(check, given, level, part):
    found, install = run_check(check, **given)
    assert [finding.level for finding in found] == [level]
    assert re.search(part, str(found[0]))
    assert install == {}


@pytest.mark.parametrize(
    ("check", "given"),
    [
        ("connectivity", {}),
        ("connectivity", {"cluster": {"connectivity_status": "", "power_state": "Running"}}),
        ("agent_version", {"minimum_agent_version": "1.21.9"}),
        ("agent_version", {"cluster_type": "managed_cluster", "cluster": {"agent_version": ""}}),
        ("resource_providers", {"objects": {"providers": {"Microsoft.Relay": "Registered"}}}),
        ("namespace", {"objects": {"namespace": {**named("azureml"), "status": {"phase": "Active"}}}}),
        ("compute_namespaces", {}),
        ("nodes", {}),
        ("nodes", {"node_selector": {"pool": "ml"}, "objects": {"nodes": [node(labels={"pool": "ml"})] * 3}}),
        ("nodes", {"objects": {"nodes": [node(taints=[{"key": "ml.azure.com/amlarc", "effect": "NoSchedule"}])] * 3}}),
        ("resources", {}),
        (
            "resources",
            {"objects": {"pods": [pod("99", namespace="azureml", where="n0"), pod("99", where="elsewhere")]}},
        ),
        ("volcano", {"objects": {"volcano": named("j", annotations=OWN)}}),
        ("volcano", {"objects": {"volcano": named("j")}, "install_volcano": False}),
        ("volcano", {"objects": {"volcano": named("j")}, "workload_profile": "inference"}),
        ("nvidia_device_plugin", {"objects": {"daemon_sets": [named("nvidia-device-plugin", "kube-system")]}}),
        (
            "nvidia_device_plugin",
            {
                "objects": {"daemon_sets": [named("nvidia-device-plugin-daemonset", "azureml")]},
                "install_nvidia_device_plugin": True,
            },
        ),
        ("legacy_router", {"objects": {"legacy_routers": [named("azureml-fe", "azureml")]}}),
        (
            "legacy_router",
            {"objects": {"legacy_routers": [named("azureml-fe", "default")]}, "workload_profile": "training"},
        ),
        ("load_balancer", {"inference_service": "node_port"}),
        ("load_balancer", {"cluster_type": "managed_cluster"}),
        ("load_balancer", {"cluster": {"distribution": "k3s"}}),
        ("load_balancer", {"objects": {"nodes": [node(providerID="aws:///eu/i-1")]}}),
        ("load_balancer", {"objects": {"metallb": named("ipaddresspools.metallb.io")}}),
        ("load_balancer", {"objects": {"services": [SERVED]}}),
        ("openshift_scc", {"objects": {"scc": ["a"]}, "scc_users": ["a"]}),
        ("openshift_scc", {"scc_users": ["a"]}),
    ],
)
def test_suitable_cluster_has_no_finding(check, given):
    assert run_check(check, **given) == ([], {})


@pytest.mark.parametrize(
    ("check", "objects", "option"),
    [
        ("volcano", {"volcano": named("j")}, "install_volcano"),
        ("prometheus_operator", {"prometheus": named("p")}, "install_prometheus_operator"),
    ],
)
def test_auto_uses_existing_components(check, objects, option):
    found, install = run_check(check, objects=objects, install_components="auto")
    assert [finding.level for finding in found] == ["info"]
    assert install == {option: False}


def test_errors_come_first():
    cluster = Cluster(**{**CLUSTER, "agent_version": "", "connectivity_status": "Expired"})
    facts = Facts(OPTIONS, cluster, {"providers": {"Microsoft.Relay": "NotRegistered"}})
    found, install = checks.findings(facts, checks.AZURE_CHECKS)
    assert [finding.level for finding in found] == ["error", "error", "warning"]
    assert install == {}


def test_finding_is_one_line_with_its_fix():
    assert str(Finding("nodes", "error", "There are none.", "Add some.")) == "nodes: There are none. Add some."


def test_invalid_version_is_rejected():
    with pytest.raises(AzureMLError, match="minimum_agent_version must be a version like 1.21.10, not 'latest'"):
        azure_checks.check_version("minimum_agent_version", "latest")
