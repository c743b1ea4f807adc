# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M(azureml.arc.openshift_scc) with a real API server that defines OpenShift's SecurityContextConstraints."""

from __future__ import annotations

import threading

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.client import KubeSession
from ansible_collections.azureml.arc.plugins.modules.openshift_scc import SPEC
from kubernetes.dynamic.exceptions import NotFoundError
from support import ModuleFailedError, wait_for

NAME = "azureml-arc-scc-privileged"
RBAC = "rbac.authorization.k8s.io/v1"
LISTED = ["system:admin", "system:serviceaccount:azureml:default", "theirs"]


@pytest.fixture
def bindings(api):
    return api.resources.get(api_version=RBAC, kind="ClusterRoleBinding")


@pytest.fixture
def may_use(api):
    """Return a function that asks the API server whether a user may use the object."""
    reviews = api.resources.get(api_version="authorization.k8s.io/v1", kind="SubjectAccessReview")

    def ask(user: str) -> bool:
        group = "security.openshift.io"
        attributes = {"group": group, "resource": "securitycontextconstraints", "name": "privileged", "verb": "use"}
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview"}
        review = reviews.create(body={**body, "spec": {"user": user, "resourceAttributes": attributes}})
        return bool(review.status.allowed)

    return ask


def test_only_the_accounts_of_the_extension_may_use_the_object_until_they_are_removed(
    as_administrator, openshift, bindings, may_use
):
    added = as_administrator(SPEC, compute_namespaces=["ml"])
    assert len(added["added"]) == 11
    wait_for(lambda: all(map(may_use, added["users"])))  # the authorizer reads bindings with a delay
    assert not may_use("system:serviceaccount:azureml:gateway")
    assert not may_use("system:serviceaccount:other:default")
    assert openshift.get(name="privileged").users == ["system:admin"]
    assert not as_administrator(SPEC, compute_namespaces=["ml"])["changed"]

    assert as_administrator(SPEC, state="absent")["removed"] == added["users"]
    wait_for(lambda: not any(map(may_use, added["users"])))
    with pytest.raises(NotFoundError):
        bindings.get(name=NAME)
    assert not as_administrator(SPEC, state="absent")["changed"]


def test_accounts_that_the_object_lists_are_removed(as_administrator, openshift, may_use):
    openshift.patch(name="privileged", body={"users": LISTED}, content_type="application/merge-patch+json")
    assert as_administrator(SPEC)["unlisted"] == [LISTED[1]]
    assert openshift.get(name="privileged").users == ["system:admin", "theirs"]
    wait_for(lambda: may_use(LISTED[1]))


def test_account_cannot_grant_permissions_that_it_lacks(run_module, openshift, account):
    """The API server prevents privilege escalation. The error names the missing permission."""
    rules = [
        {"apiGroups": ["security.openshift.io"], "resources": ["securitycontextconstraints"], "verbs": ["get"]},
        {"apiGroups": ["rbac.authorization.k8s.io"], "resources": ["*"], "verbs": ["get", "create"]},
    ]
    expected = "The account may not use securitycontextconstraints: give it .* grant only permissions that it has"
    with pytest.raises(ModuleFailedError, match=expected):
        run_module(SPEC, kubeconfig=account({"": rules}))


def test_binding_to_another_role_is_rejected(as_administrator, openshift, create):
    reference = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    create(RBAC, "ClusterRoleBinding", NAME, roleRef=reference, subjects=[])
    with pytest.raises(ModuleFailedError, match="binds another role, 'view'"):
        as_administrator(SPEC)


def test_concurrent_additions_are_kept(as_administrator, openshift, bindings, monkeypatch):
    """Another client writes once after the module has read: the server reports a conflict, and the retry keeps both."""
    as_administrator(SPEC)
    patch, others = KubeSession.patch, threading.Event()
    theirs = {"kind": "ServiceAccount", "namespace": "theirs", "name": "default"}

    def patch_after_others(self, kind, name, body, namespace=""):
        if not others.is_set():
            others.set()
            subjects = [*(one.to_dict() for one in bindings.get(name=NAME).subjects), theirs]
            bindings.patch(name=NAME, body={"subjects": subjects}, content_type="application/merge-patch+json")
        return patch(self, kind, name, body, namespace)

    monkeypatch.setattr(KubeSession, "patch", patch_after_others)
    as_administrator(SPEC, compute_namespaces=["ml"])
    namespaces = [one.namespace for one in bindings.get(name=NAME).subjects]
    assert namespaces[-2:] == ["theirs", "ml"]
