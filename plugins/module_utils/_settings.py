# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what a user chooses to the settings that the AzureML extension takes. Pure.

Azure Resource Manager stores two string maps as it gets them and derives nothing: what the extension needs to know
about its cluster (id, region, whether a relay is in use) has to be sent along by the client. Sources: the settings
tables of https://learn.microsoft.com/azure/machine-learning/how-to-deploy-kubernetes-extension and the behaviour of
C(az k8s-extension create).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.azureml.arc.plugins.module_utils._errors import AzureMLError

# Profiles with training, and with inference.
TRAINING = frozenset({"training", "training_inference"})
INFERENCE = frozenset({"inference", "training_inference"})

# A router with high availability runs three replicas on three nodes.
HIGH_AVAILABILITY_NODES = 3

RELAY_CONNECTION_STRINGS = ("relayserver.relayConnectionString", "relayServerConnectionString")
LOG_ANALYTICS_CONNECTION_STRING = "azure_log_analytics.connection_string"
LOG_ANALYTICS_CUSTOMER_ID = "azure_log_analytics.customer_id"
# A key of ours: ARM does not show a certificate again, its fingerprint tells whether it is the wanted one.
CERTIFICATE_FINGERPRINT = "azuremlArc.certificateSha256"

# Options that travel as one key each. An option that is not set is not sent: the extension's default holds.
SWITCHES = {
    "install_nvidia_device_plugin": "installNvidiaDevicePlugin",
    "install_prometheus_operator": "installPromOp",
    "install_volcano": "installVolcano",
    "install_dcgm_exporter": "installDcgmExporter",
    "in_cluster_tls": "enable_https",
    "log_analytics": "logAnalyticsWS",
}

# Choices of inference_service: the keys that each one sets.
INFERENCE_SERVICES = {
    "load_balancer": {"inferenceRouterServiceType": "LoadBalancer"},
    "internal_load_balancer": {
        "inferenceRouterServiceType": "LoadBalancer",
        "internalLoadBalancerProvider": "azure",
        "scoringFe.serviceType.internalLoadBalancer": "true",
    },
    "node_port": {"inferenceRouterServiceType": "NodePort", "scoringFe.serviceType.nodePort": "true"},
    "cluster_ip": {"inferenceRouterServiceType": "ClusterIP"},
}

INFERENCE_ONLY_OPTIONS = ("inference_service", "allow_insecure_connections", "inference_router_ha", "tls")


@dataclass(frozen=True)
class ClusterFacts:
    """What the settings need to know of a cluster."""

    id: str
    name: str
    type: str  # connected_cluster or managed_cluster
    location: str
    node_count: int
    distribution: str = ""


@dataclass(frozen=True)
class Settings:
    """The two maps, and which secrets have still to be fetched for them.

    Protected are the user's own settings, those of the certificate, and the secrets of the relay and of Log Analytics.
    The latter are read from Azure only where a request will carry them, so here stand only their keys: every key in
    C(relay_keys) takes the relay's connection string, every key in C(log_analytics_keys) the workspace's shared key.
    """

    plain: Mapping[str, str]
    protected: Mapping[str, str] = field(default_factory=dict)
    certificate: Mapping[str, str] = field(default_factory=dict)
    relay_keys: tuple = ()
    log_analytics_keys: tuple = ()

    @property
    def protected_keys(self) -> frozenset:
        return frozenset((*self.protected, *self.certificate, *self.relay_keys, *self.log_analytics_keys))


def as_setting(value) -> str:
    """A value as the extension reads it: C(True) and C(False) for booleans, text for the rest."""
    return str(value)


def same_value(one: str, other: str) -> bool:
    """Whether two setting values mean the same: booleans and ARM ids compare without case."""
    if one == other:
        return True
    low, high = one.lower(), other.lower()
    return low == high and (low in ("true", "false") or low.startswith("/subscriptions/"))


def check(options: Mapping) -> None:
    """Refuse choices that contradict each other.

    :param options: the options of M(azureml.arc.extension), validated against its argument spec.
    :raises AzureMLError: naming the option.
    """
    for name in ("settings", "protected_settings"):
        for key, value in (options.get(name) or {}).items():
            if isinstance(value, (dict, list)) or value is None:
                raise AzureMLError(f"{name}: the value of '{key}' must be a string, a number or a boolean")
    twice = sorted(set(options.get("settings") or {}) & set(options.get("protected_settings") or {}))
    if twice:
        raise AzureMLError(
            f"settings and protected_settings both have {', '.join(twice)}; give each key in one of them"
        )
    if options.get("version") and options.get("auto_upgrade_minor_version"):
        raise AzureMLError(
            "version pins a version, auto_upgrade_minor_version moves on from it: the two exclude each other"
        )
    if options["workload_profile"] in INFERENCE:
        _check_inference(options)
    else:
        for name in INFERENCE_ONLY_OPTIONS:
            if options.get(name) is not None:
                raise AzureMLError(f"{name} is for inference, but workload_profile is {options['workload_profile']}")


def _check_inference(options: Mapping) -> None:
    service = options.get("inference_service")
    if not service:
        raise AzureMLError(
            f"inference_service is required with workload_profile {options['workload_profile']}; "
            f"one of {', '.join(INFERENCE_SERVICES)}"
        )
    if service == "internal_load_balancer" and options["cluster_type"] != "managed_cluster":
        raise AzureMLError(
            "inference_service internal_load_balancer needs an AKS cluster (cluster_type managed_cluster)"
        )
    tls = options.get("tls")
    if not tls and not options.get("allow_insecure_connections"):
        raise AzureMLError("inference needs either tls, or allow_insecure_connections: true for plain HTTP")
    if tls and not tls.get("secret_name"):
        for part in ("certificate", "private_key"):
            if not tls.get(part) and not tls.get(f"{part}_content"):
                raise AzureMLError(f"tls.{part} is missing: certificate and key go together")


def derive(options: Mapping, cluster: ClusterFacts, relay, certificate=None) -> Settings:
    """The settings for a user's choices on a cluster.

    :param options: the options of M(azureml.arc.extension), validated and checked.
    :param cluster: what is known of the cluster.
    :param relay: names of the cluster's Azure Relay, with C(hybrid_connection_id) and C(hybrid_connection_name).
    :param certificate: the C(ServerCertificate) of inference endpoints, where the options give one.
    :returns: the settings; keys in the user's own C(settings) and C(protected_settings) win over derived ones.
    """
    plain = _cluster_settings(cluster)
    plain.update(_workload_settings(options, cluster))
    own = {key: as_setting(value) for key, value in (options.get("settings") or {}).items()}
    protected = {key: as_setting(value) for key, value in (options.get("protected_settings") or {}).items()}

    relay_enabled = own.get("relayserver.enabled", plain["relayserver.enabled"]).lower() != "false"
    relay_keys = ()
    if relay_enabled and not set(RELAY_CONNECTION_STRINGS) & set(protected):
        relay_keys = RELAY_CONNECTION_STRINGS
        plain["relayserver.hybridConnectionResourceID"] = relay.hybrid_connection_id
        plain["relayserver.hybridConnectionName"] = relay.hybrid_connection_name

    log_analytics_keys = ()
    if options.get("log_analytics") and LOG_ANALYTICS_CONNECTION_STRING not in protected:
        log_analytics_keys = (LOG_ANALYTICS_CONNECTION_STRING,)

    certificate_settings = {}
    if certificate:
        plain[CERTIFICATE_FINGERPRINT] = certificate.fingerprint
        certificate_settings = dict(zip(("scoringFe.sslCert", "scoringFe.sslKey"), certificate.encoded))

    plain.update(own)
    for key in protected:
        plain.pop(key, None)
    return Settings(plain, protected, certificate_settings, relay_keys, log_analytics_keys)


def _cluster_settings(cluster: ClusterFacts) -> dict:
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
        "servicebus.enabled": "false",
        "relayserver.enabled": "true" if connected else "false",
        "nginxIngress.enabled": "false" if connected else "true",
    }
    if cluster.node_count < HIGH_AVAILABILITY_NODES:
        settings["clusterPurpose"] = "DevTest"
        settings["inferenceRouterHA"] = "false"
    return settings


def _workload_settings(options: Mapping, cluster: ClusterFacts) -> dict:
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
    for option, key in SWITCHES.items():
        if options.get(option) is not None:
            settings[key] = as_setting(options[option])
    if options.get("log_analytics"):
        settings["azure_log_analytics.enabled"] = "True"
    for label, value in (options.get("node_selector") or {}).items():
        settings[f"nodeSelector.{label}"] = as_setting(value)
    if profile in INFERENCE:
        settings.update(_inference_settings(options))
    return settings


def _inference_settings(options: Mapping) -> dict:
    settings = dict(INFERENCE_SERVICES[options["inference_service"]])
    if options.get("allow_insecure_connections") is not None:
        settings["allowInsecureConnections"] = as_setting(options["allow_insecure_connections"])
    high_availability = options.get("inference_router_ha")
    if high_availability is not None:
        settings["inferenceRouterHA"] = as_setting(high_availability).lower()
        if not high_availability:
            settings["clusterPurpose"] = "DevTest"
    tls = options.get("tls")
    if tls:
        settings["sslCname"] = tls["cname"]
        if tls.get("secret_name"):
            settings["sslSecret"] = tls["secret_name"]
            settings["scoringFe.sslSecret"] = tls["secret_name"]
    return settings
