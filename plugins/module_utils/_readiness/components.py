# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The workloads of the AzureML extension, by profile and cluster type. Pure.

Source: the component table of
https://learn.microsoft.com/azure/machine-learning/how-to-deploy-kubernetes-extension#review-azureml-extension-components
in its current version, and in that of October 2021.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.azureml.arc.plugins.module_utils._extension.settings import INFERENCE, TRAINING

EVERY = TRAINING | INFERENCE
CONNECTED = frozenset({"connected_cluster"})
MANAGED = frozenset({"managed_cluster"})
ANY_CLUSTER = CONNECTED | MANAGED


@dataclass(frozen=True)
class Component:
    """A workload in the extension's namespace. An optional one may be missing, but if it exists, it must be ready."""

    kind: str
    name: str
    required: bool = True


@dataclass(frozen=True)
class _Row:
    kind: str
    name: str  # "{name}" is the name of the extension
    profiles: frozenset[str]
    clusters: frozenset[str] = ANY_CLUSTER
    switch: str | None = None  # the option that switches the component on or off
    default: bool | None = True  # whether it is installed if the switch is unset; None: unknown


# The table of current releases (1.1.x).
CURRENT = (
    _Row("Deployment", "relayserver", EVERY, CONNECTED),
    _Row("Deployment", "gateway", EVERY),
    _Row("Deployment", "aml-operator", TRAINING),
    _Row("Deployment", "metrics-controller-manager", EVERY),
    _Row("Deployment", "{name}-kube-state-metrics", EVERY),
    _Row("Deployment", "{name}-prometheus-operator", EVERY, switch="install_prometheus_operator"),
    _Row("Deployment", "volcano-admission", TRAINING, switch="install_volcano"),
    _Row("Deployment", "volcano-controllers", TRAINING, switch="install_volcano"),
    _Row("Deployment", "volcano-scheduler", TRAINING, switch="install_volcano"),
    _Row("Deployment", "amlarc-identity-controller", INFERENCE),
    _Row("Deployment", "amlarc-identity-proxy", INFERENCE),
    _Row("Deployment", "azureml-fe-v2", INFERENCE),
    _Row("Deployment", "azureml-ingress-nginx-controller", INFERENCE, MANAGED),
    _Row("Deployment", "inference-operator-controller-manager", INFERENCE),
    _Row("StatefulSet", "prometheus-prom-prometheus", EVERY),
    # Replaced by sidecars in 1.1.17; older releases have it.
    _Row("DaemonSet", "fluent-bit", EVERY, default=None),
    _Row("DaemonSet", "{name}-dcgm-exporter", EVERY, switch="install_dcgm_exporter", default=None),
    _Row("DaemonSet", "nvidia-device-plugin-daemonset", EVERY, switch="install_nvidia_device_plugin", default=None),
)

# The table of the first releases (1.0.x, 2021), for clusters that are pinned to one.
FIRST = (
    _Row("Deployment", "relayserver", EVERY),
    _Row("Deployment", "gateway", TRAINING),
    _Row("Deployment", "aml-operator", TRAINING),
    _Row("Deployment", "metrics-controller-manager", EVERY),
    _Row("Deployment", "cluster-status-reporter", EVERY),
    _Row("Deployment", "nfd-master", TRAINING),
    _Row("Deployment", "csi-blob-controller", TRAINING),
    _Row("Deployment", "{name}-kube-state-metrics", EVERY),
    _Row("Deployment", "{name}-prometheus-operator", EVERY),
    _Row("Deployment", "amlarc-identity-controller", INFERENCE),
    _Row("Deployment", "amlarc-identity-proxy", INFERENCE),
    _Row("Deployment", "azureml-fe", INFERENCE),
    _Row("Deployment", "inference-operator-controller-manager", INFERENCE),
    _Row("StatefulSet", "prometheus-prom-prometheus", EVERY, default=None),
    _Row("DaemonSet", "fluent-bit", EVERY, default=None),
    _Row("DaemonSet", "nvidia-device-plugin-daemonset", EVERY, switch="install_nvidia_device_plugin", default=None),
)

TABLES = {"current": CURRENT, "2021": FIRST}


def expected_components(
    profile: str,
    cluster_type: str,
    extension_name: str,
    switches: dict[str, bool | None] | None = None,
    table: str = "current",
) -> list[Component]:
    """Return the required and optional components of a deployment.

    :param profile: C(training), C(inference) or C(training_inference).
    :param cluster_type: C(connected_cluster) or C(managed_cluster).
    :param extension_name: the name of the extension, which is part of some names.
    :param switches: the C(install_*) options; a missing or C(None) option means the extension's default.
    :param table: the generation of settings keys, a key of C(TABLES).
    """
    components = []
    for row in TABLES[table]:
        if profile not in row.profiles or cluster_type not in row.clusters:
            continue
        present = (switches or {}).get(row.switch)
        if present is None:
            present = row.default
        if present is False:
            continue
        name = row.name.format(name=extension_name)
        components.append(Component(row.kind, name, required=present is True))
    return components
