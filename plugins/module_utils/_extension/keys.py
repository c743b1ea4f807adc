# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keys of the extension's settings, in both generations. Tables, no logic.

Sources: the settings tables of https://learn.microsoft.com/azure/machine-learning/how-to-deploy-kubernetes-extension,
of its first release in 2021, and the recorded requests of C(az k8s-extension create) in tests/recorded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

RELAY_SWITCH = "relayserver.enabled"
RELAY_CONNECTION_STRINGS = ("relayserver.relayConnectionString", "relayServerConnectionString")
RELAY_CONNECTION_ID = "relayserver.hybridConnectionResourceID"
RELAY_CONNECTION_NAME = "relayserver.hybridConnectionName"
SERVICE_BUS_SWITCH = "servicebus.enabled"
SERVICE_BUS_CONNECTION_STRINGS = ("servicebus.connectionString", "serviceBusConnectionString")
SERVICE_BUS_ID = "servicebus.resourceID"
SERVICE_BUS_SUBSCRIPTION = "servicebus.topicSubMapping."  # and the name of the topic
LOG_ANALYTICS_CONNECTION_STRING = "azure_log_analytics.connection_string"
LOG_ANALYTICS_CUSTOMER_ID = "azure_log_analytics.customer_id"
LOG_ANALYTICS_ENABLED = "azure_log_analytics.enabled"
CERTIFICATE = "scoringFe.sslCert"
PRIVATE_KEY = "scoringFe.sslKey"
# Our own key: ARM never returns a certificate, so its fingerprint shows whether another one is in use.
CERTIFICATE_FINGERPRINT = "azuremlArc.certificateSha256"
NODE_SELECTOR = "nodeSelector."  # and the label
SERVICE_TYPE = "inferenceRouterServiceType"
# Settings whose value is the name of a resource in Azure.
NAMES_OF_RESOURCES = frozenset({RELAY_CONNECTION_NAME, "cluster_name_friendly"})


@dataclass(frozen=True)
class Generation:
    """A generation of keys.

    :param switches: options that map to one key each. An unset option is not sent: the extension has a default.
    :param inference_services: choices of inference_service, with the keys that each one sets.
    :param router_ha: the key of inference_router_ha.
    :param cname: the key of the certificate's DNS name, C(None) if the generation has none.
    :param relay_keys: the protected keys that hold the connection string of Azure Relay.
    :param components: the switches of built-in components, by the type of the cluster.
    :param unsupported: options that have no key.
    """

    switches: Mapping[str, str]
    inference_services: Mapping[str, Mapping[str, str]]
    router_ha: str
    cname: str | None = None
    relay_keys: tuple = RELAY_CONNECTION_STRINGS
    components: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    unsupported: tuple = ()

    def enables(self, switch: str, cluster_type: str) -> bool:
        """Return whether a component is on by default; one without a switch always is."""
        return self.components.get(cluster_type, {}).get(switch, "true") == "true"


CURRENT = Generation(
    switches={
        "install_nvidia_device_plugin": "installNvidiaDevicePlugin",
        "install_prometheus_operator": "installPromOp",
        "install_volcano": "installVolcano",
        "install_dcgm_exporter": "installDcgmExporter",
        "in_cluster_tls": "enable_https",
        "log_analytics": "logAnalyticsWS",
    },
    inference_services={
        "load_balancer": {SERVICE_TYPE: "LoadBalancer"},
        "internal_load_balancer": {
            SERVICE_TYPE: "LoadBalancer",
            "internalLoadBalancerProvider": "azure",
            "scoringFe.serviceType.internalLoadBalancer": "True",
        },
        "node_port": {SERVICE_TYPE: "NodePort", "scoringFe.serviceType.nodePort": "True"},
        "cluster_ip": {SERVICE_TYPE: "ClusterIP"},
    },
    router_ha="inferenceRouterHA",
    cname="sslCname",
    components={
        "connected_cluster": {SERVICE_BUS_SWITCH: "false", RELAY_SWITCH: "true", "nginxIngress.enabled": "false"},
        "managed_cluster": {SERVICE_BUS_SWITCH: "false", RELAY_SWITCH: "false", "nginxIngress.enabled": "true"},
    },
)

FIRST = Generation(
    switches={
        "install_nvidia_device_plugin": "installNvidiaDevicePlugin",
        "log_analytics": "logAnalyticsWS",
    },
    inference_services={
        "load_balancer": {},
        "internal_load_balancer": {
            "privateEndpointILB": "True",
            "scoringFe.serviceType.internalLoadBalancer": "True",
        },
        "node_port": {"privateEndpointNodeport": "True", "scoringFe.serviceType.nodePort": "True"},
    },
    router_ha="inferenceLoadBalancerHA",
    relay_keys=(*RELAY_CONNECTION_STRINGS, "RelayConnectionString"),
    unsupported=(
        "node_selector",
        "install_prometheus_operator",
        "install_volcano",
        "install_dcgm_exporter",
        "in_cluster_tls",
    ),
)

GENERATIONS = {"current": CURRENT, "2021": FIRST}

# Keys that expose the router on a port of each node, or behind an internal load balancer, with that value.
NODE_PORT_KEYS = {
    SERVICE_TYPE: "nodeport",
    "privateEndpointNodeport": "true",
    "scoringFe.serviceType.nodePort": "true",
}
INTERNAL_LOAD_BALANCER_KEYS = {
    "internalLoadBalancerProvider": "azure",
    "privateEndpointILB": "true",
    "scoringFe.serviceType.internalLoadBalancer": "true",
}
# Switches whose default is False in both generations.
OFF_BY_DEFAULT = frozenset(
    {"enableTraining", "enableInference", "allowInsecureConnections", "logAnalyticsWS", "openshift"}
)
SECRET_NAME_KEYS = ("sslSecret", "scoringFe.sslSecret")

# Local paths that C(az) reads and stores beside the certificate; the extension never reads them. Each with the option
# that replaces it.
AZ_ONLY_KEYS = {"sslCertPemFile": "tls.certificate", "sslKeyPemFile": "tls.private_key"}

# Protected settings that clients derive. Those that the desired settings do not need have no effect and can be dropped.
DERIVED_SECRETS = frozenset(
    {
        *AZ_ONLY_KEYS,
        CERTIFICATE,
        PRIVATE_KEY,
        *FIRST.relay_keys,
        *SERVICE_BUS_CONNECTION_STRINGS,
        LOG_ANALYTICS_CONNECTION_STRING,
    }
)

# Other keys that the extension reads.
OTHER_KEYS = (
    "enableTraining",
    "enableInference",
    "allowInsecureConnections",
    "clusterPurpose",
    "openshift",
    *SECRET_NAME_KEYS,
    "amloperator.custom_ip_interface",
    "cluster_name",
    "clusterId",
    "cluster_name_friendly",
    "prometheus.prometheusSpec.externalLabels.cluster_name",
    "location",
    "jobSchedulerLocation",
    "domain",
    SERVICE_BUS_SWITCH,
    RELAY_SWITCH,
    "nginxIngress.enabled",
    *FIRST.relay_keys,
    RELAY_CONNECTION_ID,
    RELAY_CONNECTION_NAME,
    *SERVICE_BUS_CONNECTION_STRINGS,
    SERVICE_BUS_ID,
    LOG_ANALYTICS_CONNECTION_STRING,
    LOG_ANALYTICS_CUSTOMER_ID,
    LOG_ANALYTICS_ENABLED,
    CERTIFICATE,
    PRIVATE_KEY,
)
# Removed after the first generation.
FIRST_ONLY_KEYS = ("installBlobfuseSysctl", "installBlobfuseFlexvol", "volumePluginDir")


def known_keys() -> frozenset:
    """Return every key of both generations."""
    keys = {*OTHER_KEYS, *FIRST_ONLY_KEYS}
    for generation in GENERATIONS.values():
        keys.update(generation.switches.values(), (generation.router_ha,), *generation.inference_services.values())
        keys.update(filter(None, (generation.cname,)))
    return frozenset(keys)
