# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kubernetes clusters in Azure: read them from ARM, and tell whether their agents receive changes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ansible_collections.azureml.arc.plugins.module_utils._azure.client import AzureSession
from ansible_collections.azureml.arc.plugins.module_utils._azure.cluster_reference import (
    TYPES,
    ClusterFacts,
    ClusterReference,
)
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError

# The host names of an AKS cluster's API server, as ARM shows them.
_FQDNS = ("fqdn", "privateFQDN", "azurePortalFQDN")


@dataclass(frozen=True)
class Cluster(ClusterFacts):
    """A cluster as ARM shows it."""

    connectivity_status: str = ""  # of a connected cluster
    power_state: str = ""  # of an AKS cluster
    last_connectivity_time: str = ""
    agent_version: str = ""  # of a connected cluster
    fqdns: tuple = ()  # host names of the API server, of an AKS cluster


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
