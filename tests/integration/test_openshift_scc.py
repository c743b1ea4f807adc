# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M(azureml.arc.openshift_scc) against the simulator's OpenShift, through the official client."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.modules.extension import SPEC as EXTENSION
from ansible_collections.azureml.arc.plugins.modules.openshift_scc import SPEC
from support import ModuleFailedError, writes

NAME = "azureml-arc-scc-privileged"
RBAC = "rbac.authorization.k8s.io/v1"
OTHERS = ["system:admin", "system:serviceaccount:openshift-infra:build-controller"]
REQUIRED = [
    "system:serviceaccount:azure-arc:azure-arc-kube-aad-proxy-sa",
    "system:serviceaccount:azureml:ml-kube-state-metrics",
    "system:serviceaccount:azureml:prom-admission",
    "system:serviceaccount:azureml:default",
    "system:serviceaccount:azureml:prom-operator",
    "system:serviceaccount:azureml:load-amlarc-selinux-policy-sa",
    "system:serviceaccount:azureml:azureml-fe-v2",
    "system:serviceaccount:azureml:prom-prometheus",
    "system:serviceaccount:azureml:azureml-ingress-nginx",
    "system:serviceaccount:azureml:azureml-ingress-nginx-admission",
]
REQUIRED_2021 = [
    "system:serviceaccount:azureml:cluster-status-reporter",
    "system:serviceaccount:azureml:csi-blob-node-sa",
    "system:serviceaccount:azureml:csi-blob-controller-sa",
    "system:serviceaccount:azureml:azureml-fe",
]
RULES = [
    {
        "apiGroups": ["security.openshift.io"],
        "resources": ["securitycontextconstraints"],
        "resourceNames": ["privileged"],
        "verbs": ["use"],
    }
]
CONFLICT = {
    "path": f"clusterrolebindings/{NAME}",
    "method": "PATCH",
    "status": 409,
    "body": '{"kind": "Status", "reason": "Conflict", "message": "the object has been modified", "code": 409}',
}
NONE = {"rules": None, "bound": None, "listed": OTHERS}


@pytest.fixture
def converge(run_module, simulator, openshift):
    def run(cluster=openshift, **options):
        return run_module(SPEC, kubeconfig=simulator.kubeconfigs[cluster], extension_name="ml", **options)

    return run


@pytest.fixture
def constraints(kube, openshift):
    """Read, or replace, the users in the SecurityContextConstraints."""
    resource = kube(openshift).resources.get(api_version="security.openshift.io/v1", kind="SecurityContextConstraints")

    def users(replacement: list[str] | None = None) -> list[str]:
        if replacement is not None:
            resource.patch(name="privileged", body={"users": replacement}, content_type="application/merge-patch+json")
        return resource.get(name="privileged").users

    return users


@pytest.fixture
def grants(kube, openshift):
    """Read the ClusterRole and the ClusterRoleBinding as dictionaries; C(None) if one does not exist."""

    def read() -> list[dict | None]:
        found = []
        for kind in ("ClusterRole", "ClusterRoleBinding"):
            listed = kube(openshift).resources.get(api_version=RBAC, kind=kind).get().items
            found.append(next((one.to_dict() for one in listed if one.metadata.name == NAME), None))
        return found

    return read


def subjects(users: list[str]) -> list[dict]:
    parts = [user.split(":")[2:] for user in users]
    return [{"kind": "ServiceAccount", "namespace": namespace, "name": name} for namespace, name in parts]


def test_required_accounts_are_bound_and_unbound(converge, constraints, grants, simulator):
    planned = converge(check_mode=True, diff=True, compute_namespaces=["ml"])
    assert (planned["changed"], writes(simulator)) == (True, [])

    added = converge(compute_namespaces=["ml", "default"], diff=True)
    again = converge(compute_namespaces=["ml"])

    wanted = [*REQUIRED, "system:serviceaccount:ml:default"]
    assert added["added"] == planned["added"] == wanted
    bound = {"rules": RULES, "bound": wanted, "listed": OTHERS}
    assert added["diff"] == planned["diff"] == {"before": NONE, "after": bound}
    assert not again["changed"]
    role, binding = grants()
    assert role["rules"] == RULES
    assert binding["roleRef"] == {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": NAME}
    assert binding["subjects"] == subjects(wanted)

    removed = converge(state="absent", diff=True)

    assert removed["removed"] == wanted
    assert removed["diff"] == {"before": bound, "after": NONE}
    assert grants() == [None, None]
    assert constraints() == OTHERS
    assert not converge(compute_namespaces=["ml"], state="absent")["changed"]


def test_namespace_of_another_compute_is_added(converge, grants):
    converge(compute_namespaces=["ml"])
    assert converge(compute_namespaces=["dev"])["added"] == ["system:serviceaccount:dev:default"]
    assert [one["namespace"] for one in grants()[1]["subjects"]][-2:] == ["ml", "dev"]


@pytest.mark.parametrize("state", ["present", "absent"])
def test_accounts_listed_in_the_scc_are_removed(converge, constraints, state):
    constraints([*OTHERS, *REQUIRED[:3], "theirs"])
    assert converge(state=state, check_mode=True)["unlisted"] == REQUIRED[:3]
    assert converge(state=state)["unlisted"] == REQUIRED[:3]
    assert constraints() == [*OTHERS, "theirs"]
    assert not converge(state=state)["changed"]


def test_changed_cluster_role_is_restored(converge, grants, kube, openshift):
    converge()
    roles = kube(openshift).resources.get(api_version=RBAC, kind="ClusterRole")
    roles.patch(name=NAME, body={"rules": []}, content_type="application/merge-patch+json")
    assert converge()["changed"]
    assert grants()[0]["rules"] == RULES


def test_settings_generation_2021_adds_its_accounts(converge):
    assert converge(settings_generation="2021")["added"] == [*REQUIRED, *REQUIRED_2021]


def test_change_by_another_client_is_kept(converge, grants, simulator):
    """The server rejects a write after a change by another client; the module reads again and retries."""
    converge()
    simulator.add_fault(**CONFLICT, times=2)
    assert converge(compute_namespaces=["ml"])["changed"]
    assert grants()[1]["subjects"] == subjects([*REQUIRED, "system:serviceaccount:ml:default"])
    (first, *rest) = [one for one in simulator.journal() if one["method"] == "PATCH"]
    assert first["body"]["metadata"]["resourceVersion"]
    assert len(rest) == 2


def test_repeated_conflicts_fail_after_five_attempts(converge, simulator):
    converge()
    simulator.add_fault(**CONFLICT)
    with pytest.raises(ModuleFailedError, match=f"Changing ClusterRoleBinding '{NAME}' .*been modified"):
        converge(compute_namespaces=["ml"])
    assert len(writes(simulator)) == 5


def test_managed_openshift_needs_no_change_of_the_scc(converge, grants, simulator, openshift):
    simulator.change_plan(openshift, managed_openshift=True)
    converge()
    assert grants()[1] is not None
    assert converge(state="absent")["removed"] == REQUIRED


def test_rejection_by_the_webhook_of_managed_openshift_is_reported(converge, constraints, simulator, openshift):
    """Accounts that stay in the SCC are a warning with the binding, and an error without it: they run privileged."""
    constraints([*OTHERS, *REQUIRED])
    simulator.change_plan(openshift, managed_openshift=True)
    bound = converge()
    assert (bound["added"], bound["unlisted"]) == (REQUIRED, [])
    assert "scc-validation.managed.openshift.io" in bound["warnings"][0]
    assert not converge()["changed"]
    expected = "Webhook scc-validation.managed.openshift.io of the cluster refuses this for every account"
    with pytest.raises(ModuleFailedError, match=expected):
        converge(state="absent")


def test_cluster_other_than_openshift_fails(converge, arc):
    with pytest.raises(ModuleFailedError, match="SecurityContextConstraints 'privileged' does not exist"):
        converge(arc)
    assert not converge(arc, state="absent")["changed"]


@pytest.mark.parametrize("verb", ["create clusterroles", "create clusterrolebindings"])
def test_missing_permission_is_reported(converge, simulator, openshift, verb):
    simulator.change_plan(openshift, forbidden=[verb])
    with pytest.raises(ModuleFailedError, match=f"The account may not {verb}: give it a ClusterRole"):
        converge()


def test_install_fails_without_the_binding(converge, run_module, openshift):
    install = {"resource_group": "rg-edge", "cluster_name": openshift, "workload_profile": "training", "name": "ml"}
    with pytest.raises(ModuleFailedError, match="unable to validate against any security context constraint"):
        run_module(EXTENSION, **install)
    converge()
    assert run_module(EXTENSION, **install)["extension"]["provisioning_state"] == "Succeeded"
