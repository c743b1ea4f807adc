# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M(azureml.arc.compute) and its info module against the simulator."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.modules.compute import SPEC
from ansible_collections.azureml.arc.plugins.modules.compute_info import SPEC as INFO
from ansible_collections.azureml.arc.plugins.modules.extension import SPEC as EXTENSION
from support import ModuleFailedError, requests_to, writes

from simulator.scenario import SUBSCRIPTION

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-edge"
WORKSPACE = {"name": "ws", "resource_group": "rg-ml"}


@pytest.fixture
def ready(run_module, simulator, arc):
    """Options that attach a cluster whose extension is installed, as a compute of the cluster's name."""
    cluster = {"resource_group": "rg-edge", "cluster_name": arc}
    run_module(EXTENSION, workload_profile="training", **cluster)
    simulator.clear_journal()
    return {"name": arc, "workspace": WORKSPACE, **cluster}


def test_attach_and_again(run_module, simulator, arc, ready):
    first = run_module(SPEC, description="shop 42", namespace="ml", **ready)
    second = run_module(SPEC, description="shop 42", namespace="ml", **ready)

    assert first["changed"]
    assert first["compute"]["provisioning_state"] == "Succeeded"
    assert first["compute"]["extension_principal_id"]
    assert (second["changed"], second["plan"]["action"]) == (False, "none")
    (put,) = requests_to(simulator, "PUT", f"/computes/{arc}")
    assert put["body"] == {
        "location": "northeurope",
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "computeType": "Kubernetes",
            "resourceId": f"{GROUP}/providers/Microsoft.Kubernetes/connectedClusters/{arc}",
            "description": "shop 42",
            "properties": {"namespace": "ml"},
        },
    }


def test_check_mode_and_diff(run_module, simulator, arc, ready):
    result = run_module(SPEC, check_mode=True, diff=True, **ready)

    assert result["changed"]
    assert result["diff"]["before"] == {}
    assert result["diff"]["after"]["namespace"] == "default"
    assert writes(simulator) == []


def test_name_of_another_cluster_is_refused(run_module, simulator, arc, ready):
    run_module(SPEC, **ready)
    simulator.clear_journal()

    with pytest.raises(ModuleFailedError, match=rf"the name is taken by another cluster, .*{arc}; choose another name"):
        run_module(SPEC, **{**ready, "cluster_name": "arc-other"})
    assert writes(simulator) == []


def test_other_namespace_is_refused(run_module, simulator, ready):
    run_module(SPEC, **ready)

    with pytest.raises(ModuleFailedError, match="attached with namespace 'default', which cannot be changed in place"):
        run_module(SPEC, namespace="ml", **ready)


def test_failure_carries_the_service_s_error(run_module, simulator, arc, ready):
    simulator.change_plan(arc, attach_error="The namespace ml does not exist in the cluster.")

    with pytest.raises(ModuleFailedError) as failure:
        run_module(SPEC, **ready)

    assert "The namespace ml does not exist in the cluster." in failure.value.result["msg"]
    assert failure.value.result["error"]["code"] == "AttachFailed"


def test_attach_under_way_is_adopted(run_module, simulator, arc, ready):
    assert run_module(SPEC, wait=False, **ready)["compute"]["provisioning_state"] == "Creating"

    result = run_module(SPEC, **ready)

    assert (result["changed"], result["compute"]["provisioning_state"]) == (False, "Succeeded")
    assert len(requests_to(simulator, "PUT", f"/computes/{arc}")) == 1


def test_detach(run_module, simulator, arc, ready):
    run_module(SPEC, **ready)

    first = run_module(SPEC, state="absent", **ready)
    second = run_module(SPEC, state="absent", **ready)

    assert (first["changed"], first["compute"]["name"]) == (True, arc)
    assert (second["changed"], second["compute"]) == (False, None)
    (delete,) = requests_to(simulator, "DELETE", f"/computes/{arc}")
    assert delete["query"]["underlyingResourceAction"] == "Detach"


def test_info(run_module, arc, ready):
    assert run_module(INFO, workspace=WORKSPACE, name=arc)["computes"] == []
    run_module(SPEC, **ready)

    (named,) = run_module(INFO, workspace=WORKSPACE, name=arc)["computes"]
    listed = run_module(INFO, workspace=WORKSPACE)["computes"]

    assert named["namespace"] == "default"
    assert named in listed


def test_aks_of_another_subscription_is_refused_before_anything_is_sent(run_module, simulator):
    elsewhere = "22222222-2222-3333-4444-555555555555"

    with pytest.raises(
        ModuleFailedError, match="workspace.subscription_id must be the subscription of the AKS cluster"
    ):
        run_module(
            SPEC,
            name="aks",
            resource_group="rg-edge",
            cluster_name="aks",
            cluster_type="managed_cluster",
            workspace={**WORKSPACE, "subscription_id": elsewhere},
        )
    assert simulator.journal() == []
