# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Derive the settings of the AzureML extension from the user's choices. Pure.

Azure Resource Manager stores two string maps unchanged: the client must send the facts about the cluster that the
extension needs (id, region, whether it uses a relay). Source: the recorded requests of
C(az k8s-extension create) in tests/recorded. The keys are in C(keys).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.azureml.arc.plugins.module_utils._azure.cluster_reference import ClusterFacts
from ansible_collections.azureml.arc.plugins.module_utils._extension import keys
from ansible_collections.azureml.arc.plugins.module_utils._extension.keys import GENERATIONS

# Profiles that include training, and profiles that include inference.
TRAINING = frozenset({"training", "training_inference"})
INFERENCE = frozenset({"inference", "training_inference"})

# A highly available router runs three replicas on three nodes.
HIGH_AVAILABILITY_NODES = 3


@dataclass(frozen=True)
class Settings:
    """The two maps, and the secrets that must be fetched.

    The secrets of supporting resources are read from Azure only if a request carries them, so only their keys are here.

    :param protected: the user's own protected settings.
    :param certificate: the protected settings of the certificate.
    :param relay_keys: the keys of the relay's connection string.
    :param service_bus_keys: the keys of the connection string of the Service Bus.
    :param log_analytics_keys: the keys of the workspace's shared key.
    :param initial: plain keys that depend on the size of the cluster. They are sent with a new extension and not
        compared afterwards, because the number of nodes changes.
    :param off: plain keys that contradict the choices, with the value that turns them off.
    :param obsolete: protected keys that have no effect with these settings and can be dropped.
    """

    plain: Mapping[str, str]
    protected: Mapping[str, str] = field(default_factory=dict)
    certificate: Mapping[str, str] = field(default_factory=dict)
    relay_keys: tuple = ()
    service_bus_keys: tuple = ()
    log_analytics_keys: tuple = ()
    initial: frozenset = frozenset()
    off: Mapping[str, str | None] = field(default_factory=dict)
    obsolete: frozenset = frozenset()

    @property
    def protected_keys(self) -> frozenset:
        return frozenset(
            (*self.protected, *self.certificate, *self.relay_keys, *self.service_bus_keys, *self.log_analytics_keys)
        )


def as_setting(value) -> str:
    """Return a value in the format of the extension: C(True) and C(False) for booleans, text for everything else."""
    return str(value)


def same_value(key: str, one: str, other: str) -> bool:
    """Return whether two values of a setting are equal; booleans, names and ids in Azure compare without case."""
    if one == other:
        return True
    low, high = one.lower(), other.lower()
    return low == high and (
        low in ("true", "false") or low.startswith("/subscriptions/") or key in keys.NAMES_OF_RESOURCES
    )


def is_on(settings: Mapping[str, str], key: str) -> bool:
    """Return whether a setting has an effect: C(False), the empty string and no value are the same."""
    return (settings.get(key) or "false").lower() != "false"


def derive(options: Mapping, cluster: ClusterFacts, relay, service_bus, certificate=None) -> Settings:
    """Return the settings for a user's choices on a cluster.

    :param options: the options of M(azureml.arc.extension), validated and checked.
    :param cluster: the facts of the cluster.
    :param relay: names of the cluster's Azure Relay, with C(hybrid_connection_id) and C(hybrid_connection_name).
    :param service_bus: names of its Service Bus, with C(namespace_id) and C(subscriptions) (topic: subscription).
    :param certificate: the C(ServerCertificate) of inference endpoints, if the options name one.
    :returns: the settings; keys in the user's own C(settings) and C(protected_settings) override derived ones.
    """
    generation = GENERATIONS[options["settings_generation"]]
    own = {key: as_setting(value) for key, value in (options.get("settings") or {}).items()}
    protected = {key: as_setting(value) for key, value in (options.get("protected_settings") or {}).items()}
    by_size = _settings_by_size(generation, cluster)
    chosen = _workload_settings(generation, options, cluster)
    plain = {**_cluster_settings(generation, cluster), **by_size, **chosen}

    secrets = _derived_secrets(generation, options, cluster)
    if secrets["relay_keys"]:
        plain[keys.RELAY_CONNECTION_ID] = relay.hybrid_connection_id
        plain[keys.RELAY_CONNECTION_NAME] = relay.hybrid_connection_name
    if secrets["service_bus_keys"]:
        plain[keys.SERVICE_BUS_ID] = service_bus.namespace_id
        for topic, subscription in service_bus.subscriptions.items():
            plain[f"{keys.SERVICE_BUS_SUBSCRIPTION}{topic}"] = subscription

    certificate_settings = {}
    if certificate:
        plain[keys.CERTIFICATE_FINGERPRINT] = certificate.fingerprint
        certificate_settings = dict(zip((keys.CERTIFICATE, keys.PRIVATE_KEY), certificate.encoded))

    plain.update(own)
    for key in protected:
        plain.pop(key, None)
    return Settings(
        plain,
        protected,
        certificate_settings,
        initial=frozenset(set(by_size) - set(chosen) - set(own)),
        off={key: value for key, value in _contradicting(options).items() if key not in {*plain, *protected}},
        **secrets,
    )


def _derived_secrets(generation: keys.Generation, options: Mapping, cluster: ClusterFacts) -> dict:
    """Return the keys of the secrets that Azure holds, and which of all derived secrets have no effect."""
    own, given = options.get("settings") or {}, options.get("protected_settings") or {}
    log_analytics = options.get("log_analytics")

    def keys_if(used: bool, secret_keys: tuple) -> tuple:
        return secret_keys if used and not set(secret_keys) & set(given) else ()

    def uses(switch: str) -> bool:
        return as_setting(own.get(switch, generation.enables(switch, cluster.type))).lower() != "false"

    relay, service_bus = uses(keys.RELAY_SWITCH), uses(keys.SERVICE_BUS_SWITCH)
    needed = {
        *(generation.relay_keys if relay else ()),
        *(keys.SERVICE_BUS_CONNECTION_STRINGS if service_bus else ()),
        *(() if log_analytics is False else (keys.LOG_ANALYTICS_CONNECTION_STRING,)),
    }
    return {
        "relay_keys": keys_if(relay, generation.relay_keys),
        "service_bus_keys": keys_if(service_bus, keys.SERVICE_BUS_CONNECTION_STRINGS),
        "log_analytics_keys": keys_if(bool(log_analytics), (keys.LOG_ANALYTICS_CONNECTION_STRING,)),
        "obsolete": keys.DERIVED_SECRETS - needed,
    }


def _cluster_settings(generation: keys.Generation, cluster: ClusterFacts) -> dict:
    location = cluster.location.lower().replace(" ", "")
    return {
        "cluster_name": cluster.id,
        "clusterId": cluster.id,
        "prometheus.prometheusSpec.externalLabels.cluster_name": cluster.id,
        "cluster_name_friendly": cluster.name,
        "location": location,
        "jobSchedulerLocation": location,
        "domain": f"{location}.cloudapp.azure.com",
        **generation.components.get(cluster.type, {}),
    }


def _settings_by_size(generation: keys.Generation, cluster: ClusterFacts) -> dict:
    """Return what C(az) derives from the number of nodes; in 2021 it ignored it."""
    if generation is not keys.CURRENT or cluster.node_count >= HIGH_AVAILABILITY_NODES:
        return {}
    return {"clusterPurpose": "DevTest", generation.router_ha: "false"}


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
        settings[generation.router_ha] = as_setting(high_availability)
    if generation is keys.FIRST:
        settings["clusterPurpose"] = "DevTest" if high_availability is False else "FastProd"
    tls = options.get("tls")
    if tls and generation.cname:
        settings[generation.cname] = tls["cname"]
    if tls and tls.get("secret_name"):
        settings.update(dict.fromkeys(keys.SECRET_NAME_KEYS, tls["secret_name"]))
    if tls and tls.get("secret_sha256"):
        settings[keys.CERTIFICATE_FINGERPRINT] = tls["secret_sha256"]
    return settings


def _contradicting(options: Mapping) -> dict[str, str | None]:
    """Return the keys of the choices that were not made, with the value that turns each off; C(None) removes a key.

    C(az k8s-extension update) sends the switches of the service as C(False), too.
    """
    if options["workload_profile"] not in INFERENCE:
        return {}
    found: dict[str, str | None] = {
        key: "False" if value == "true" else None
        for key, value in {**keys.NODE_PORT_KEYS, **keys.INTERNAL_LOAD_BALANCER_KEYS}.items()
    }
    del found[keys.SERVICE_TYPE]
    if options.get("tls"):
        found.update(dict.fromkeys(keys.SECRET_NAME_KEYS))
    return found
