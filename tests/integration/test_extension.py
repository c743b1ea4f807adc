# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M(azureml.arc.extension) and M(azureml.arc.extension_info) with the simulator and the official SDK."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._extension.module import begin_supporting_resources
from ansible_collections.azureml.arc.plugins.modules.extension import SPEC
from ansible_collections.azureml.arc.plugins.modules.extension_info import SPEC as INFO
from objects import GROUP, arc_id
from support import ModuleFailedError, requests_to, wait_for, writes

from simulator.scenario import SUBSCRIPTION


def test_install_sends_every_derived_key(run_module, simulator, arc, training):
    result = run_module(SPEC, **training)

    assert result["changed"]
    assert result["extension"]["provisioning_state"] == "Succeeded"
    (put,) = requests_to(simulator, "PUT", f"{arc}/providers/Microsoft.KubernetesConfiguration/extensions/azureml")
    assert put["query"] == {"api-version": "2025-03-01"}
    properties = put["body"]["properties"]
    protected = properties.pop("configurationProtectedSettings")
    cluster_id = arc_id(arc)
    relay = f"{arc}{SUBSCRIPTION}rgedgerelay".replace("-", "")
    relay_names = {
        key: value for key, value in properties["configurationSettings"].items() if "hybridConnection" in key
    }
    assert put["body"]["identity"] == {"type": "SystemAssigned"}
    assert {key: value for key, value in properties["configurationSettings"].items() if key not in relay_names} == {
        "enableTraining": "True",
        "enableInference": "False",
        "cluster_name": cluster_id,
        "clusterId": cluster_id,
        "prometheus.prometheusSpec.externalLabels.cluster_name": cluster_id,
        "cluster_name_friendly": arc,
        "location": "westeurope",
        "jobSchedulerLocation": "westeurope",
        "domain": "westeurope.cloudapp.azure.com",
        "servicebus.enabled": "false",
        "relayserver.enabled": "true",
        "nginxIngress.enabled": "false",
    }
    namespace = f"{GROUP}/providers/Microsoft.Relay/namespaces/{relay}"
    assert relay_names == {
        "relayserver.hybridConnectionName": arc,
        "relayserver.hybridConnectionResourceID": f"{namespace}/hybridConnections/{arc}",
    }
    assert properties | {"configurationSettings": None} == {
        "extensionType": "Microsoft.AzureML.Kubernetes",
        "releaseTrain": "stable",
        "autoUpgradeMinorVersion": True,
        "scope": {"cluster": {"releaseNamespace": "azureml"}},
        "configurationSettings": None,
    }
    assert set(protected) == {"relayserver.relayConnectionString", "relayServerConnectionString"}
    assert all(value.startswith(f"Endpoint=sb://{relay}.servicebus.windows.net/") for value in protected.values())


def test_relay_is_created_once_and_reused(run_module, simulator, arc, training):
    first = run_module(SPEC, **training)
    assert [one.rsplit("/", 2)[-2] for one in first["created_resources"]] == [
        "namespaces",
        "hybridConnections",
        "authorizationRules",
    ]
    (namespace,) = requests_to(simulator, "PUT", "Microsoft.Relay/namespaces/")[:1]
    assert namespace["body"] == {
        "location": "westeurope",
        "tags": {"created_by": "Azure Arc-enabled ML"},
        "sku": {"name": "Standard"},
    }
    run_module(SPEC, state="absent", resource_group="rg-edge", cluster_name=arc)
    simulator.clear_journal()

    again = run_module(SPEC, **training)

    assert again["changed"]
    assert again["created_resources"] == []
    assert requests_to(simulator, "PUT", "Microsoft.Relay") == []


def test_failure_returns_the_resources_that_were_created_before(run_module, simulator, arc, training):
    simulator.add_fault(method="PUT", path=f"/{arc}/providers/Microsoft.KubernetesConfiguration/", status=403)

    with pytest.raises(ModuleFailedError) as failure:
        run_module(SPEC, **training)

    result = failure.value.result
    assert (len(result["created_resources"]), result["changed"]) == (3, True)


def test_aks_cluster_with_two_nodes_has_no_relay_and_purpose_devtest(run_module, simulator, aks):
    result = run_module(
        SPEC, resource_group="rg-edge", cluster_name=aks, cluster_type="managed_cluster", workload_profile="training"
    )

    (put,) = requests_to(simulator, "PUT", aks)
    settings = put["body"]["properties"]["configurationSettings"]
    assert settings["relayserver.enabled"] == "false"
    assert settings["nginxIngress.enabled"] == "true"
    assert (settings["clusterPurpose"], settings["inferenceRouterHA"]) == ("DevTest", "false")
    assert "configurationProtectedSettings" not in put["body"]["properties"]
    assert requests_to(simulator, "GET", "Microsoft.Relay") == []
    assert "identity" not in put["body"]
    assert put["answer"]["identity"] is None
    assert result["extension"]["principal_id"] == put["answer"]["properties"]["aksAssignedIdentity"]["principalId"]


@pytest.mark.parametrize("group", ["rg-edge", "rg-deleted"])
def test_missing_cluster_fails_with_gone_in_the_result(run_module, simulator, arc, group):
    simulator.change_plan(arc, gone=True)
    with pytest.raises(ModuleFailedError) as failure:
        run_module(SPEC, resource_group=group, cluster_name=arc, workload_profile="training")
    assert failure.value.result["gone"]


def test_openshift_is_detected_from_the_distribution(run_module, simulator, arc, training):
    simulator.change_plan(arc, distribution="openshift")
    run_module(SPEC, wait=False, **training)

    (put,) = requests_to(simulator, "PUT", f"{arc}/providers/")
    assert put["body"]["properties"]["configurationSettings"]["openshift"] == "true"


def test_second_run_sends_two_reads_and_changes_nothing(run_module, simulator, training):
    run_module(SPEC, **training)
    simulator.clear_journal()

    result = run_module(SPEC, **training)

    assert not result["changed"]
    assert result["plan"]["action"] == "none"
    arm = [one for one in simulator.journal() if "/subscriptions/" in one["path"]]
    assert [one["method"] for one in arm] == ["GET", "GET"]


def test_operation_in_progress_is_joined(run_module, simulator, arc, training):
    simulator.change_plan(arc, install={"seconds": 300})  # five real seconds
    submitted = run_module(SPEC, wait=False, **training)
    assert submitted["changed"]
    assert submitted["extension"]["provisioning_state"] == "Creating"

    without_wait = run_module(SPEC, wait=False, **training)
    waited = run_module(SPEC, **training)

    assert (without_wait["changed"], without_wait["plan"]["action"]) == (False, "adopt")
    assert (waited["changed"], waited["extension"]["provisioning_state"]) == (False, "Succeeded")
    assert len(requests_to(simulator, "PUT", "KubernetesConfiguration")) == 1


def test_failure_of_a_joined_operation_is_reported_and_not_retried(run_module, simulator, arc, training):
    simulator.change_plan(arc, install={"seconds": 300, "error": "Helm installation failed : pod healthcheck failed"})
    run_module(SPEC, wait=False, **training)

    with pytest.raises(ModuleFailedError) as failure:
        run_module(SPEC, **training)

    assert failure.value.result["error"]["code"] == "ExtensionOperationFailed"
    assert "pod healthcheck failed" in failure.value.result["msg"]
    assert "arcml-healthcheck" in failure.value.result["error"]["hint"]
    assert len(requests_to(simulator, "PUT", "KubernetesConfiguration")) == 1


def test_failed_extension_is_reinstalled(run_module, simulator, arc, training):
    simulator.change_plan(arc, install={"seconds": 30, "error": "cannot re-use a name that is still in use"})
    with pytest.raises(ModuleFailedError, match="cannot re-use a name"):
        run_module(SPEC, **training)
    simulator.change_plan(arc, install={"seconds": 30})

    result = run_module(SPEC, **training)

    assert result["changed"]
    assert result["plan"]["reason"] == "the last operation ended as Failed"
    assert result["extension"]["provisioning_state"] == "Succeeded"


def test_installation_during_a_removal_waits_for_its_end(run_module, arc, training):
    run_module(SPEC, **training)
    run_module(SPEC, state="absent", wait=False, resource_group="rg-edge", cluster_name=arc)

    result = run_module(SPEC, **training)

    assert result["changed"]
    assert result["extension"]["provisioning_state"] == "Succeeded"


def test_removal_is_idempotent(run_module, simulator, arc, training):
    absent = {"state": "absent", "resource_group": "rg-edge", "cluster_name": arc}
    run_module(SPEC, **training)

    assert run_module(SPEC, check_mode=True, **absent)["changed"]
    first = run_module(SPEC, **absent)
    second = run_module(SPEC, **absent)

    assert (first["changed"], first["plan"]["action"], first["extension"]["name"]) == (True, "delete", "azureml")
    assert (second["changed"], second["plan"]["action"], second["extension"]) == (False, "none", None)
    (delete,) = requests_to(simulator, "DELETE", arc)
    assert delete["query"]["forceDelete"] == "false"


def test_check_mode_sends_nothing(run_module, simulator, arc, training):
    result = run_module(SPEC, check_mode=True, diff=True, **training)

    assert result["changed"]
    assert result["plan"]["action"] == "create"
    assert result["diff"]["after"]["settings.cluster_name_friendly"] == arc
    assert result["diff"]["after"]["protected_settings.relayServerConnectionString"] == "(hidden)"
    assert writes(simulator) == []


def test_log_analytics_workspace_is_created_and_its_key_sent(run_module, simulator, arc, training):
    result = run_module(SPEC, log_analytics=True, **training)

    (put,) = requests_to(simulator, "PUT", f"{arc}/providers/Microsoft.KubernetesConfiguration")
    settings = put["body"]["properties"]["configurationSettings"]
    assert (settings["logAnalyticsWS"], settings["azure_log_analytics.enabled"]) == ("True", "True")
    assert len(settings["azure_log_analytics.customer_id"]) == 36
    assert put["body"]["properties"]["configurationProtectedSettings"]["azure_log_analytics.connection_string"]
    assert "OperationalInsights/workspaces" in result["created_resources"][-1]
    assert not run_module(SPEC, log_analytics=True, **training)["changed"]


def test_timeout_shows_the_state_and_a_second_run_joins_the_operation(run_module, simulator, aks):
    simulator.change_plan(aks, install={"seconds": 240})
    training = {"resource_group": "rg-edge", "cluster_name": aks, "workload_profile": "training"}
    training["cluster_type"] = "managed_cluster"  # without a relay, which would have to be created within the second

    with pytest.raises(ModuleFailedError, match=r"Timed out after 1 seconds .*state Creating.*run again to join it"):
        run_module(SPEC, wait_timeout=1, **training)
    assert run_module(SPEC, **training)["extension"]["provisioning_state"] == "Succeeded"
    assert len(requests_to(simulator, "PUT", "KubernetesConfiguration")) == 1


def test_throttled_and_failed_requests_are_retried(run_module, simulator, arc, training):
    simulator.add_fault(method="GET", path=f"{arc}$", status=429, headers={"Retry-After": "1"}, times=1)
    simulator.add_fault(method="PUT", path="extensions/azureml$", status=503, times=1)
    simulator.add_fault(method="GET", path="/operations/", cut="reset", times=1)

    assert run_module(SPEC, **training)["extension"]["provisioning_state"] == "Succeeded"


def test_info_module_lists_only_azureml_extensions(run_module, arc, training):
    where = {"resource_group": "rg-edge", "cluster_name": arc}
    assert run_module(INFO, **where)["extensions"] == []
    run_module(SPEC, **training)

    (listed,) = run_module(INFO, **where)["extensions"]
    (named,) = run_module(INFO, name="azureml", **where)["extensions"]

    assert listed == named
    assert named["protected_settings"] == ["relayServerConnectionString", "relayserver.relayConnectionString"]
    assert run_module(INFO, name="other", **where)["extensions"] == []


def test_supporting_resources_are_created_without_waiting(run_module, simulator, training):
    begin = replace(SPEC, run=begin_supporting_resources)
    planned = run_module(begin, **training, check_mode=True, diff=True)
    assert writes(simulator) == []

    prepared = run_module(begin, **training)
    again = run_module(begin, **training)

    assert (planned["changed"], prepared["changed"], again["changed"]) == (True, True, False)
    assert planned["diff"]["after"]["resources"] == planned["created_resources"] == prepared["created_resources"]
    ((method, path),) = writes(simulator)
    assert (method, path) == ("PUT", prepared["created_resources"][0])
    assert run_module(SPEC, **training)["extension"]["provisioning_state"] == "Succeeded"
    assert len([path for _method, path in writes(simulator) if path.lower().count("/hybridconnections") == 0]) == 2


def test_task_that_only_waits_does_not_retry_a_failed_installation(run_module, simulator, arc, training):
    simulator.change_plan(arc, install={"seconds": 1, "error": "timed out waiting for the condition"})
    run_module(SPEC, **training, wait=False)
    where = {"resource_group": "rg-edge", "cluster_name": arc}
    wait_for(lambda: run_module(INFO, **where)["extensions"][0]["provisioning_state"] == "Failed")
    simulator.clear_journal()

    with pytest.raises(ModuleFailedError, match="timed out waiting for the condition"):
        run_module(SPEC, **training, retry_failed=False)

    assert writes(simulator) == []
