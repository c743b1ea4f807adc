# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The discovery API of a cluster: its version, API groups and resources.

Source: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#discovery-api. Source of short names: pkg/registry
in Kubernetes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from simulator.kubernetes.protocol import UnknownPathError
from simulator.kubernetes.store import Resource

VERSION = {
    "major": "1",
    "minor": "31",
    "gitVersion": "v1.31.2",
    "gitCommit": "5864a4677267e6adeae276ad85882a8714d69d9d",
    "gitTreeState": "clean",
    "buildDate": "2024-10-22T20:28:14Z",
    "goVersion": "go1.22.8",
    "compiler": "gc",
    "platform": "linux/amd64",
}
SHORT_NAMES = {
    "configmaps": ["cm"],
    "customresourcedefinitions": ["crd", "crds"],
    "daemonsets": ["ds"],
    "deployments": ["deploy"],
    "events": ["ev"],
    "namespaces": ["ns"],
    "nodes": ["no"],
    "pods": ["po"],
    "replicasets": ["rs"],
    "securitycontextconstraints": ["scc"],
    "services": ["svc"],
    "statefulsets": ["sts"],
}
VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"]


def answer(path: Sequence[str], resources: Sequence[Resource]) -> dict[str, Any] | None:
    """Return the answer to a path of the discovery API, C(None) for any other path.

    :param resources: the resources that the cluster serves.
    """
    match path:
        case ["version"]:
            return VERSION
        case ["api"]:
            return {"kind": "APIVersions", "versions": ["v1"]}
        case ["apis"]:
            groups = sorted({(one.group, one.version) for one in resources if one.group})
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(*one) for one in groups]}
        case ["api", version]:
            return _resource_list(resources, "", version)
        case ["apis", group, version]:
            return _resource_list(resources, group, version)
    return None


def _group(group: str, version: str) -> dict[str, Any]:
    served = {"groupVersion": f"{group}/{version}", "version": version}
    return {"name": group, "versions": [served], "preferredVersion": served}


def _resource_list(resources: Sequence[Resource], group: str, version: str) -> dict[str, Any]:
    found = [one for one in resources if (one.group, one.version) == (group, version)]
    if not found:
        raise UnknownPathError
    listed = [
        {
            "name": one.plural,
            "singularName": one.kind.lower(),
            "namespaced": one.namespaced,
            "kind": one.kind,
            "verbs": VERBS,
            **({"shortNames": SHORT_NAMES[one.plural]} if one.plural in SHORT_NAMES else {}),
        }
        for one in found
    ]
    return {
        "kind": "APIResourceList",
        **({"apiVersion": "v1"} if group else {}),
        "groupVersion": found[0].api_version,
        "resources": listed,
    }
