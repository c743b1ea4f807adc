# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Azure Relay: the connection from AzureML to a connected cluster.

A namespace, a hybrid connection and an authorization rule in the resource group of the cluster, with the names that
C(az k8s-extension create) derives from the cluster, so that both clients find each other's resources.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.azureml.arc.plugins.module_utils._azure.client import AzureSession
from ansible_collections.azureml.arc.plugins.module_utils._azure.cluster_reference import ClusterReference
from ansible_collections.azureml.arc.plugins.module_utils._azure.names import derived_name, namespace_body
from ansible_collections.azureml.arc.plugins.module_utils._azure.provisioning import (
    Provisioned,
    find_or_create_all,
    list_keys,
)
from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Deadline, Waiting

API_VERSION = "2021-11-01"
AUTHORIZATION_RULE = "azureml_rw"
NAME_LENGTH = 50


@dataclass(frozen=True)
class Relay:
    """The names of a cluster's relay, derived from the cluster."""

    namespace_id: str
    hybrid_connection_id: str
    hybrid_connection_name: str

    @property
    def rule_id(self) -> str:
        return f"{self.hybrid_connection_id}/authorizationRules/{AUTHORIZATION_RULE}"


def relay_of(cluster: ClusterReference) -> Relay:
    """Return the relay of a cluster, whether it exists or not."""
    name = derived_name(f"{cluster.name}-{cluster.subscription_id}-{cluster.resource_group}-relay", NAME_LENGTH)
    namespace_id = f"{cluster.group_id}/providers/Microsoft.Relay/namespaces/{name}"
    return Relay(namespace_id, f"{namespace_id}/hybridConnections/{cluster.name}", cluster.name)


def ensure(session: AzureSession, cluster: ClusterReference, location: str, deadline: Deadline) -> Waiting[Provisioned]:
    """Find the relay, or create its missing parts.

    :param location: the region of the cluster.
    """
    relay = relay_of(cluster)
    parts = (
        (relay.namespace_id, namespace_body(location)),
        (relay.hybrid_connection_id, {"properties": {"requiresClientAuthorization": True}}),
        (relay.rule_id, {"properties": {"rights": ["Manage", "Send", "Listen"]}}),
    )
    created = yield from find_or_create_all(session, parts, API_VERSION, "relay resource", deadline)
    what = f"keys of relay {relay.rule_id}"
    keys = yield from list_keys(session, f"{relay.rule_id}/listKeys", API_VERSION, what, deadline)
    return Provisioned(keys["primaryConnectionString"], created)
