# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The keys of the extension's settings, for both generations of them. Tables, no logic.

Sources: the settings tables of https://learn.microsoft.com/azure/machine-learning/how-to-deploy-kubernetes-extension,
of its first release in 2021, and what C(az k8s-extension create) sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

RELAY_CONNECTION_STRINGS = ("relayserver.relayConnectionString", "relayServerConnectionString")
RELAY_CONNECTION_ID = "relayserver.hybridConnectionResourceID"
RELAY_CONNECTION_NAME = "relayserver.hybridConnectionName"
SERVICE_BUS_CONNECTION_STRINGS = ("servicebus.connectionString", "serviceBusConnectionString")
SERVICE_BUS_ID = "servicebus.resourceID"
SERVICE_BUS_SUBSCRIPTION = "servicebus.topicSubMapping."  # and the name of the topic
LOG_ANALYTICS_CONNECTION_STRING = "azure_log_analytics.connection_string"
LOG_ANALYTICS_CUSTOMER_ID = "azure_log_analytics.customer_id"
LOG_ANALYTICS_ENABLED = "azure_log_analytics.enabled"
CERTIFICATE = "scoringFe.sslCert"
PRIVATE_KEY = "scoringFe.sslKey"
# A key of ours: ARM does not show a certificate again, its fingerprint tells whether it is the wanted one.
CERTIFICATE_FINGERPRINT = "azuremlArc.certificateSha256"
NODE_SELECTOR = "nodeSelector."  # and the label


@dataclass(frozen=True)
class Generation:
    """A generation of keys.

    :param switches: options that travel as one key each. One that is not set is not sent: the extension has a default.
    :param inference_services: choices of inference_service, with the keys that each one sets.
    :param router_ha: the key of inference_router_ha.
    :param cname: the key of the certificate's DNS name, C(None) where it is not sent.
    :param service_bus: whether the extension talks through Azure Service Bus besides Azure Relay.
    :param unsupported: options that it has no key for.
    """

    switches: Mapping[str, str]
    inference_services: Mapping[str, Mapping[str, str]]
    router_ha: str
    cname: str | None = None
    service_bus: bool = False
    unsupported: tuple = ()


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
        "load_balancer": {"inferenceRouterServiceType": "LoadBalancer"},
        "internal_load_balancer": {
            "inferenceRouterServiceType": "LoadBalancer",
            "internalLoadBalancerProvider": "azure",
            "scoringFe.serviceType.internalLoadBalancer": "true",
        },
        "node_port": {"inferenceRouterServiceType": "NodePort", "scoringFe.serviceType.nodePort": "true"},
        "cluster_ip": {"inferenceRouterServiceType": "ClusterIP"},
    },
    router_ha="inferenceRouterHA",
    cname="sslCname",
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
            "scoringFe.serviceType.internalLoadBalancer": "true",
        },
        "node_port": {"privateEndpointNodeport": "True", "scoringFe.serviceType.nodePort": "true"},
    },
    router_ha="inferenceLoadBalancerHA",
    service_bus=True,
    unsupported=(
        "node_selector",
        "install_prometheus_operator",
        "install_volcano",
        "install_dcgm_exporter",
        "in_cluster_tls",
    ),
)

GENERATIONS = {"current": CURRENT, "2021": FIRST}

# Keys that make the router a port of each node, or put an internal load balancer before it, with the value that does.
NODE_PORT_KEYS = {
    "inferenceRouterServiceType": "nodeport",
    "privateEndpointNodeport": "true",
    "scoringFe.serviceType.nodePort": "true",
}
INTERNAL_LOAD_BALANCER_KEYS = {
    "internalLoadBalancerProvider": "azure",
    "privateEndpointILB": "true",
    "scoringFe.serviceType.internalLoadBalancer": "true",
}

# What C(az) reads itself and never sends, with the option that does the same here.
AZ_ONLY_KEYS = {"sslCertPemFile": "tls.certificate", "sslKeyPemFile": "tls.private_key"}

# Further keys that the extension is known to read, beside those of the tables.
OTHER_KEYS = (
    "enableTraining",
    "enableInference",
    "allowInsecureConnections",
    "clusterPurpose",
    "openshift",
    "sslSecret",
    "scoringFe.sslSecret",
    "amloperator.custom_ip_interface",
    "cluster_name",
    "clusterId",
    "cluster_name_friendly",
    "prometheus.prometheusSpec.externalLabels.cluster_name",
    "location",
    "jobSchedulerLocation",
    "domain",
    "servicebus.enabled",
    "relayserver.enabled",
    "nginxIngress.enabled",
    *RELAY_CONNECTION_STRINGS,
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
# Of the first generation, gone since.
FIRST_ONLY_KEYS = ("installBlobfuseSysctl", "installBlobfuseFlexvol", "volumePluginDir")


def known_keys() -> frozenset:
    """Every key of both generations."""
    keys = {*OTHER_KEYS, *FIRST_ONLY_KEYS}
    for generation in GENERATIONS.values():
        keys.update(generation.switches.values(), (generation.router_ha,), *generation.inference_services.values())
        keys.update(filter(None, (generation.cname,)))
    return frozenset(keys)
