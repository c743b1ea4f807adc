# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refuse choices that contradict each other or the cluster, before anything is sent. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from ansible_collections.azureml.arc.plugins.module_utils._azure.cluster_reference import ClusterFacts
from ansible_collections.azureml.arc.plugins.module_utils._azure.key_vault_address import parse as parse_key_vault
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._extension import keys
from ansible_collections.azureml.arc.plugins.module_utils._extension.settings import (
    HIGH_AVAILABILITY_NODES,
    INFERENCE,
    TRAINING,
    as_setting,
)
from ansible_collections.azureml.arc.plugins.module_utils._extension.tls import check_cname

INFERENCE_ONLY_OPTIONS = ("inference_service", "allow_insecure_connections", "inference_router_ha", "tls")
OWN_SETTINGS = ("settings", "protected_settings")
# How similar two keys must be for one to count as a misspelling of the other; from 0 to 1.
SIMILARITY = 0.85


def check(options: Mapping) -> None:
    """Refuse choices that contradict each other.

    :param options: the options of M(azureml.arc.extension), validated against its argument spec.
    :raises AzureMLError: naming the option.
    """
    _check_own_settings(options)
    if options.get("version") and options.get("auto_upgrade_minor_version"):
        raise AzureMLError("version pins a version and auto_upgrade_minor_version upgrades it: set only one of them")
    generation = options["settings_generation"]
    if keys.GENERATIONS[generation] is keys.FIRST and not options.get("version"):
        raise AzureMLError(
            f"settings_generation {generation} needs version: current releases have other keys and components",
            hint="Set version to a release of 2021, or settings_generation to current.",
        )
    for name in keys.GENERATIONS[generation].unsupported:
        if options.get(name) is not None:
            raise AzureMLError(f"{name} is not supported with settings_generation {generation}: remove it")
    if options["workload_profile"] in INFERENCE:
        _check_inference(options)
    else:
        for name in INFERENCE_ONLY_OPTIONS:
            if options.get(name) is not None:
                raise AzureMLError(
                    f"{name} is for inference, but workload_profile is {options['workload_profile']}",
                    hint="Remove it, or choose a profile with inference.",
                )


def _check_own_settings(options: Mapping) -> None:
    for name in OWN_SETTINGS:
        for key, value in (options.get(name) or {}).items():
            if isinstance(value, (dict, list)) or value is None:
                raise AzureMLError(f"{name}: the value of '{key}' must be a string, a number or a boolean")
            if key in keys.AZ_ONLY_KEYS:
                raise AzureMLError(
                    f"{name}: '{key}' is the path of a file that only az reads",
                    hint=f"Use {keys.AZ_ONLY_KEYS[key]}.",
                )
    twice = sorted(set(options.get("settings") or {}) & set(options.get("protected_settings") or {}))
    if twice:
        raise AzureMLError(
            f"settings and protected_settings both have {', '.join(twice)}; set each key in only one of them"
        )
    own = _own_settings(options)
    for key, profiles in (("enableTraining", TRAINING), ("enableInference", INFERENCE)):
        wanted = options["workload_profile"] in profiles
        if key in own and (own[key] == "true") != wanted:
            raise AzureMLError(
                f"settings: '{key}: {own[key]}' contradicts workload_profile {options['workload_profile']}"
            )


def _own_settings(options: Mapping) -> dict[str, str]:
    """Return the user's own settings of both maps, values in lower case."""
    return {key: as_setting(value).lower() for name in OWN_SETTINGS for key, value in (options.get(name) or {}).items()}


def _check_inference(options: Mapping) -> None:
    services = keys.GENERATIONS[options["settings_generation"]].inference_services
    service = options.get("inference_service")
    if not service:
        raise AzureMLError(
            f"inference_service is required with workload_profile {options['workload_profile']};"
            f" choose one of {', '.join(services)}"
        )
    if service not in services:
        raise AzureMLError(
            f"inference_service {service} is not supported with settings_generation {options['settings_generation']};"
            f" choose one of {', '.join(services)}"
        )
    effective = {key: value.lower() for key, value in services[service].items()} | _own_settings(options)
    if _any_set(effective, keys.NODE_PORT_KEYS) and _any_set(effective, keys.INTERNAL_LOAD_BALANCER_KEYS):
        raise AzureMLError(
            f"inference_service is {service}, but settings set the keys of another service: the inference router has"
            " either a node port or an internal load balancer"
        )
    tls = options.get("tls")
    if not tls and not options.get("allow_insecure_connections"):
        raise AzureMLError("inference needs either tls, for HTTPS, or allow_insecure_connections: true, for plain HTTP")
    if tls:
        _check_tls(tls, options["settings_generation"])


def _check_tls(tls: Mapping, generation: str) -> None:
    check_cname("tls.cname", tls["cname"])
    if tls.get("secret_name"):
        if not keys.GENERATIONS[generation].cname:
            raise AzureMLError(
                f"tls.secret_name is not supported with settings_generation {generation}",
                hint="Set tls.certificate and tls.private_key instead.",
            )
        return
    if tls.get("key_vault"):
        parse_key_vault("tls.key_vault", tls["key_vault"])
        return
    for part in ("certificate", "private_key"):
        if not tls.get(part) and not tls.get(f"{part}_content"):
            raise AzureMLError(f"tls.{part} is missing: set both the certificate and its private key")


def _any_set(settings: Mapping, table: Mapping) -> bool:
    return any(settings.get(key) == value for key, value in table.items())


def check_cluster(options: Mapping, cluster: ClusterFacts) -> None:
    """Refuse choices that this cluster does not support.

    :param options: as for C(check).
    :raises AzureMLError: naming the option.
    """
    is_aks = cluster.type == "managed_cluster" or cluster.distribution.lower() == "aks"
    if options.get("inference_service") == "internal_load_balancer" and not is_aks:
        raise AzureMLError(
            "inference_service internal_load_balancer needs an AKS cluster: cluster_type managed_cluster,"
            " or a connected cluster with distribution aks; the distribution of this cluster is"
            f" {cluster.distribution or 'unknown'}"
        )
    if options.get("inference_router_ha") and cluster.node_count < HIGH_AVAILABILITY_NODES:
        raise AzureMLError(
            f"inference_router_ha needs {HIGH_AVAILABILITY_NODES} nodes, but the cluster has {cluster.node_count}",
            hint="Set it to false, or remove it, for one replica of the router.",
        )


def misspelt_keys(options: Mapping) -> list[str]:
    """Return a warning for each unknown key of the user's own settings that resembles a known one.

    Other unknown keys cause no warning, because the extension's chart accepts any key.
    """
    known = {key.lower(): key for key in keys.known_keys()}
    warnings = []
    for name in OWN_SETTINGS:
        for key in sorted(options.get(name) or {}):
            if known.get(key.lower()) == key:
                continue
            close = difflib.get_close_matches(key.lower(), known, n=1, cutoff=SIMILARITY)
            if close:
                warnings.append(f"{name}: unknown key '{key}' (did you mean '{known[close[0]]}'?)")
    return warnings
