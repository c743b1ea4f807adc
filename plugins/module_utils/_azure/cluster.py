# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kubernetes clusters in Azure: references to them, and their facts from ARM."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ansible_collections.azureml.arc.plugins.module_utils._azure.client import AzureSession
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError


@dataclass(frozen=True)
class ClusterType:
    """A type of cluster that supports the AzureML extension."""

    resource_type: str
    api_version: str
    title: str


TYPES = {
    "connected_cluster": ClusterType("Microsoft.Kubernetes/connectedClusters", "2024-01-01", "connected cluster"),
    "managed_cluster": ClusterType("Microsoft.ContainerService/managedClusters", "2024-09-01", "AKS cluster"),
}

_SUBSCRIPTION = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_CLUSTER_ID = re.compile(
    r"/subscriptions/(?P<subscription_id>[^/]+)/resourceGroups/(?P<resource_group>[^/]+)"
    r"/providers/(?P<type>[^/]+/[^/]+)/(?P<cluster_name>[^/]+)",
    re.IGNORECASE,
)
# The host names of an AKS cluster's API server, as ARM shows them.
_FQDNS = ("fqdn", "privateFQDN", "azurePortalFQDN")
# Characters that resource names cannot have, and that would change the path of an ARM id.
_NOT_IN_NAMES = re.compile(r"[/\\?#%&<>\s\x00-\x1f\ud800-\udfff]")


@dataclass(frozen=True)
class ClusterReference:
    """A reference to a cluster, without properties that must be read."""

    subscription_id: str
    resource_group: str
    type: str
    name: str

    @property
    def id(self) -> str:
        return f"{self.group_id}/providers/{TYPES[self.type].resource_type}/{self.name}"

    @property
    def group_id(self) -> str:
        return resource_group_id(self.subscription_id, self.resource_group)

    def __str__(self) -> str:
        return f"{TYPES[self.type].title} '{self.name}'"


@dataclass(frozen=True)
class ClusterFacts:
    """The facts that the settings of the extension are derived from."""

    id: str
    name: str
    type: str  # connected_cluster or managed_cluster
    location: str
    node_count: int
    distribution: str = ""

    @property
    def reference(self) -> ClusterReference:
        """The reference in the spelling of Azure, whatever the case of the task's names."""
        return from_id("id", self.id)


@dataclass(frozen=True)
class Cluster(ClusterFacts):
    """A cluster as ARM shows it."""

    connectivity_status: str = ""  # of a connected cluster
    power_state: str = ""  # of an AKS cluster
    last_connectivity_time: str = ""
    agent_version: str = ""  # of a connected cluster
    fqdns: tuple = ()  # host names of the API server, of an AKS cluster


def resource_group_id(subscription_id: str, resource_group: str) -> str:
    """Return the ARM id of a resource group."""
    return f"/subscriptions/{subscription_id}/resourceGroups/{resource_group}"


def check_name(option: str, value: str) -> str:
    """Return the name of a resource as given, or raise an error that names the option."""
    if not value or value in (".", "..") or _NOT_IN_NAMES.search(value):
        raise AzureMLError(
            f"{option} '{value}' is not a valid name of an Azure resource",
            hint="Give the name alone, without slashes, spaces and the characters \\ ? # % & < >.",
        )
    return value


def check_subscription(option: str, value: str) -> str:
    """Return a subscription id as given, or raise an error that names the option."""
    if not _SUBSCRIPTION.fullmatch(value):
        raise AzureMLError(f"{option} '{value}' is not a subscription id (a GUID)")
    return value


def reference(params: Mapping, subscription_id: str, is_optional: bool = False) -> ClusterReference:
    """Return the cluster that a module's options name.

    :param is_optional: whether the subscription may be empty, to compare only names.
    """
    if subscription_id or not is_optional:
        check_subscription("subscription_id", subscription_id)
    return ClusterReference(
        subscription_id,
        check_name("resource_group", params["resource_group"]),
        params["cluster_type"],
        check_name("cluster_name", params["cluster_name"]),
    )


def from_id(option: str, cluster_id: str) -> ClusterReference:
    """Return the cluster with an ARM id, or an error that names the option."""
    found = _CLUSTER_ID.fullmatch(cluster_id)
    types = {one.resource_type.lower(): name for name, one in TYPES.items()}
    cluster_type = types.get(found["type"].lower()) if found else None
    if cluster_type is None:
        raise AzureMLError(f"{option} '{cluster_id}' is not the ARM id of a connected cluster or an AKS cluster")
    return reference({**found.groupdict(), "cluster_type": cluster_type}, found["subscription_id"])


def read(session: AzureSession, cluster: ClusterReference, refresh: bool = False) -> Cluster:
    """Read a cluster, once for all calls for it.

    :param refresh: read the cluster again, even if it has been read before.
    :raises AzureMLError: if it cannot be read. If ARM answers 404, for the cluster or its resource group, the
        error has a field C(gone): Resource Graph may list a cluster for hours after its deletion, see
        https://github.com/ansible-collections/azure/pull/2002
    """
    try:
        kind = TYPES[cluster.type]
        if refresh:
            session.known.forget(cluster.id)
        body = session.known.once(cluster.id, lambda: session.get(cluster.id, kind.api_version, str(cluster)))
    except AzureMLError as error:
        if error.status == 404:
            error.details["gone"] = True
        raise
    if body is None:
        raise _missing(cluster)
    return _parse(cluster, body)


@contextlib.contextmanager
def reading_part_of(cluster: ClusterReference) -> Iterator[None]:
    """Replace an error caused by a missing cluster with the error of C(read)."""
    try:
        yield
    except AzureMLError as error:
        if error.code == "ParentResourceNotFound":
            raise _missing(cluster) from error
        if error.status == 404:
            error.details["gone"] = True
        raise


def _missing(cluster: ClusterReference) -> AzureMLError:
    return AzureMLError(
        f"{cluster} does not exist in resource group '{cluster.resource_group}'"
        f" of subscription {cluster.subscription_id}",
        code="ResourceNotFound",
        status=404,
        hint="Check cluster_name, cluster_type, resource_group and subscription_id.",
        gone=True,
    )


def node_count(cluster_type: str, properties: Mapping) -> int:
    """Return the number of nodes, from the properties in ARM or Resource Graph."""
    if cluster_type == "connected_cluster":
        return properties.get("totalNodeCount") or 0
    return sum(pool.get("count") or 0 for pool in properties.get("agentPoolProfiles") or ())


def _parse(cluster: ClusterReference, body: dict) -> Cluster:
    properties = body.get("properties") or {}
    return Cluster(
        id=body.get("id") or cluster.id,
        name=body.get("name") or cluster.name,
        type=cluster.type,
        location=body["location"],
        node_count=node_count(cluster.type, properties),
        distribution=properties.get("distribution") or "",
        connectivity_status=properties.get("connectivityStatus") or "",
        power_state=(properties.get("powerState") or {}).get("code") or "",
        last_connectivity_time=properties.get("lastConnectivityTime") or "",
        agent_version=properties.get("agentVersion") or "",
        fqdns=tuple(properties[key] for key in _FQDNS if properties.get(key)),
    )


def why_unreachable(cluster: Cluster) -> tuple[str, str, str] | None:
    """Return why the agents of a cluster receive no changes, as code, state and hint; C(None) if they do."""
    if cluster.connectivity_status and cluster.connectivity_status != "Connected":
        since = f" since {cluster.last_connectivity_time}" if cluster.last_connectivity_time else ""
        return (
            "ClusterNotConnected",
            f"has connectivity status {cluster.connectivity_status}{since}",
            "Repair its Arc agents (namespace 'azure-arc').",
        )
    if cluster.power_state and cluster.power_state != "Running":
        return "ClusterNotRunning", f"is {cluster.power_state.lower()}", "Start it with 'az aks start'."
    return None


def require_reachable(cluster: Cluster) -> None:
    """Refuse a cluster whose agents would not receive a change.

    :raises AzureMLError: if the cluster is not connected, or is stopped.
    """
    found = why_unreachable(cluster)
    if found:
        code, state, hint = found
        raise AzureMLError(
            f"{TYPES[cluster.type].title} '{cluster.name}' {state}: nothing was changed", code=code, hint=hint
        )


def explain_timeout(error: AzureMLError, cluster: Cluster) -> None:
    """Add to the error of a timeout that the cluster has become unreachable, if it has.

    :param cluster: the cluster as it is now.
    """
    found = why_unreachable(cluster)
    if found:
        code, state, _hint = found
        error.code = code
        error.message += f"; the cluster {state}"
        error.hint = "The operation continues once its agents are connected. Run again then."
