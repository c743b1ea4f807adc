# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M(azureml.arc.cluster_identity) with a real API server and the ConfigMap of Azure Arc."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.modules.cluster_identity import SPEC
from support import ModuleFailedError

from simulator.scenario import SUBSCRIPTION

CLUSTER = {"subscription_id": SUBSCRIPTION, "resource_group": "rg", "cluster_name": "a"}


@pytest.fixture(scope="module")
def connected(api):
    """Create the ConfigMap that identifies a cluster connected to Azure Arc."""
    namespaces = api.resources.get(api_version="v1", kind="Namespace")
    namespaces.create(body={"metadata": {"name": "azure-arc"}})
    data = {"AZURE_SUBSCRIPTION_ID": SUBSCRIPTION, "AZURE_RESOURCE_GROUP": "RG", "AZURE_RESOURCE_NAME": "a"}
    config_maps = api.resources.get(api_version="v1", kind="ConfigMap")
    config_maps.create(body={"metadata": {"name": "azure-clusterconfig"}, "data": data}, namespace="azure-arc")
    yield
    config_maps.delete(name="azure-clusterconfig", namespace="azure-arc")
    namespaces.delete(name="azure-arc")


def test_cluster_with_the_expected_name_is_verified(as_administrator, connected, plane):
    result = as_administrator(SPEC, **CLUSTER)
    assert (result["verified"], result["api_address"]) == (True, plane.endpoint)


def test_cluster_with_another_name_is_rejected(as_administrator, connected):
    with pytest.raises(ModuleFailedError, match="reaches connected cluster 'a' .* not connected cluster 'b'"):
        as_administrator(SPEC, **{**CLUSTER, "cluster_name": "b"})


def test_cluster_is_not_verified_if_the_account_lacks_permissions(run_module, connected, account):
    result = run_module(SPEC, kubeconfig=account({}), **CLUSTER)
    assert not result["verified"]
    assert "may not get configmaps" in result["reason"]
