# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of a cluster's facts in Azure. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.azureml.arc.plugins.module_utils._azure.cluster import why_unreachable
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.findings import ERROR, WARNING
from ansible_collections.azureml.arc.plugins.module_utils._preflight.facts import Facts


def connectivity(facts: Facts) -> Iterator[tuple]:
    found = why_unreachable(facts.cluster)
    if found:
        _code, state, hint = found
        yield ERROR, f"the cluster {state}.", hint


def agent_version(facts: Facts) -> Iterator[tuple]:
    cluster, least = facts.cluster, facts.options["minimum_agent_version"]
    upgrade = "Upgrade the Arc agents with 'az connectedk8s upgrade'."
    if not cluster.agent_version:
        yield WARNING, "the Arc agents have not reported a version.", "Check the pods of namespace 'azure-arc'."
    elif least and is_lower(cluster.agent_version, least):
        yield ERROR, f"the Arc agents have version {cluster.agent_version}, but {least} is required.", upgrade
    elif least and not _is_version(cluster.agent_version):
        message = f"version {cluster.agent_version} of the Arc agents cannot be compared with the required {least}."
        yield WARNING, message, "Compare them, and upgrade the agents with 'az connectedk8s upgrade' if necessary."


def check_version(option: str, text: str) -> None:
    """Refuse a version that does not consist of numbers and dots.

    :param option: the option that contains it, for the error.
    """
    if not _is_version(text):
        raise AzureMLError(f"{option} must be a version like 1.21.10, not '{text}'")


def is_lower(version: str, other: str) -> bool:
    """Return whether a version is lower than another: C(1.1) is lower than C(1.1.70). Unknown formats are not."""
    if not (_is_version(version) and _is_version(other)):
        return False
    one, two = ([int(part) for part in text.split(".")] for text in (version, other))
    return one < two


def _is_version(text: str) -> bool:
    return all(part.isdecimal() for part in text.split("."))


def resource_providers(facts: Facts) -> Iterator[tuple]:
    for name, state in sorted(facts.objects["providers"].items()):
        if state.lower() != "registered":
            yield (
                ERROR,
                f"resource provider {name} has registration state {state}.",
                f"Register it: 'az provider register --namespace {name}'.",
            )
