# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M(azureml.arc.openshift_scc) on a real API server that knows OpenShift's SecurityContextConstraints."""

from __future__ import annotations

import threading

from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.client import KubeSession
from ansible_collections.azureml.arc.plugins.modules.openshift_scc import SPEC


def test_adds_keeps_and_removes(as_administrator, openshift):
    added = as_administrator(SPEC, compute_namespaces=["ml"])
    assert len(added["added"]) == 11
    assert openshift.get(name="privileged").users == ["system:admin", *added["users"]]
    assert not as_administrator(SPEC, compute_namespaces=["ml"])["changed"]
    assert as_administrator(SPEC, compute_namespaces=["ml"], state="absent")["removed"] == added["users"]
    assert openshift.get(name="privileged").users == ["system:admin"]


def test_nobody_is_lost_between_read_and_write(as_administrator, openshift, monkeypatch):
    """Somebody writes after our read, once: the server tells us, and the second try keeps both."""
    patch, others = KubeSession.patch, threading.Event()

    def patch_after_others(self, kind, name, body, namespace=""):
        if not others.is_set():
            others.set()
            openshift.patch(
                name="privileged",
                body={"users": ["system:admin", "theirs"]},
                content_type="application/merge-patch+json",
            )
        return patch(self, kind, name, body, namespace)

    monkeypatch.setattr(KubeSession, "patch", patch_after_others)
    added = as_administrator(SPEC)
    assert openshift.get(name="privileged").users == ["system:admin", "theirs", *added["users"]]
