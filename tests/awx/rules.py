# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Validation of resources beyond the types of fields, as in the serializers of AWX. Pure."""

from __future__ import annotations

import re
import zoneinfo
from collections.abc import Callable, Collection
from typing import Any

import jsonschema
import yaml

from awx import surveys
from awx.builtin_types import NOTIFICATION_PARAMETERS
from awx.schema import PROMPTS

Item = dict[str, Any]
# A function that returns an item by endpoint and id.
Find = Callable[[str, int], Item]

CREDENTIAL_INPUTS = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "required": {"type": "array", "items": {"type": "string"}},
        "fields": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["id", "label"],
                "properties": {
                    "id": {"type": "string", "pattern": "^[a-zA-Z_]+[a-zA-Z0-9_]*$"},
                    "type": {"enum": ["string", "boolean"]},
                    "label": {"type": "string"},
                    "help_text": {"type": "string"},
                    "multiline": {"type": "boolean"},
                    "secret": {"type": "boolean"},
                    "format": {"enum": ["ssh_private_key", "url"]},
                    "choices": {"type": "array"},
                    "default": {},
                },
            },
        },
    },
}
# Kinds of credentials that a job template accepts.
JOB_KINDS = ("ssh", "vault", "cloud", "net", "kubernetes")
INJECTORS = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "file": {
            "type": "object",
            "patternProperties": {r"^template(\.[a-zA-Z_]+[a-zA-Z0-9_]*)?$": {"type": "string"}},
        },
        "env": {"type": "object", "patternProperties": {"^[a-zA-Z_]+[a-zA-Z0-9_]*$": {"type": ["string", "boolean"]}}},
        "extra_vars": {"type": "object"},
    },
}


REFUSED_RULES = (
    (r"^(?!.*INTERVAL)", "INTERVAL required in rrule"),
    (r"SECONDLY", "SECONDLY is not supported"),
    (r"BYDAY=[0-9]+[A-Z]{2}", "BYDAY with numeric prefix not supported"),
    (r"COUNT.*UNTIL|UNTIL.*COUNT", "RRULE may not contain both COUNT and UNTIL"),
    (r"COUNT=[0-9]{4}", "COUNT > 999 is unsupported"),
    (r"UNTIL=[0-9]+(;|$)", "rrule parsing failed validation: UNTIL needs a time"),  # not the message of AWX
)


class InvalidError(Exception):
    """A request that AWX refuses.

    :ivar answer: the body of the response.
    :ivar status: the HTTP status, 400 for an invalid item.
    """

    def __init__(self, answer: dict, status: int = 400) -> None:
        super().__init__(str(answer))
        self.answer = answer
        self.status = status


def refuse(field: str, message: str) -> None:
    raise InvalidError({field: [message]})


def job_template(item: Item, find: Find, playbooks: Collection[str]) -> None:
    """Validate a job template: its project, its playbook and its inventory.

    :param playbooks: the playbooks of its project.
    """
    if not item["project"]:
        refuse("project", "This field is required.")
    project = find("projects", item["project"])
    if item["playbook"] and item["playbook"] not in playbooks and not project["allow_override"]:
        refuse("playbook", "Playbook not found for project.")
    if not item["playbook"]:
        refuse("playbook", "Must select playbook for project.")
    if not item["inventory"] and not item[PROMPTS["inventory"]]:
        refuse("inventory", "You must either set a default value or ask to prompt on launch.")
    if (item["scm_branch"] or item[PROMPTS["scm_branch"]]) and not project["allow_override"]:
        refuse("scm_branch", "Project does not allow overriding branch.")


def project(item: Item, local_paths: Collection[str]) -> None:
    """Validate a project, which has a repository or is an existing folder.

    :param local_paths: the folders for manual projects.
    """
    if not item["scm_type"]:
        if item["local_path"] not in local_paths:
            refuse("local_path", "This path is already being used by another manual project.")
        for name in ("scm_update_on_launch", "scm_delete_on_update", "scm_track_submodules", "scm_clean"):
            if item[name]:
                refuse(name, "Update options must be set to false for manual projects.")
    elif not item["scm_url"]:
        refuse("scm_url", "SCM URL is required.")


def inventory_source(item: Item, find: Find) -> None:
    """Validate an inventory source, which is a file of a project or a cloud."""
    if item["source"] == "scm":
        if not item["source_project"]:
            refuse("source_project", "Project required for scm type sources.")
        if not find("projects", item["source_project"])["scm_type"]:
            refuse("source_project", "Cannot use manual project for SCM-based inventory.")
    elif any(item[name] for name in ("source_project", "source_path", "scm_branch")):
        refuse("detail", "Cannot set source_project source_path scm_branch if not SCM type.")


def credential_type(item: Item, _find: Find) -> None:
    """Validate a custom credential type."""
    for name, schema in (("inputs", CREDENTIAL_INPUTS), ("injectors", INJECTORS)):
        try:
            jsonschema.validate(item[name], schema)
        except jsonschema.ValidationError as error:
            refuse(name, error.message)
    for one in item["inputs"].get("fields", ()):
        one.setdefault("type", "string")


def credential(item: Item, find: Find) -> None:
    """Validate a credential: its owner, and the inputs of its type."""
    if not item["organization"]:  # the tests do not use other kinds of owners
        raise InvalidError({"detail": ["Missing 'user', 'team', or 'organization'."]})
    fields = {one["id"]: one for one in find("credential_types", item["credential_type"])["inputs"]["fields"]}
    for name, value in item["inputs"].items():
        if name not in fields:
            refuse("inputs", f"Additional properties are not allowed ('{name}' was unexpected)")
        if value is not None and not isinstance(value, bool if fields[name].get("type") == "boolean" else str):
            refuse("inputs", f"{value!r} is not of the type of '{name}'")


def job_credential(kind: Item, others: Collection[Item]) -> None:
    """Validate the credential of a job template: one of each type, and only some kinds (C(JobTemplateCredentialsList)).

    :param kind: the type of the credential.
    :param others: the types of the template's other credentials.
    """
    if kind["id"] in {one["id"] for one in others}:
        raise InvalidError({"error": f"Cannot assign multiple {kind['name']} credentials."})
    if kind["kind"] not in JOB_KINDS:
        raise InvalidError({"error": f"Cannot assign a Credential of kind `{kind['kind']}`."})


def execution_environment(item: Item, before: Item | None, find: Find) -> None:
    """Validate an execution environment: its organization is final, and its credential is for a registry."""
    if before and item["organization"] and item["organization"] != before["organization"]:
        refuse("organization", "Cannot change the organization of an execution environment")
    if item["credential"]:
        kind = find("credential_types", find("credentials", item["credential"])["credential_type"])
        if kind["kind"] != "registry":
            message = "Only Container Registry credentials can be associated with an Execution Environment"
            refuse("credential", message)


def notification_template(item: Item, _find: Find) -> None:
    """Set the defaults of a notification, and validate its parameters."""
    configuration = item["notification_configuration"]
    parameters = NOTIFICATION_PARAMETERS[item["notification_type"]]
    for name, parameter in parameters.items():
        if name not in configuration and "default" in parameter:
            configuration[name] = parameter["default"]
    missing = [name for name in parameters if name not in configuration]
    wrong = [
        name
        for name in parameters
        if name in configuration and configuration[name].__class__ is not parameters[name]["type"]
    ]
    if missing or wrong:
        refuse("__all__", f"Missing or incorrect fields for Notification Configuration: {missing + wrong}.")
    empty = [name for name in parameters if configuration[name] == []]
    if empty:
        refuse("__all__", f"No values specified for field '{empty[0]}'")
    if configuration.get("http_method", "POST").lower() not in ("put", "post"):
        refuse("__all__", "HTTP method must be either 'POST' or 'PUT'.")


def schedule(item: Item, _find: Find) -> None:
    """Validate the rule of a schedule, as in C(SchedulePreviewSerializer) and C(Schedule.rrulestr)."""
    value = item["rrule"]
    starts = re.findall(r"DTSTART(?:;TZID=([^:]+))?:[0-9]+T[0-9]+(Z?)", value)
    if len(starts) != 1:
        refuse("rrule", "Valid DTSTART required in rrule. Value should start with: DTSTART:YYYYMMDDTHHMMSSZ")
    if re.search(r"DTSTART:[0-9]+T[0-9]+ ", value):
        refuse("rrule", "DTSTART cannot be a naive datetime.")
    rules = re.findall(r"RRULE:\S+", value)
    if not rules:
        refuse("rrule", "One or more rule required in rrule.")
    for pattern, message in REFUSED_RULES:
        if any(re.search(pattern, rule) for rule in rules):
            refuse("rrule", message)
    zone, utc = starts[0]
    if zone and (utc or zone not in zoneinfo.available_timezones()):
        refuse("rrule", "rrule parsing failed validation: A valid TZID must be provided (e.g., America/New_York)")


def template_variables(template: Item) -> dict:
    """Return the extra variables of a template."""
    return yaml.safe_load(template.get("extra_vars") or "{}") or {}


def saved_launch(launch: Item, template: Item, survey: dict) -> None:
    """Validate the fields that a workflow node or a schedule passes to its template, which must prompt for them.

    :param template: the template that is launched.
    :param survey: the survey of the template.
    """
    errors: dict[str, Any] = {}
    enabled = survey if template.get("survey_enabled") else {}
    answers = launch.get("extra_data") or {}
    problems = surveys.answer_problems(enabled, answers, required=False)
    if problems:
        errors["variables_needed_to_start"] = problems
    prompted, own = surveys.variables(enabled), template_variables(template)
    unknown = [name for name, value in answers.items() if name not in prompted and own.get(name) != value]
    if unknown and not template.get("ask_variables_on_launch"):
        errors["extra_data"] = [f"Variables {', '.join(unknown)} are not allowed on launch."]
    for name, switch in PROMPTS.items():
        value = launch.get(name)
        if value is not None and value != template.get(name) and not template.get(switch):
            errors[name] = ["Field is not configured to prompt on launch."]
    if errors:
        raise InvalidError(errors)
