# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of role azureml: their specification, their conversion, and their names. Pure but for reading the file.

The specification is the role's own C(meta/argument_specs.yml), so names, types and defaults stand once.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable, Mapping
from functools import cache

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

ROLE = os.path.join(os.path.dirname(__file__), "..", "..", "..", "roles", "azureml")
PREFIX = "azureml_"
# Entry points that run a flow.
FLOWS = frozenset({"detach", "main", "remove", "rotate_tls", "upgrade", "verify"})
# Variables of the playbooks and plugins, which the role does not know.
OTHER_NAMES = frozenset(
    {
        "azureml_arc_in_process",
        "azureml_canary",
        "azureml_cluster",
        "azureml_confirm",
        "azureml_hosts",
        "azureml_machines",
        "azureml_own_variables",
        "azureml_rollout",
        "azureml_wave",
    }
)
# Prefixes of the names that users, and the playbook that sets up AWX, keep for themselves.
OTHER_PREFIXES = ("azureml_x_", "azureml_awx_", "azureml_answer", "azureml_survey_")
# How alike a name must be to be suggested, from 0 to 1, without the prefix.
SIMILARITY = 0.8
EXPECTED = {
    "dict": "a dictionary",
    "list": "a list",
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
}
SAMPLES = {"azureml_workspace": "{name: ws, resource_group: rg-ml}", "azureml_compute": "{name: edge}"}
NOT_CONVERTED = re.compile(r"argument '(\w+)' is of type .* unable to convert to (\w+)")


@cache
def argument_specs() -> Mapping[str, Mapping]:
    """The specification of each entry point of the role, its variables by name.

    Entry points that run a flow have the variables of C(main) as well.
    """
    with open(os.path.join(ROLE, "meta", "argument_specs.yml"), encoding="utf-8") as file:
        document = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    specs = {name: entry.get("options", {}) for name, entry in document["argument_specs"].items()}
    return {name: {**specs["main"], **spec} if name in FLOWS else spec for name, spec in specs.items()}


@cache
def validator(entry_point: str) -> ArgumentSpecValidator:
    """What checks and converts the variables of an entry point."""
    return ArgumentSpecValidator(argument_specs()[entry_point])


def convert(entry_point: str, values: Mapping) -> tuple[dict, list[str]]:
    """Check the variables of a host, and convert them.

    :param values: the variables by name, templates resolved. What is null, or an empty text where that means nothing,
        is not set.
    :returns: the converted variables, without those that are not set, and what is wrong with them.
    """
    spec = argument_specs()[entry_point]
    result = validator(entry_point).validate(_set(values, spec))
    errors = [_in_words(message, values, spec) for message in result.error_messages]
    return _set(result.validated_parameters, spec), errors


def _set(values: Mapping, spec: Mapping) -> dict:
    """Values without those that are not set, in dictionaries and lists that have a specification as well."""
    found = {}
    for name, value in values.items():
        option = spec.get(name, {})
        if value is None or (value == "" and (option.get("type") in ("bool", "int", "float") or "choices" in option)):
            continue
        found[name] = _set_below(value, option["options"]) if "options" in option else value
    return found


def _set_below(value: object, spec: Mapping) -> object:
    """The same for a dictionary, or those of a list."""
    if isinstance(value, Mapping):
        return _set(value, spec)
    return [_set_below(one, spec) for one in value] if isinstance(value, list) else value


def _in_words(message: str, values: Mapping, spec: Mapping) -> str:
    """An error of Ansible's validation; one about a type names the form that is expected, and no secret."""
    found = NOT_CONVERTED.search(message)
    if not found or found[1] not in values:
        return message
    name, kind = found.groups()
    example = f" like {SAMPLES[name]}" if name in SAMPLES else ""
    given = "" if _is_secret(spec.get(name, {})) else f", not '{values[name]}'"
    return f"{name} must be {EXPECTED.get(kind, kind)}{example}{given}"


def _is_secret(option: Mapping) -> bool:
    """Whether a variable is a secret, or has one in it."""
    return bool(option.get("no_log")) or any(map(_is_secret, option.get("options", {}).values()))


def known_names() -> frozenset[str]:
    """The names of all variables of the collection."""
    return OTHER_NAMES.union(*argument_specs().values())


def unknown_names(names: Iterable[str], own: Iterable[str] = ()) -> dict[str, str | None]:
    """Names that begin like variables of the collection, and are none.

    :param names: of the variables of a host.
    :param own: names that users keep for themselves.
    :returns: by each of them the known name that is most like it, C(None) where none is.
    """
    known = known_names()
    strange = {
        name for name in names if name.startswith(PREFIX) and name not in known and not name.startswith(OTHER_PREFIXES)
    }
    found: dict[str, str | None] = {}
    for name in sorted(strange.difference(own)):
        ends = [one[len(PREFIX) :] for one in sorted(known)]
        close = difflib.get_close_matches(name[len(PREFIX) :], ends, n=1, cutoff=SIMILARITY)
        found[name] = f"{PREFIX}{close[0]}" if close else None
    return found
