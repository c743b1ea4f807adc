# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Computes with namespaces and instance types in playbooks: deployed, verified, detached, removed."""

from __future__ import annotations

import pytest
from objects import WORKSPACE
from playbooks import LOCAL
from support import requests_to, writes

import certificates
import simulated
from simulator.scenario import SUBSCRIPTION, ClusterPlan, InstallPlan, Scenario, WorkspacePlan

INSTALL = InstallPlan(seconds=30)
CLUSTERS = [
    ClusterPlan("shop", nodes=1, install=INSTALL, attach_seconds=6),
    ClusterPlan("plant", distribution="openshift", install=INSTALL, attach_seconds=6),
]
TYPES = {
    "gpu_large": {
        "node_selector": {"kubernetes.io/os": "linux"},
        "resources": {"limits": {"cpu": "4", "memory": "16Gi"}},
    },
    "small": {"resources": {"requests": {"cpu": "500m"}, "limits": {"cpu": "1"}}},
}
CONFIRMED = ("-e", f"azureml_confirm={len(CLUSTERS)}")


@pytest.fixture
def simulator(tmp_path):
    scenario = Scenario(clusters=CLUSTERS, workspaces=[WorkspacePlan(), WorkspacePlan("ws-2")], time_scale=60)
    with simulated.running(scenario, tmp_path / "simulator") as running:
        yield running


@pytest.fixture
def inventory(simulator, tmp_path):
    """An inventory that attaches each cluster as two computes in two namespaces and workspaces."""
    kubeconfigs = str(simulator.directory / "kubeconfigs")
    certificates.as_files(tmp_path)
    variables = {
        "azureml_profile": "training_inference",
        "azureml_inference_service": "node_port",
        "azureml_tls": {"secret_name": "ml-tls", "cname": "ml.example.com"},
        "azureml_tls_secret": {
            "certificate": "{{ inventory_dir }}/ml.pem",
            "private_key": "{{ inventory_dir }}/ml.key",
        },
        "azureml_log_analytics": True,
        "azureml_resource_group": "rg-edge",
        "azureml_workspace": WORKSPACE,
        "azureml_compute": {
            "name": "{{ inventory_hostname }}",
            "namespace": "vision",
            "create_namespace": True,
            "instance_types": TYPES,
            "default_instance_type": "gpu_large",
        },
        "azureml_computes": [
            {
                "name": "{{ inventory_hostname }}-2",
                "workspace": {**WORKSPACE, "name": "ws-2"},
                "description": "the other team",
            }
        ],
        "azureml_kubernetes": {"kubeconfig": kubeconfigs + "/{{ inventory_hostname }}"},
    }
    return {"all": {"vars": variables, "hosts": {plan.name: {} for plan in CLUSTERS}}}


def instance_types(kube, cluster):
    resource = kube(cluster).resources.get(api_version="amlarc.azureml.com/v1alpha1", kind="InstanceType")
    return {one.metadata.name: one.to_dict()["spec"] for one in resource.get().items}


def test_deploy_and_remove_are_idempotent_and_verify_reports_drift(playbook, simulator, inventory, kube):
    first = playbook("azureml.arc.deploy", inventory)
    simulator.clear_journal()
    second = playbook("azureml.arc.deploy", inventory)

    assert (first.status, second.status) == (0, 0), first.output + second.output
    assert writes(simulator) == []
    assert (second.changed("shop"), second.changed("plant")) == (0, 0)
    attached = first.outcome("shop")["computes"]
    assert [one["compute"]["namespace"] for one in attached] == ["vision", "default"]
    assert set(attached[0]["compute"]["instance_types"]) == set(TYPES)
    assert set(instance_types(kube, "shop")) == {"gpu-large", "small", "defaultinstancetype"}
    assert instance_types(kube, "shop")["defaultinstancetype"] == instance_types(kube, "shop")["gpu-large"]
    steps = [one["name"] for one in first.outcome("plant")["steps"] if one["changed"]]
    assert "Grant the permissions on OpenShift" in steps

    verified = playbook("azureml.arc.verify", inventory)
    assert verified.status == 0, verified.output
    inventory["all"]["vars"]["azureml_compute"]["instance_types"] = {
        **TYPES,
        "small": {"resources": {"limits": {"cpu": "2"}}},
    }
    drifted = playbook("azureml.arc.verify", inventory, "--limit", "shop")
    assert drifted.outcome("shop")["msg"] == (
        "compute shop: it differs from the desired state; instance types differ: small"
    )

    inventory["all"]["vars"]["azureml_remove_resources"] = ["relay", "log_analytics"]
    simulator.clear_journal()
    planned = playbook("azureml.arc.remove", inventory, "--check", "--diff")
    assert (planned.status, writes(simulator)) == (0, []), planned.output
    removed = playbook("azureml.arc.remove", inventory, *CONFIRMED)
    assert removed.status == 0, removed.output
    for run, prefix in ((planned, "would be removed: "), (removed, "removed: ")):
        message = run.outcome("plant")["msg"]
        assert message.startswith(
            f"{prefix}compute plant, compute plant-2, instance type defaultinstancetype, instance type gpu-large,"
            " instance type small, extension azureml, /subscriptions/"
        )
        assert "Microsoft.Relay/namespaces/" in message
        assert "Microsoft.OperationalInsights/workspaces/" in message
        assert "permissions on OpenShift" in message
        assert message.endswith("Secret ml-tls")
    assert instance_types(kube, "shop") == {}

    simulator.clear_journal()
    again = playbook("azureml.arc.remove", inventory, *CONFIRMED)
    assert again.status == 0, again.output
    assert (again.changed("shop"), again.changed("plant"), writes(simulator)) == (0, 0, [])
    assert again.outcome("shop")["msg"] == "nothing to remove"

    del inventory["all"]["vars"]["azureml_remove_resources"]
    playbook("azureml.arc.deploy", inventory, "--limit", "shop")
    playbook("azureml.arc.remove", inventory, "--limit", "shop")
    third = playbook("azureml.arc.remove", inventory, "--limit", "shop")
    assert third.outcome("shop")["msg"] == (
        "nothing to remove; kept: relay namespace (azureml_remove_resources: [relay] removes it),"
        " Log Analytics workspace (azureml_remove_resources: [log_analytics] removes it)"
    )


def test_detach_works_after_the_cluster_was_deleted(playbook, simulator, inventory):
    playbook("azureml.arc.deploy", inventory, "--limit", "shop")
    simulator.change_plan("shop", gone=True)
    simulator.clear_journal()
    inventory["all"]["vars"] |= {  # its kubeconfig and certificate were deleted, too
        "azureml_kubernetes": {"kubeconfig": "/gone"},
        "azureml_tls_secret": {"certificate": "/gone", "private_key": "/gone"},
    }

    first = playbook("azureml.arc.detach", inventory, "--limit", "shop")
    second = playbook("azureml.arc.detach", inventory, "--limit", "shop")

    assert (first.status, second.status) == (0, 0), first.output
    assert (first.changed("shop"), second.changed("shop")) == (1, 0)
    assert len(requests_to(simulator, "DELETE", "/computes/shop")) == 2


def test_detach_rejects_a_compute_in_use(playbook, simulator, inventory):
    playbook("azureml.arc.deploy", inventory, "--limit", "shop")
    compute = (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-ml/providers/Microsoft.MachineLearningServices"
        "/workspaces/ws/computes/shop"
    )
    job = {"name": "train", "properties": {"jobType": "Command", "computeId": compute, "status": "Running"}}
    simulator.change_workspace("ws", jobs=[job])
    simulator.clear_journal()

    refused = playbook("azureml.arc.remove", inventory, "--limit", "shop")
    assert refused.status == 2
    assert "it is in use by job 'train' (Running)" in refused.output
    assert [path for method, path in writes(simulator) if not path.endswith("/computes/shop-2")] == []
    assert "or set azureml_allow_disruption to true" in " ".join(refused.output.split())
    allowed = playbook("azureml.arc.detach", inventory, "--limit", "shop", "-e", "azureml_allow_disruption=true")
    assert allowed.status == 0, allowed.output


def test_missing_namespace_is_reported_before_anything_is_installed(playbook, simulator, inventory):
    inventory["all"]["vars"]["azureml_compute"]["create_namespace"] = False
    result = playbook("azureml.arc.deploy", inventory, "--limit", "shop")
    assert result.status == 2
    assert "namespace 'vision', which a compute uses, does not exist" in result.output
    assert writes(simulator) == []


def test_configuration_file_is_read_on_the_controller_if_the_cluster_is_reached_via_a_node(
    playbook, inventory, kube, tmp_path
):
    """Namespaces and instance types are created from the node."""
    text = (
        '{"namespace": "default", "defaultInstanceType": "GPU", "instanceTypes":'
        ' {"GPU": {"nodeSelector": null, "resources": {"limits": {"nvidia.com/gpu": "1"}}}}}'
    )
    (tmp_path / "attach.json").write_text(text, encoding="utf-8")
    inventory["all"]["hosts"] = {"plant": LOCAL}
    inventory["all"]["vars"] |= {
        "azureml_kubernetes_via": "node",
        "azureml_compute": {"name": "plant", "config_file": "{{ inventory_dir }}/attach.json"},
        "azureml_computes": [{"name": "plant-ml", "namespace": "ml", "create_namespace": True}],
    }

    first = playbook("azureml.arc.deploy", inventory)
    second = playbook("azureml.arc.deploy", inventory)

    assert (first.status, second.status) == (0, 0), first.output
    assert second.changed("plant") == 0
    assert kube("plant").resources.get(api_version="v1", kind="Namespace").get(name="ml")
    assert set(instance_types(kube, "plant")) == {"gpu", "defaultinstancetype"}
    warnings = first.outcome("plant")["warnings"]
    assert "instance type 'gpu': no node with the labels of its node selector has 1 nvidia.com/gpu" in warnings
    bindings = kube("plant").resources.get(api_version="rbac.authorization.k8s.io/v1", kind="ClusterRoleBinding")
    accounts = {(one.namespace, one.name) for one in bindings.get(name="azureml-arc-scc-privileged").subjects}
    assert ("ml", "default") in accounts
    assert not [namespace for namespace, _name in accounts if namespace == "default"]
