# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M(azureml.arc.compute) and M(azureml.arc.compute_info) with the simulator."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.modules.compute import SPEC
from ansible_collections.azureml.arc.plugins.modules.compute_info import SPEC as INFO
from objects import WORKSPACE, arc_id
from support import ModuleFailedError, requests_to, wait_for, writes

from simulator.scenario import SUBSCRIPTION

IDENTITY = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-ml"
    "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/vision"
)


@pytest.fixture
def ml(create, arc):
    """Namespace ml in the cluster."""
    create(arc, "v1", "Namespace", "ml")


def test_attachment_is_idempotent(run_module, simulator, arc, ready, ml):
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
            "resourceId": arc_id(arc),
            "description": "shop 42",
            "properties": {"namespace": "ml"},
        },
    }


def test_check_mode_sends_nothing_and_returns_a_diff(run_module, simulator, ready):
    result = run_module(SPEC, check_mode=True, diff=True, **ready)

    assert result["changed"]
    assert result["diff"]["before"] == {}
    assert result["diff"]["after"]["namespace"] == "default"
    assert writes(simulator) == []


def test_name_of_another_cluster_is_rejected(run_module, simulator, arc, ready):
    run_module(SPEC, **ready)
    simulator.clear_journal()

    with pytest.raises(ModuleFailedError, match=rf"name is taken by another cluster, .*{arc} .*Choose another name"):
        run_module(SPEC, **{**ready, "cluster_name": "arc-other"})
    assert writes(simulator) == []


def test_changed_namespace_requires_force_reattach(run_module, simulator, ready, ml):
    run_module(SPEC, description="shop", **ready)
    simulator.clear_journal()

    with pytest.raises(ModuleFailedError, match="with namespace 'default', which .* changed in place.*force_reattach"):
        run_module(SPEC, namespace="ml", **ready)
    assert writes(simulator) == []
    planned = run_module(SPEC, namespace="ml", force_reattach=True, check_mode=True, diff=True, **ready)
    assert (planned["plan"]["action"], planned["diff"]["before"]) == ("replace", {"namespace": "default"})
    assert writes(simulator) == []

    result = run_module(SPEC, namespace="ml", force_reattach=True, **ready)

    assert (result["changed"], result["compute"]["namespace"]) == (True, "ml")
    assert result["compute"]["description"] == "shop"
    assert [method for method, path in writes(simulator)] == ["DELETE", "PUT"]
    assert not run_module(SPEC, namespace="ml", force_reattach=True, **ready)["changed"]


def test_description_and_instance_types_are_kept_after_a_conflict_while_reattaching(run_module, simulator, arc, ready):
    types = {"small": {"resources": {"limits": {"cpu": "1"}}}}
    run_module(SPEC, description="shop", instance_types=types, default_instance_type="small", **ready)
    simulator.add_fault(method="PUT", path=f"computes/{arc}$", status=409, times=2)

    kubeconfig = simulator.kubeconfigs[arc]
    options = {"namespace": "new", "create_namespace": True, "kubeconfig": kubeconfig, "force_reattach": True}
    result = run_module(SPEC, **options, **ready)

    assert (result["plan"]["action"], result["created_namespace"]) == ("replace", True)
    assert (result["compute"]["namespace"], result["compute"]["description"]) == ("new", "shop")
    assert set(result["compute"]["instance_types"]) == {"small"}


def test_created_namespace_is_reported_after_a_conflict(run_module, simulator, arc, ready):
    simulator.add_fault(method="PUT", path=f"computes/{arc}$", status=409, times=1)
    options = {"namespace": "new", "create_namespace": True, "kubeconfig": simulator.kubeconfigs[arc]}
    assert run_module(SPEC, **options, **ready)["created_namespace"]


def test_differences_are_shown_in_the_diff_and_changed_in_place(run_module, simulator, ready):
    types = {"small": {"resources": {"limits": {"cpu": "1"}}}}
    offered = {"instance_types": types, "default_instance_type": "small"}
    run_module(SPEC, description="shop", **offered, **ready)
    simulator.clear_journal()
    more = {**types, "large": {"node_selector": {"pool": "big"}, "resources": {"limits": {"cpu": "4"}}}}
    wanted = {
        "identity": {"type": "UserAssigned", "user_assigned_identities": [IDENTITY]},
        "instance_types": more,
        "default_instance_type": "large",
    }

    planned = run_module(SPEC, check_mode=True, diff=True, **wanted, **ready)
    assert writes(simulator) == []
    result = run_module(SPEC, **wanted, **ready)
    again = run_module(SPEC, **wanted, **ready)
    purged = run_module(SPEC, purge_instance_types=True, **offered, **ready)

    assert planned["plan"]["action"] == "update"
    assert planned["diff"]["before"] == {"default_instance_type": "small", "identity": "SystemAssigned"}
    assert planned["diff"]["after"] == {
        "default_instance_type": "large",
        "identity": f"UserAssigned {IDENTITY}",
        "instance_types.large": {
            "node_selector": {"pool": "big"},
            "resources": {"requests": {}, "limits": {"cpu": "4"}},
        },
    }
    assert (result["changed"], again["changed"]) == (True, False)
    assert result["compute"]["description"] == "shop"
    assert result["compute"]["identity"] == {"type": "UserAssigned", "user_assigned_identities": [IDENTITY]}
    assert set(result["compute"]["instance_types"]) == {"small", "large"}
    assert set(purged["compute"]["instance_types"]) == {"small"}


def test_cluster_can_be_attached_as_several_computes_and_to_several_workspaces(run_module, simulator, arc, ready, ml):
    simulator.change_plan(arc, attach_seconds=6)
    run_module(SPEC, **ready)
    other_name = run_module(SPEC, **{**ready, "name": f"{arc}-ml", "namespace": "ml"})
    other_workspace = run_module(SPEC, **{**ready, "workspace": {"name": "ws-2", "resource_group": "rg-ml"}})

    assert (other_name["changed"], other_workspace["changed"]) == (True, True)
    cluster = {"resource_group": "rg-edge", "cluster_name": arc}
    found = run_module(INFO, workspace=WORKSPACE, **cluster)["computes"]
    assert sorted((one["name"], one["namespace"]) for one in found) == [(arc, "default"), (f"{arc}-ml", "ml")]


class TestNamespace:
    """With C(create_namespace), the namespace is checked before anything is sent to Azure."""

    @pytest.fixture
    def options(self, simulator, arc, ready):
        return {**ready, "namespace": "vision", "kubeconfig": simulator.kubeconfigs[arc]}

    def test_namespace_is_created_on_request(self, run_module, kube, arc, options):
        planned = run_module(SPEC, create_namespace=True, check_mode=True, **options)
        first = run_module(SPEC, create_namespace=True, **options)
        second = run_module(SPEC, create_namespace=True, **options)

        assert (planned["created_namespace"], first["created_namespace"], second["created_namespace"]) == (
            True,
            True,
            False,
        )
        assert first["compute"]["namespace"] == "vision"
        assert kube(arc).resources.get(api_version="v1", kind="Namespace").get(name="vision")

    def test_missing_namespace_is_an_error_before_any_request(self, run_module, simulator, options):
        with pytest.raises(ModuleFailedError, match="namespace 'vision' does not exist in the cluster.*create_namesp"):
            run_module(SPEC, create_namespace=False, **options)
        assert writes(simulator) == []

    def test_missing_namespace_is_reported_by_azure_without_a_check(self, run_module, options):
        with pytest.raises(ModuleFailedError, match="Namespace vision does not exist in the cluster"):
            run_module(SPEC, **options)

    def test_failed_attachment_is_retried(self, run_module, options):
        with pytest.raises(ModuleFailedError):
            run_module(SPEC, **options)
        result = run_module(SPEC, create_namespace=True, **options)
        assert result["plan"]["reason"] == "the last operation ended as Failed"
        assert result["compute"]["provisioning_state"] == "Succeeded"


@pytest.mark.parametrize(
    ("identity", "message"),
    [
        ({"type": "UserAssigned"}, "user_assigned_identities must be set if identity.type is UserAssigned"),
        (
            {"type": "SystemAssigned", "user_assigned_identities": ["/a"]},
            "must be set if identity.type is UserAssigned",
        ),
        ({"type": "UserAssigned", "user_assigned_identities": ["me"]}, "'me' is not the ARM id of a managed identity"),
    ],
)
def test_invalid_identity_is_rejected(run_module, simulator, ready, identity, message):
    with pytest.raises(ModuleFailedError, match=message):
        run_module(SPEC, identity=identity, **ready)
    assert simulator.journal() == []


def test_failure_contains_the_error_of_the_service(run_module, simulator, arc, ready):
    simulator.change_plan(arc, attach_error="The namespace ml does not exist in the cluster.")

    with pytest.raises(ModuleFailedError) as failure:
        run_module(SPEC, **ready)

    assert "The namespace ml does not exist in the cluster." in failure.value.result["msg"]
    assert failure.value.result["error"]["code"] == "AttachFailed"


def test_attachment_in_progress_is_joined(run_module, simulator, arc, ready):
    assert run_module(SPEC, wait=False, **ready)["compute"]["provisioning_state"] == "Creating"

    result = run_module(SPEC, **ready)

    assert (result["changed"], result["compute"]["provisioning_state"]) == (False, "Succeeded")
    assert len(requests_to(simulator, "PUT", f"/computes/{arc}")) == 1


def test_info_module_returns_one_compute_or_all(run_module, arc, ready):
    assert run_module(INFO, workspace=WORKSPACE, name=arc)["computes"] == []
    run_module(SPEC, **ready)

    (named,) = run_module(INFO, workspace=WORKSPACE, name=arc)["computes"]
    listed = run_module(INFO, workspace=WORKSPACE)["computes"]

    assert named["namespace"] == "default"
    assert named in listed


def test_aks_cluster_of_another_subscription_is_rejected_before_any_request(run_module, simulator):
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


def test_task_that_only_waits_does_not_retry_a_failed_attachment(run_module, simulator, arc, ready):
    simulator.change_plan(arc, attach_error="The agent does not answer.", attach_seconds=1)
    run_module(SPEC, wait=False, **ready)
    info = {"workspace": ready["workspace"], "name": arc}
    wait_for(lambda: run_module(INFO, **info)["computes"][0]["provisioning_state"] == "Failed")
    simulator.clear_journal()

    with pytest.raises(ModuleFailedError, match="The agent does not answer"):
        run_module(SPEC, retry_failed=False, **ready)

    assert writes(simulator) == []
