# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every variable, and every key of its dictionaries, with values of every type."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.specs import (
    CLUSTER,
    MACHINE,
    NODES,
    argument_specs,
    convert,
    specification,
)

ROLE = Path(__file__).resolve().parents[5] / "roles/azureml"
REQUIRED = {"azureml_resource_group": "rg"}
SECRET = "hunter2"
# Values by the name of their type.
VALUES = {
    "text": SECRET,
    "true": True,
    "number": 7,
    "negative number": -1,
    "fraction": 1.5,
    "infinity": float("inf"),
    "date": datetime.date(2026, 11, 26),
    "list": [SECRET],
    "list of lists": [[SECRET]],
    "list of dictionaries": [{"a": SECRET}],
    "dictionary": {"a": SECRET},
}
# The types of values that each type of an option accepts.
ACCEPTED = {
    "bool": {"true"},
    "dict": {"dictionary"},
    "float": {"number", "fraction"},
    "int": {"number"},
    "kubeconfig": {"text", "number", "negative number", "dictionary"},
    "list of dict": {"list of dictionaries"},
    "list of str": {"text", "number", "negative number", "list"},
    "path": {"text", "number", "negative number"},
    "str": {"text", "number", "negative number"},
}
# The other keys that a dictionary must have.
SIBLINGS = {
    "azureml_tls_secret.from": {"namespace": "certs", "name": "ml"},
    "azureml_compute": {"name": "edge"},
    "azureml_compute.identity": {"type": "SystemAssigned"},
    "azureml_compute.workspace": {"name": "ws", "resource_group": "rg"},
    "azureml_components": {"name": "gateway"},
    "azureml_computes": {"name": "edge"},
    "azureml_nodes": {"names": ["n"]},
    "azureml_nodes.taints": {"key": "ml.azure.com/amlarc"},
    "azureml_tls": {"cname": "ml.example.com"},
    "azureml_workspace": {"name": "ws", "resource_group": "rg"},
}


def options(spec: Mapping, parents: tuple = ()) -> Iterator[tuple]:
    """Yield every option with its path: for each name whether it is a list."""
    for name, option in spec.items():
        here = (*parents, (name, option["type"] == "list"))
        yield here, option
        yield from options(option.get("options", {}), here)


SPECS = {kind: specification(kind) for kind in (CLUSTER, NODES, MACHINE)}
OPTIONS = [(kind, *one) for kind, spec in SPECS.items() for one in options(spec)]


def type_of(option: Mapping) -> str:
    return f"list of {option['elements']}" if option["type"] == "list" else option["type"]


def is_secret(kind: str, path: tuple) -> bool:
    spec, found = SPECS[kind], False
    for name, _is_list in path:
        if name not in spec:
            return False
        option, spec = spec[name], spec[name].get("options", {})
        found = found or bool(option.get("no_log")) or name == "kubeconfig"
    return found or any(one.get("no_log") for one in spec.values())


def given(path: tuple, value: object) -> dict:
    """Return variables with a value at a path."""
    parent = ".".join(name for name, _is_list in path[:-1])
    last = path[-1][0]
    siblings = dict(SIBLINGS.get(parent.replace("azureml_computes.", "azureml_compute."), {}))
    if parent in ("azureml_tls", "azureml_tls_secret") and last not in ("from", "key_vault", "secret_name"):
        stem = last.removesuffix("_content")
        siblings |= {f"{part}_content": part for part in ("certificate", "private_key") if part != stem}
    inner = {**siblings, last: value}
    if len(path) == 1:
        return inner
    return given(path[:-1], [inner] if path[-2][1] else inner)


def named(path: tuple) -> str:
    """Return the path as in errors."""
    *parents, (last, _is_list) = path
    return "".join(f"{name}[0]." if is_list else f"{name}." for name, is_list in parents) + last


@pytest.mark.parametrize(
    ("kind", "path", "option"), OPTIONS, ids=[f"{kind}-{named(path)}" for kind, path, _option in OPTIONS]
)
def test_value_of_another_type_is_an_error_with_the_variable(kind, path, option):
    for name, value in VALUES.items():
        _converted, errors = convert({**REQUIRED, **given(path, value)}, kind)

        is_accepted = name in ACCEPTED[type_of(option)] and "choices" not in option and "options" not in option
        assert bool(errors) is not is_accepted, (name, errors)
        assert all(named(path) in one for one in errors), (name, errors)
        assert not is_secret(kind, path) or not any(SECRET in one for one in errors), (name, errors)


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"azureml_resource_group": None}, "azureml_resource_group is required"),
        (
            {"azureml_workspace": "ws"},
            "azureml_workspace must be a dictionary like {name: ws, resource_group: rg-ml}, not 'ws'",
        ),
        ({"azureml_workspace": {"name": "ws"}}, "azureml_workspace.resource_group is required"),
        ({"azureml_openshift": "sometimes"}, "azureml_openshift must be true or false, not 'sometimes'"),
        ({"azureml_soak": "long"}, "azureml_soak must be a whole number, 0 or more, not 'long'"),
        ({"azureml_version": 1.1}, "azureml_version must be text, in quotes, not 1.1"),
        (
            {"azureml_profile": "serving"},
            "azureml_profile must be one of training, inference, training_inference, not 'serving'",
        ),
        ({"azureml_tls": ["a"]}, "azureml_tls must be a dictionary"),
        ({"azureml_skip_checks": ["nodez"]}, "azureml_skip_checks[0] must be one of "),
        (
            {"azureml_compute": {"name": "a1", "nam": "x"}},
            "unknown key azureml_compute.nam (did you mean azureml_compute.name?)",
        ),
        ({"azureml_computes": [{"name": "a1"}, {}]}, "azureml_computes[1].name is required"),
        (
            {"azureml_sign_in": {"secrt": "s"}},
            "unknown key azureml_sign_in.secrt (did you mean azureml_sign_in.secret?)",
        ),
        (
            {"azureml_kubernetes": {"kubeconfg": "s"}},
            "unknown key azureml_kubernetes.kubeconfg (did you mean azureml_kubernetes.kubeconfig?)",
        ),
        (
            {"azureml_components": [{"name": "a", "colour": "s"}]},
            "unknown key azureml_components[0].colour; known are kind, name, required",
        ),
        ({"azureml_sign_in": {"auth_source": "magic"}}, "azureml_sign_in.auth_source must be one of auto, cli, "),
        (
            {"azureml_compute": {"name": "a1", "config_file": "f", "namespace": "n"}},
            "azureml_compute.config_file and azureml_compute.namespace are mutually exclusive",
        ),
        (
            {"azureml_prove_job": {"each_instance_type": True, "instance_types": ["gpu"]}},
            "azureml_prove_job.instance_types and azureml_prove_job.each_instance_type are mutually exclusive",
        ),
        (
            # As in module job_check, which refuses both regardless of their values.
            {"azureml_prove_job": {"each_instance_type": False, "instance_types": ["gpu"]}},
            "azureml_prove_job.instance_types and azureml_prove_job.each_instance_type are mutually exclusive",
        ),
        (
            {"azureml_tls": {"cname": "ml"}},
            "azureml_tls needs secret_name or key_vault or certificate or certificate_content",
        ),
        ({"azureml_tls_secret": {"certificate": "c"}}, "azureml_tls_secret needs private_key or private_key_content"),
    ],
)
def test_invalid_input_is_reported_in_one_error(values, error):
    _converted, errors = convert({**REQUIRED, **values})

    assert len(errors) == 1
    assert errors[0].startswith(error)


def test_text_of_spaces_counts_as_not_set():
    """AWX sends one if a question of a survey is answered with spaces."""
    options, errors = convert({**REQUIRED, "azureml_release_train": "  "})
    assert (options, errors) == convert(REQUIRED)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('["nodes", "connectivity"]', ["nodes", "connectivity"]),
        ("nodes, connectivity", ["nodes", "connectivity"]),
        ("", []),
        ([None, "connectivity"], ["connectivity"]),
    ],
)
def test_text_is_converted_to_a_list(text, value):
    assert (
        convert({**REQUIRED, "azureml_computes": None, "azureml_skip_checks": text})[0]["azureml_skip_checks"] == value
    )


@pytest.mark.parametrize(("variable", "text"), [("azureml_prove", "["), ("azureml_compute", '{"a":')])
def test_text_that_is_nested_too_deeply_is_an_error(variable, text):
    _converted, errors = convert({**REQUIRED, variable: text * 100_000})

    assert len(errors) == 1
    assert errors[0].startswith(f"{variable} must be a ")


def test_long_value_is_shortened_in_an_error():
    _converted, (error,) = convert({**REQUIRED, "azureml_soak": "x" * 1000})

    assert len(error) < 200


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_defaults_of_the_role_match_its_specification(spec):
    role = yaml.safe_load((ROLE / "defaults/main.yml").read_text(encoding="utf-8"))

    for name, option in spec.items():
        if "{{" not in str(role.get(name)):
            assert str(role.get(name)) == str(option.get("default")), name


def test_ansible_rejects_null_and_raises_for_other_types():
    """Therefore the variables of a cluster are documented in an entry point without tasks."""
    for option in ({"type": "int", "default": 7}, {"type": "str", "choices": ["x"]}):
        assert ArgumentSpecValidator({"a": option}).validate({"a": None}).error_messages
    with pytest.raises(TypeError):
        ArgumentSpecValidator({"a": {"type": "dict", "options": {"b": {"type": "str"}}}}).validate({"a": 7})


def test_entry_points_with_tasks_leave_the_check_to_the_flows():
    with_tasks = {path.stem for path in (ROLE / "tasks").glob("*.yml")}

    assert {name for name, spec in argument_specs().items() if spec}.isdisjoint(with_tasks)
