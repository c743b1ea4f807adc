# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The decisions of the playbook that sets up AWX, before it changes anything."""

from __future__ import annotations

import pytest
from filter_plugins import filter_plugin

azureml_awx = filter_plugin("azureml_awx")

AZURE, SCM, REGISTRY, VAULT = "Microsoft Azure Resource Manager", "Source Control", "Container Registry", "Vault"
TYPES = [
    {"id": 1, "name": AZURE, "kind": "cloud", "description": "", "inputs": {}, "injectors": {}},
    {"id": 2, "name": SCM, "kind": "scm", "description": "", "inputs": {}, "injectors": {}},
    {"id": 3, "name": REGISTRY, "kind": "registry", "description": "", "inputs": {}, "injectors": {}},
    {"id": 4, "name": VAULT, "kind": "vault", "description": "", "inputs": {}, "injectors": {}},
]
KUBECONFIG = {"kind": "cloud", "inputs": {"required": ["kubeconfig"]}, "injectors": {}}
MARK, TYPE_MARK = 'Created as "azureml "', "Created"
ENDPOINTS = ("workflow_job_templates", "job_templates", "inventories", "projects", "execution_environments")
ENDPOINTS += ("notification_templates", "credentials")
OURS, OTHERS = 7, 8  # organizations


def settings(**changes) -> dict:
    default = {
        "prefix": "azureml ",
        "name": "azureml",
        "workflow": "azureml fleet",
        "type_name": "azureml kubeconfig",
        "organization": "Azure Machine Learning",
        "mark": MARK,
        "type_mark": TYPE_MARK,
        "kubeconfig_type": KUBECONFIG,
        "project": {"scm_type": "git", "scm_url": "https://git.example.com/azureml-awx.git"},
        "image_credential": "",
        "image_pull": "missing",
        "credentials": {},
        "kubeconfigs": {},
        "notifications": {},
        "templates": {"deploy": {}},
        "slices": 1,
        "approval_timeout": 0,
        "timeout": 300,
    }
    return {**default, **changes}


def found(types=(), superuser=True, organization=OURS, **items) -> dict:
    return {
        "organization": {"id": organization} if organization else {},
        "superuser": superuser,
        "types": [*TYPES, *types],
        "items": {**{endpoint: [] for endpoint in ENDPOINTS}, **items},
    }


def item(name: str, organization: int | None = OURS, description: str = MARK, **fields) -> dict:
    default = {"id": 100 + len(name), "type": "thing", "name": name, "organization": organization}
    return {**default, "description": description, **fields}


def credentials(**types) -> dict:
    return {name: {"type": kind, "inputs": {}} for name, kind in types.items()}


def custom_type(**changes) -> dict:
    return {"id": 9, "name": "azureml kubeconfig", "description": TYPE_MARK, **KUBECONFIG, **changes}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({}, None),
        ({"credentials": credentials(a=AZURE, s=SCM, r=REGISTRY), "kubeconfigs": {"k": "{}"}}, None),
        ({"credentials": credentials(a=AZURE, b=AZURE)}, f"a, b are all of type '{AZURE}'"),
        ({"credentials": credentials(a=VAULT, b=VAULT)}, "a, b are all of type 'Vault'"),
        (
            {"credentials": {name: {"type": VAULT, "inputs": {"vault_id": name}} for name in ("a", "b")}},
            None,
        ),
        ({"credentials": credentials(a="Azure")}, "'a' is of type 'Azure', which does not exist in AWX"),
        ({"credentials": {"a": {"inputs": {}}}}, "'a' must have the keys inputs and type, and no others"),
        (
            {"credentials": credentials(s=SCM, t=SCM)},
            "azureml_awx_project.credential is not set: set it to one of s, t",
        ),
        ({"credentials": credentials(s=SCM, t=SCM), "project": {"credential": "t"}}, None),
        (
            {"credentials": credentials(a=AZURE), "project": {"credential": "a"}},
            "credential must be of kind scm, but 'a' is of kind cloud",
        ),
        ({"project": {"credential": "made by hand"}}, None),
        ({"credentials": credentials(r=REGISTRY, q=REGISTRY)}, "image_credential is not set: set it to one of r, q"),
        (
            {"credentials": credentials(s=SCM), "image_credential": "s"},
            "must be of kind registry, but 's' is of kind scm",
        ),
        ({"kubeconfigs": {"a": "{}", "b": "{}"}}, "a job template accepts one"),
        ({"kubeconfigs": {"a": "{}"}, "credentials": credentials(a=AZURE)}, "both have 'a'"),
        ({"project": {"scm_clone": True}}, "unknown option 'scm_clone'"),
        ({"project": {"scm_type": "manual", "scm_update_on_launch": "yes"}}, "does not update a manual project"),
        ({"project": {"scm_type": "manual", "scm_update_on_launch": "false"}}, None),
        ({"image_pull": "sometimes"}, "azureml_awx_image_pull must be one of always, missing, never, not 'sometimes'"),
        ({"prefix": " ", "name": ""}, "azureml_awx_prefix must not "),
        (
            {"prefix": "7 ", "name": "7"},
            "azureml_awx_prefix must not be empty, and must not consist of digits only: '7'",
        ),
        ({"prefix": " ml ", "name": "ml"}, "azureml_awx_prefix must not begin with a space: ' ml '"),
        (
            {"organization": "12"},
            "azureml_awx_organization must not be empty, and must not consist of digits only: '12'",
        ),
        (
            {"credentials": credentials(**{"azure ": AZURE})},
            "the name 'azure ' must not be empty, and must not begin or end with a space",
        ),
        ({"slices": "0"}, "azureml_awx_slices must be a whole number, 1 or more, not '0'"),
        ({"slices": "3", "approval_timeout": "0"}, None),
        ({"approval_timeout": "an hour"}, "azureml_awx_approval_timeout"),
        (
            {"notifications": {"n": {"type": "slack", "config": {}}}},
            "'n' must have the keys configuration and type, and no others",
        ),
    ],
)
def test_invalid_variables_are_rejected_before_the_first_change(changes, problem):
    problems = azureml_awx.find_problems(settings(**changes), found())

    assert [one for one in problems if problem is None or problem not in one] == []
    assert bool(problems) is (problem is not None)


@pytest.mark.parametrize(
    ("existing", "kubeconfigs", "problem"),
    [
        ({"execution_environments": [item("azureml", OTHERS, "")]}, {}, "belongs to another organization"),
        ({"execution_environments": [item("azureml", None, "")]}, {}, "belongs to another organization"),
        ({"execution_environments": [item("azureml")]}, {}, None),
        ({"projects": [item("azureml", OURS, "of another team")]}, {}, "was not created by this playbook"),
        # A user has changed the description, or the object belongs to another organization.
        ({"projects": [item("azureml", OURS, "changed")], "inventories": [item("azureml")]}, {}, None),
        ({"projects": [item("azureml", OTHERS, "")]}, {}, None),
        ({"types": [custom_type(description="of others")]}, {"k": ""}, None),
        ({"types": [custom_type(description="of others", inputs={})]}, {"k": ""}, "was not created by this playbook"),
        ({"types": [custom_type(description="of others", inputs={})]}, {}, None),
        ({"types": [custom_type(inputs={})]}, {"k": ""}, None),
        ({"types": [custom_type(inputs={})], "superuser": False}, {"k": ""}, "only a system administrator"),
        ({"superuser": False}, {"k": ""}, "only a system administrator"),
        ({"types": [custom_type()], "superuser": False}, {"k": ""}, None),
    ],
)
def test_name_of_an_object_that_the_playbook_did_not_create_is_rejected(existing, kubeconfigs, problem):
    problems = azureml_awx.find_problems(settings(kubeconfigs=kubeconfigs), found(**existing))

    assert [one for one in problems if problem is None or problem not in one] == []
    assert bool(problems) is (problem is not None)


def test_credential_that_the_playbook_did_not_create_is_rejected_after_an_earlier_run():
    existing = {"projects": [item("azureml")], "credentials": [item("azureml a", OURS, "", credential_type=1)]}

    (problem,) = azureml_awx.find_problems(settings(credentials=credentials(a=AZURE)), found(**existing))

    assert problem.startswith("thing 'azureml a' was not created by this playbook")


KUBECONFIGS = {"kubeconfigs": {"k": "{}"}}


@pytest.mark.parametrize(
    ("changes", "assigned"),
    [
        ({}, ["", "", "", []]),
        (
            {**KUBECONFIGS, "credentials": credentials(a=AZURE, s=SCM, r=REGISTRY)},
            ["azureml s", "azureml r", "azureml a", ["azureml k", "azureml a"]],
        ),
        (
            {**KUBECONFIGS, "credentials": credentials(s=SCM, t=SCM), "project": {"credential": "t"}},
            ["azureml t", "", "", ["azureml k"]],
        ),
        (
            {**KUBECONFIGS, "project": {"credential": "by hand"}, "image_credential": "other"},
            ["by hand", "other", "", ["azureml k"]],
        ),
    ],
)
def test_credentials_are_assigned_by_their_type(changes, assigned):
    result = azureml_awx.assign_credentials(settings(**changes), TYPES)

    assert [result[name] for name in ("project", "image", "inventory", "templates")] == assigned


EXISTING = found(
    types=[custom_type()],
    job_templates=[
        item("azureml deploy"),
        item("azureml removed"),
        item("azureml experiments", OURS, "of others"),
        item("azureml b deploy", OURS, 'Created as "azureml b "'),
        item("azureml lost", None),
        item("azureml deploy", None),
    ],
    projects=[item("azureml", OURS, "changed by hand")],
    credentials=[
        item("azureml a", credential_type=1),
        item("azureml a", credential_type=2),
        item("azureml old", credential_type=1),
        item("azureml of others", OURS, "", credential_type=1),
        item("azureml elsewhere", OTHERS, credential_type=1),
    ],
)


def names(own: dict) -> dict:
    return {kind: [(one["name"], one.get("organization")) for one in items] for kind, items in own.items() if items}


def test_only_objects_created_by_the_playbook_are_managed():
    identity = ("prefix", "name", "workflow", "type_name", "templates", "mark", "type_mark")

    own = azureml_awx.find_own({name: settings()[name] for name in identity}, EXISTING)

    assert names(own) == {
        "job_templates": [
            ("azureml deploy", OURS),
            ("azureml removed", OURS),
            ("azureml lost", None),
            ("azureml deploy", None),
        ],
        "projects": [("azureml", OURS)],
        "credentials": [("azureml a", OURS), ("azureml a", OURS), ("azureml old", OURS)],
        "credential_types": [("azureml kubeconfig", None)],
    }


def test_objects_missing_in_the_variables_are_obsolete():
    obsolete = azureml_awx.find_obsolete(settings(credentials=credentials(a=AZURE)), EXISTING)

    assert names(obsolete) == {
        "job_templates": [("azureml removed", OURS), ("azureml lost", None), ("azureml deploy", None)],
        "credentials": [("azureml a", OURS), ("azureml old", OURS)],
        "credential_types": [("azureml kubeconfig", None)],
    }
    assert [one["credential_type"] for one in obsolete["credentials"]] == [2, 1]


def test_templates_are_removed_after_their_organization_was_deleted_manually():
    own = azureml_awx.find_own(settings(), found(organization=None, job_templates=[item("azureml deploy", None)]))

    assert names(own) == {"job_templates": [("azureml deploy", None)]}
