# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Validate the variables of hosts, as far as possible without requests. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from ansible_collections.azureml.arc.plugins.module_utils._azure.cluster_reference import check_name, check_subscription
from ansible_collections.azureml.arc.plugins.module_utils._compute.plan import wanted_identity
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.options import SELECTORS
from ansible_collections.azureml.arc.plugins.module_utils._extension import check
from ansible_collections.azureml.arc.plugins.module_utils._extension.settings import INFERENCE, TRAINING, as_setting
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.labels import (
    label_key,
    label_selector,
    label_value,
)
from ansible_collections.azureml.arc.plugins.module_utils._node.taints import checked_labels, checked_taints
from ansible_collections.azureml.arc.plugins.module_utils._preflight.azure_checks import check_version
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.options import ClusterOptions
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.specs import CLUSTER
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.tables import EXTENSION, INSTALL

# Source: "Naming rules" of https://learn.microsoft.com/azure/machine-learning/how-to-attach-kubernetes-to-workspace.
COMPUTE_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]{0,14}[a-zA-Z0-9]")
# Variables that apply to all hosts of a rollout.
ROLLOUT = ("azureml_waves", "azureml_max_failures", "azureml_soak")
# Names in Azure, with the functions that refuse invalid ones.
NAMES = {
    "subscription_id": check_subscription,
    "resource_group": check_name,
    "name": check_name,
    "cluster_name": check_name,
    "extension_name": check_name,
}
# Options of the extension, as messages of its module name them, by the variable that a user sets.
VARIABLES = {**EXTENSION, **INSTALL}
# Words that can be options or ordinary words; they are options if followed by this.
PLAIN_WORDS = {
    "name": "$^",
    "settings": "(?=:| and protected_| set the)",
    "tls": "(?=[.,]| is)",
    "version": "(?= pins|:| to )",
}
NAMED_OPTION = re.compile(
    r"\b(?:" + "|".join(f"{one}{PLAIN_WORDS.get(one, '')}" for one in sorted(VARIABLES, key=len, reverse=True)) + r")\b"
)


def of_host(options: ClusterOptions, kind: str = CLUSTER) -> list[str]:
    """Return the errors in the variables of one host.

    :param kind: what the host is, as in C(specs.specification).
    """
    errors = [*_of_names(options), *_of_nodes(options)]
    return [*errors, *_of_cluster(options)] if kind == CLUSTER else errors


def _of_cluster(options: ClusterOptions) -> list[str]:
    """Return the errors in the variables of a deployment."""
    errors = list(_of_computes(options))
    if options.has_tls_secret and "secret_name" not in (options.get("azureml_tls") or {}):
        errors.append("azureml_tls_secret needs azureml_tls.secret_name, the name of the Secret for the certificate")
    if options.proves_endpoint and options.get("azureml_profile") not in INFERENCE:
        errors.append(
            f"azureml_prove: endpoint is for inference, but azureml_profile is {options.get('azureml_profile')}"
        )
    errors += _of_jobs(options)
    given = {option: options.get(variable) for option, variable in VARIABLES.items()}
    try:
        check.check(given)
    except AzureMLError as error:
        errors.append(with_variables(str(error)))
    return errors


def _of_jobs(options: ClusterOptions) -> Iterator[str]:
    """Yield the errors in the variables of jobs that prove computes."""
    if "job" not in options.get("azureml_prove", ()):
        return
    if options.get("azureml_profile") not in TRAINING:
        yield f"azureml_prove: job is for training, but azureml_profile is {options.get('azureml_profile')}"
    if not options.attachments:
        yield "azureml_prove: job needs azureml_compute, the compute to run it on"


def with_variables(message: str) -> str:
    """Return a message about options of module extension with the names of the variables instead."""
    return NAMED_OPTION.sub(lambda found: VARIABLES[found[0]], message)


def _of_names(options: ClusterOptions) -> Iterator[str]:
    """Yield the errors in names in Azure, versions and labels."""
    places = {
        "azureml_": {name: options.get(f"azureml_{name}") for name in NAMES},
        "azureml_workspace.": options.get("azureml_workspace") or {},
        **{f"{variable}.workspace.": one.get("workspace", {}) for variable, one in options.named_attachments.items()},
    }
    for prefix, given in places.items():
        for name, check_one in NAMES.items():
            if given.get(name) is not None:
                yield from _error_of(check_one, prefix + name, given[name])
    if options.get("azureml_minimum_agent_version") is not None:
        variable = "azureml_minimum_agent_version"
        yield from _error_of(check_version, variable, options.get(variable))
    for label, value in (options.get("azureml_node_selector") or {}).items():
        yield from _error_of(label_key, str(label), "azureml_node_selector")
        yield from _error_of(label_value, as_setting(value), f"azureml_node_selector.{label}")


def _of_nodes(options: ClusterOptions) -> Iterator[str]:
    """Yield the errors in labels, taints and selectors of nodes."""
    for index, given in enumerate(options.get("azureml_nodes", ())):
        present = given.get("state") != "absent"
        for error in (
            *_error_of(checked_labels, given.get("labels", {})),
            *_error_of(checked_taints, given.get("taints", ()), present),
            *_error_of(label_selector, given.get("label_selectors", ()), "label_selectors"),
        ):
            yield f"azureml_nodes[{index}].{error}"


def _error_of(function: Callable, *arguments: object) -> Iterator[str]:
    """Yield the error that a function raises, if any."""
    try:
        function(*arguments)
    except AzureMLError as error:
        yield str(error)


def _of_computes(options: ClusterOptions) -> Iterator[str]:
    attachments = options.named_attachments
    if options.get("azureml_workspace") is None and any("workspace" not in one for one in attachments.values()):
        yield "azureml_compute needs azureml_workspace, the workspace to attach the cluster to"
    for variable, one in attachments.items():
        if not COMPUTE_NAME.fullmatch(one["name"]):
            yield (
                f"{variable}.name '{one['name']}' must have 2 to 16 letters, digits and hyphens, with a letter"
                " first and no hyphen last"
            )
        if options.get("azureml_profile") == "inference" and one.get("instance_types"):
            yield f"{variable}.instance_types are for training, but azureml_profile is inference"
        yield from _error_of(wanted_identity, one.get("identity"), f"{variable}.")
        yield from _error_of(options.configuration, variable)


def of_fleet(hosts: Mapping[str, ClusterOptions], needs_cluster: Collection[str]) -> dict[str, list[str]]:
    """Return the errors in the combined variables of several hosts.

    :param hosts: the options of each host.
    :param needs_cluster: the hosts whose clusters the controller connects to.
    :returns: the errors by host.
    """
    errors: dict[str, list[str]] = {}
    for text, same in (
        ("refer to the same cluster in Azure", _by(hosts, _clusters)),
        ("attach their clusters as the same compute {}", _by(hosts, _computes)),
        ("connect to the same API server by azureml_kubernetes", _by(hosts, _connections, needs_cluster)),
    ):
        for subject, names in same.items():
            if len(set(names)) > 1:
                message = f"hosts {', '.join(sorted(set(names)))} {text.format(subject[0])}"
                for name in set(names):
                    errors.setdefault(name, []).append(message)
    if len(hosts) > 1:
        for name in needs_cluster:
            for message in of_connection(hosts[name]):
                errors.setdefault(name, []).append(message)
    return errors


def of_rollout(hosts: Mapping[str, ClusterOptions]) -> list[str]:
    """Return the errors in variables that apply to a whole rollout, of which Ansible reads those of one host."""
    errors = []
    for variable in ROLLOUT:
        values: dict[str, list[str]] = {}
        for name, options in hosts.items():
            values.setdefault(json.dumps(options.get(variable)), []).append(name)
        if len(values) > 1:
            one, other = (names[0] for names in list(values.values())[:2])
            errors.append(f"{variable} applies to the whole rollout, but differs between hosts {one} and {other}")
    return errors


def of_connection(options: ClusterOptions) -> list[str]:
    """Return the errors in the connection of a host that is not alone in its play."""
    given = options.get("azureml_kubernetes") or {}
    if any(given.get(name) for name in SELECTORS):
        return []
    return [
        "azureml_kubernetes needs kubeconfig, context or host, because the environment can name the API server of only"
        " one host"
    ]


def _by(hosts: Mapping[str, ClusterOptions], keys_of, names: Collection[str] | None = None) -> dict[tuple, list[str]]:
    """Return the hosts by their values, of which each host may have several."""
    found: dict[tuple, list[str]] = {}
    for name in hosts if names is None else names:
        for key in keys_of(hosts[name]):
            found.setdefault(key, []).append(name)
    return found


def _lower(*values: object) -> tuple[str, ...]:
    return tuple(str(value or "").lower() for value in values)


def _clusters(options: ClusterOptions) -> Iterator[tuple]:
    names = ("azureml_cluster_name", "azureml_cluster_type", "azureml_resource_group", "azureml_subscription_id")
    yield _lower(*map(options.get, names))


def _computes(options: ClusterOptions) -> Iterator[tuple]:
    for one in options.attachments:
        workspace = one.get("workspace") or options.get("azureml_workspace") or {}
        subscription = workspace.get("subscription_id") or options.get("azureml_subscription_id")
        yield _lower(one["name"], workspace.get("name"), workspace.get("resource_group"), subscription)


def _connections(options: ClusterOptions) -> Iterator[tuple]:
    given = options.get("azureml_kubernetes") or {}
    if not of_connection(options):  # the same address behind different proxies may be different clusters
        yield (json.dumps([given.get(name) for name in (*SELECTORS, "proxy")], sort_keys=True, default=str),)


def nothing_sent(errors: Iterable[str]) -> str:
    """Return errors in variables as one message."""
    return "; ".join([*(error.rstrip(".") for error in errors), "nothing was sent"])


def grouped(errors: Mapping[str, Collection[str]]) -> dict[str, list[str]]:
    """Return the hosts by their error, so that each error is reported once."""
    found: dict[str, list[str]] = {}
    for host, messages in errors.items():
        for message in messages:
            found.setdefault(message, []).append(host)
    return found
