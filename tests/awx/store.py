# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The items of all resources, validated like in AWX, and the consequences of changes."""

from __future__ import annotations

import asyncio
import copy
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from awx import projects, rules, surveys
from awx.builtin_types import CREDENTIAL_TYPES, NOTIFICATION_PARAMETERS
from awx.resources import RESOURCES, UNIFIED
from awx.rules import InvalidError, Item, refuse
from awx.schema import PROMPTED_ASSOCIATIONS, PYTHON_TYPES, Field
from simulator.tasks import Tasks

ROOT = "/api/v2"
BACKGROUND_SECONDS = 0.5
CONTENT = ("items", "associated", "surveys", "hosts", "outcomes", "pending_notifications")
NODES = ("success_nodes", "failure_nodes", "always_nodes")
# Validation of an item and its references.
RULES = {
    "inventory_sources": rules.inventory_source,
    "credential_types": rules.credential_type,
    "credentials": rules.credential,
    "notification_templates": rules.notification_template,
    "schedules": rules.schedule,
}


class Store:
    """All items, by endpoint and id.

    :param directory: the folder for fetched projects.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._ids = itertools.count(1)
        self._tasks = Tasks()
        self.items: dict[str, dict[int, Item]] = {
            endpoint: {} for endpoint in (*RESOURCES, "labels", "instance_groups")
        }
        self.associated: dict[tuple[str, int, str], list[int]] = {}
        self.surveys: dict[int, dict] = {}
        # Numbers of hosts by inventory. Jobs have their own inventory.
        self.hosts: dict[int, int] = {}
        # Outcomes of jobs by the name of their template, if not successful.
        self.outcomes: dict[str, str] = {}
        # Notification templates with a pending notification.
        self.pending_notifications: set[int] = set()
        for one in CREDENTIAL_TYPES:
            self.insert("credential_types", {"description": "", "injectors": {}, "managed": True, **copy.deepcopy(one)})

    def content(self) -> dict[str, Any]:
        """Return a copy of all content, for C(restore)."""
        return copy.deepcopy({name: getattr(self, name) for name in CONTENT})

    def restore(self, content: dict[str, Any]) -> None:
        """Replace all content. IDs of removed items are not used again."""
        for name, value in copy.deepcopy(content).items():
            setattr(self, name, value)

    def insert(self, endpoint: str, item: Item) -> Item:
        """Add an item with a new id."""
        # Unified job templates share a sequence of ids.
        item["id"] = next(self._ids)
        self.items[endpoint][item["id"]] = item
        return item

    def find(self, endpoint: str, number: int) -> Item:
        """Return an item.

        :raises KeyError: if it does not exist.
        """
        return self.items[self.endpoint_of(number) if endpoint == "unified_job_templates" else endpoint][number]

    def endpoint_of(self, number: int) -> str:
        """Return the endpoint of a unified job template.

        :raises KeyError: if it does not exist.
        """
        found = [kind for kind in UNIFIED if number in self.items[kind]]
        if not found:
            raise KeyError(number)
        return found[0]

    def create(self, endpoint: str, given: dict) -> Item:
        """Create an item. Unknown and read-only fields are ignored, like in AWX."""
        resource = RESOURCES[endpoint]
        item = {name: copy.deepcopy(field.default) for name, field in resource.fields.items()}
        for name, field in resource.fields.items():
            if field.required and given.get(name) in (None, ""):
                refuse(name, "This field is required.")
        self._set(endpoint, item, given)
        self._check(endpoint, item, None)
        self.insert(endpoint, item)
        if endpoint == "projects" and item["scm_type"]:
            self.update_project(item)
        return item

    def change(self, endpoint: str, item: Item, given: dict) -> None:
        changed = copy.deepcopy(item)
        self._set(endpoint, changed, given)
        self._check(endpoint, changed, item)
        needs_update = endpoint == "projects" and any(
            changed[name] != item[name] for name in ("scm_type", "scm_url", "scm_branch")
        )
        item.update(changed)
        if needs_update and item["scm_type"]:
            self.update_project(item)

    def _set(self, endpoint: str, item: Item, given: dict) -> None:
        for name, field in RESOURCES[endpoint].fields.items():
            if name in given and not field.read_only:
                item[name] = self._value(name, field, given[name], item[name])

    def _value(self, name: str, field: Field, value: Any, before: Any) -> Any:
        if value is None:
            return copy.deepcopy(field.default)
        if field.kind == "reference":
            try:
                return self.find(field.to, int(value))["id"]
            except (KeyError, TypeError, ValueError):
                refuse(name, f'Invalid pk "{value}" - object does not exist.')
        if field.kind == "variables":
            if not isinstance(value, str) or not isinstance(yaml.safe_load(value or "{}"), dict):
                refuse(name, "Cannot parse as JSON or YAML.")
            return value
        if not isinstance(value, PYTHON_TYPES[field.kind]) or (field.kind == "integer" and isinstance(value, bool)):
            refuse(name, f"Not a valid {field.kind}.")
        if field.choices and value not in field.choices:
            refuse(name, f'"{value}" is not a valid choice.')
        if field.kind == "json" and isinstance(before, dict):
            return {
                key: before[key] if one == surveys.ENCRYPTED and key in before else one for key, one in value.items()
            }
        return value

    def _check(self, endpoint: str, item: Item, before: Item | None) -> None:
        resource = RESOURCES[endpoint]
        if endpoint in RULES:
            RULES[endpoint](item, self.find)
        if endpoint == "job_templates":
            names = projects.playbooks(self.path(item["project"])) if item["project"] else ()
            rules.job_template(item, self.find, names)
            item["organization"] = self.find("projects", item["project"])["organization"]
        elif endpoint == "projects":
            rules.project(item, {path.name for path in self._directory.iterdir() if not path.name.startswith("_")})
        elif endpoint == "inventory_sources":
            item["organization"] = self.find("inventories", item["inventory"])["organization"]
        elif endpoint == "execution_environments":
            rules.execution_environment(item, before, self.find)
        if endpoint in ("schedules", "workflow_job_template_nodes") and item["unified_job_template"]:
            number = item["unified_job_template"]
            rules.saved_launch(item, self.find("unified_job_templates", number), self.surveys.get(number, {}))
        same = [
            one
            for one in self.items[endpoint].values()
            if one["id"] != item.get("id")
            and resource.unique
            and all(one[name] == item[name] for name in resource.unique)
        ]
        if same:
            refuse("__all__", f"{resource.type} with this {', '.join(resource.unique)} already exists.")

    def associate(self, endpoint: str, item: Item, name: str, number: int, disassociate: bool) -> None:
        """Associate or disassociate two items."""
        ids = self.associated.setdefault((endpoint, item["id"], name), [])
        other = self.find(RESOURCES[endpoint].associations[name], number)
        if disassociate:
            ids.remove(number)
            return
        if name == "credentials" and endpoint == "job_templates":
            kinds = [self._type_of(self.find("credentials", one)) for one in ids]
            rules.job_credential(self._type_of(other), kinds)
        if endpoint in ("workflow_job_template_nodes", "schedules") and name in PROMPTED_ASSOCIATIONS:
            template = self.find("unified_job_templates", item["unified_job_template"])
            if not template.get(PROMPTED_ASSOCIATIONS[name]):
                raise InvalidError({"msg": f"Related template is not configured to accept {name} on launch."})
        if name in NODES:
            related = [self.associated.get((endpoint, item["id"], one), []) for one in NODES if one != name]
            if number == item["id"] or any(number in one for one in related) or item["id"] in self._below(number):
                raise InvalidError({"Error": "Cycle detected."})
        ids.append(number)

    def _type_of(self, credential: Item) -> Item:
        return self.find("credential_types", credential["credential_type"])

    def _below(self, node: int) -> set[int]:
        """Return all descendants of a node."""
        found: set[int] = set()
        pending = [node]
        while pending:
            number = pending.pop()
            after = [
                one for name in NODES for one in self.associated.get(("workflow_job_template_nodes", number, name), ())
            ]
            pending += [one for one in after if one not in found]
            found.update(after)
        return found

    def create_approval(self, node: Item, given: dict) -> Item:
        """Create the approval for which a workflow node waits."""
        approval = self.create("workflow_approval_templates", given)
        node["unified_job_template"] = approval["id"]
        return approval

    def later(self, action: Callable[[], None]) -> None:
        """Call a function after a delay, for work that AWX does in the background."""
        asyncio.get_running_loop().call_later(BACKGROUND_SECONDS, action)

    def path(self, project: int) -> Path:
        """Return the folder of a project."""
        item = self.find("projects", project)
        return self._directory / (item["local_path"] if not item["scm_type"] else f"_{project}_{item['scm_revision']}")

    def update_project(self, project: Item) -> Item:
        """Fetch a project in the background; return the update."""
        update = self.insert("project_updates", {"status": "pending", "finished": None, "error": ""})
        project.update(status="pending", current_update=update["id"], last_job=update["id"])

        async def fetch() -> None:
            update["status"] = "running"
            target = self._directory / f"_{project['id']}_{update['id']}"
            revision, update["error"] = await projects.fetch(project["scm_url"], project["scm_branch"], target)
            if revision:
                project["scm_revision"] = revision
                if not self.path(project["id"]).exists():
                    target.rename(self.path(project["id"]))
            project["status"] = update["status"] = "successful" if revision else "failed"
            update["finished"] = "2024-01-01T00:00:00Z"
            project.pop("current_update")

        self._tasks.start(fetch())
        return update

    def shown(self, endpoint: str, item: Item) -> dict:
        """Return an item as in a response: with URLs and without secrets."""
        url = f"{ROOT}/{endpoint}/{item['id']}/"
        answer = {**copy.deepcopy(item), "type": RESOURCES[endpoint].type, "url": url, "summary_fields": {}}
        answer["related"] = {name: f"{url}{name}/" for name in RESOURCES[endpoint].associations}
        if endpoint in ("job_templates", "workflow_job_templates"):
            answer["related"].update(survey_spec=f"{url}survey_spec/", launch=f"{url}launch/")
        if endpoint == "projects":
            answer["related"]["update"] = f"{url}update/"
            for name in ("current_update", "last_job"):
                if number := answer.pop(name, None):
                    answer["summary_fields"][name] = {"id": number}
        if endpoint == "jobs":
            survey = self.surveys.get(item["job_template"], {})
            answer["extra_vars"] = json.dumps(surveys.hidden(survey, item["extra_vars"]))
        if item.get("unified_job_template"):
            number = item["unified_job_template"]
            answer["related"]["unified_job_template"] = f"{ROOT}/{self.endpoint_of(number)}/{number}/"
        secrets = self._secret_fields(endpoint, item)
        for value in (answer.get("inputs"), answer.get("notification_configuration")):
            for name in secrets.intersection(value or ()):
                value[name] = surveys.ENCRYPTED if value[name] else value[name]
        return answer

    def _secret_fields(self, endpoint: str, item: Item) -> set[str]:
        if endpoint == "credentials":
            fields = self.find("credential_types", item["credential_type"])["inputs"]["fields"]
            return {one["id"] for one in fields if one.get("secret")}
        if endpoint == "notification_templates":
            parameters = NOTIFICATION_PARAMETERS[item["notification_type"]]
            return {name for name, one in parameters.items() if one.get("secret")}
        return set()
