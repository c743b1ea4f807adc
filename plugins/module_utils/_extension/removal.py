# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module extension with state absent: remove the extension and its supporting resources."""

from __future__ import annotations

from ansible_collections.azureml.arc.plugins.module_utils._azure import cluster as _cluster
from ansible_collections.azureml.arc.plugins.module_utils._azure import cluster_reference
from ansible_collections.azureml.arc.plugins.module_utils._azure.client import AzureSession
from ansible_collections.azureml.arc.plugins.module_utils._azure.resource import ArmResource
from ansible_collections.azureml.arc.plugins.module_utils._azure.states import is_being_deleted
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Waiting
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall
from ansible_collections.azureml.arc.plugins.module_utils._extension import supporting
from ansible_collections.azureml.arc.plugins.module_utils._extension.body import is_azureml, view
from ansible_collections.azureml.arc.plugins.module_utils._extension.plan import Plan
from ansible_collections.azureml.arc.plugins.module_utils._extension.reference import (
    ExtensionReference,
    find_other,
    resource_of,
)

REMOVE = {"forceDelete": "false"}
REMOVE_BY_FORCE = {"forceDelete": "true"}


def remove(call: ModuleCall, session: AzureSession, reference: ExtensionReference) -> Waiting[dict]:
    """Remove the extension, and return the result of the module."""
    deadline = call.deadline(call.params["wait_timeout"])
    extension = resource_of(session, reference, deadline)
    result = yield from extension.decide(lambda: _remove_extension(call, session, reference, extension))
    cluster = _find_cluster(session, reference.cluster)
    named = cluster.reference if cluster else reference.cluster
    names = call.params["remove_resources"]
    removed, left = yield from supporting.remove(session, named, names, deadline, call.check_mode)
    for resource_id in left:
        call.warn(f"{resource_id} was not created for the extension, according to its tags, and is kept")
    if call.diff and removed:
        result["diff"]["before"] = {**result["diff"]["before"], "resources": removed}
    return {
        **result,
        "changed": result["changed"] or bool(removed),
        "cluster": {"id": named.id, "name": named.name, "fqdns": list(cluster.fqdns) if cluster else []},
        "removed_resources": removed,
    }


def _find_cluster(session: AzureSession, cluster: cluster_reference.ClusterReference) -> _cluster.Cluster | None:
    """Return a cluster with its name in Azure, from which other names are derived; C(None) if it is gone."""
    try:
        return _cluster.read(session, cluster)
    except AzureMLError as error:
        if not error.details.get("gone"):
            raise
        return None  # it was removed before its resources


def _remove_extension(
    call: ModuleCall, session: AzureSession, reference: ExtensionReference, extension: ArmResource
) -> Waiting[dict]:
    params = call.params
    with _cluster.reading_part_of(reference.cluster):
        body = extension.read()
    if body is None:
        other = find_other(session, reference)
        if other:
            call.warn(
                f"{reference} does not exist; AzureML extension '{other['name']}' does, and was left unchanged. Set"
                f" name (azureml_extension_name) to '{other['name']}' to remove it."
            )
        return _result(call, Plan("none", "the extension does not exist"), None)
    if not is_azureml(body):
        kind = body["properties"].get("extensionType")
        raise AzureMLError(
            f"{reference} cannot be removed: it is of type {kind}",
            code="Refused",
            hint="Check the name of the extension.",
        )
    if is_being_deleted(body):
        if params["wait"] and not call.check_mode:
            yield from extension.settle(body)
        return _result(call, Plan("adopt", "its removal is already in progress"), body)
    if not params["force_delete"]:
        _cluster.require_reachable(_cluster.read(session, reference.cluster))
    if not call.check_mode:
        how = REMOVE_BY_FORCE if params["force_delete"] else REMOVE
        yield from extension.submit("DELETE", params["wait"], present=body, params=how)
    return _result(call, Plan("delete", "it exists"), body)


def _result(call: ModuleCall, step: Plan, body: dict | None) -> dict:
    """Return the result of the module, with the extension as before the removal."""
    result = {"changed": step.action == "delete", "plan": step.as_result(), "extension": view(body) if body else None}
    if call.diff:
        result["diff"] = {"before": view(body) if step.action == "delete" else {}, "after": {}}
    return result
