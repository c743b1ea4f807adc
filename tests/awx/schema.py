# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The resources of AWX's API as data: fields, defaults, references, and what may be associated with what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

PYTHON_TYPES = {"text": str, "integer": int, "boolean": bool, "json": dict}


@dataclass(frozen=True)
class Field:
    """A field of a resource.

    :param kind: C(text), C(integer), C(boolean), C(json), C(variables) (text of JSON or YAML), or C(reference).
    :param default: what it is where it was not given.
    :param to: for a reference: the endpoint of what it may mean.
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

    :param type: what its items call themselves.
    :param unique: the fields that no two items may share.
    :param associations: by name of the sub-endpoint: the endpoint of what it associates.
    :param owner: the reference that takes its items along when it is deleted.
    :param asynchronous: whether a deletion is accepted with 202 rather than done with 204.
    """

    type: str
    fields: dict[str, Field]
    unique: tuple[str, ...] = ("name",)
    associations: dict[str, str] = field(default_factory=dict)
    owners: tuple[str, ...] = ()
    asynchronous: bool = False


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
# What a job template may ask for at launch: the field of a launch, and the switch that lets it in.
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
# Prompts of many values, associated after the item is there.
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

RESOURCES = {
    "organizations": Resource(
        "organization",
        {**NAMED, "max_hosts": integer(), "default_environment": reference("execution_environments")},
        associations={
            **NOTIFIED,
            "notification_templates_approvals": "notification_templates",
            "galaxy_credentials": "credentials",
            "instance_groups": "instance_groups",
        },
    ),
    "credential_types": Resource(
        "credential_type",
        {
            **NAMED,
            "kind": text(required=True, choices=("net", "cloud")),
            "inputs": Field("json", {}),
            "injectors": Field("json", {}),
            "namespace": text(default=None, read_only=True),
            "managed": Field("boolean", False, read_only=True),
        },
        unique=("name", "kind"),
    ),
    "credentials": Resource(
        "credential",
        {
            **NAMED,
            **ORGANIZATION,
            "credential_type": reference("credential_types", required=True),
            "inputs": Field("json", {}),
            "managed": Field("boolean", False, read_only=True),
        },
        unique=("organization", "name", "credential_type"),
        owners=("organization",),
    ),
    "execution_environments": Resource(
        "execution_environment",
        {
            **NAMED,
            **ORGANIZATION,
            "image": text(required=True),
            "credential": reference("credentials"),
            "pull": text(choices=("", "always", "missing", "never")),
            "managed": Field("boolean", False, read_only=True),
        },
        owners=("organization",),
    ),
    "notification_templates": Resource(
        "notification_template",
        {
            **NAMED,
            "organization": reference("organizations", required=True),
            "notification_type": text(required=True, choices=("email", "slack", "webhook")),
            "notification_configuration": Field("json", {}),
            "messages": Field("json", None),
        },
        unique=("organization", "name"),
        owners=("organization",),
    ),
    "projects": Resource(
        "project",
        {
            **NAMED,
            **ORGANIZATION,
            "local_path": text(),
            "scm_type": text(choices=("", "git", "svn", "insights", "archive")),
            "scm_url": text(),
            "scm_branch": text(),
            "scm_refspec": text(),
            "scm_clean": boolean(),
            "scm_track_submodules": boolean(),
            "scm_delete_on_update": boolean(),
            "scm_update_on_launch": boolean(),
            "scm_update_cache_timeout": integer(),
            "scm_revision": text(read_only=True),
            "allow_override": boolean(),
            "credential": reference("credentials"),
            "default_environment": reference("execution_environments"),
            "timeout": integer(),
            "status": text(read_only=True),
        },
        unique=("organization", "name"),
        associations=NOTIFIED,
        owners=("organization",),
    ),
    "inventories": Resource(
        "inventory",
        {
            **NAMED,
            "organization": reference("organizations", required=True),
            "kind": text(choices=("", "smart", "constructed")),
            "host_filter": text(default=None),
            "variables": Field("variables"),
            "prevent_instance_group_fallback": boolean(),
        },
        unique=("organization", "name"),
        associations={"instance_groups": "instance_groups"},
        owners=("organization",),
        asynchronous=True,
    ),
    "inventory_sources": Resource(
        "inventory_source",
        {
            **NAMED,
            "inventory": reference("inventories", required=True),
            "source": text(choices=("", "scm", "azure_rm", "file")),
            "source_project": reference("projects"),
            "source_path": text(),
            "source_vars": Field("variables"),
            "scm_branch": text(),
            "credential": reference("credentials"),
            "execution_environment": reference("execution_environments"),
            "overwrite": boolean(),
            "overwrite_vars": boolean(),
            "update_on_launch": boolean(),
            "update_cache_timeout": integer(),
            "timeout": integer(),
            "verbosity": integer(1),
            "limit": text(),
            "organization": Field("reference", None, to="organizations", read_only=True),
        },
        unique=("inventory", "name"),
        associations=NOTIFIED,
        owners=("inventory",),
    ),
    "job_templates": Resource(
        "job_template",
        {
            **NAMED,
            "job_type": text(default="run", choices=JOB_TYPES),
            "inventory": reference("inventories"),
            "project": reference("projects"),
            "playbook": text(),
            "organization": Field("reference", None, to="organizations", read_only=True),
            "execution_environment": reference("execution_environments"),
            "scm_branch": text(),
            "forks": integer(),
            "limit": text(),
            "verbosity": integer(),
            "extra_vars": Field("variables"),
            "job_tags": text(),
            "skip_tags": text(),
            "timeout": integer(),
            "use_fact_cache": boolean(),
            "survey_enabled": boolean(),
            "become_enabled": boolean(),
            "diff_mode": boolean(),
            "allow_simultaneous": boolean(),
            "job_slice_count": integer(1),
            "ask_variables_on_launch": boolean(),
            **{switch: boolean() for switch in (*PROMPTS.values(), *PROMPTED_ASSOCIATIONS.values())},
        },
        unique=("organization", "name"),
        associations={**NOTIFIED, **LAUNCH_ASSOCIATIONS},
    ),
    "workflow_job_templates": Resource(
        "workflow_job_template",
        {
            **NAMED,
            **ORGANIZATION,
            "extra_vars": Field("variables"),
            "allow_simultaneous": boolean(),
            "survey_enabled": boolean(),
            "ask_variables_on_launch": boolean(),
            "ask_labels_on_launch": boolean(),
            "inventory": reference("inventories"),
            "job_tags": text(default=None),
            "limit": text(default=None),
            "scm_branch": text(default=None),
            "skip_tags": text(default=None),
            **{PROMPTS[name]: boolean() for name in WORKFLOW_PROMPTS},
        },
        unique=("organization", "name"),
        associations={**NOTIFIED, "notification_templates_approvals": "notification_templates", "labels": "labels"},
    ),
    "workflow_job_template_nodes": Resource(
        "workflow_job_template_node",
        {
            **SAVED_LAUNCH,
            "workflow_job_template": reference("workflow_job_templates", required=True),
            "unified_job_template": reference("unified_job_templates"),
            "identifier": text(),
            "all_parents_must_converge": boolean(),
        },
        unique=("workflow_job_template", "identifier"),
        associations={
            **{f"{outcome}_nodes": "workflow_job_template_nodes" for outcome in ("success", "failure", "always")},
            **LAUNCH_ASSOCIATIONS,
        },
        owners=("workflow_job_template",),
    ),
    "workflow_approval_templates": Resource("workflow_approval_template", {**NAMED, "timeout": integer()}, unique=()),
    "schedules": Resource(
        "schedule",
        {
            **NAMED,
            **SAVED_LAUNCH,
            "rrule": text(required=True),
            "enabled": boolean(True),
            "unified_job_template": reference("unified_job_templates", required=True),
        },
        unique=("unified_job_template", "name"),
        associations=LAUNCH_ASSOCIATIONS,
        owners=("unified_job_template",),
    ),
    "project_updates": Resource("project_update", {"status": text(), "finished": text(default=None)}, unique=()),
    "jobs": Resource(
        "job",
        {
            "name": text(),
            "status": text(),
            "limit": text(),
            "job_type": text(),
            "diff_mode": boolean(),
            "extra_vars": Field("json", {}),
            "job_slice_number": integer(),
            "job_slice_count": integer(1),
            "finished": text(default=None),
            "job_template": reference("job_templates"),
            "artifacts": Field("json", {}),
        },
        unique=(),
    ),
}
# One list for all that can be launched.
UNIFIED = ("projects", "inventory_sources", "job_templates", "workflow_job_templates", "workflow_approval_templates")

# AWX's own credential types, as far as they are used here: their inputs, and how they come into a job.
MANAGED_CREDENTIAL_TYPES = (
    {
        "name": "Microsoft Azure Resource Manager",
        "namespace": "azure_rm",
        "kind": "cloud",
        "inputs": {
            "fields": [
                {"id": "subscription", "label": "Subscription ID", "type": "string"},
                {"id": "username", "label": "Username", "type": "string"},
                {"id": "password", "label": "Password", "type": "string", "secret": True},
                {"id": "client", "label": "Client ID", "type": "string"},
                {"id": "secret", "label": "Client Secret", "type": "string", "secret": True},
                {"id": "tenant", "label": "Tenant ID", "type": "string"},
                {"id": "cloud_environment", "label": "Azure Cloud Environment", "type": "string"},
            ],
            "required": ["subscription"],
        },
    },
    {
        "name": "OpenShift or Kubernetes API Bearer Token",
        "namespace": "kubernetes_bearer_token",
        "kind": "kubernetes",
        "inputs": {
            "fields": [
                {"id": "host", "label": "OpenShift or Kubernetes API Endpoint", "type": "string"},
                {"id": "bearer_token", "label": "API authentication bearer token", "type": "string", "secret": True},
                {"id": "verify_ssl", "label": "Verify SSL", "type": "boolean", "default": True},
                {"id": "ssl_ca_cert", "label": "CA data", "type": "string", "secret": True, "multiline": True},
            ],
            "required": ["host", "bearer_token"],
        },
    },
    {
        "name": "Source Control",
        "namespace": "scm",
        "kind": "scm",
        "inputs": {
            "fields": [
                {"id": "username", "label": "Username", "type": "string"},
                {"id": "password", "label": "Password", "type": "string", "secret": True},
            ]
        },
    },
    {
        "name": "Container Registry",
        "namespace": "registry",
        "kind": "registry",
        "inputs": {
            "fields": [
                {"id": "host", "label": "Authentication URL", "type": "string"},
                {"id": "username", "label": "Username", "type": "string"},
                {"id": "password", "label": "Password or Token", "type": "string", "secret": True},
            ],
            "required": ["host"],
        },
    },
    {
        "name": "Ansible Galaxy/Automation Hub API Token",
        "namespace": "galaxy_api_token",
        "kind": "galaxy",
        "inputs": {
            "fields": [
                {"id": "url", "label": "Galaxy Server URL", "type": "string"},
                {"id": "token", "label": "API Token", "type": "string", "secret": True},
            ],
            "required": ["url"],
        },
    },
)
# What a notification needs to know, with what AWX fills in.
NOTIFICATION_PARAMETERS: dict[str, dict[str, dict]] = {
    "webhook": {
        "url": {"type": str},
        "http_method": {"type": str, "default": "POST"},
        "disable_ssl_verification": {"type": bool, "default": False},
        "username": {"type": str, "default": ""},
        "password": {"type": str, "default": "", "secret": True},
        "headers": {"type": dict},
    },
    "slack": {
        "token": {"type": str, "secret": True},
        "channels": {"type": list},
    },
    "email": {
        "host": {"type": str},
        "port": {"type": int},
        "username": {"type": str},
        "password": {"type": str, "secret": True},
        "use_tls": {"type": bool},
        "use_ssl": {"type": bool},
        "sender": {"type": str},
        "recipients": {"type": list},
        "timeout": {"type": int, "default": 30},
    },
}
