# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verify that a Kubernetes API belongs to the cluster in Azure, before anything is written to it."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.azureml.arc.plugins.module_utils._azure.cluster_reference import (
    ClusterReference,
    from_id,
    reference,
)
from ansible_collections.azureml.arc.plugins.module_utils._core import environment
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.options import AZURE_ENVIRONMENT, is_inline
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.client import KubeSession, open_session
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.resources import describe
from ansible_collections.azureml.arc.plugins.module_utils._preflight import identity


def run(call: ModuleCall) -> dict:
    """M(azureml.arc.cluster_identity)."""
    params = call.params
    expected = _expected(call)
    with open_session(call) as session:
        connection = _connection(params, session.host)
        found = verify(session, expected, params["fqdns"], connection, params["extension_installed"])
        return {"changed": False, **found}


def verify(
    session: KubeSession, expected: ClusterReference, fqdns: list[str], connection: str, extension_installed: bool
) -> dict:
    """Compare the cluster behind a session with the one in Azure.

    :param fqdns: as in C(identity.has_host).
    :param connection: the connection, for errors.
    :param extension_installed: as in C(identity.contradiction).
    :returns: C(verified); C(reason), why it is not verified; C(api_address), to compare with those of other hosts;
        C(found_id), the cluster that the API reports.
    :raises AzureMLError: with code C(WrongCluster) if it is another cluster.
    """
    result = {"verified": False, "reason": "", "found_id": "", "api_address": identity.normalise(session.host)}
    by_host = identity.has_host(fqdns, session.host)
    if by_host:
        return {**result, "verified": True}
    if by_host is False:
        raise _mismatch(connection, "the API server of another AKS cluster", expected, result)
    own = _read(session, expected.type)
    if own.cluster:
        result["found_id"] = own.cluster.id
        if not identity.is_same(own.cluster, expected):
            raise _mismatch(connection, identity.located(own.cluster), expected, result)
        return {**result, "verified": True}
    (other_type,) = identity.CONFIG_MAPS.keys() - {expected.type}
    other = _read(session, other_type)
    result["found_id"] = other.cluster.id if other.cluster else ""
    nodes = _nodes(session) if expected.type == "managed_cluster" else []
    found = identity.contradiction(expected.type, own, other, nodes, extension_installed)
    if found:
        raise _mismatch(connection, found, expected, result)
    config_map = describe("ConfigMap", *identity.CONFIG_MAPS[other_type])
    doubt = [f"{config_map} names {identity.located(other.cluster)}"] if other.cluster else []
    return {**result, "reason": "; ".join([own.reason, *doubt])}


def _read(session: KubeSession, cluster_type: str) -> identity.Reading:
    """Return the cluster that the API reports, or the reason why it is unknown."""
    namespace, name = identity.CONFIG_MAPS[cluster_type]
    try:
        config_map = session.get("ConfigMap", name, namespace)
    except AzureMLError as error:
        if error.status != 403:
            raise
        return identity.Reading(reason=str(error))
    found = identity.named_cluster(cluster_type, config_map)
    if found is not None:
        return identity.Reading(found)
    lack = "does not exist" if config_map is None else f"lacks one of {', '.join(identity.KEYS)}"
    return identity.Reading(None, f"{describe('ConfigMap', namespace, name)} {lack}", config_map is None)


def _nodes(session: KubeSession) -> list[dict]:
    """Return the metadata of all nodes, without any if they may not be read."""
    try:
        return session.list("Node", keep=lambda node: {"labels": node["metadata"].get("labels")})[0]
    except AzureMLError as error:
        if error.status != 403:
            raise
        return []


def _expected(call: ModuleCall) -> ClusterReference:
    params = call.params
    if params["cluster_id"]:
        return from_id("cluster_id", params["cluster_id"])
    subscription_id = params["subscription_id"] or environment.values(AZURE_ENVIRONMENT, call.environ).get(
        "subscription_id", ""
    )
    return reference(params, subscription_id, is_optional=True)


def _connection(params: Mapping, host: str) -> str:
    """Return the connection as in the options, and its server."""
    names = [one for one in ("kubeconfig", "context") if params[one] and not is_inline(params[one])]
    given = [f"{option} '{params[option]}'" for option in names]
    return f"{', '.join(given) or 'the connection'} ({host})"


def _mismatch(connection: str, found: str, expected: ClusterReference, result: Mapping) -> AzureMLError:
    details = {key: value for key, value in result.items() if key != "reason"}
    return AzureMLError(
        f"{connection} reaches {found}, not {identity.located(expected)}; nothing was written",
        code="WrongCluster",
        hint="Correct the connection (kubeconfig, context, host), or cluster_name.",
        **details,
    )
