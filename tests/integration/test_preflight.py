# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M(azureml.arc.preflight) against the simulator, through the official SDKs."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.modules.extension import SPEC as EXTENSION
from ansible_collections.azureml.arc.plugins.modules.preflight import SPEC
from objects import DEFINITION, definition
from support import ModuleFailedError, requests_to, writes

import simulated
from simulator.scenario import ClusterPlan, InstallPlan, Scenario

INSTALL = InstallPlan(seconds=30)
CLUSTERS = [
    ClusterPlan("shop", install=INSTALL),
    ClusterPlan("small", nodes=1, node_cpu="1", node_memory="2Gi", connectivity="Offline", distribution="generic"),
    ClusterPlan("plant", distribution="openshift", namespace_terminating=True),
    ClusterPlan("aks", type="managedClusters"),
]


@pytest.fixture
def simulator(tmp_path):
    scenario = Scenario(clusters=CLUSTERS, time_scale=60, unregistered=["Microsoft.Relay", "Microsoft.ServiceBus"])
    with simulated.running(scenario, tmp_path / "simulator") as running:
        yield running


@pytest.fixture
def check(run_module, simulator):
    """Run the module on a cluster, by default without failing on findings."""

    def run(cluster="shop", **options):
        common = {"resource_group": "rg-edge", "cluster_name": cluster, "workload_profile": "training"}
        result = run_module(
            SPEC, kubeconfig=simulator.kubeconfigs[cluster], **{**common, "fail_on": "never", **options}
        )
        assert writes(simulator) == []
        return result

    return run


def found(result) -> list[tuple[str, str]]:
    return [(finding["level"], finding["check"]) for finding in result["findings"]]


def test_healthy_aks_cluster_has_no_findings(check):
    result = check("aks", cluster_type="managed_cluster", fail_on="warning")
    assert (result["passed"], result["findings"], result["changed"]) == (True, [], False)
    assert result["cluster"]["node_count"] == 3


def test_all_findings_are_reported_errors_first(check, create):
    create("small", *DEFINITION, "jobs.batch.volcano.sh", spec=definition("batch.volcano.sh", "jobs", "Job"))
    create("small", "apps/v1", "Deployment", "azureml-fe", "default", spec={"replicas": 1})
    create("small", "rbac.authorization.k8s.io/v1", "ClusterRole", "azureml-fe-role", rules=[])
    create(
        "small",
        "v1",
        "Pod",
        "shop",
        "default",
        spec={"nodeName": "node-0", "containers": [{"name": "c", "resources": {"requests": {"cpu": "900m"}}}]},
        status={"phase": "Running"},
    )

    result = check(
        "small",
        workload_profile="training_inference",
        inference_service="load_balancer",
        inference_router_ha=True,
        install_prometheus_operator=False,
        minimum_agent_version="99.0",
    )

    assert found(result) == [
        ("error", "connectivity"),
        ("error", "agent_version"),
        ("error", "resource_providers"),
        ("error", "nodes"),
        ("error", "resources"),
        ("error", "resources"),
        ("error", "volcano"),
        ("error", "legacy_router"),
        ("warning", "prometheus_operator"),
        ("warning", "load_balancer"),
    ]
    assert not result["passed"]
    assert all(finding["message"] and finding["fix"] for finding in result["findings"])
    assert "100m of cpu are free on these nodes" in str(result["findings"])
    assert [warning.split(":")[0] for warning in result["warnings"]] == [check for _level, check in found(result)]


def test_failure_contains_all_findings(check):
    with pytest.raises(
        ModuleFailedError, match="cluster 'shop' is not ready for the extension.*Microsoft.Relay"
    ) as failure:
        check(fail_on="error")
    assert failure.value.result["findings"][0]["check"] == "resource_providers"
    assert failure.value.result["error"]["code"] == "PreflightFailed"


def test_skipped_checks_send_no_requests(check, simulator):
    result = check(skip_checks=["resource_providers", "resources"], fail_on="error")
    assert result["findings"] == []
    assert requests_to(simulator, "GET", "/providers/Microsoft.Relay") == []
    assert requests_to(simulator, "GET", "/pods") == []


def test_openshift_without_permissions_is_a_finding(check):
    result = check("plant", compute_namespaces=["ml"])
    assert result["openshift"]
    assert found(result) == [
        ("error", "resource_providers"),
        ("error", "namespace"),
        ("error", "compute_namespaces"),
        ("error", "openshift_scc"),
    ]
    assert "system:serviceaccount:ml:default" in result["findings"][3]["message"]


def test_service_bus_is_required_only_for_settings_generation_2021(check):
    assert len(check()["findings"]) == 1
    providers = [finding["message"] for finding in check(settings_generation="2021")["findings"]]
    assert [message.split()[2] for message in providers] == ["Microsoft.Relay", "Microsoft.ServiceBus"]


def test_components_of_the_extension_do_not_conflict_and_auto_uses_existing_ones(check, create):
    labels = {"meta.helm.sh/release-name": "azureml", "meta.helm.sh/release-namespace": "azureml"}
    spec = definition("batch.volcano.sh", "jobs", "Job")
    create("aks", *DEFINITION, "jobs.batch.volcano.sh", spec=spec, metadata={"annotations": labels})
    spec = definition("monitoring.coreos.com", "prometheuses", "Prometheus")
    create("aks", *DEFINITION, "prometheuses.monitoring.coreos.com", spec=spec)
    create("aks", "apps/v1", "DaemonSet", "nvidia-device-plugin-daemonset", "kube-system", spec={})

    checked = check("aks", cluster_type="managed_cluster")
    used = check("aks", cluster_type="managed_cluster", install_components="auto")

    assert found(checked) == [("error", "prometheus_operator")]
    assert found(used) == [("info", "prometheus_operator")]
    assert used["install_options"] == {"install_prometheus_operator": False}


def test_missing_read_permission_is_a_warning(check, simulator):
    simulator.change_plan("aks", forbidden=["nodes", "customresourcedefinitions"])
    result = check("aks", cluster_type="managed_cluster")
    assert found(result) == [("warning", check) for check in ("nodes", "resources", "volcano", "prometheus_operator")]
    assert "The account may not list nodes: give it a ClusterRole" in result["findings"][0]["message"]
    assert "may not get customresourcedefinitions" in result["findings"][2]["message"]


def test_unreachable_kubernetes_api_is_a_finding(check):
    result = check("aks", cluster_type="managed_cluster", host="https://localhost:9")
    assert found(result) == [("error", "kubernetes_api")]
    assert "cannot be reached" in result["findings"][0]["message"]


def test_side_sends_no_requests_to_the_other(check, simulator):
    assert check(sides=["kubernetes"])["cluster"] is None
    assert requests_to(simulator, "GET", "/subscriptions/") == []
    simulator.clear_journal()
    assert found(check(sides=["azure"])) == [("error", "resource_providers")]
    assert requests_to(simulator, "GET", "/kubernetes/") == []


def test_skip_installed_takes_one_request_on_an_installed_cluster(check, run_module, simulator):
    run_module(EXTENSION, resource_group="rg-edge", cluster_name="shop", workload_profile="training")
    simulator.clear_journal()

    result = check(skip_installed=True)

    assert (result["checked"], result["installed"], result["passed"]) == (False, True, True)
    assert len(requests_to(simulator, "GET", "/subscriptions/")) == 1
    assert requests_to(simulator, "GET", "/kubernetes/") == []
    assert check()["checked"]


def test_skip_installed_checks_a_cluster_with_a_failed_install(check, run_module, simulator):
    simulator.change_plan("shop", install={"seconds": 30, "error": "timed out waiting for the condition"})
    with pytest.raises(ModuleFailedError):
        run_module(EXTENSION, resource_group="rg-edge", cluster_name="shop", workload_profile="training")
    simulator.clear_journal()
    result = check(skip_installed=True)
    assert (result["checked"], result["installed"]) == (True, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"minimum_agent_version": "latest"}, "minimum_agent_version must be a version like 1.21.10, not 'latest'"),
        ({"skip_checks": ["everything"]}, "value of skip_checks must be one or more of"),
        ({"sides": ["dark"]}, "value of sides must be one or more of: azure, kubernetes"),
    ],
)
def test_invalid_options_are_rejected(check, simulator, options, message):
    with pytest.raises(ModuleFailedError, match=message):
        check(**options)
    assert simulator.journal() == []


def test_missing_cluster_fails(run_module):
    with pytest.raises(ModuleFailedError, match="^connected cluster 'nowhere' does not exist .*Check cluster_name"):
        run_module(SPEC, resource_group="rg-edge", cluster_name="nowhere", workload_profile="training")
