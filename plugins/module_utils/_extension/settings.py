# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what a user chooses to the settings that the AzureML extension takes. Pure.

Azure Resource Manager stores two string maps as it gets them and derives nothing: what the extension needs to know
about its cluster (id, region, whether a relay is in use) has to be sent along by the client. Source: what
C(az k8s-extension create) sends. The keys stand in C(keys).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.azureml.arc.plugins.module_utils._azure.cluster import ClusterFacts
from ansible_collections.azureml.arc.plugins.module_utils._extension import keys
from ansible_collections.azureml.arc.plugins.module_utils._extension.keys import GENERATIONS

# Profiles with training, and with inference.
TRAINING = frozenset({"training", "training_inference"})
INFERENCE = frozenset({"inference", "training_inference"})

# A router with high availability runs three replicas on three nodes.
HIGH_AVAILABILITY_NODES = 3


@dataclass(frozen=True)
class Settings:
    """The two maps, and which secrets have still to be fetched for them.

    Protected are the user's own settings, those of the certificate, and the secrets of supporting resources. The latter
    are read from Azure only where a request will carry them, so here stand only their keys: every key in C(relay_keys)
    takes the relay's connection string, in C(service_bus_keys) that of the Service Bus, and in C(log_analytics_keys)
    the workspace's shared key.
    """

    plain: Mapping[str, str]
    protected: Mapping[str, str] = field(default_factory=dict)
    certificate: Mapping[str, str] = field(default_factory=dict)
    relay_keys: tuple = ()
    service_bus_keys: tuple = ()
    log_analytics_keys: tuple = ()

    @property
    def protected_keys(self) -> frozenset:
        return frozenset(
            (*self.protected, *self.certificate, *self.relay_keys, *self.service_bus_keys, *self.log_analytics_keys)
        )


def as_setting(value) -> str:
    """A value as the extension reads it: C(True) and C(False) for booleans, text for the rest."""
    return str(value)


def same_value(one: str, other: str) -> bool:
    """Whether two setting values mean the same: booleans and ARM ids compare without case."""
    if one == other:
        return True
    low, high = one.lower(), other.lower()
    return low == high and (low in ("true", "false") or low.startswith("/subscriptions/"))


def derive(options: Mapping, cluster: ClusterFacts, relay, service_bus, certificate=None) -> Settings:
    """The settings for a user's choices on a cluster.

    :param options: the options of M(azureml.arc.extension), validated and checked.
    :param cluster: what is known of the cluster.
    :param relay: names of the cluster's Azure Relay, with C(hybrid_connection_id) and C(hybrid_connection_name).
    :param service_bus: names of its Service Bus, with C(namespace_id) and C(subscriptions) (topic: subscription).
    :param certificate: the C(ServerCertificate) of inference endpoints, where the options give one.
    :returns: the settings; keys in the user's own C(settings) and C(protected_settings) win over derived ones.
    """
    generation = GENERATIONS[options["settings_generation"]]
    plain = _cluster_settings(generation, cluster)
    plain.update(_workload_settings(generation, options, cluster))
    own = {key: as_setting(value) for key, value in (options.get("settings") or {}).items()}
    protected = {key: as_setting(value) for key, value in (options.get("protected_settings") or {}).items()}

    def is_on(key: str) -> bool:
        return own.get(key, plain[key]).lower() != "false"

    relay_keys = _unless_given(protected, keys.RELAY_CONNECTION_STRINGS) if is_on("relayserver.enabled") else ()
    if relay_keys:
        plain[keys.RELAY_CONNECTION_ID] = relay.hybrid_connection_id
        plain[keys.RELAY_CONNECTION_NAME] = relay.hybrid_connection_name
    service_bus_keys = ()
    if is_on("servicebus.enabled"):
        service_bus_keys = _unless_given(protected, keys.SERVICE_BUS_CONNECTION_STRINGS)
    if service_bus_keys:
        plain[keys.SERVICE_BUS_ID] = service_bus.namespace_id
        for topic, subscription in service_bus.subscriptions.items():
            plain[f"{keys.SERVICE_BUS_SUBSCRIPTION}{topic}"] = subscription
    log_analytics = options.get("log_analytics")
    log_analytics_keys = _unless_given(protected, (keys.LOG_ANALYTICS_CONNECTION_STRING,)) if log_analytics else ()

    certificate_settings = {}
    if certificate:
        plain[keys.CERTIFICATE_FINGERPRINT] = certificate.fingerprint
        certificate_settings = dict(zip((keys.CERTIFICATE, keys.PRIVATE_KEY), certificate.encoded))

    plain.update(own)
    for key in protected:
        plain.pop(key, None)
    return Settings(plain, protected, certificate_settings, relay_keys, service_bus_keys, log_analytics_keys)


def _unless_given(protected: Mapping, secret_keys: tuple) -> tuple:
    """The keys of a secret that Azure holds, none where the user gives it."""
    return () if set(secret_keys) & set(protected) else secret_keys


def _cluster_settings(generation: keys.Generation, cluster: ClusterFacts) -> dict:
    location = cluster.location.lower().replace(" ", "")
    connected = cluster.type == "connected_cluster"
    settings = {
        "cluster_name": cluster.id,
        "clusterId": cluster.id,
        "prometheus.prometheusSpec.externalLabels.cluster_name": cluster.id,
        "cluster_name_friendly": cluster.name,
        "location": location,
        "jobSchedulerLocation": location,
        "domain": f"{location}.cloudapp.azure.com",
        "servicebus.enabled": "true" if connected and generation.service_bus else "false",
        "relayserver.enabled": "true" if connected else "false",
        "nginxIngress.enabled": "false" if connected else "true",
    }
    if cluster.node_count < HIGH_AVAILABILITY_NODES:
        settings["clusterPurpose"] = "DevTest"
        if generation is keys.CURRENT:
            settings[generation.router_ha] = "false"
    elif generation is keys.FIRST:
        settings["clusterPurpose"] = "FastProd"
    return settings


def _workload_settings(generation: keys.Generation, options: Mapping, cluster: ClusterFacts) -> dict:
    profile = options["workload_profile"]
    settings = {
        "enableTraining": as_setting(profile in TRAINING),
        "enableInference": as_setting(profile in INFERENCE),
    }
    openshift = options.get("openshift")
    if openshift is None and cluster.distribution.lower() == "openshift":
        openshift = True
    if openshift is not None:
        settings["openshift"] = "true" if openshift else "false"
    for option, key in generation.switches.items():
        if options.get(option) is not None:
            settings[key] = as_setting(options[option])
    if options.get("log_analytics"):
        settings[keys.LOG_ANALYTICS_ENABLED] = "True"
    for label, value in (options.get("node_selector") or {}).items():
        settings[f"{keys.NODE_SELECTOR}{label}"] = as_setting(value)
    if profile in INFERENCE:
        settings.update(_inference_settings(generation, options))
    return settings


def _inference_settings(generation: keys.Generation, options: Mapping) -> dict:
    settings = dict(generation.inference_services[options["inference_service"]])
    if options.get("allow_insecure_connections") is not None:
        settings["allowInsecureConnections"] = as_setting(options["allow_insecure_connections"])
    high_availability = options.get("inference_router_ha")
    if high_availability is not None:
        settings[generation.router_ha] = as_setting(high_availability).lower()
        if not high_availability:
            settings["clusterPurpose"] = "DevTest"
    tls = options.get("tls")
    if tls and generation.cname:
        settings[generation.cname] = tls["cname"]
    if tls and tls.get("secret_name"):
        settings["sslSecret"] = tls["secret_name"]
        settings["scoringFe.sslSecret"] = tls["secret_name"]
    return settings
