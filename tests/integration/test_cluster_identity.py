# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M(azureml.arc.cluster_identity) with the simulator and the official client."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.modules.cluster_identity import SPEC
from ansible_collections.azureml.arc.plugins.modules.extension import SPEC as EXTENSION
from ansible_collections.azureml.arc.plugins.modules.preflight import SPEC as PREFLIGHT
from objects import arc_id
from support import ModuleFailedError

import simulated
from simulator.scenario import SUBSCRIPTION, ClusterPlan, InstallPlan, Scenario

CLUSTERS = [
    *(ClusterPlan(name) for name in ("a", "b", "forbidden", "without")),
    ClusterPlan("a-2", resource_group="rg-other"),
    ClusterPlan("aks", type="managedClusters", install=InstallPlan(seconds=10)),
    ClusterPlan("aks-2", type="managedClusters", install=InstallPlan(seconds=10)),
    ClusterPlan("aks-3", type="managedClusters"),
]


@pytest.fixture(scope="module")
def simulator(tmp_path_factory):
    directory = tmp_path_factory.mktemp("simulator")
    with simulated.running(Scenario(clusters=CLUSTERS, time_scale=60), directory) as running:
        yield running


def options(cluster: str, **others) -> dict:
    kind = "managed_cluster" if cluster.startswith("aks") else "connected_cluster"
    given = {"subscription_id": SUBSCRIPTION, "resource_group": "rg-edge", "cluster_name": cluster}
    return {**given, "cluster_type": kind, **others}


@pytest.fixture
def check(run_module, simulator):
    """Return a function that compares a cluster in Azure with the cluster of a kubeconfig."""

    def run(cluster: str, kubeconfig: str, **others):
        return run_module(SPEC, **options(cluster, kubeconfig=simulator.kubeconfigs[kubeconfig], **others))

    return run


@pytest.fixture
def fqdns(run_module):
    """Return a function that reads the host names of an AKS cluster from Azure."""

    def read(cluster: str) -> list[str]:
        parameters = options(cluster, workload_profile="training", sides=["azure"])
        return run_module(PREFLIGHT, **parameters)["cluster"]["fqdns"]

    return read


def test_connected_cluster_is_verified(check, simulator):
    result = check("A", "a")
    assert (result["verified"], result["reason"], result["changed"]) == (True, "", False)
    assert result["found_id"].endswith("/connectedClusters/a")
    assert result["api_address"].endswith("/kubernetes/a")
    assert [one["path"] for one in simulator.journal()] == [
        "/kubernetes/a/api/v1/namespaces/azure-arc/configmaps/azure-clusterconfig"
    ]


def test_kubeconfig_of_another_cluster_is_rejected(check):
    expected = (
        r"kubeconfig '.*/b' \(https://localhost.*\) reaches connected cluster 'b' of resource group 'rg-edge' in"
        r" subscription [-1-5]+, not connected cluster 'a' of resource group 'rg-edge' .*; nothing was written"
    )
    with pytest.raises(ModuleFailedError, match=expected) as failure:
        check("a", "b")
    result = failure.value.result
    assert (result["error"]["code"], result["verified"]) == ("WrongCluster", False)
    assert result["found_id"].endswith("/b")


def test_cluster_in_another_resource_group_or_subscription_is_rejected(check):
    with pytest.raises(ModuleFailedError, match="resource group 'rg-other' .*, not .* resource group 'rg-edge'"):
        check("a-2", "a-2")
    with pytest.raises(ModuleFailedError, match="not connected cluster 'a' .* 00000000-"):
        check("a", "a", subscription_id="00000000-0000-0000-0000-000000000000")


def test_forbidden_config_map_leaves_the_cluster_unverified(check, simulator):
    simulator.change_plan("forbidden", forbidden=["get configmaps"])
    result = check("forbidden", "forbidden")
    assert not result["verified"]
    assert "HTTP 403" in result["reason"]
    assert "may not get configmaps" in result["reason"]


def test_missing_config_map_leaves_the_cluster_unverified(check, kube):
    kube("without").resources.get(api_version="v1", kind="ConfigMap").delete("azure-clusterconfig", "azure-arc")
    result = check("without", "without")
    assert (result["verified"], result["found_id"]) == (False, "")
    assert result["reason"] == "ConfigMap 'azure-clusterconfig' in namespace 'azure-arc' does not exist"


def test_missing_config_map_is_another_cluster_if_agents_have_installed_an_extension(check, kube):
    kube("b").resources.get(api_version="v1", kind="ConfigMap").delete("azure-clusterconfig", "azure-arc")
    expected = r"reaches a cluster that is not connected to Azure Arc \(ConfigMap 'azure-clusterconfig' .*, not .* 'b'"
    with pytest.raises(ModuleFailedError, match=expected):
        check("b", "b", extension_installed=True)


def test_unreachable_api_server_is_an_error(check):
    with pytest.raises(ModuleFailedError, match="cannot be reached"):
        check("a", "a", host="https://127.0.0.1:1")


def test_aks_cluster_is_verified_by_the_host_name_of_its_api_server(check, fqdns, simulator):
    names = fqdns("aks")
    assert len(names) == 2
    before = len(simulator.journal())
    assert check("aks", "aks", fqdns=names, host=f"https://{names[0]}:443")["verified"]
    with pytest.raises(ModuleFailedError, match="reaches the API server of another AKS cluster, not AKS cluster 'aks'"):
        check("aks", "aks", fqdns=names, host=f"https://{fqdns('aks-2')[0]}:443")
    assert [one["path"] for one in simulator.journal()[before:] if "/kubernetes/" in one["path"]] == []


def test_aks_cluster_with_another_address_is_verified_by_its_config_map(check, fqdns, run_module):
    """The address of the simulator differs from the one in Azure, as with a tunnel."""
    names = fqdns("aks")
    assert (
        "'extension-manager-config' in namespace 'kube-system' does not exist"
        in check("aks", "aks", fqdns=names)["reason"]
    )
    for cluster in ("aks", "aks-2"):
        run_module(EXTENSION, **options(cluster, workload_profile="training"))
    assert check("aks", "aks", fqdns=names)["verified"]
    with pytest.raises(ModuleFailedError, match="reaches AKS cluster 'aks-2' .* not AKS cluster 'aks'"):
        check("aks", "aks-2", fqdns=names)
    expected = r"reaches AKS cluster 'aks' .*, which is not connected to Azure Arc, not connected cluster 'a'"
    with pytest.raises(ModuleFailedError, match=expected):
        check("a", "aks")


def test_connected_cluster_is_not_an_aks_cluster(check):
    with pytest.raises(ModuleFailedError, match="reaches connected cluster 'a' .*, not AKS cluster 'aks'") as failure:
        check("aks", "a")
    assert failure.value.result["error"]["code"] == "WrongCluster"


def test_aks_cluster_that_may_be_connected_under_another_name_is_unverified(check, kube, simulator):
    """C(az connectedk8s connect) accepts AKS clusters."""
    resources = kube("aks-3").resources
    resources.get(api_version="v1", kind="Namespace").create({"metadata": {"name": "azure-arc"}})
    data = {"AZURE_SUBSCRIPTION_ID": SUBSCRIPTION, "AZURE_RESOURCE_GROUP": "rg-arc", "AZURE_RESOURCE_NAME": "west"}
    config_map = {"metadata": {"name": "azure-clusterconfig"}, "data": data}
    resources.get(api_version="v1", kind="ConfigMap").create(config_map, namespace="azure-arc")

    result = check("aks-3", "aks-3")

    assert not result["verified"]
    assert result["reason"] == (
        "ConfigMap 'extension-manager-config' in namespace 'kube-system' does not exist; ConfigMap"
        " 'azure-clusterconfig' in namespace 'azure-arc' names connected cluster 'west' of resource group 'rg-arc' in"
        f" subscription {SUBSCRIPTION}"
    )
    simulator.change_plan("aks-3", forbidden=["list nodes"])
    assert check("aks-3", "aks-3")["reason"] == result["reason"]


def test_cluster_can_be_given_by_its_id(run_module, simulator):
    assert run_module(SPEC, kubeconfig=simulator.kubeconfigs["a"], cluster_id=arc_id("a"))["verified"]


def test_subscription_comes_from_the_environment_or_is_not_compared(check, monkeypatch):
    monkeypatch.delenv("AZURE_SUBSCRIPTION_ID", raising=False)
    assert check("a", "a", subscription_id=None)["verified"]
    with pytest.raises(ModuleFailedError, match="not connected cluster 'a' of resource group 'rg-edge'; nothing"):
        check("a", "a-2", subscription_id=None)
    monkeypatch.setenv("AZURE_SUBSCRIPTION_ID", "00000000-0000-0000-0000-000000000000")
    with pytest.raises(ModuleFailedError, match="not connected cluster 'a' .* 00000000-"):
        check("a", "a", subscription_id=None)


def test_cluster_must_be_given_either_by_id_or_by_name(run_module, simulator):
    kubeconfig = simulator.kubeconfigs["a"]
    for given in ({}, {"cluster_name": "a"}, {**options("a"), "cluster_id": "x"}):
        with pytest.raises(ModuleFailedError, match="cluster_id|resource_group"):
            run_module(SPEC, kubeconfig=kubeconfig, **given)
    with pytest.raises(ModuleFailedError, match="cluster_id 'x' is not the ARM id of a connected cluster or an AKS"):
        run_module(SPEC, kubeconfig=kubeconfig, cluster_id="x")
