# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The permissions that roles and bindings give a service account.

Source: https://kubernetes.io/docs/reference/access-authn-authz/rbac/. Only ClusterRoles and service accounts by name
are considered; groups such as C(system:serviceaccounts) are not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from simulator.kubernetes.store import Resource, Store


def may_use(store: Store, resource: Resource, name: str, namespace: str, account: str) -> bool:
    """Return whether pods of a service account may C(use) a cluster-scoped object.

    :param name: the name of the object.
    :param namespace: the namespace of the service account.
    """
    bindings = [
        *store.list(store.kind("ClusterRoleBinding")),
        *store.list(store.kind("RoleBinding"), namespace),
    ]
    return any(
        _names(binding, namespace, account)
        and any(_allows(rule, resource, name) for rule in _role(store, binding).get("rules") or ())
        for binding in bindings
    )


def _names(binding: Mapping[str, Any], namespace: str, account: str) -> bool:
    return any(
        (one["kind"], one.get("namespace"), one["name"]) == ("ServiceAccount", namespace, account)
        for one in binding.get("subjects") or ()
    )


def _role(store: Store, binding: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = binding["roleRef"]
    if reference["kind"] != "ClusterRole":
        return {}
    return store.get(store.kind("ClusterRole"), "", reference["name"]) or {}


def _allows(rule: Mapping[str, Any], resource: Resource, name: str) -> bool:
    wanted = (("apiGroups", resource.group), ("resources", resource.plural), ("verbs", "use"))
    return all({value, "*"} & set(rule.get(key) or ()) for key, value in wanted) and name in (
        rule.get("resourceNames") or [name]
    )
