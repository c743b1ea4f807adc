# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of role azureml: their specification, and their names. Pure but for reading the role's file.

Names, types and defaults stand once, in the role's own C(meta/argument_specs.yml). The keys of dictionaries that become
options of modules are those of the modules.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from functools import cache

import yaml
from ansible_collections.azureml.arc.plugins.module_utils._core.options import AZURE, KUBERNETES
from ansible_collections.azureml.arc.plugins.modules import (
    compute,
    extension,
    pod_readiness,
    preflight,
    tls_secret,
)
from ansible_collections.azureml.arc.plugins.plugin_utils._variables import conversion

ROLE = os.path.join(os.path.dirname(__file__), "..", "..", "..", "roles", "azureml")
PREFIX = "azureml_"
# The entry point that documents the variables of a cluster.
VARIABLES = "variables"
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
OWN_NAMES = {"azureml_own_variables": {"type": "list", "elements": "str", "default": []}}
# What an option of the role has from that of a module, unless it says it itself.
OF_MODULES = ("choices", "mutually_exclusive", "options", "required_one_of")
# Paths of a connection may be those of a node, so they are not resolved here.
CONNECTION = {
    **{name: {**option, "type": "str"} if option["type"] == "path" else option for name, option in KUBERNETES.items()},
    "kubeconfig": {"type": "kubeconfig", "no_log": True},
}


@cache
def _of_modules() -> Mapping[str, Mapping]:
    """Return the options of modules by the variables that they come from, where the role leaves something to them."""
    attachment = {"options": compute.SPEC.argument_spec, **compute.SPEC.rules}
    return {
        "azureml_tls": extension.SPEC.argument_spec["tls"],
        "azureml_tls_secret": {
            "mutually_exclusive": tls_secret.SPEC.rules["mutually_exclusive"],
            "required_one_of": [names for _state, _value, names, _one in tls_secret.SPEC.rules["required_if"]],
        },
        "azureml_skip_checks": preflight.SPEC.argument_spec["skip_checks"],
        "azureml_components": pod_readiness.SPEC.argument_spec["components"],
        "azureml_compute": attachment,
        "azureml_computes": attachment,
        "azureml_sign_in": {"options": AZURE},
        "azureml_kubernetes": {"options": CONNECTION},
    }


def _completed(option: Mapping, of_module: Mapping) -> dict:
    """Return an option of the role, with what it leaves to the option of a module."""
    completed = {**{key: of_module[key] for key in OF_MODULES if key in of_module}, **option}
    if "options" in option:
        known = of_module.get("options", {})
        completed["options"] = {name: _completed(one, known.get(name, {})) for name, one in option["options"].items()}
    return completed


@cache
def argument_specs() -> Mapping[str, Mapping]:
    """Return the options of each entry point of the role, as its file has them."""
    with open(os.path.join(ROLE, "meta", "argument_specs.yml"), encoding="utf-8") as file:
        document = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return {name: entry.get("options", {}) for name, entry in document["argument_specs"].items()}


@cache
def specification() -> Mapping[str, Mapping]:
    """Return the variables of a cluster by name, as an argument spec."""
    written = argument_specs()[VARIABLES]
    return {name: _completed(option, _of_modules().get(name, {})) for name, option in written.items()}


def convert(values: Mapping) -> tuple[dict, list[str]]:
    """Check the variables of a host, and convert them.

    :param values: the variables by name, templates resolved.
    :returns: the converted variables, without those that are not set, and what is wrong with them.
    """
    spec = specification()
    return conversion.convert({name: value for name, value in values.items() if name in spec}, spec)


def known_names() -> frozenset[str]:
    """Return the names of all variables of the collection."""
    return OTHER_NAMES.union(*argument_specs().values())


def own_names(values: Mapping) -> tuple[list[str], list[str]]:
    """Return the names that users keep for themselves, by their variables, and what is wrong with those."""
    given = {name: values[name] for name in OWN_NAMES if name in values}
    converted, errors = conversion.convert(given, OWN_NAMES)
    return converted["azureml_own_variables"], errors


def unknown_names(names: Iterable[str], own: Iterable[str] = ()) -> dict[str, str | None]:
    """Names that begin like variables of the collection, and are none.

    :param names: of the variables of a host.
    :param own: names that users keep for themselves.
    :returns: by each of them the known name that is most like it, C(None) if none is.
    """
    known = known_names()
    strange = {
        name for name in names if name.startswith(PREFIX) and name not in known and not name.startswith(OTHER_PREFIXES)
    }
    found: dict[str, str | None] = {}
    for name in sorted(strange.difference(own)):
        close = conversion.nearest(name[len(PREFIX) :], {one[len(PREFIX) :] for one in known})
        found[name] = close and f"{PREFIX}{close}"
    return found
