# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules extension and extension_info."""

from __future__ import annotations

from ansible_collections.azureml.arc.plugins.module_utils._azure import cluster as _cluster
from ansible_collections.azureml.arc.plugins.module_utils._azure import cluster_reference
from ansible_collections.azureml.arc.plugins.module_utils._azure.client import AzureSession, open_session
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Waiting
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall
from ansible_collections.azureml.arc.plugins.module_utils._extension import (
    certificate_files,
    check,
    key_vault_certificate,
)
from ansible_collections.azureml.arc.plugins.module_utils._extension.body import is_azureml, view
from ansible_collections.azureml.arc.plugins.module_utils._extension.presence import UNCHANGED_FOR, Presence
from ansible_collections.azureml.arc.plugins.module_utils._extension.reference import (
    API_VERSION,
    ExtensionReference,
    list_azureml,
)
from ansible_collections.azureml.arc.plugins.module_utils._extension.removal import remove


def run(call: ModuleCall) -> Waiting[dict]:
    """M(azureml.arc.extension)."""
    params = call.params
    if params["state"] == "absent":
        if params["remove_resources"] and not params["wait"]:
            raise AzureMLError("remove_resources needs wait: true, because the extension uses them until it is gone")
        session = open_session(call)
        return (yield from remove(call, session, _reference(params, session, params["name"])))
    check.check(params)
    for warning in check.misspelt_keys(params):
        call.warn(warning)
    tls = params["tls"] or {}
    certificate = certificate_files.read(call, tls, "tls.")
    session = open_session(call)
    if tls.get("key_vault"):
        certificate = key_vault_certificate.read(call, session, tls["key_vault"], tls["cname"])
    reference = _reference(params, session, params["name"])
    return (yield from Presence(call, session, reference, certificate).run())


def begin_supporting_resources(call: ModuleCall) -> Waiting[dict]:
    """Start creating the Azure resources that a new extension uses, without waiting for them.

    A fleet does this for all clusters before the first installation, so that it does not wait for each in turn.

    :param call: with the options of M(azureml.arc.extension).
    """
    session = open_session(call)
    presence = Presence(call, session, _reference(call.params, session, call.params["name"]), None)
    return (yield from presence.begin_supporting_resources())


def run_info(call: ModuleCall) -> dict:
    """M(azureml.arc.extension_info)."""
    session = open_session(call)
    cluster = cluster_reference.reference(call.params, session.subscription_id)
    name = call.params["name"]
    if name:
        body = _read(session, _reference(call.params, session, name))
        found = [body] if body and is_azureml(body) else []
    else:
        found = list_azureml(session, cluster)
    return {"extensions": [view(body) for body in found]}


def read_extension(session: AzureSession, cluster: cluster_reference.ClusterReference, name: str) -> dict | None:
    """Return an extension as the modules return it, C(None) if it does not exist."""
    reference = ExtensionReference(cluster, cluster_reference.check_name("name", name))
    body = session.known.once(reference.id, lambda: _read(session, reference), UNCHANGED_FOR)
    return view(body) if body else None


def _reference(params: dict, session: AzureSession, name: str) -> ExtensionReference:
    cluster = cluster_reference.reference(params, session.subscription_id)
    return ExtensionReference(cluster, cluster_reference.check_name("name", name))


def _read(session: AzureSession, reference: ExtensionReference) -> dict | None:
    with _cluster.reading_part_of(reference.cluster):
        return session.get(reference.id, API_VERSION, str(reference))
