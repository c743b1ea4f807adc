# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Azure resources that the extension uses, which are removed with it on request."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ansible_collections.azureml.arc.plugins.module_utils._azure.client import AzureSession
from ansible_collections.azureml.arc.plugins.module_utils._azure.cluster_reference import ClusterReference
from ansible_collections.azureml.arc.plugins.module_utils._azure.names import (
    is_created_by_us,
    namespace_body,
    supporting_body,
)
from ansible_collections.azureml.arc.plugins.module_utils._azure.provisioning import Provisioned, find_or_create
from ansible_collections.azureml.arc.plugins.module_utils._azure.resource import ArmResource
from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Deadline, Waiting
from ansible_collections.azureml.arc.plugins.module_utils._extension import keys, log_analytics, relay, service_bus
from ansible_collections.azureml.arc.plugins.module_utils._extension.settings import Settings


@dataclass(frozen=True)
class SupportingResource:
    """A supporting resource; its parts are removed with it.

    :param setting: the setting of the extension that refers to it.
    :param id_of: returns its ARM id, derived from the cluster.
    :param body_of: returns the body to create it, by the region of the cluster.
    :param ensure: finds it with all its parts, and creates the missing ones.
    :param keys_of: returns the settings that contain its secret; if there are none, it is not needed.
    """

    title: str
    setting: str
    api_version: str
    id_of: Callable[[ClusterReference], str]
    body_of: Callable[[str], dict]
    ensure: Callable[[AzureSession, ClusterReference, str, Deadline], Waiting[Provisioned]]
    keys_of: Callable[[Settings], tuple]


SUPPORTING_RESOURCES = {
    "relay": SupportingResource(
        "relay namespace",
        keys.RELAY_CONNECTION_ID,
        relay.API_VERSION,
        lambda cluster: relay.relay_of(cluster).namespace_id,
        namespace_body,
        relay.ensure,
        lambda settings: settings.relay_keys,
    ),
    "service_bus": SupportingResource(
        "Service Bus namespace",
        keys.SERVICE_BUS_ID,
        service_bus.API_VERSION,
        lambda cluster: service_bus.service_bus_of(cluster).namespace_id,
        namespace_body,
        service_bus.ensure,
        lambda settings: settings.service_bus_keys,
    ),
    "log_analytics": SupportingResource(
        "Log Analytics workspace",
        keys.LOG_ANALYTICS_CUSTOMER_ID,
        log_analytics.API_VERSION,
        log_analytics.workspace_id,
        supporting_body,
        log_analytics.ensure,
        lambda settings: settings.log_analytics_keys,
    ),
}


def needed(settings: Settings) -> list[SupportingResource]:
    """Return the resources that an extension with these settings uses."""
    return [one for one in SUPPORTING_RESOURCES.values() if one.keys_of(settings)]


def start(
    session: AzureSession,
    cluster: ClusterReference,
    location: str,
    settings: Settings,
    deadline: Deadline,
    check_mode: bool,
) -> Waiting[list[str]]:
    """Start creating the missing resources, without waiting for any.

    :param location: the region of the cluster.
    :param settings: those of the extension.
    :returns: the ARM ids of those that are being created.
    """
    created = []
    for kind in needed(settings):
        resource = _resource(session, kind, cluster, deadline)
        if check_mode:
            is_new = resource.read() is None
        else:
            _found, is_new = yield from find_or_create(resource, kind.body_of(location), wait=False)
        if is_new:
            created.append(resource.id)
    return created


def _resource(
    session: AzureSession, kind: SupportingResource, cluster: ClusterReference, deadline: Deadline
) -> ArmResource:
    resource_id = kind.id_of(cluster)
    return ArmResource(session, resource_id, kind.api_version, f"{kind.title} {resource_id}", deadline)


def remove(
    session: AzureSession, cluster: ClusterReference, names: Iterable[str], deadline: Deadline, check_mode: bool
) -> Waiting[tuple[list[str], list[str]]]:
    """Remove resources, and wait until they are gone.

    :param names: keys of C(SUPPORTING_RESOURCES).
    :returns: the ARM ids of the removed resources, and of those that were kept because they were not created for the
        extension.
    """
    removed, left = [], []
    for name in names:
        kind = SUPPORTING_RESOURCES[name]
        resource = _resource(session, kind, cluster, deadline)
        was_removed = yield from resource.decide(functools.partial(_remove, resource, check_mode))
        if was_removed is not None:
            (removed if was_removed else left).append(resource.id)
    return removed, left


def _remove(resource: ArmResource, check_mode: bool) -> Waiting[bool | None]:
    """Remove a resource; C(False) if it was not created for the extension, C(None) if it does not exist."""
    body = resource.read()
    if body is None or not is_created_by_us(body):
        return None if body is None else False
    if not check_mode:
        yield from resource.submit("DELETE", wait=True, present=body)
    return True
