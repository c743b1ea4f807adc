# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Let the extension's service accounts use a SecurityContextConstraints (SCC) object of OpenShift, by RBAC.

Sources:

- https://learn.microsoft.com/azure/machine-learning/how-to-deploy-kubernetes-extension#prerequisites, on ARO and OCP,
  for the accounts. It lists them in the object itself; managed OpenShift refuses that for its default objects
  (https://github.com/submariner-io/subctl/issues/117), and upgrades may revert it.
- https://docs.redhat.com/documentation/openshift_container_platform, "Managing security context constraints", for the
  verb C(use).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.client import KubeSession, open_session
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.resources import RESOURCES

KIND = "SecurityContextConstraints"
# The webhook that guards the default objects of managed OpenShift.
MANAGED_WEBHOOK = "scc-validation.managed.openshift.io"
RBAC_GROUP = "rbac.authorization.k8s.io"
ACCOUNT_PREFIX = "system:serviceaccount:"

# Namespace and name of each service account; "{name}" is the name of the extension.
CURRENT_ACCOUNTS = (
    "azure-arc:azure-arc-kube-aad-proxy-sa",
    "azureml:{name}-kube-state-metrics",
    "azureml:prom-admission",
    "azureml:default",
    "azureml:prom-operator",
    "azureml:load-amlarc-selinux-policy-sa",
    "azureml:azureml-fe-v2",
    "azureml:prom-prometheus",
    "azureml:azureml-ingress-nginx",
    "azureml:azureml-ingress-nginx-admission",
)
# The first releases also need these.
FIRST_ACCOUNTS = (
    "azureml:cluster-status-reporter",
    "azureml:csi-blob-node-sa",
    "azureml:csi-blob-controller-sa",
    "azureml:azureml-fe",
)
ACCOUNTS = {"current": CURRENT_ACCOUNTS, "2021": (*CURRENT_ACCOUNTS, *FIRST_ACCOUNTS)}


@dataclass(frozen=True)
class Grant:
    """The permissions of accounts to use an SCC object.

    :param rules: those of our ClusterRole, C(None) if it does not exist.
    :param bound: the users that our ClusterRoleBinding names, C(None) if it does not exist.
    :param listed: the users that the object itself lists.
    """

    rules: list | None
    bound: list | None
    listed: list


def needed_users(extension_name: str, compute_namespaces: Iterable[str] = (), generation: str = "current") -> list[str]:
    """Return the users that must be able to use the object.

    :param compute_namespaces: namespaces of computes; C(default) needs no entry.
    :param generation: the generation of settings keys, a key of C(ACCOUNTS).
    """
    accounts = [account.format(name=extension_name) for account in ACCOUNTS[generation]]
    accounts += [f"{namespace}:default" for namespace in compute_namespaces if namespace != "default"]
    return [f"{ACCOUNT_PREFIX}{account}" for account in dict.fromkeys(accounts)]


def grant_name(scc: str) -> str:
    """Return the name of the ClusterRole and of the ClusterRoleBinding for an object."""
    return f"azureml-arc-scc-{scc}"


def rules_for(scc: str) -> list[dict]:
    """Return the rules of the ClusterRole for an object."""
    group = RESOURCES[KIND].api_version.partition("/")[0]
    return [{"apiGroups": [group], "resources": [RESOURCES[KIND].plural], "resourceNames": [scc], "verbs": ["use"]}]


def bound_users(binding: Mapping) -> list[str]:
    """Return the service accounts that a ClusterRoleBinding names, as users."""
    return [
        f"{ACCOUNT_PREFIX}{one.get('namespace')}:{one.get('name')}"
        for one in binding.get("subjects") or ()
        if one.get("kind") == "ServiceAccount"
    ]


def plan(before: Grant, scc: str, users: list[str], present: bool) -> Grant:
    """Return the desired grant. Other accounts are kept in the object, and in the binding as long as it exists."""
    listed = [user for user in before.listed if user not in users]
    if not present:
        return Grant(None, None, listed)
    bound = before.bound or []
    return Grant(rules_for(scc), [*bound, *(user for user in users if user not in bound)], listed)


def allowed_users(session: KubeSession, scc: str) -> list[str] | None:
    """Return the users that the object and our binding allow to use it, C(None) if the object does not exist."""
    constraints = session.get(KIND, scc)
    if constraints is None:
        return None
    return [*(constraints.get("users") or ()), *bound_users(session.get("ClusterRoleBinding", grant_name(scc)) or {})]


def run(call: ModuleCall) -> dict:
    """M(azureml.arc.openshift_scc)."""
    params = call.params
    scc, present = params["name"], params["state"] == "present"
    users = needed_users(params["extension_name"], params["compute_namespaces"], params["settings_generation"])
    with open_session(call) as session:
        before = _read(session, scc, present)
        after = plan(before, scc, users, present)
        if not call.check_mode:
            _apply(session, scc, before, after)
            after = _unlist(session, call, before, after)
    result = {
        "changed": before != after,
        "users": users,
        "added": [user for user in after.bound or () if user not in (before.bound or ())],
        "removed": [user for user in before.bound or () if user not in (after.bound or ())],
        "unlisted": [user for user in before.listed if user not in after.listed],
    }
    if call.diff:
        result["diff"] = {"before": asdict(before), "after": asdict(after)}
    return result


def _read(session: KubeSession, scc: str, present: bool) -> Grant:
    constraints = session.get(KIND, scc)
    if constraints is None and present:
        raise AzureMLError(
            f"{KIND} '{scc}' does not exist: the cluster does not run OpenShift, or the object has another name",
            code="NotFound",
            hint="Check the connection, and the name of the object.",
        )
    role, binding = (session.get(kind, grant_name(scc)) for kind in ("ClusterRole", "ClusterRoleBinding"))
    if binding is not None and binding["roleRef"].get("name") != grant_name(scc):
        raise AzureMLError(
            f"ClusterRoleBinding '{grant_name(scc)}' binds another role, '{binding['roleRef'].get('name')}'",
            code="Conflict",
            hint="It was not created by this collection, and its role cannot be changed: remove it.",
        )
    return Grant(
        role and (role.get("rules") or []), binding and bound_users(binding), (constraints or {}).get("users") or []
    )


def _apply(session: KubeSession, scc: str, before: Grant, after: Grant) -> None:
    """Bring the ClusterRole and the ClusterRoleBinding to the desired state."""
    name = grant_name(scc)
    if after.rules is None:
        for kind, present in (("ClusterRoleBinding", before.bound), ("ClusterRole", before.rules)):
            if present is not None:
                session.delete(kind, name)
        return
    if before.rules is None:
        session.create("ClusterRole", {"metadata": {"name": name}, "rules": after.rules})
    elif before.rules != after.rules:
        session.patch("ClusterRole", name, {"rules": after.rules})
    subjects = [_subject(user) for user in after.bound]
    if before.bound is None:
        reference = {"apiGroup": RBAC_GROUP, "kind": "ClusterRole", "name": name}
        session.create("ClusterRoleBinding", {"metadata": {"name": name}, "roleRef": reference, "subjects": subjects})
    elif before.bound != after.bound:
        session.change("ClusterRoleBinding", name, lambda binding: _added(binding, subjects))


def _subject(user: str) -> dict:
    namespace, _colon, name = user.removeprefix(ACCOUNT_PREFIX).partition(":")
    return {"kind": "ServiceAccount", "namespace": namespace, "name": name}


def _added(binding: Mapping, subjects: list[dict]) -> dict | None:
    """Return the patch that adds subjects to the current ones of a binding."""
    present = binding.get("subjects") or []
    added = [subject for subject in subjects if subject not in present]
    return {"subjects": [*present, *added]} if added else None


def _unlist(session: KubeSession, call: ModuleCall, before: Grant, after: Grant) -> Grant:
    """Remove users from the object's own list, to which earlier releases and Microsoft's guide add them.

    :returns: the grant after the change. If the role is bound, a refusal of managed OpenShift is only a warning.
    """
    gone = set(before.listed) - set(after.listed)

    def decide(constraints: Mapping) -> dict | None:
        users = constraints.get("users") or []
        kept = [user for user in users if user not in gone]
        return {"users": kept} if kept != users else None

    if not gone:
        return after
    try:
        session.change(KIND, call.params["name"], decide)
    except AzureMLError as error:
        if after.bound is None or MANAGED_WEBHOOK not in error.message:
            raise
        call.warn(f"Service accounts are still listed in the users of the object: {error}")
        return Grant(after.rules, after.bound, before.listed)
    return after
