# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The definitions of fields and resources of AWX's API, and common fields."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

PYTHON_TYPES = {"text": str, "integer": int, "boolean": bool, "json": dict}


@dataclass(frozen=True)
class Field:
    """A field of a resource.

    :param kind: C(text), C(integer), C(boolean), C(json), C(variables) (text of JSON or YAML), or C(reference).
    :param default: its default value.
    :param to: for a reference: the endpoint to which it refers.
    """

    kind: str = "text"
    default: Any = ""
    required: bool = False
    choices: tuple = ()
    to: str = ""
    read_only: bool = False


@dataclass(frozen=True)
class Resource:
    """An endpoint.

    :param type: the field C(type) of its items.
    :param unique: the fields whose combination must be unique.
    :param associations: by name of the sub-endpoint: the endpoint of the associated items.
    :param owners: the references to owners. Deleting an owner deletes its items.
    """

    type: str
    fields: dict[str, Field]
    unique: tuple[str, ...] = ("name",)
    associations: dict[str, str] = field(default_factory=dict)
    owners: tuple[str, ...] = ()


def text(**options: Any) -> Field:
    return Field("text", **options)


def integer(default: int | None = 0) -> Field:
    return Field("integer", default)


def boolean(default: bool = False) -> Field:
    return Field("boolean", default)


def reference(to: str, required: bool = False) -> Field:
    return Field("reference", None, required, to=to)


NAMED = {"name": text(required=True), "description": text()}
NOTIFIED = {f"notification_templates_{event}": "notification_templates" for event in ("started", "success", "error")}
ORGANIZATION = {"organization": reference("organizations")}
# The fields for which a job template may prompt at launch, and the options that enable the prompts.
PROMPTS = {
    "diff_mode": "ask_diff_mode_on_launch",
    "execution_environment": "ask_execution_environment_on_launch",
    "forks": "ask_forks_on_launch",
    "inventory": "ask_inventory_on_launch",
    "job_slice_count": "ask_job_slice_count_on_launch",
    "job_tags": "ask_tags_on_launch",
    "job_type": "ask_job_type_on_launch",
    "limit": "ask_limit_on_launch",
    "scm_branch": "ask_scm_branch_on_launch",
    "skip_tags": "ask_skip_tags_on_launch",
    "timeout": "ask_timeout_on_launch",
    "verbosity": "ask_verbosity_on_launch",
}
# Prompts with several values, which are associated after the item was created.
PROMPTED_ASSOCIATIONS = {
    "credentials": "ask_credential_on_launch",
    "labels": "ask_labels_on_launch",
    "instance_groups": "ask_instance_groups_on_launch",
}
WORKFLOW_PROMPTS = ("inventory", "job_tags", "limit", "scm_branch", "skip_tags")
JOB_TYPES = ("run", "check")
SAVED_LAUNCH = {
    "extra_data": Field("json", {}),
    "inventory": reference("inventories"),
    "execution_environment": reference("execution_environments"),
    "diff_mode": Field("boolean", None),
    "forks": integer(None),
    "job_slice_count": integer(None),
    "job_tags": text(default=None),
    "job_type": text(default=None, choices=JOB_TYPES),
    "limit": text(default=None),
    "scm_branch": text(default=None),
    "skip_tags": text(default=None),
    "timeout": integer(None),
    "verbosity": integer(None),
}
LAUNCH_ASSOCIATIONS = {"credentials": "credentials", "labels": "labels", "instance_groups": "instance_groups"}
