# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Azure Service Bus: the channel on which releases of 2021 report the state of computes and jobs.

A namespace with two topics in the resource group of the cluster, with the names and properties that
C(az k8s-extension create) of that time gave them.
"""

from __future__ import annotations

from collections.abc import Mapping
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
NAME_LENGTH = 50
# Every new namespace has this rule.
AUTHORIZATION_RULE = "RootManageSharedAccessKey"
SUBSCRIPTIONS = {
    "computestate-updatedby-computeprovider": "compute-scheduler-computestate",
    "jobstate-updatedby-computeprovider": "compute-scheduler-jobstate",
}
TOPIC = {"properties": {"maxSizeInMegabytes": 5120, "defaultMessageTimeToLive": "P60D"}}
SUBSCRIPTION = {"properties": {"maxDeliveryCount": 1, "defaultMessageTimeToLive": "P14D", "lockDuration": "PT30S"}}


@dataclass(frozen=True)
class ServiceBus:
    """The names of a cluster's Service Bus, derived from the cluster."""

    namespace_id: str
    subscriptions: Mapping[str, str]  # by topic


def service_bus_of(cluster: ClusterReference) -> ServiceBus:
    """Return the Service Bus of a cluster, whether it exists or not."""
    name = derived_name(f"{cluster.name}-{cluster.subscription_id}-{cluster.resource_group}-service-bus", NAME_LENGTH)
    return ServiceBus(f"{cluster.group_id}/providers/Microsoft.ServiceBus/namespaces/{name}", SUBSCRIPTIONS)


def ensure(session: AzureSession, cluster: ClusterReference, location: str, deadline: Deadline) -> Waiting[Provisioned]:
    """Find the Service Bus, or create its missing parts.

    :param location: the region of the cluster.
    """
    namespace_id = service_bus_of(cluster).namespace_id
    parts = [(namespace_id, namespace_body(location))]
    for topic, subscription in SUBSCRIPTIONS.items():
        topic_id = f"{namespace_id}/topics/{topic}"
        parts += [(topic_id, TOPIC), (f"{topic_id}/subscriptions/{subscription}", SUBSCRIPTION)]
    created = yield from find_or_create_all(session, parts, API_VERSION, "Service Bus resource", deadline)
    rule_id = f"{namespace_id}/AuthorizationRules/{AUTHORIZATION_RULE}"
    keys = yield from list_keys(session, f"{rule_id}/listKeys", API_VERSION, f"keys of Service Bus {rule_id}", deadline)
    return Provisioned(keys["primaryConnectionString"], created)
