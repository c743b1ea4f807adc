# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Log Analytics workspace for the extension's logs, in the resource group of the cluster."""

from __future__ import annotations

from ansible_collections.azureml.arc.plugins.module_utils._azure.client import AzureSession
from ansible_collections.azureml.arc.plugins.module_utils._azure.cluster_reference import ClusterReference
from ansible_collections.azureml.arc.plugins.module_utils._azure.names import derived_name, supporting_body
from ansible_collections.azureml.arc.plugins.module_utils._azure.provisioning import (
    Provisioned,
    find_or_create,
    list_keys,
)
from ansible_collections.azureml.arc.plugins.module_utils._azure.resource import ArmResource
from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Deadline, Waiting
from ansible_collections.azureml.arc.plugins.module_utils._extension.keys import LOG_ANALYTICS_CUSTOMER_ID

API_VERSION = "2022-10-01"
NAME_LENGTH = 63


def workspace_id(cluster: ClusterReference) -> str:
    """Return the ARM id of the workspace of a cluster, whether it exists or not."""
    name = derived_name(f"{cluster.name}-{cluster.subscription_id}-{cluster.resource_group}", NAME_LENGTH)
    return f"{cluster.group_id}/providers/Microsoft.OperationalInsights/workspaces/{name}"


def ensure(session: AzureSession, cluster: ClusterReference, location: str, deadline: Deadline) -> Waiting[Provisioned]:
    """Find or create the workspace.

    :param location: the region of the cluster.
    """
    resource_id = workspace_id(cluster)
    what = f"Log Analytics workspace {resource_id}"
    resource = ArmResource(session, resource_id, API_VERSION, what, deadline)
    workspace, is_new = yield from find_or_create(resource, supporting_body(location))
    keys = yield from list_keys(session, f"{resource_id}/sharedKeys", API_VERSION, f"keys of {what}", deadline)
    return Provisioned(
        keys["primarySharedKey"],
        [resource_id] if is_new else [],
        {LOG_ANALYTICS_CUSTOMER_ID: workspace["properties"]["customerId"]},
    )
