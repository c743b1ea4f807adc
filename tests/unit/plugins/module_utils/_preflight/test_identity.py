# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The identity of a cluster, by the host name of its API server and by its ConfigMap."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._azure import cluster_reference
from ansible_collections.azureml.arc.plugins.module_utils._azure.cluster_reference import ClusterReference
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._preflight import identity
from ansible_collections.azureml.arc.plugins.module_utils._preflight.identity import Reading

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
FQDN = "a-dns-1234.hcp.westeurope.azmk8s.io"
PRIVATE = "a-dns-5678.0f0f.privatelink.westeurope.azmk8s.io"
DATA = {"AZURE_SUBSCRIPTION_ID": SUBSCRIPTION, "AZURE_RESOURCE_GROUP": "rg", "AZURE_RESOURCE_NAME": "a"}
EXPECTED = ClusterReference(SUBSCRIPTION, "rg", "connected_cluster", "a")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (f"https://{FQDN}:443", True),
        (f"https://{FQDN.upper()}", True),
        (f"https://{PRIVATE}:443", True),
        ("https://b-dns-1234.hcp.westeurope.azmk8s.io:443", False),
        ("https://a-dns-1234.hcp.northeurope.azmk8s.io:443", False),
        ("https://10.0.0.4:6443", None),
        ("https://[::1]:6443", None),
        ("https://aks.example.com", None),
        ("https://localhost:6443", None),
        ("", None),
    ],
)
def test_host_name_identifies_an_aks_cluster(address, expected):
    assert identity.has_host([FQDN, PRIVATE], address) is expected


def test_result_without_known_host_names_is_inconclusive():
    assert identity.has_host([], f"https://{FQDN}") is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, True),
        ({"AZURE_RESOURCE_NAME": "A", "AZURE_RESOURCE_GROUP": "RG"}, True),
        ({"AZURE_RESOURCE_NAME": "b"}, False),
        ({"AZURE_RESOURCE_GROUP": "rg-2"}, False),
        ({"AZURE_SUBSCRIPTION_ID": SUBSCRIPTION.replace("1", "9")}, False),
    ],
)
def test_cluster_is_the_same_if_all_parts_of_its_name_are_equal_in_any_case(change, expected):
    found = identity.named_cluster("connected_cluster", {"data": {**DATA, **change}})
    assert identity.is_same(found, EXPECTED) is expected


def test_subscription_is_compared_only_if_it_is_known():
    found = identity.named_cluster("connected_cluster", {"data": DATA})
    assert identity.is_same(found, replace(EXPECTED, subscription_id=""))
    assert not identity.is_same(found, replace(EXPECTED, subscription_id="", name="b"))


MISSING = Reading(reason="ConfigMap 'x' does not exist", missing=True)
FORBIDDEN = Reading(reason="may not get configmaps")
CONNECTED = Reading(EXPECTED)
AKS = Reading(ClusterReference(SUBSCRIPTION, "rg", "managed_cluster", "aks"))
OF_AKS, OF_OTHERS = {"labels": {identity.AKS_LABEL: "MC_rg_aks_westeurope"}}, {"labels": None}


@pytest.mark.parametrize(
    ("expected_type", "own", "other", "nodes", "installed", "found"),
    [
        ("connected_cluster", MISSING, AKS, [], False, "AKS cluster 'aks' of resource group 'rg' in"),
        ("connected_cluster", FORBIDDEN, AKS, [], True, ""),
        ("connected_cluster", MISSING, MISSING, [], False, ""),
        ("connected_cluster", MISSING, FORBIDDEN, [], True, "a cluster that is not connected to Azure Arc (ConfigM"),
        ("connected_cluster", FORBIDDEN, FORBIDDEN, [], True, ""),
        ("managed_cluster", MISSING, CONNECTED, [OF_OTHERS], False, "connected cluster 'a' of resource group 'rg'"),
        ("managed_cluster", MISSING, MISSING, [OF_OTHERS], True, "a cluster without nodes of AKS (label kubernetes."),
        # An AKS cluster may be connected to Azure Arc as well, and have virtual nodes.
        ("managed_cluster", MISSING, CONNECTED, [OF_OTHERS, OF_AKS], True, ""),
        ("managed_cluster", MISSING, CONNECTED, [], True, ""),
        ("managed_cluster", MISSING, MISSING, [OF_AKS], True, ""),
    ],
)
def test_cluster_without_its_own_config_map_is_refused_on_certain_evidence(
    expected_type, own, other, nodes, installed, found
):
    contradiction = identity.contradiction(expected_type, own, other, nodes, installed)
    assert contradiction.startswith(found)
    assert bool(contradiction) == bool(found)


@pytest.mark.parametrize(
    "config_map",
    [None, {}, {"data": None}, *({"data": {**DATA, key: value}} for key in identity.KEYS for value in ("", None))],
)
def test_incomplete_config_map_identifies_no_cluster(config_map):
    assert identity.named_cluster("connected_cluster", config_map) is None


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://API.example.com", "https://api.example.com:443"),
        ("https://api.example.com:443/", "https://api.example.com:443"),
        ("https://10.0.0.4:6443", "https://10.0.0.4:6443"),
        ("https://[FE80::1]:6443", "https://[fe80::1]:6443"),
        ("https://rancher.example.com/k8s/clusters/c-1/", "https://rancher.example.com:443/k8s/clusters/c-1"),
        ("http://localhost:8001", "http://localhost:8001"),
    ],
)
def test_address_is_normalised(address, expected):
    assert identity.normalise(address) == expected


@pytest.mark.parametrize("cluster", [EXPECTED, ClusterReference(SUBSCRIPTION, "rg", "managed_cluster", "aks")])
def test_id_of_a_cluster_is_parsed(cluster):
    assert cluster_reference.from_id("cluster_id", cluster.id) == cluster
    assert identity.is_same(cluster_reference.from_id("cluster_id", cluster.id.lower()), cluster)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "a",
        EXPECTED.id + "/",
        EXPECTED.id.replace("connectedClusters", "fleets"),
        EXPECTED.id.replace(SUBSCRIPTION, "mine"),
        EXPECTED.id + "?api-version=1",
    ],
)
def test_invalid_id_is_rejected(value):
    with pytest.raises(AzureMLError):
        cluster_reference.from_id("cluster_id", value)
