# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The settings of the extension that follow from options: every row of the table of settings."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._extension import keys
from ansible_collections.azureml.arc.plugins.module_utils._extension import settings as _settings
from ansible_collections.azureml.arc.plugins.module_utils._extension.relay import Relay
from ansible_collections.azureml.arc.plugins.module_utils._extension.service_bus import ServiceBus
from extension_options import FIRST_INFERENCE, INFERENCE, TRAINING, cluster

RELAY = Relay("/relay", "/relay/hybridConnections/c", "c")
SERVICE_BUS = ServiceBus("/bus", {"topic": "subscription"})


def derive(options, **fields) -> _settings.Settings:
    return _settings.derive(options, cluster(**fields), RELAY, SERVICE_BUS)


def test_location_is_lower_case_without_spaces():
    plain = derive(TRAINING).plain
    assert plain["location"] == plain["jobSchedulerLocation"] == "westeurope"
    assert plain["domain"] == "westeurope.cloudapp.azure.com"


@pytest.mark.parametrize(
    ("options", "added"),
    [
        ({"install_nvidia_device_plugin": True}, {"installNvidiaDevicePlugin": "True"}),
        ({"install_prometheus_operator": False}, {"installPromOp": "False"}),
        ({"install_volcano": False}, {"installVolcano": "False"}),
        ({"install_dcgm_exporter": True}, {"installDcgmExporter": "True"}),
        ({"in_cluster_tls": False}, {"enable_https": "False"}),
        ({"log_analytics": True}, {"logAnalyticsWS": "True", "azure_log_analytics.enabled": "True"}),
        ({"openshift": True}, {"openshift": "true"}),
        ({"node_selector": {"pool": "ml", "zone": 2}}, {"nodeSelector.pool": "ml", "nodeSelector.zone": "2"}),
        ({"settings": {"amloperator.custom_ip_interface": "eth1"}}, {"amloperator.custom_ip_interface": "eth1"}),
        ({"settings": {"domain": "example.com"}}, {"domain": "example.com"}),
    ],
)
def test_option_adds_its_settings(options, added):
    plain, base = derive({**TRAINING, **options}).plain, derive(TRAINING).plain
    assert plain == {**base, **added}


@pytest.mark.parametrize(
    ("options", "added"),
    [
        ({"inference_service": "load_balancer"}, {"inferenceRouterServiceType": "LoadBalancer"}),
        (
            {"inference_service": "internal_load_balancer"},
            {
                "inferenceRouterServiceType": "LoadBalancer",
                "internalLoadBalancerProvider": "azure",
                "scoringFe.serviceType.internalLoadBalancer": "True",
            },
        ),
        (
            {"inference_service": "node_port"},
            {"inferenceRouterServiceType": "NodePort", "scoringFe.serviceType.nodePort": "True"},
        ),
        ({"inference_service": "cluster_ip"}, {"inferenceRouterServiceType": "ClusterIP"}),
        ({"inference_router_ha": False}, {"inferenceRouterHA": "False", "clusterPurpose": None}),
        ({"inference_router_ha": True}, {"inferenceRouterHA": "True"}),
        (
            {"allow_insecure_connections": None, "tls": {"secret_name": "cert", "cname": "ml.example.com"}},
            {"sslCname": "ml.example.com", "sslSecret": "cert", "scoringFe.sslSecret": "cert"},
        ),
    ],
)
def test_inference_option_adds_its_settings(options, added):
    plain = derive({**INFERENCE, **options}, type="managed_cluster").plain
    assert (plain["enableTraining"], plain["enableInference"]) == ("False", "True")
    assert {key: plain.get(key) for key in added} == added
    assert plain.get("allowInsecureConnections") == (None if "tls" in options else "True")


def test_high_availability_is_off_by_default_with_fewer_than_three_nodes():
    assert derive(INFERENCE, node_count=2).plain["inferenceRouterHA"] == "false"
    assert derive(INFERENCE, node_count=2).plain["clusterPurpose"] == "DevTest"
    assert derive({**INFERENCE, "inference_router_ha": True}, node_count=2).plain["inferenceRouterHA"] == "True"
    assert "clusterPurpose" not in derive(INFERENCE, node_count=3).plain


@pytest.mark.parametrize(
    ("options", "node_count", "initial"),
    [
        (INFERENCE, 3, set()),
        (INFERENCE, 2, {"clusterPurpose", "inferenceRouterHA"}),
        ({**INFERENCE, "inference_router_ha": False}, 2, {"clusterPurpose"}),
        ({**INFERENCE, "settings": {"clusterPurpose": "DevTest"}}, 2, {"inferenceRouterHA"}),
    ],
)
def test_only_settings_that_depend_on_the_node_count_are_initial(options, node_count, initial):
    assert derive(options, node_count=node_count).initial == initial


@pytest.mark.parametrize(
    ("options", "node_count", "purpose"),
    [
        ({**TRAINING, "settings_generation": "2021"}, 1, None),
        (FIRST_INFERENCE, 1, "FastProd"),
        ({**FIRST_INFERENCE, "inference_router_ha": True}, 3, "FastProd"),
        ({**FIRST_INFERENCE, "inference_router_ha": False}, 3, "DevTest"),
    ],
)
def test_cluster_purpose_of_the_first_generation_follows_from_high_availability(options, node_count, purpose):
    assert derive(options, node_count=node_count).plain.get("clusterPurpose") == purpose


@pytest.mark.parametrize("cluster_type", ["connected_cluster", "managed_cluster"])
def test_first_generation_has_no_enabled_keys_and_always_uses_relay_and_service_bus(cluster_type):
    settings = derive({**TRAINING, "settings_generation": "2021"}, type=cluster_type)
    assert not any(key.endswith(".enabled") for key in settings.plain)
    assert settings.protected_keys == {
        "relayserver.relayConnectionString",
        "relayServerConnectionString",
        "RelayConnectionString",
        "servicebus.connectionString",
        "serviceBusConnectionString",
    }


def test_settings_of_other_service_types_and_certificates_are_switched_off():
    tls = {"allow_insecure_connections": None, "tls": {"certificate": "c", "private_key": "k", "cname": "ml"}}
    off = derive({**INFERENCE, **tls, "inference_service": "internal_load_balancer"}).off
    assert off == {
        "privateEndpointNodeport": "False",
        "scoringFe.serviceType.nodePort": "False",
        "privateEndpointILB": "False",
        "sslSecret": None,
        "scoringFe.sslSecret": None,
    }
    assert derive(INFERENCE).off["internalLoadBalancerProvider"] is None
    assert derive(TRAINING).off == {}


@pytest.mark.parametrize(
    ("options", "obsolete"),
    [
        (TRAINING, {"RelayConnectionString", *keys.SERVICE_BUS_CONNECTION_STRINGS}),
        (
            {**TRAINING, "settings": {"relayserver.enabled": False}},
            {*keys.FIRST.relay_keys, *keys.SERVICE_BUS_CONNECTION_STRINGS},
        ),
        ({**TRAINING, "settings_generation": "2021"}, set()),
        (
            {**TRAINING, "settings_generation": "2021", "log_analytics": False},
            {keys.LOG_ANALYTICS_CONNECTION_STRING},
        ),
    ],
)
def test_secrets_without_an_effect_are_obsolete(options, obsolete):
    always = {"sslCertPemFile", "sslKeyPemFile", "scoringFe.sslCert", "scoringFe.sslKey"}
    assert derive(options).obsolete == always | obsolete


def test_openshift_defaults_to_the_distribution():
    assert derive(TRAINING, distribution="OpenShift").plain["openshift"] == "true"
    assert derive({**TRAINING, "openshift": False}, distribution="openshift").plain["openshift"] == "false"
    assert "openshift" not in derive(TRAINING, distribution="k3s").plain


def test_relay_keys_are_needed_only_if_the_relay_is_used_and_not_configured():
    assert derive(TRAINING).relay_keys == keys.RELAY_CONNECTION_STRINGS
    assert derive({**TRAINING, "settings": {"relayserver.enabled": False}}).relay_keys == ()
    assert derive({**TRAINING, "protected_settings": {"relayServerConnectionString": "x"}}).relay_keys == ()
    assert derive(TRAINING, type="managed_cluster").relay_keys == ()


def test_service_bus_is_needed_only_in_the_first_generation_and_if_not_configured():
    options = {**TRAINING, "settings_generation": "2021"}
    settings = derive(options)
    assert settings.service_bus_keys == keys.SERVICE_BUS_CONNECTION_STRINGS
    assert settings.plain["servicebus.topicSubMapping.topic"] == "subscription"
    assert derive({**options, "protected_settings": {"serviceBusConnectionString": "x"}}).service_bus_keys == ()
    assert derive({**options, "settings": {"servicebus.enabled": False}}).service_bus_keys == ()
    assert derive(TRAINING).service_bus_keys == ()


def test_protected_settings_take_precedence_over_derived_ones():
    settings = derive({**TRAINING, "protected_settings": {"domain": "secret.example.com"}})
    assert "domain" not in settings.plain
    assert settings.protected == {"domain": "secret.example.com"}


@pytest.mark.parametrize(
    ("key", "one", "other", "same"),
    [
        ("a", "True", "true", True),
        ("a", "False", "FALSE", True),
        ("a", "/subscriptions/A/resourceGroups/b", "/subscriptions/a/resourcegroups/B", True),
        ("a", "NodePort", "nodeport", False),
        ("a", "True", "False", False),
        ("a", "1.1.61", "1.1.61", True),
        ("relayserver.hybridConnectionName", "F1", "f1", True),
        ("cluster_name_friendly", "F1", "f1", True),
    ],
)
def test_values_that_azure_rewrites_are_the_same(key, one, other, same):
    assert _settings.same_value(key, one, other) is same
