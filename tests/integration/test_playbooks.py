# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbooks deploy and verify on clusters of each kind."""

from __future__ import annotations

import pytest
from objects import DEFINITION, definition
from playbooks import LOCAL
from support import writes

import certificates
import simulated
from simulator.scenario import ClusterPlan, InstallPlan, Scenario

INSTALL = InstallPlan(seconds=60)
BROKEN = InstallPlan(
    seconds=60,
    error="Helm installation failed : timed out waiting for the condition",
    pods={"relayserver": "ImagePullBackOff"},
)
CLUSTERS = [
    ClusterPlan("shop-k3s", nodes=1, install=INSTALL),
    ClusterPlan("plant-openshift", distribution="openshift", install=INSTALL),
    ClusterPlan("aks-west", type="managedClusters", install=INSTALL),
    ClusterPlan("broken", install=BROKEN),
]


@pytest.fixture
def simulator(tmp_path):
    with simulated.running(Scenario(clusters=CLUSTERS, time_scale=60), tmp_path / "simulator") as running:
        yield running


@pytest.fixture
def inventory(simulator):
    """Return the inventory with the clusters as hosts."""
    return simulated.inventory(simulator.directory, CLUSTERS)


def test_second_deployment_changes_nothing_and_verify_passes(playbook, simulator, inventory):
    healthy = ["shop-k3s", "plant-openshift", "aks-west"]

    first = playbook("azureml.arc.deploy", inventory)

    assert first.status == 2, first.output
    assert [first.changed(host) for host in healthy] == [1, 1, 1], first.output
    # Extension and compute; on connected clusters also the relay, on OpenShift also the permissions.
    steps = [[one["changed"] for one in first.outcome(host)["steps"]] for host in healthy]
    assert [changed.count(True) for changed in steps] == [3, 4, 2]
    for host in healthy:
        assert first.outcome(host)["computes"][0]["compute"]["provisioning_state"] == "Succeeded"
    diagnosis = first.outcome("broken")["msg"]
    assert "timed out waiting for the condition" in diagnosis
    assert "Pod relayserver-8d1ee11e2-142a3: ImagePullBackOff: container relayserver: Back-off pulling" in diagnosis

    simulator.clear_journal()
    second = playbook("azureml.arc.deploy", inventory, "--limit", "!broken")

    assert second.status == 0, second.output
    assert [second.changed(host) for host in healthy] == [0, 0, 0]
    assert writes(simulator) == []
    requests = [one for one in simulator.journal() if "/subscriptions/" in one["path"] or "/kubernetes/" in one["path"]]
    # Cluster, extension, pods, deployments, stateful sets, compute, and the ConfigMap that identifies the cluster; on
    # OpenShift also the SCC, the role and its binding. Once for all clusters, the workspace.
    assert len(requests) == 7 * len(healthy) + 3 + 1
    # One task deploys all clusters, another shows the result of each.
    shown = [one["host"] for one in second.results if one["task"].endswith("Show the result of each cluster")]
    assert sorted(shown) == sorted(healthy)

    verified = playbook("azureml.arc.verify", inventory)

    assert verified.status == 2
    for host in healthy:
        assert "compute attached" in verified.outcome(host)["msg"]
    findings = verified.outcome("broken")["msg"]
    assert "extension: the last operation ended as Failed" in findings
    assert "ImagePullBackOff" in findings
    assert "compute broken: the compute does not exist" in findings
    assert writes(simulator) == []


def test_failed_health_check_is_in_the_diagnosis(playbook, simulator, inventory):
    report = "Status: Failed Name: node ErrorCode: E40002 ErrorMessage: Only 1 node is ready"
    plan = {"seconds": 60, "error": "failed pre-install: pod healthcheck failed", "health_check": report}
    simulator.change_plan("shop-k3s", install=plan)

    result = playbook("azureml.arc.deploy", inventory, "--limit", "shop-k3s")

    diagnosis = result.outcome("shop-k3s")["msg"]
    assert "pod healthcheck failed" in diagnosis
    assert "E40002 INSUFFICIENT_NODE: Only 1 node is ready. Provide three healthy nodes" in diagnosis


def test_all_clusters_install_at_the_same_time(playbook, simulator, inventory):
    """All extensions are submitted before the first wait, with any number of forks."""
    for name in ("aks-west", "plant-openshift", "shop-k3s"):
        simulator.change_plan(name, install={"seconds": 600})
    result = playbook("azureml.arc.deploy", inventory, "--forks", "1", "--limit", "!broken")

    assert result.status == 0, result.output
    paths = [(one["method"], one["path"]) for one in simulator.journal()]
    submitted = [index for index, (method, path) in enumerate(paths) if method == "PUT" and path.endswith("/azureml")]
    polled = [index for index, (method, path) in enumerate(paths) if path.endswith("/namespaces/azureml/pods")]
    assert len(submitted) == 3
    assert max(submitted) < min(polled)


def test_check_mode_shows_the_plan_and_changes_nothing(playbook, simulator, inventory):
    result = playbook("azureml.arc.deploy", inventory, "--check", "--diff")

    assert result.status == 0, result.output
    assert result.outcome("shop-k3s")["plan"]["action"] == "create"
    assert "extension would be installed" in result.output
    assert '"settings.openshift": "true"' in result.output
    assert writes(simulator) == []


def test_check_mode_does_not_wait_for_pods(playbook, simulator, inventory):
    """The cluster is in sync, but a pod is not ready."""
    limit = ("--limit", "shop-k3s")
    simulator.change_plan("shop-k3s", crash_once_attached="gateway")
    assert playbook("azureml.arc.deploy", inventory, *limit).status == 0
    inventory["all"]["vars"]["azureml_readiness_timeout"] = 10**6

    run = playbook("azureml.arc.deploy", inventory, "--check", *limit)

    assert run.status == 0, run.output
    assert run.outcome("shop-k3s")["msg"].startswith("extension in sync, ")
    assert "namespace 'azureml' is not ready yet: " in run.output


def test_rejected_change_sends_no_write(playbook, simulator, inventory):
    limit = ("--limit", "shop-k3s")
    assert playbook("azureml.arc.deploy", inventory, *limit).status == 0
    inventory["all"]["vars"] |= {"azureml_profile": "inference", "azureml_inference_service": "node_port"}
    inventory["all"]["vars"]["azureml_allow_insecure_connections"] = True
    simulator.clear_journal()

    run = playbook("azureml.arc.deploy", inventory, *limit)

    assert run.status == 2
    assert "enableTraining disturbs running jobs" in run.output
    assert writes(simulator) == []


def test_verify_reports_a_missing_extension(playbook, inventory):
    result = playbook("azureml.arc.verify", inventory, "--limit", "aks-west")

    assert result.status == 2
    findings = result.outcome("aks-west")["msg"]
    assert findings.startswith(
        "extension: the extension does not exist; compute aks-west: the compute does not exist;"
        " pods: Deployment gateway: NotFound"
    )


def test_verify_finds_drift(playbook, inventory):
    playbook("azureml.arc.deploy", inventory, "--limit", "shop-k3s")
    inventory["all"]["vars"]["azureml_install_volcano"] = False

    result = playbook("azureml.arc.verify", inventory, "--limit", "shop-k3s")

    assert result.status == 2
    findings = result.outcome("shop-k3s")["msg"]
    assert findings == "extension: it differs from the desired state (installVolcano)"


def test_verify_reports_a_change_that_deploy_refuses_with_all_other_differences(playbook, inventory):
    playbook("azureml.arc.deploy", inventory, "--limit", "aks-west")
    playbook("azureml.arc.detach", inventory, "--limit", "aks-west")
    inventory["all"]["vars"] |= {
        "azureml_profile": "inference",
        "azureml_inference_service": "node_port",
        "azureml_allow_insecure_connections": True,
    }

    result = playbook("azureml.arc.verify", inventory, "--limit", "aks-west")

    assert result.status == 2
    findings = result.outcome("aks-west")["findings"]
    assert findings[0].startswith(
        "extension: it differs from the desired state (allowInsecureConnections, enableInference"
    )
    assert findings[0].endswith("which deploy refuses to change unless azureml_allow_disruption allows it")
    assert "compute aks-west: the compute does not exist" in findings
    assert "pods: Deployment azureml-fe-v2: NotFound: the workload does not exist" in findings
    assert "failed: [aks-west] drift: extension: it differs" in result.output


def test_invalid_variables_fail_before_any_request(playbook, simulator, inventory):
    variables = inventory["all"]["vars"]
    del variables["azureml_workspace"]
    missing = playbook("azureml.arc.deploy", inventory)
    assert "azureml_compute needs azureml_workspace" in missing.output

    del variables["azureml_resource_group"]
    invalid = playbook("azureml.arc.deploy", inventory, "-e", "azureml_cluster_type=openstack")
    assert "azureml_resource_group is required" in invalid.output
    assert "azureml_cluster_type must be one of" in invalid.output
    assert simulator.journal() == []


def test_credentials_stay_on_the_controller_if_the_node_has_the_kubeconfig(playbook, simulator, inventory, tmp_path):
    """Sign in by variables, and check the pods from the node, which has the kubeconfig."""
    environment = simulator.environment
    variables = inventory["all"]["vars"]
    variables["azureml_sign_in"] = {
        "client_id": environment["AZURE_CLIENT_ID"],
        "secret": environment["AZURE_SECRET"],
        "tenant": environment["AZURE_TENANT"],
    }
    variables["azureml_kubernetes_via"] = "node"
    inventory["all"]["hosts"]["shop-k3s"] = LOCAL

    environ = {
        "AZURE_CLIENT_ID": "",
        "AZURE_SECRET": "",
        "ANSIBLE_KEEP_REMOTE_FILES": "1",
        "ANSIBLE_INJECT_INVOCATION": "1",
    }
    result = playbook("azureml.arc.deploy", inventory, "--limit", "shop-k3s", **environ)

    assert result.status == 0, result.output
    assert result.outcome("shop-k3s")["pod_readiness"]["ready"]
    # The modules that ran on the node, with their options. Modules that sign in to Azure run on the controller.
    sent = {path.name: path.read_text() for path in (tmp_path / "ansible/remote").rglob("AnsiballZ_*.py")}
    assert {"AnsiballZ_preflight.py", "AnsiballZ_pod_readiness.py"} <= sent.keys()
    assert not {"AnsiballZ_extension.py", "AnsiballZ_compute.py"} & sent.keys()
    assert all(simulator.kubeconfigs["shop-k3s"] in text for text in sent.values())
    assert not [name for name, text in sent.items() if environment["AZURE_SECRET"] in text]


def test_inference_over_https_through_a_node_port(playbook, inventory, tmp_path):
    """Training and inference on one cluster, only inference on another; the certificate is in files."""
    certificates.as_files(tmp_path)
    inventory["all"]["vars"] |= {
        "azureml_profile": "inference",
        "azureml_inference_service": "node_port",
        "azureml_tls": {
            "certificate": "{{ inventory_dir }}/ml.pem",
            "private_key": "{{ inventory_dir }}/ml.key",
            "cname": "ml.example.com",
        },
    }
    inventory["all"]["hosts"]["plant-openshift"] = {"azureml_profile": "training_inference"}
    limit = ("--limit", "shop-k3s,plant-openshift")

    first = playbook("azureml.arc.deploy", inventory, *limit)
    second = playbook("azureml.arc.deploy", inventory, *limit)
    verified = playbook("azureml.arc.verify", inventory, *limit)

    assert (first.status, second.status, verified.status) == (0, 0, 0), first.output + verified.output
    assert (second.changed("shop-k3s"), second.changed("plant-openshift")) == (0, 0)
    settings = first.outcome("plant-openshift")["extension"]["settings"]
    assert (settings["enableTraining"], settings["enableInference"]) == ("True", "True")
    assert settings["inferenceRouterServiceType"] == "NodePort"
    assert first.outcome("shop-k3s")["extension"]["settings"]["inferenceRouterHA"] == "false"
    components = first.outcome("shop-k3s")["pod_readiness"]["components"]
    assert {row["name"] for row in components} >= {"azureml-fe-v2", "relayserver"}
    assert "volcano-scheduler" not in {row["name"] for row in components}


class TestPreflight:
    """Checks of the role before it installs the extension."""

    def test_all_findings_are_reported_together_and_nothing_is_sent(self, playbook, simulator, inventory, create):
        simulator.change_plan("shop-k3s", connectivity="Offline")
        create("shop-k3s", *DEFINITION, "jobs.batch.volcano.sh", spec=definition("batch.volcano.sh", "jobs", "Job"))

        result = playbook("azureml.arc.deploy", inventory, "--limit", "shop-k3s")

        assert result.status == 2
        failure = result.outcome("shop-k3s")
        assert failure["failed_step"] == "Check that the extension can be installed"
        assert {finding["check"] for finding in failure["findings"]} == {"connectivity", "volcano"}
        assert "connectivity status Offline" in failure["msg"]
        assert "Set azureml_install_volcano to false to use it, or azureml_install_components to auto" in failure["msg"]
        assert writes(simulator) == []

    def test_existing_components_are_used_in_each_run(self, playbook, inventory, create):
        create("shop-k3s", *DEFINITION, "jobs.batch.volcano.sh", spec=definition("batch.volcano.sh", "jobs", "Job"))
        inventory["all"]["vars"]["azureml_install_components"] = "auto"
        limit = ("--limit", "shop-k3s")

        first = playbook("azureml.arc.deploy", inventory, *limit)
        second = playbook("azureml.arc.deploy", inventory, *limit)
        verified = playbook("azureml.arc.verify", inventory, *limit)

        assert (first.status, second.status, verified.status) == (0, 0, 0), first.output + verified.output
        assert second.changed("shop-k3s") == 0
        assert first.outcome("shop-k3s")["extension"]["settings"]["installVolcano"] == "False"
        components = {row["name"] for row in second.outcome("shop-k3s")["pod_readiness"]["components"]}
        assert "volcano-scheduler" not in components
        assert "aml-operator" in components

    def test_node_checks_kubernetes_and_controller_checks_azure(self, playbook, simulator, inventory, create):
        """One run sends requests to Azure from the controller and to Kubernetes from the node."""
        simulator.change_plan("shop-k3s", forbidden=["daemonsets"])
        create("shop-k3s", *DEFINITION, "jobs.batch.volcano.sh", spec=definition("batch.volcano.sh", "jobs", "Job"))
        inventory["all"]["vars"] |= {"azureml_kubernetes_via": "node", "azureml_install_components": "auto"}
        inventory["all"]["hosts"]["shop-k3s"] = LOCAL

        result = playbook("azureml.arc.deploy", inventory, "--limit", "shop-k3s", "--check")

        assert result.status == 0, result.output
        found = result.outcome("shop-k3s")
        (warning,) = [one for one in found["warnings"] if "nvidia_device_plugin" in one]
        assert "The account may not list daemonsets" in warning
        # The extension is installed with the findings of the node.
        assert found["plan"]["settings"]["installVolcano"]["after"] == "False"


def test_settings_generation_2021_is_deployed(playbook, inventory):
    """Deploy with the settings and components of releases from 2021, on a cluster pinned to one."""
    inventory["all"]["vars"] |= {"azureml_settings_generation": "2021", "azureml_version": "1.0.67"}
    limit = ("--limit", "plant-openshift")

    first = playbook("azureml.arc.deploy", inventory, *limit)
    second = playbook("azureml.arc.deploy", inventory, *limit)

    assert (first.status, second.status) == (0, 0), first.output
    assert second.changed("plant-openshift") == 0
    readiness = first.outcome("plant-openshift")["pod_readiness"]
    assert readiness["component_table"] == "2021"
    assert {"nfd-master", "csi-blob-controller"} <= {row["name"] for row in readiness["components"]}
    steps = [one["name"] for one in first.outcome("plant-openshift")["steps"] if one["changed"]]
    assert "Grant the permissions on OpenShift" in steps
