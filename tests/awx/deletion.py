# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deletion of items: when AWX refuses it, and what happens to related items."""

from __future__ import annotations

from awx.resources import RESOURCES, UNIFIED
from awx.rules import InvalidError, Item
from awx.store import Store

RUNNING = ("new", "pending", "waiting", "running")
# Source of messages: C(RelatedJobsPreventDeleteMixin), and the views of notifications, types and inventories.
ACTIVE_JOBS = "Resource is being used by running jobs."
PENDING_NOTIFICATIONS = "Delete not allowed while there are pending notifications"
TYPE_IN_USE = "Credential types that are in use cannot be deleted"
PENDING_DELETION = "Inventory is already pending deletion."
PROTECTED_BY_JOBS = ("organizations", "projects", "inventories", "job_templates", "workflow_job_templates")


def request_deletion(store: Store, endpoint: str, number: int) -> int:
    """Answer a request to delete an item.

    :returns: the status of the answer.
    :raises InvalidError: if AWX refuses.
    """
    item = store.items[endpoint][number]
    if endpoint in PROTECTED_BY_JOBS and (active := _active_jobs(store, endpoint, number)):
        raise InvalidError({"error": ACTIVE_JOBS, "active_jobs": active}, 409)
    if endpoint == "notification_templates" and number in store.pending_notifications:
        raise InvalidError({"error": PENDING_NOTIFICATIONS}, 405)
    if endpoint == "credential_types" and any(
        one["credential_type"] == number for one in store.items["credentials"].values()
    ):
        raise InvalidError({"detail": TYPE_IN_USE}, 403)
    if endpoint == "inventories":
        if item["pending_deletion"]:
            raise InvalidError({"error": PENDING_DELETION})
        item["pending_deletion"] = True
        for template in store.items["job_templates"].values():
            if template["inventory"] == number:
                template["inventory"] = None
        store.later(lambda: delete(store, endpoint, number))
        return 202
    delete(store, endpoint, number)
    return 204


def _active_jobs(store: Store, endpoint: str, number: int) -> list[dict]:
    """Return the running jobs of an item. The jobs of an organization are those of its templates."""
    found = []
    for job in store.items["jobs"].values():
        template = store.items["job_templates"].get(job["job_template"], {})
        related = {
            "job_templates": job["job_template"],
            "projects": template.get("project"),
            "inventories": template.get("inventory"),
            "organizations": template.get("organization"),
        }
        if job["status"] in RUNNING and related.get(endpoint) == number:
            found.append({"type": "job", "id": job["id"]})
    for job in store.items["workflow_jobs"].values():
        if job["status"] in RUNNING and endpoint == "workflow_job_templates" and job["workflow_job_template"] == number:
            found.append({"type": "workflow_job", "id": job["id"]})
    return found


def delete(store: Store, endpoint: str, number: int) -> None:
    """Delete an item and the items that belong to it. Items that only refer to it lose the reference."""
    deleted = store.items[endpoint].pop(number, None)
    if deleted is None:
        return
    store.surveys.pop(number, None)
    if endpoint == "workflow_job_template_nodes":  # the approval of a node is deleted with it
        store.items["workflow_approval_templates"].pop(deleted["unified_job_template"], None)
    _remove_associations(store, endpoint, number)
    for kind, item, name in _references(store, endpoint, number):
        if name in RESOURCES[kind].owners:
            delete(store, kind, item["id"])
        else:
            item[name] = None


def _remove_associations(store: Store, endpoint: str, number: int) -> None:
    for (kind, owner, name), ids in list(store.associated.items()):
        if (kind, owner) == (endpoint, number):
            del store.associated[kind, owner, name]
        elif RESOURCES[kind].associations[name] == endpoint and number in ids:
            ids.remove(number)


def _references(store: Store, endpoint: str, number: int) -> list[tuple[str, Item, str]]:
    """Return the items that refer to an item, with their endpoint and the field of the reference."""
    targets = {endpoint, "unified_job_templates"} if endpoint in UNIFIED else {endpoint}
    return [
        (kind, item, name)
        for kind, resource in RESOURCES.items()
        for name, field in resource.fields.items()
        for item in store.items[kind].values()
        if field.to in targets and item.get(name) == number
    ]
