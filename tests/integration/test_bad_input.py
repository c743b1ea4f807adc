# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Errors of users and of their environment: each message has the cause, the option or resource, and the fix."""

from __future__ import annotations

import json

import pytest
from ansible_collections.azureml.arc.plugins.modules.compute import SPEC as COMPUTE
from ansible_collections.azureml.arc.plugins.modules.compute_info import SPEC as COMPUTE_INFO
from ansible_collections.azureml.arc.plugins.modules.endpoint_check import SPEC as ENDPOINT
from ansible_collections.azureml.arc.plugins.modules.extension import SPEC as EXTENSION
from ansible_collections.azureml.arc.plugins.modules.extension_info import SPEC as EXTENSION_INFO
from ansible_collections.azureml.arc.plugins.modules.node_preflight import SPEC as MACHINE
from ansible_collections.azureml.arc.plugins.modules.pod_readiness import SPEC as READINESS
from support import ModuleFailedError, writes

TRAINING = {"resource_group": "rg-edge", "workload_profile": "training"}


@pytest.fixture
def nothing_sent(simulator):
    yield
    assert simulator.journal() == []


@pytest.mark.usefixtures("nothing_sent")
class TestBeforeAnythingIsSent:
    def test_missing_subscription_is_reported(self, run_module, monkeypatch):
        monkeypatch.delenv("AZURE_SUBSCRIPTION_ID")
        with pytest.raises(ModuleFailedError, match="subscription_id is not set.*AZURE_SUBSCRIPTION_ID"):
            run_module(EXTENSION, cluster_name="c", **TRAINING)

    def test_missing_credentials_are_reported(self, run_module, monkeypatch):
        for name in ("AZURE_CLIENT_ID", "AZURE_SECRET", "AZURE_TENANT"):
            monkeypatch.delenv(name)
        monkeypatch.setenv("PATH", "")
        with pytest.raises(ModuleFailedError, match="Not signed in to Azure: no client_id"):
            run_module(EXTENSION, cluster_name="c", **TRAINING)

    def test_incomplete_credentials_are_reported(self, run_module, monkeypatch):
        monkeypatch.delenv("AZURE_SECRET")
        with pytest.raises(
            ModuleFailedError, match=r"Not signed in to Azure: secret \(or x509_certificate_path\) missing"
        ):
            run_module(EXTENSION, cluster_name="c", **TRAINING)

    def test_missing_profile_is_reported(self, run_module):
        with pytest.raises(
            ModuleFailedError, match="state is present but all of the following are missing: workload_profile"
        ):
            run_module(EXTENSION, resource_group="rg-edge", cluster_name="c")

    @pytest.mark.parametrize(
        ("spec", "options"), [(ENDPOINT, {"scheme": "http"}), (MACHINE, {"workload_profile": "training"})]
    )
    def test_timeout_of_zero_is_rejected(self, run_module, spec, options):
        with pytest.raises(ModuleFailedError, match="timeout must be greater than 0, not 0"):
            run_module(spec, timeout=0, **options)

    def test_unknown_option_is_rejected(self, run_module):
        with pytest.raises(ModuleFailedError, match="cluster_nmae"):
            run_module(EXTENSION, cluster_name="c", cluster_nmae="c", **TRAINING)

    def test_invalid_cloud_is_rejected(self, run_module):
        with pytest.raises(ModuleFailedError, match="cloud_environment must be one of AzureCloud, .* not 'AzureMoon'"):
            run_module(EXTENSION, cluster_name="c", cloud_environment="AzureMoon", **TRAINING)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"settings": {"a": "1"}, "protected_settings": {"a": "2"}}, "settings and protected_settings both have a"),
            ({"settings": {"a": {"b": 1}}}, "settings: the value of 'a' must be a string"),
            ({"version": "1.1.1", "auto_upgrade_minor_version": True}, "set only one of them"),
            ({"tls": {"secret_name": "s", "cname": "c"}}, "tls is for inference"),
            ({"workload_profile": "inference"}, "inference_service is required"),
            ({"settings": {"enableTraining": False}}, "contradicts workload_profile training"),
            ({"settings_generation": "2021"}, "settings_generation 2021 needs version"),
            (
                {"settings_generation": "2021", "version": "1.0.67", "install_volcano": False},
                "install_volcano is not supported with",
            ),
        ],
    )
    def test_contradicting_options_are_rejected(self, run_module, options, message):
        with pytest.raises(ModuleFailedError, match=message):
            run_module(EXTENSION, **{"cluster_name": "c", **TRAINING, **options})

    @pytest.mark.parametrize(
        ("option", "value"), [("subscription_id", "prod"), ("cluster_name", "a/b"), ("resource_group", "?")]
    )
    def test_invalid_name_is_rejected(self, run_module, option, value):
        with pytest.raises(ModuleFailedError, match=f"{option} '.*' is not"):
            run_module(EXTENSION, **{"cluster_name": "c", **TRAINING, option: value})

    def test_missing_kubeconfig_is_reported_with_its_path(self, run_module, tmp_path):
        with pytest.raises(ModuleFailedError, match="kubeconfig: .*none cannot be read: No such file"):
            run_module(READINESS, workload_profile="training", kubeconfig=str(tmp_path / "none"))


@pytest.mark.usefixtures("nothing_written")
class TestAzure:
    @pytest.fixture
    def nothing_written(self, simulator):
        yield
        assert writes(simulator) == []

    def test_missing_cluster_is_reported(self, run_module):
        with pytest.raises(
            ModuleFailedError, match="connected cluster 'nowhere' does not exist in resource group 'rg-edge'"
        ) as failure:
            run_module(EXTENSION, cluster_name="nowhere", **TRAINING)
        assert "Check cluster_name, cluster_type" in failure.value.result["msg"]

    @pytest.mark.parametrize("options", [{"state": "absent"}, {"check_mode": True, "workload_profile": "training"}])
    def test_missing_cluster_is_reported_for_state_absent_and_in_check_mode(self, run_module, options):
        with pytest.raises(ModuleFailedError, match="^connected cluster 'nowhere' does not exist ") as failure:
            run_module(EXTENSION, resource_group="rg-edge", cluster_name="nowhere", **options)
        assert failure.value.result["gone"]

    def test_missing_cluster_is_reported_by_the_info_module(self, run_module):
        with pytest.raises(ModuleFailedError, match="^connected cluster 'nowhere' does not exist .*Check cluster_name"):
            run_module(EXTENSION_INFO, resource_group="rg-edge", cluster_name="nowhere")

    def test_missing_resource_group_is_reported(self, run_module):
        with pytest.raises(
            ModuleFailedError,
            match=r"could not be found. \(code ResourceGroupNotFound, correlation id .*Check resource_group",
        ):
            run_module(EXTENSION, **{**TRAINING, "resource_group": "rg-none", "cluster_name": "c"})

    def test_invalid_secret_is_reported_without_its_value(self, run_module, monkeypatch):
        monkeypatch.setenv("AZURE_SECRET", "wrong-secret-value")
        with pytest.raises(ModuleFailedError, match="Could not sign in to Azure at https://.*AADSTS7000215") as failure:
            run_module(EXTENSION, cluster_name="c", **TRAINING)
        assert "wrong-secret-value" not in json.dumps(failure.value.result)

    def test_offline_cluster_is_rejected(self, run_module, simulator, arc):
        simulator.change_plan(arc, connectivity="Offline")
        with pytest.raises(
            ModuleFailedError, match="has connectivity status Offline since .*: nothing was changed.*azure-arc"
        ):
            run_module(EXTENSION, cluster_name=arc, **TRAINING)

    @pytest.mark.parametrize("spec", [COMPUTE_INFO, COMPUTE])
    def test_missing_workspace_is_reported(self, run_module, spec, arc):
        workspace = {"name": "missing", "resource_group": "rg-ml"}
        cluster = {} if spec is COMPUTE_INFO else {"resource_group": "rg-edge", "cluster_name": arc}
        with pytest.raises(
            ModuleFailedError,
            match="^workspace 'missing' in resource group 'rg-ml' .* does not exist.*Check workspace.name",
        ):
            run_module(spec, name="c", workspace=workspace, **cluster)

    def test_list_of_a_missing_workspace_fails(self, run_module):
        with pytest.raises(ModuleFailedError, match="^workspace 'missing' .* does not exist.*Check workspace.name"):
            run_module(COMPUTE_INFO, workspace={"name": "missing", "resource_group": "rg-ml"})

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"inference_service": "internal_load_balancer"}, "internal_load_balancer needs an AKS cluster.*is k3s"),
            (
                {"inference_service": "node_port", "settings": {"internalLoadBalancerProvider": "azure"}},
                "inference_service is node_port, but settings set the keys of another service",
            ),
            ({"inference_service": "node_port", "allow_insecure_connections": None}, "needs either tls, for HTTPS, or"),
        ],
    )
    def test_unsupported_inference_options_are_rejected(self, run_module, arc, options, message):
        inference = {"resource_group": "rg-edge", "workload_profile": "inference", "allow_insecure_connections": True}
        with pytest.raises(ModuleFailedError, match=message):
            run_module(EXTENSION, cluster_name=arc, **{**inference, **options})

    def test_high_availability_with_two_nodes_is_rejected(self, run_module, aks):
        with pytest.raises(ModuleFailedError, match="inference_router_ha needs 3 nodes, but the cluster has 2"):
            run_module(
                EXTENSION,
                resource_group="rg-edge",
                cluster_name=aks,
                cluster_type="managed_cluster",
                workload_profile="inference",
                inference_service="load_balancer",
                allow_insecure_connections=True,
                inference_router_ha=True,
            )

    def test_misspelled_key_is_a_warning(self, run_module, arc):
        result = run_module(
            EXTENSION, check_mode=True, cluster_name=arc, settings={"instalVolcano": False, "own.key": 1}, **TRAINING
        )
        assert result["warnings"] == ["settings: unknown key 'instalVolcano' (did you mean 'installVolcano'?)"]

    def test_unknown_ca_of_azure_is_reported(self, run_module, monkeypatch):
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ssl/certs/ca-certificates.crt")
        with pytest.raises(ModuleFailedError, match="cloud_environment: could not read .*certificate verify failed"):
            run_module(EXTENSION, cluster_name="c", **TRAINING)

    def test_invalid_metadata_of_a_cloud_is_reported(self, run_module, simulator):
        simulator.add_fault(path="/metadata/endpoints", status=200, body="[]")
        with pytest.raises(ModuleFailedError, match="did not return the metadata of a cloud"):
            run_module(EXTENSION, cluster_name="c", **TRAINING)

    def test_missing_permission_in_azure_is_reported(self, run_module, simulator, arc):
        denied = {"error": {"code": "AuthorizationFailed", "message": "The client does not have authorization."}}
        simulator.add_fault(path=f"connectedClusters/{arc}$", status=403, body=json.dumps(denied))
        with pytest.raises(
            ModuleFailedError, match=rf"GET connected cluster '{arc}': HTTP 403: .*code AuthorizationFailed"
        ):
            run_module(EXTENSION, cluster_name=arc, **TRAINING)

    def test_response_of_a_proxy_is_reported(self, run_module, simulator, arc):
        simulator.add_fault(path=f"connectedClusters/{arc}$", status=200, body="<html>Sign in to the network</html>")
        with pytest.raises(ModuleFailedError, match="the response is not from Azure Resource Manager: <html>Sign in"):
            run_module(EXTENSION, cluster_name=arc, **TRAINING)


class TestKubernetes:
    @pytest.fixture
    def kubeconfig(self, simulator, arc) -> dict:
        return simulator.kubeconfig(arc)

    @pytest.fixture
    def check(self, run_module):
        def run(kubeconfig, **options):
            return run_module(READINESS, kubeconfig=json.dumps(kubeconfig), workload_profile="training", **options)

        return run

    def test_unreachable_api_server_is_reported(self, check, kubeconfig):
        kubeconfig["clusters"][0]["cluster"]["server"] = "https://localhost:9"
        with pytest.raises(
            ModuleFailedError, match="the Kubernetes API at https://localhost:9 cannot be reached.*Check host, proxy"
        ):
            check(kubeconfig)

    def test_unknown_ca_of_the_cluster_is_reported(self, check, kubeconfig):
        del kubeconfig["clusters"][0]["cluster"]["certificate-authority-data"]
        with pytest.raises(
            ModuleFailedError, match="its certificate cannot be verified.*Set the CA that signed it in ca_cert"
        ):
            check(kubeconfig, ca_cert="/etc/ssl/certs/ca-certificates.crt")

    def test_invalid_token_is_reported(self, check, kubeconfig):
        kubeconfig["users"][0]["user"]["token"] = "expired-token"
        with pytest.raises(ModuleFailedError, match="HTTP 401: Unauthorized.*check kubeconfig, context or api_key"):
            check(kubeconfig)

    @pytest.mark.parametrize(
        ("forbidden", "verb"),
        [("list pods", "list pods"), ("deployments", "list deployments"), ("watch pods", "watch pods")],
    )
    def test_missing_permission_in_the_cluster_is_named(self, check, kubeconfig, simulator, arc, forbidden, verb):
        simulator.change_plan(arc, forbidden=[forbidden])
        with pytest.raises(ModuleFailedError, match=rf"HTTP 403: .* is forbidden.*The account may not {verb}: give it"):
            check(kubeconfig, wait_timeout=10)

    def test_readiness_is_reported_without_permission_to_read_details(self, check, kubeconfig, simulator, arc):
        simulator.change_plan(arc, forbidden=["events", "configmaps"])
        assert not check(kubeconfig, wait=False)["ready"]

    def test_terminating_namespace_is_reported(self, run_module, check, kubeconfig, arc):
        cluster = {"resource_group": "rg-edge", "cluster_name": arc}
        run_module(EXTENSION, workload_profile="training", **cluster)
        run_module(EXTENSION, state="absent", wait=False, **cluster)
        with pytest.raises(ModuleFailedError, match="namespace 'azureml' is being removed.*Wait until it is gone"):
            check(kubeconfig)
