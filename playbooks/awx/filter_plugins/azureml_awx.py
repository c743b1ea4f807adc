# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The decisions of the playbook awx.setup, by its variables and the objects in AWX. Pure.

C(settings) are the playbook's variables by their names without C(azureml_awx_). C(found) is the result of
tasks/find.yml: C(organization), C(superuser), C(types) (all credential types), and C(items), the items of each endpoint
whose names start with the prefix, in all organizations. A removal needs no secrets: the names derived from the prefix,
C(templates) and the marks are enough.
"""

from __future__ import annotations

from collections import defaultdict

# Kinds of credentials that AWX accepts for a job template (JobTemplateCredentialsList in awx/api/views).
TEMPLATE_KINDS = ("ssh", "vault", "cloud", "net", "kubernetes")
PROJECT_KIND, IMAGE_KIND = "scm", "registry"
# The type of the credential that the inventory uses.
AZURE_TYPE = "Microsoft Azure Resource Manager"
PROJECT_OPTIONS = {
    "allow_override",
    "credential",
    "local_path",
    "scm_branch",
    "scm_refspec",
    "scm_type",
    "scm_update_cache_timeout",
    "scm_update_on_launch",
    "scm_url",
}
PULL_POLICIES = ("always", "missing", "never")


def credential_types(settings: dict) -> dict[str, str]:
    """Return the type of each credential in the variables, by its name there."""
    own = dict.fromkeys(settings["kubeconfigs"], settings["type_name"])
    return {**own, **{name: one["type"] for name, one in settings["credentials"].items()}}


def assign_credentials(settings: dict, types: list[dict]) -> dict:
    """Assign credentials to objects by their kind.

    :returns: C(project), C(image) and C(inventory), each the name of a credential or empty, and C(templates), a list.
        Names of the variables have the prefix that they have in AWX; others are names of credentials that AWX has
        already.
    """
    wanted = credential_types(settings)
    kinds = {one["name"]: one["kind"] for one in types}
    kinds.setdefault(settings["type_name"], "cloud")

    def of_kind(*sought: str) -> list[str]:
        return [name for name, kind in wanted.items() if kinds.get(kind) in sought]

    def chosen(given: str | None, kind: str) -> str:
        name = given or next(iter(of_kind(kind)), "")
        return f"{settings['prefix']}{name}" if name in wanted else name

    azure = (f"{settings['prefix']}{name}" for name, kind in wanted.items() if kind == AZURE_TYPE)
    return {
        "project": chosen(settings["project"].get("credential"), PROJECT_KIND),
        "image": chosen(settings["image_credential"], IMAGE_KIND),
        "inventory": next(azure, ""),
        "templates": [f"{settings['prefix']}{name}" for name in of_kind(*TEMPLATE_KINDS)],
    }


def find_problems(settings: dict, found: dict) -> list[str]:
    """Find errors that AWX would report only after the first changes, and names that are in use."""
    return _value_problems(settings) or [*_credential_problems(settings, found), *_name_problems(settings, found)]


def _value_problems(settings: dict) -> list[str]:
    """Return the errors in single variables."""
    project = settings["project"]
    known = ", ".join(sorted(PROJECT_OPTIONS))
    unknown = sorted(set(project) - PROJECT_OPTIONS)
    problems = [f"azureml_awx_project: unknown option {name!r}; known are {known}" for name in unknown]
    if project.get("scm_type") == "manual" and _true(project.get("scm_update_on_launch")):
        problems.append("azureml_awx_project: remove scm_update_on_launch; AWX does not update a manual project")
    if settings["image_pull"] not in PULL_POLICIES:
        given = settings["image_pull"]
        problems.append(f"azureml_awx_image_pull must be one of {', '.join(PULL_POLICIES)}, not {given!r}")
    for name, least in (("slices", 1), ("approval_timeout", 0), ("timeout", 1)):
        if not str(settings[name]).strip().isdecimal() or int(settings[name]) < least:
            problems.append(f"azureml_awx_{name} must be a whole number, {least} or more, not {settings[name]!r}")
    for variable, keys in (("credentials", {"type", "inputs"}), ("notifications", {"type", "configuration"})):
        for name, one in settings[variable].items():
            if not isinstance(one, dict) or set(one) != keys:
                required = " and ".join(sorted(keys))
                problems.append(f"azureml_awx_{variable}: {name!r} must have the keys {required}, and no others")
    return [*problems, *_invalid_names(settings)]


def _invalid_names(settings: dict) -> list[str]:
    """Return the errors in names that a later run would not find: AWX strips spaces, awx.awx takes digits as an id."""
    problems = [
        f"azureml_awx_{variable}: the name {name!r} must not be empty, and must not begin or end with a space"
        for variable in ("credentials", "kubeconfigs", "notifications")
        for name in map(str, settings[variable])
        if not name or name != name.strip()
    ]
    for variable, value in (("prefix", settings["name"]), ("organization", settings["organization"])):
        if not value or value.isdecimal():
            problems.append(f"azureml_awx_{variable} must not be empty, and must not consist of digits only: {value!r}")
    if settings["prefix"] != settings["prefix"].lstrip():
        problems.append(f"azureml_awx_prefix must not begin with a space: {settings['prefix']!r}")
    return problems


def _credential_problems(settings: dict, found: dict) -> list[str]:
    """Return the errors in credentials that AWX could not create, or not assign to the objects."""
    kinds = {one["name"]: one["kind"] for one in found["types"]}
    own = settings["type_name"]
    problems = []
    if len(settings["kubeconfigs"]) > 1:
        problems.append(
            "azureml_awx_kubeconfigs must have one entry, because a job template accepts one; merge the kubeconfigs"
            " into one with a context for each cluster"
        )
    for name in sorted(set(settings["kubeconfigs"]) & set(settings["credentials"])):
        problems.append(f"azureml_awx_kubeconfigs and azureml_awx_credentials both have {name!r}: rename one of them")
    names: dict[tuple, list[str]] = defaultdict(list)
    for name, kind in credential_types(settings).items():
        if kind != own and kind not in kinds:
            problems.append(f"azureml_awx_credentials: {name!r} is of type {kind!r}, which does not exist in AWX")
        elif kinds.get(kind) in TEMPLATE_KINDS and kind != own:
            vault = settings["credentials"][name]["inputs"].get("vault_id")  # AWX accepts one for each id
            names[kind, vault].append(name)
    for (kind, _vault), several in names.items():
        if len(several) > 1:
            problems.append(
                f"azureml_awx_credentials: {', '.join(several)} are all of type {kind!r}; a job template accepts one"
            )
    for variable, given, wanted in (
        ("azureml_awx_project.credential", settings["project"].get("credential"), PROJECT_KIND),
        ("azureml_awx_image_credential", settings["image_credential"], IMAGE_KIND),
    ):
        problems += _choice_problems(settings, kinds, variable, given, wanted)
    return problems


def _choice_problems(settings: dict, kinds: dict, variable: str, given: str | None, wanted: str) -> list[str]:
    """Return the errors in the credential of the project or the image."""
    types = credential_types(settings)
    if given:
        kind = kinds.get(types.get(given, ""), wanted)
        return [f"{variable} must be of kind {wanted}, but {given!r} is of kind {kind}"] if kind != wanted else []
    candidates = [name for name, kind in types.items() if kinds.get(kind) == wanted]
    return [f"{variable} is not set: set it to one of {', '.join(candidates)}"] if len(candidates) > 1 else []


def _name_problems(settings: dict, found: dict) -> list[str]:
    """Return the names that are in use by objects of other owners."""
    problems = []
    advice = "choose another azureml_awx_prefix"
    organization = found["organization"].get("id")
    for item in found["items"]["execution_environments"]:
        if item["name"] == settings["name"] and item["organization"] != organization:
            problems.append(f"execution environment {item['name']!r} belongs to another organization; {advice}")
    ours = {endpoint: {one["id"] for one in items} for endpoint, items in find_own(settings, found).items()}
    for endpoint, names in _wanted(settings).items():
        for item in found["items"].get(endpoint, ()):
            is_taken = organization and item["organization"] == organization and _key(endpoint, item, found) in names
            if is_taken and item["id"] not in ours[endpoint]:
                problems.append(
                    f"{item['type'].replace('_', ' ')} {item['name']!r} was not created by this playbook; {advice},"
                    f" or hand it over to the playbook by adding {settings['mark']!r} to the end of its description"
                )
    return [*problems, *_type_problems(settings, found)]


def _type_problems(settings: dict, found: dict) -> list[str]:
    """Return the error if only a system administrator can change the credential type of kubeconfigs."""
    name = settings["type_name"]
    present = next((one for one in found["types"] if one["name"] == name), None)
    if not settings["kubeconfigs"] or (present and not type_differs(present, settings["kubeconfig_type"])):
        return []
    if present and not present["description"].endswith(settings["type_mark"]):
        return [f"credential type {name!r} was not created by this playbook; choose another azureml_awx_prefix"]
    if not found["superuser"]:
        return [f"credential type {name!r}: only a system administrator can create or change it; see docs/awx.md"]
    return []


def type_differs(present: dict, wanted: dict) -> bool:
    """Return whether a credential type differs from C(wanted)."""
    return any(present[name] != wanted[name] for name in ("kind", "inputs", "injectors"))


def find_own(settings: dict, found: dict) -> dict[str, list[dict]]:
    """Find the objects of this playbook by the mark in their descriptions, in the organization or without any.

    If it has created any object in the organization, objects with its fixed names are its own, too, because it checked
    that the names were free. Changed descriptions are therefore restored.
    """
    organization = found["organization"].get("id")
    names = _fixed_names(settings)

    def is_marked(item: dict) -> bool:
        return item["organization"] in (organization, None) and item["description"].endswith(settings["mark"])

    was_here = any(is_marked(item) and item["organization"] for items in found["items"].values() for item in items)

    def has_fixed_name(endpoint: str, item: dict) -> bool:
        return item["organization"] == organization and item["name"] in names.get(endpoint, ())

    own = {
        endpoint: [item for item in items if is_marked(item) or (was_here and has_fixed_name(endpoint, item))]
        for endpoint, items in found["items"].items()
    }
    own["credential_types"] = [
        one
        for one in found["types"]
        if one["name"] == settings["type_name"] and one["description"].endswith(settings["type_mark"])
    ]
    return own


def _fixed_names(settings: dict) -> dict[str, set]:
    """Return the names that depend only on the prefix, by endpoint."""
    prefix, name = settings["prefix"], settings["name"]
    return {
        "workflow_job_templates": {settings["workflow"]},
        "job_templates": {f"{prefix}{one}" for one in settings["templates"]},
        "inventories": {name},
        "projects": {name},
        "execution_environments": {name},
    }


def _wanted(settings: dict) -> dict[str, set]:
    """Return all names by endpoint, for credentials with their type."""
    prefix = settings["prefix"]
    return {
        **_fixed_names(settings),
        "notification_templates": {f"{prefix}{one}" for one in settings["notifications"]},
        "credentials": {(f"{prefix}{one}", kind) for one, kind in credential_types(settings).items()},
        "credential_types": {settings["type_name"]} if settings["kubeconfigs"] else set(),
    }


def _key(endpoint: str, item: dict, found: dict) -> str | tuple[str, str]:
    """Return the name of an object as C(_wanted) has it."""
    if endpoint != "credentials":
        return item["name"]
    types = {one["id"]: one["name"] for one in found["types"]}
    return item["name"], types.get(item["credential_type"], "")


def find_obsolete(settings: dict, found: dict) -> dict[str, list[dict]]:
    """Find objects of this playbook that are no longer in the variables, or that a deleted organization has left."""
    names, organization = _wanted(settings), found["organization"].get("id")
    return {
        endpoint: [
            item
            for item in items
            if _key(endpoint, item, found) not in names[endpoint]
            or (endpoint != "credential_types" and item["organization"] != organization)
        ]
        for endpoint, items in find_own(settings, found).items()
    }


def _true(value: object) -> bool:
    return str(value).lower() in ("true", "yes", "on", "1")


class FilterModule:
    """The decisions as filters of this playbook."""

    def filters(self) -> dict:
        return {
            "azureml_awx_problems": find_problems,
            "azureml_awx_assigned": assign_credentials,
            "azureml_awx_own": find_own,
            "azureml_awx_obsolete": find_obsolete,
            "azureml_awx_type_differs": type_differs,
        }
