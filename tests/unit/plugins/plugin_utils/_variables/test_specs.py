# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Conversion of variables that are text, null or misspelled."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.specs import (
    CLUSTER,
    MACHINE,
    NODES,
    argument_specs,
    convert,
    known_names,
    specification,
    unknown_names,
)

REQUIRED = {"azureml_resource_group": "rg"}
VARIABLES = [(kind, name) for kind in (CLUSTER, NODES, MACHINE) for name in specification(kind)]
# The values of text for each type.
AS_TEXT = {
    "bool": [("true", True), ("false", False), ("yes", True), ("no", False)],
    "int": [("7", 7)],
    "float": [("1.5", 1.5)],
    "list": [("a,b", ["a", "b"]), ("a", ["a"])],
}


def given_as_text() -> Iterator[tuple[str, str, str, object]]:
    """Yield variables with a text, and the value after conversion."""
    for kind, name in VARIABLES:
        option = specification(kind)[name]
        if option.get("elements", "str") == "str" and "choices" not in option:
            yield from ((kind, name, text, value) for text, value in AS_TEXT.get(option["type"], ()))


@pytest.mark.parametrize(("kind", "name", "text", "value"), list(given_as_text()))
def test_text_is_converted_by_the_specification(kind, name, text, value):
    converted, errors = convert({**REQUIRED, name: text}, kind)

    assert errors == []
    assert converted[name] == value
    assert type(converted[name]) is type(value)


@pytest.mark.parametrize("nothing", [None, ""])
@pytest.mark.parametrize(("kind", "name"), VARIABLES)
def test_null_and_empty_text_are_the_same_as_an_unset_variable(kind, name, nothing):
    given = {key: value for key, value in REQUIRED.items() if key != name}

    assert convert({**given, name: nothing}, kind) == convert(given, kind)


def test_empty_description_is_kept():
    converted, errors = convert({**REQUIRED, "azureml_compute": {"name": "edge", "description": "", "namespace": ""}})

    assert (errors, converted["azureml_compute"]) == ([], {"name": "edge", "description": ""})


def test_null_in_a_dictionary_is_the_same_as_an_unset_key():
    tls = {"cname": "ml", "certificate": None, "secret_name": "s"}
    converted, errors = convert({**REQUIRED, "azureml_tls": tls})

    assert (errors, converted["azureml_tls"]) == ([], {"cname": "ml", "secret_name": "s"})


@pytest.mark.parametrize(
    "name", ["azureml_kubernetes", "azureml_protected_settings", "azureml_sign_in", "azureml_tls", "azureml_tls_secret"]
)
def test_error_does_not_quote_a_secret(name):
    _converted, errors = convert({**REQUIRED, name: "hunter2"})

    assert f"{name} must be a dictionary" in errors
    assert not [one for one in errors if "hunter2" in one]


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("azureml_profil", "azureml_profile"),
        ("azureml_max_failure", "azureml_max_failures"),
        ("azureml_infrence_service", "azureml_inference_service"),
        ("azureml_colour", None),
    ],
)
def test_unknown_name_is_reported_with_the_most_similar_known_one(name, suggestion):
    assert unknown_names(["azureml_profile", name, "other"]) == {name: suggestion}


@pytest.mark.parametrize("name", ["azureml_x_team", "azureml_awx_prefix", "azureml_hosts", "azureml_mine"])
def test_names_of_users_and_playbooks_are_not_reported(name):
    assert unknown_names([name], own=["azureml_mine"]) == {}


def test_all_variables_of_the_role_are_known():
    assert {name for spec in argument_specs().values() for name in spec} <= known_names()
