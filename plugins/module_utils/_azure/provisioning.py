# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find resources, or create them if they are missing."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.azureml.arc.plugins.module_utils._azure.client import AzureSession
from ansible_collections.azureml.arc.plugins.module_utils._azure.consistency import once_visible
from ansible_collections.azureml.arc.plugins.module_utils._azure.resource import ArmResource
from ansible_collections.azureml.arc.plugins.module_utils._azure.states import is_moving
from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Deadline, Waiting


@dataclass(frozen=True)
class Provisioned:
    """A resource that the extension needs outside the cluster, found or created.

    :param secret: the credentials of the extension for it.
    :param created: ARM ids of the resources that were created for it.
    :param settings: plain settings that only the resource provides.
    """

    secret: str
    created: Sequence[str] = ()
    settings: Mapping[str, str] = field(default_factory=dict)


def find_or_create(resource: ArmResource, body: dict, wait: bool = True) -> Waiting[tuple[dict, bool]]:
    """Read a resource, or create it.

    :param body: the body of the request to create it; an existing resource is left unchanged.
    :param wait: whether to wait until it is provisioned, and before that for a deletion in progress.
    :returns: the resource, and whether it was created.
    """

    def attempt() -> Waiting[tuple[dict, bool]]:
        found = resource.read_once()
        if found and wait and is_moving(found):
            found = yield from resource.settle(found)
        if found:
            return found, False
        return (yield from resource.submit("PUT", wait, present=None, body=body)), True

    return (yield from resource.decide(attempt))


def find_or_create_all(
    session: AzureSession, parts: Sequence[tuple[str, dict]], api_version: str, kind: str, deadline: Deadline
) -> Waiting[list[str]]:
    """Find resources one after another, and create those that are missing.

    :param parts: ARM id and body of each, parents first.
    :param kind: their kind, for errors.
    :returns: the ARM ids of those that were created.
    """
    created = []
    for resource_id, body in parts:
        resource = ArmResource(session, resource_id, api_version, f"{kind} {resource_id}", deadline)
        attempt = functools.partial(find_or_create, resource, body)
        _found, is_new = yield from once_visible(attempt, deadline, str(resource))
        if is_new:
            created.append(resource_id)
    return created


def list_keys(session: AzureSession, address: str, api_version: str, what: str, deadline: Deadline) -> Waiting[dict]:
    """Return the keys of an existing resource, which may have just been created.

    :param address: the ARM id with the action, C(listKeys) for instance.
    """
    return (yield from once_visible(lambda: session.send("POST", address, api_version, what).body, deadline, what))
