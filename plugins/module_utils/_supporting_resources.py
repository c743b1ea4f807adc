# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was created beside a cluster for the extension, and may go with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ansible_collections.azureml.arc.plugins.module_utils import _log_analytics, _relay, _service_bus
from ansible_collections.azureml.arc.plugins.module_utils._arm_resource import ArmResource
from ansible_collections.azureml.arc.plugins.module_utils._azure_names import CREATED_BY
from ansible_collections.azureml.arc.plugins.module_utils._azure_session import AzureSession
from ansible_collections.azureml.arc.plugins.module_utils._cluster import ClusterReference
from ansible_collections.azureml.arc.plugins.module_utils._polling import Deadline


@dataclass(frozen=True)
class SupportingResource:
    """A resource beside a cluster; what it consists of goes with it.

    :param id_of: its ARM id, which follows from the cluster.
    """

    title: str
    api_version: str
    id_of: Callable[[ClusterReference], str]


SUPPORTING_RESOURCES = {
    "relay": SupportingResource(
        "relay namespace", _relay.API_VERSION, lambda cluster: _relay.relay_of(cluster).namespace_id
    ),
    "service_bus": SupportingResource(
        "Service Bus namespace",
        _service_bus.API_VERSION,
        lambda cluster: _service_bus.service_bus_of(cluster).namespace_id,
    ),
    "log_analytics": SupportingResource(
        "Log Analytics workspace", _log_analytics.API_VERSION, _log_analytics.workspace_id
    ),
}


def remove(
    session: AzureSession, cluster: ClusterReference, names: Iterable[str], deadline: Deadline, check_mode: bool
) -> tuple[list[str], list[str]]:
    """Remove resources, and wait until they are gone.

    :param names: keys of C(SUPPORTING_RESOURCES).
    :returns: the ARM ids of what was removed, and of what was left because it was not made for the extension.
    """
    removed, left = [], []
    for name in names:
        kind = SUPPORTING_RESOURCES[name]
        resource_id = kind.id_of(cluster)
        resource = ArmResource(session, resource_id, kind.api_version, f"{kind.title} {resource_id}", deadline)
        body = resource.read()
        if body is None:
            continue
        if not CREATED_BY.items() <= (body.get("tags") or {}).items():
            left.append(resource_id)
            continue
        removed.append(resource_id)
        if not check_mode:
            resource.submit("DELETE", wait=True)
    return removed, left
