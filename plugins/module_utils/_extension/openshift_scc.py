# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The service accounts that OpenShift must let run privileged, in a SecurityContextConstraints (SCC) object.

Source:
https://learn.microsoft.com/azure/machine-learning/how-to-deploy-kubernetes-extension#prerequisites, on ARO and OCP.
"""

from __future__ import annotations

from collections.abc import Iterable

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.client import KubeSession, open_session

KIND = "SecurityContextConstraints"

# Namespace and name of each service account; "{name}" stands for the name of the extension.
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
# The first releases need these besides.
FIRST_ACCOUNTS = (
    "azureml:cluster-status-reporter",
    "azureml:csi-blob-node-sa",
    "azureml:csi-blob-controller-sa",
    "azureml:azureml-fe",
)
ACCOUNTS = {"current": CURRENT_ACCOUNTS, "2021": (*CURRENT_ACCOUNTS, *FIRST_ACCOUNTS)}


def needed_users(extension_name: str, compute_namespaces: Iterable[str] = (), generation: str = "current") -> list[str]:
    """The users of the SCC that the extension needs.

    :param compute_namespaces: namespaces that computes run in; C(default) needs no entry.
    :param generation: the generation of settings keys, a key of C(ACCOUNTS).
    """
    accounts = [account.format(name=extension_name) for account in ACCOUNTS[generation]]
    accounts += [f"{namespace}:default" for namespace in compute_namespaces if namespace != "default"]
    return [f"system:serviceaccount:{account}" for account in dict.fromkeys(accounts)]


def run(call: ModuleCall) -> dict:
    """M(azureml.arc.openshift_scc)."""
    params = call.params
    users = needed_users(params["extension_name"], params["compute_namespaces"], params["settings_generation"])
    with open_session(call) as session:
        before, after = _converge(session, params["name"], users, params["state"] == "present", call.check_mode)
    result = {
        "changed": before != after,
        "users": users,
        "added": [user for user in after if user not in before],
        "removed": [user for user in before if user not in after],
    }
    if call.diff:
        result["diff"] = {"before": {"users": before}, "after": {"users": after}}
    return result


def _converge(
    session: KubeSession, name: str, users: list[str], present: bool, check_mode: bool
) -> tuple[list[str], list[str]]:
    """Bring the object to what is wanted. Returns its users before and after."""
    before, after = [], []

    def decide(constraints: dict) -> dict | None:
        before[:] = constraints.get("users") or []
        if present:
            after[:] = before + [user for user in users if user not in before]
        else:
            after[:] = [user for user in before if user not in users]
        return {"users": after} if after != before else None

    if session.change(KIND, name, decide, check_mode=check_mode) is None and present:
        raise AzureMLError(
            f"there is no {KIND} '{name}': this is not OpenShift, or the object has another name",
            code="NotFound",
        )
    return before, after
