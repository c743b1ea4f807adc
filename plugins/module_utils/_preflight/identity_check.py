# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verify that a Kubernetes API belongs to the cluster in Azure, before anything is written to it."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.azureml.arc.plugins.module_utils._azure import cluster as _cluster
from ansible_collections.azureml.arc.plugins.module_utils._azure.cluster import ClusterReference
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.client import KubeSession, open_session
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.resources import describe
from ansible_collections.azureml.arc.plugins.module_utils._preflight import identity


def run(call: ModuleCall) -> dict:
    """M(azureml.arc.cluster_identity)."""
    params = call.params
    expected = _expected(params)
    with open_session(call) as session:
        return {"changed": False, **verify(session, expected, params["fqdns"], _connection(params, session.host))}


def verify(session: KubeSession, expected: ClusterReference, fqdns: list[str], connection: str) -> dict:
    """Compare the cluster behind a session with the one in Azure.

    :param fqdns: as in C(identity.has_host).
    :param connection: the connection, for errors.
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
    found, reason = _read(session, expected.type)
    if found is None:
        return {**result, "reason": reason}
    result["found_id"] = found.id
    if not identity.is_same(found, expected):
        raise _mismatch(connection, identity.located(found), expected, result)
    return {**result, "verified": True}


def _read(session: KubeSession, cluster_type: str) -> tuple[ClusterReference | None, str]:
    """Return the cluster that the API reports, or C(None) and the reason."""
    namespace, name = identity.CONFIG_MAPS[cluster_type]
    try:
        config_map = session.get("ConfigMap", name, namespace)
    except AzureMLError as error:
        if error.status != 403:
            raise
        return None, str(error)
    found = identity.named_cluster(cluster_type, config_map)
    if found is not None:
        return found, ""
    lack = "does not exist" if config_map is None else f"lacks one of {', '.join(identity.KEYS)}"
    return None, f"{describe('ConfigMap', namespace, name)} {lack}"


def _expected(params: Mapping) -> ClusterReference:
    if params["cluster_id"]:
        return _cluster.from_id("cluster_id", params["cluster_id"])
    return _cluster.reference(params, params["subscription_id"])


def _connection(params: Mapping, host: str) -> str:
    """Return the connection as in the options, and its server."""
    given = [f"{option} '{params[option]}'" for option in ("kubeconfig", "context") if _is_name(params[option])]
    return f"{', '.join(given) or 'the connection'} ({host})"


def _is_name(value: object) -> bool:
    """Return whether an option is a path or a name, not the content of a kubeconfig."""
    return isinstance(value, str) and "\n" not in value and "{" not in value and bool(value)


def _mismatch(connection: str, found: str, expected: ClusterReference, result: Mapping) -> AzureMLError:
    details = {key: value for key, value in result.items() if key != "reason"}
    return AzureMLError(
        f"{connection} reaches {found}, not {identity.located(expected)}; nothing was written",
        code="WrongCluster",
        hint="Correct the connection (kubeconfig, context, host) or the name of the cluster.",
        **details,
    )
