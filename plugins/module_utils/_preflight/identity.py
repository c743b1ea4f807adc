# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare the identity that a Kubernetes API reports with the expected cluster in Azure. Pure.

Sources:

- Azure/azure-cli-extensions, src/connectedk8s/azext_connectedk8s/custom.py: C(az connectedk8s delete) compares resource
  group, name and subscription in ConfigMap C(azure-clusterconfig) of namespace C(azure-arc) with its arguments, without
  case, before it removes the agents.
- https://github.com/weaveworks/vscode-gitops-tools/issues/160 and 167: the same keys, for AKS in ConfigMap
  C(extension-manager-config) of namespace C(kube-system), which comes with the first cluster extension.
- https://learn.microsoft.com/rest/api/aks/managed-clusters/get: the host names of an AKS cluster's API server.
- Azure/azure-iot-ops-cli-extension, tests of C(verify_arc_cluster_config): a cluster without ConfigMap
  C(azure-clusterconfig) is refused, because it is not connected.
- https://learn.microsoft.com/azure/aks/use-labels: AKS sets label C(kubernetes.azure.com/cluster) on its nodes; in
  Azure/AgentBaker, "some AKS daemonsets require that this exists".
- C(az connectedk8s connect) accepts AKS clusters, so C(azure-clusterconfig) of an AKS cluster may name a connected
  cluster: that alone does not show that it is another one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from ansible_collections.azureml.arc.plugins.module_utils._azure.cluster_reference import ClusterReference
from ansible_collections.azureml.arc.plugins.module_utils._core.text import printable

# Namespace and name of the ConfigMap that names the cluster, by type of cluster.
CONFIG_MAPS = {
    "connected_cluster": ("azure-arc", "azure-clusterconfig"),
    "managed_cluster": ("kube-system", "extension-manager-config"),
}
KEYS = ("AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP", "AZURE_RESOURCE_NAME")
DEFAULT_PORTS = {"https": 443, "http": 80}
# A label of all nodes of AKS.
AKS_LABEL = "kubernetes.azure.com/cluster"


@dataclass(frozen=True)
class Reading:
    """The response of an API to the request for an entry of C(CONFIG_MAPS).

    :param cluster: the cluster that the ConfigMap names; C(None) if it is unknown.
    :param reason: why it is unknown.
    :param missing: whether the ConfigMap does not exist.
    """

    cluster: ClusterReference | None = None
    reason: str = ""
    missing: bool = False


def has_host(fqdns: Iterable[str], address: str) -> bool | None:
    """Return whether an API address belongs to the cluster with these host names.

    :param fqdns: C(fqdn), C(privateFQDN) and C(azurePortalFQDN) of an AKS cluster, if set.
    :returns: C(None) if the host is inconclusive: an IP address, or a name outside the domains of AKS.
    """
    host = (urlsplit(address).hostname or "").rstrip(".")
    names = {name.lower().rstrip(".") for name in fqdns}
    if host in names:
        return True
    return False if _domain(host) in {_domain(name) for name in names} else None


def _domain(host: str) -> str:
    """Return the domain of all AKS clusters of a cloud, such as C(azmk8s.io)."""
    return ".".join(host.split(".")[-2:])


def named_cluster(cluster_type: str, config_map: Mapping | None) -> ClusterReference | None:
    """Return the cluster that an entry of C(CONFIG_MAPS) names, C(None) if it names none."""
    data = (config_map or {}).get("data") or {}
    subscription_id, resource_group, name = (printable(data.get(key)) for key in KEYS)
    if not (subscription_id and resource_group and name):
        return None
    return ClusterReference(subscription_id, resource_group, cluster_type, name)


def is_same(found: ClusterReference, expected: ClusterReference) -> bool:
    """Return whether two references belong to the same cluster; Azure compares names without case.

    :param expected: an empty subscription is not compared.
    """
    if not expected.subscription_id:
        expected = replace(expected, subscription_id=found.subscription_id)
    return found.id.lower() == expected.id.lower()


def contradiction(
    expected_type: str, own: Reading, other: Reading, nodes: Iterable[Mapping], extension_installed: bool
) -> str:
    """Describe a cluster that cannot be the expected one, although its own ConfigMap does not name it.

    :param own: the ConfigMap of the expected type of cluster, which names none.
    :param other: the ConfigMap of the other type.
    :param nodes: the metadata of the nodes; empty if they are unknown.
    :param extension_installed: whether the expected cluster has the extension, which its agents have installed.
    :returns: an empty text if it may be the expected one.
    """
    if expected_type == "managed_cluster":
        nodes = list(nodes)
        if not nodes or any(AKS_LABEL in (one.get("labels") or {}) for one in nodes):
            return ""
        return located(other.cluster) if other.cluster else f"a cluster without nodes of AKS (label {AKS_LABEL})"
    if not own.missing:
        return ""
    if other.cluster:
        return f"{located(other.cluster)}, which is not connected to Azure Arc"
    return f"a cluster that is not connected to Azure Arc ({own.reason})" if extension_installed else ""


def normalise(address: str) -> str:
    """Return an API address in a normalized form, to compare two connections."""
    parts = urlsplit(address)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}:{parts.port or DEFAULT_PORTS.get(parts.scheme)}{parts.path.rstrip('/')}"


def located(cluster: ClusterReference) -> str:
    """Return the full description of a cluster, to distinguish clusters with the same name."""
    subscription = f" in subscription {cluster.subscription_id}" if cluster.subscription_id else ""
    return f"{cluster} of resource group '{cluster.resource_group}'{subscription}"
