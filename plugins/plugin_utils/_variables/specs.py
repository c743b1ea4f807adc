# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The specification and the names of the variables of role azureml. Pure except for reading the role's file.

Names, types and defaults are defined once, in the role's C(meta/argument_specs.yml). The keys of dictionaries that
become options of modules are defined by the modules.
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
    job_check,
    node,
    node_preflight,
    pod_readiness,
    preflight,
    tls_secret,
)
from ansible_collections.azureml.arc.plugins.plugin_utils._variables import conversion

ROLE = os.path.join(os.path.dirname(__file__), "..", "..", "..", "roles", "azureml")
PREFIX = "azureml_"
# What a host of a play is: a cluster as a whole, a cluster of which only nodes are changed, or the machine of a node.
CLUSTER, NODES, MACHINE = "cluster", "nodes", "machine"
# The entry points that document the variables of clusters and of machines.
VARIABLES, MACHINE_VARIABLES = "variables", "machine_variables"
# The variables of clusters that other hosts have, too.
SHARED = {
    NODES: (
        "azureml_progress_interval",
        "azureml_nodes",
        "azureml_allow_disruption",
        "azureml_kubernetes",
        "azureml_kubernetes_via",
        "azureml_subscription_id",
        "azureml_resource_group",
        "azureml_cluster_name",
        "azureml_cluster_type",
    ),
    MACHINE: (
        "azureml_progress_interval",
        "azureml_profile",
        "azureml_cluster_type",
        "azureml_fail_on",
        "azureml_compute",
        "azureml_computes",
    ),
}
# Variables of playbooks and plugins, which are not in the role.
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
# Prefixes of names that are reserved for users and the playbook awx.setup.
OTHER_PREFIXES = ("azureml_x_", "azureml_awx_", "azureml_answer", "azureml_survey_")
OWN_NAMES = {"azureml_own_variables": {"type": "list", "elements": "str", "default": []}}
# Fields that an option of the role inherits from that of a module.
OF_MODULES = ("choices", "mutually_exclusive", "options", "required_one_of")
# Paths of a connection may be those of a node, so they are not resolved here.
CONNECTION = {
    **{name: {**option, "type": "str"} if option["type"] == "path" else option for name, option in KUBERNETES.items()},
    "kubeconfig": {"type": "kubeconfig", "no_log": True},
}


@cache
def _of_modules() -> Mapping[str, Mapping]:
    """Return the options of modules by their variables, if the role inherits fields from them."""
    attachment = {"options": compute.SPEC.argument_spec, **compute.SPEC.rules}
    return {
        "azureml_tls": extension.SPEC.argument_spec["tls"],
        "azureml_tls_secret": {
            "mutually_exclusive": tls_secret.SPEC.rules["mutually_exclusive"],
            "required_one_of": [names for _state, _value, names, _one in tls_secret.SPEC.rules["required_if"]],
        },
        "azureml_machine_skip_checks": node_preflight.SPEC.argument_spec["skip_checks"],
        "azureml_nodes": {"options": node.SPEC.argument_spec, **node.SPEC.rules},
        "azureml_skip_checks": preflight.SPEC.argument_spec["skip_checks"],
        "azureml_components": pod_readiness.SPEC.argument_spec["components"],
        "azureml_compute": attachment,
        "azureml_computes": attachment,
        "azureml_prove_job": job_check.SPEC.rules,
        "azureml_sign_in": {"options": AZURE},
        "azureml_kubernetes": {"options": CONNECTION},
    }


def _completed(option: Mapping, of_module: Mapping) -> dict:
    """Return an option of the role, with fields inherited from the option of a module."""
    completed = {**{key: of_module[key] for key in OF_MODULES if key in of_module}, **option}
    if "options" in option:
        known = of_module.get("options", {})
        completed["options"] = {name: _completed(one, known.get(name, {})) for name, one in option["options"].items()}
    return completed


@cache
def argument_specs() -> Mapping[str, Mapping]:
    """Return the options of each entry point of the role, as defined in its file."""
    with open(os.path.join(ROLE, "meta", "argument_specs.yml"), encoding="utf-8") as file:
        document = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return {name: entry.get("options", {}) for name, entry in document["argument_specs"].items()}


@cache
def specification(kind: str = CLUSTER) -> Mapping[str, Mapping]:
    """Return the variables of a host by name, as an argument spec.

    :param kind: C(CLUSTER), C(NODES) or C(MACHINE).
    """
    written = argument_specs()[VARIABLES]
    if kind in SHARED:  # of these, none is required
        written = {name: {**written[name], "required": False} for name in SHARED[kind]}
    if kind == MACHINE:
        written = {**written, **argument_specs()[MACHINE_VARIABLES]}
    return {name: _completed(option, _of_modules().get(name, {})) for name, option in written.items()}


def convert(values: Mapping, kind: str = CLUSTER) -> tuple[dict, list[str]]:
    """Check the variables of a host, and convert them.

    :param values: the variables by name, templates resolved.
    :param kind: as in C(specification).
    :returns: the converted variables, without those that are not set, and the errors in them.
    """
    spec = specification(kind)
    return conversion.convert({name: value for name, value in values.items() if name in spec}, spec)


def known_names() -> frozenset[str]:
    """Return the names of all variables of the collection."""
    return OTHER_NAMES.union(*argument_specs().values())


def own_names(values: Mapping) -> tuple[list[str], list[str]]:
    """Return the names that are reserved for users, by their variables, and errors in these variables."""
    given = {name: values[name] for name in OWN_NAMES if name in values}
    converted, errors = conversion.convert(given, OWN_NAMES)
    return converted["azureml_own_variables"], errors


def unknown_names(names: Iterable[str], own: Iterable[str] = ()) -> dict[str, str | None]:
    """Return unknown names with the prefix of the collection's variables.

    :param names: of the variables of a host.
    :param own: names that are reserved for users.
    :returns: the most similar known name of each, C(None) if there is none.
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
