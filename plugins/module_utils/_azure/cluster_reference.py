# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""References to Kubernetes clusters in Azure, and the facts that settings depend on. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

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
