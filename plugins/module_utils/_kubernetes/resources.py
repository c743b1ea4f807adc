# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Paths of Kubernetes objects that the collection uses, and helpers to read them. Pure.

The paths are constants, so that no request is spent on API discovery.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError

# https://kubernetes.io/docs/concepts/overview/working-with-objects/names
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


@dataclass(frozen=True)
class Resource:
    """A resource of the API, as C(kubectl api-resources) lists it."""

    api_version: str
    plural: str
    namespaced: bool = True

    def path(self, namespace: str = "", name: str = "") -> str:
        """Return the path of an object, or of a list, in one namespace or, without one, in the whole cluster.

        :raises AzureMLError: if a name would change the path.
        """
        parts = ["apis" if "/" in self.api_version else "api", self.api_version]
        if namespace and self.namespaced:
            parts += ["namespaces", _segment(namespace)]
        parts.append(self.plural)
        if name:
            parts.append(_segment(name))
        return "/" + "/".join(parts)


def _segment(name: str) -> str:
    """Return a name as one segment of a path."""
    if name in (".", ".."):  # which clients resolve before sending
        raise AzureMLError(f"'{name}' is not a valid name of a Kubernetes object")
    return quote(name, safe="", errors="replace")


RESOURCES = {
    "Namespace": Resource("v1", "namespaces", namespaced=False),
    "Node": Resource("v1", "nodes", namespaced=False),
    "Pod": Resource("v1", "pods"),
    "Event": Resource("v1", "events"),
    "Service": Resource("v1", "services"),
    "ConfigMap": Resource("v1", "configmaps"),
    "Secret": Resource("v1", "secrets"),
    "Deployment": Resource("apps/v1", "deployments"),
    "StatefulSet": Resource("apps/v1", "statefulsets"),
    "DaemonSet": Resource("apps/v1", "daemonsets"),
    "ClusterRole": Resource("rbac.authorization.k8s.io/v1", "clusterroles", namespaced=False),
    "ClusterRoleBinding": Resource("rbac.authorization.k8s.io/v1", "clusterrolebindings", namespaced=False),
    "CustomResourceDefinition": Resource("apiextensions.k8s.io/v1", "customresourcedefinitions", namespaced=False),
    "InstanceType": Resource("amlarc.azureml.com/v1alpha1", "instancetypes", namespaced=False),
    "SecurityContextConstraints": Resource("security.openshift.io/v1", "securitycontextconstraints", namespaced=False),
}


def describe(kind: str, namespace: str = "", name: str = "") -> str:
    """Return an object or a list of objects by kind and name, for messages."""
    what = f"{kind} '{name}'" if name else f"{kind}s"
    return f"{what} in namespace '{namespace}'" if namespace else what


def has_labels(body: Mapping, selector: Mapping[str, str]) -> bool:
    """Return whether an object has all labels of a selector."""
    labels = body["metadata"].get("labels") or {}
    return all(labels.get(key) == value for key, value in selector.items())


def is_part(part: object, whole: object) -> bool:
    """Return whether an object contains all fields of another; fields that the server adds are ignored."""
    if isinstance(part, Mapping) and isinstance(whole, Mapping):
        return all(key in whole and is_part(value, whole[key]) for key, value in part.items())
    return part == whole


def condition(body: Mapping, kind: str) -> Mapping:
    """Return a condition of an object by its type, empty if the object has none."""
    conditions = (body.get("status") or {}).get("conditions") or ()
    return next((one for one in conditions if one.get("type") == kind), {})


def is_true(body: Mapping, kind: str) -> bool:
    """Return whether a condition of an object holds."""
    return condition(body, kind).get("status") == "True"


def is_being_removed(namespace: Mapping | None) -> bool:
    """Return whether a namespace is being removed, so that nothing can be created in it."""
    return ((namespace or {}).get("status") or {}).get("phase") == "Terminating"


def check_namespace(name: object, path: str) -> str:
    """Return the name of a namespace as given, or an error that names the option."""
    if not isinstance(name, str) or not _NAMESPACE.fullmatch(name):
        raise AzureMLError(
            f"{path}: '{name}' is not a valid namespace name: use at most 63 lower case letters, digits and '-', with a"
            " letter or digit first and last"
        )
    return name
