# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The grants that let service accounts use an SCC: the present state, and the desired one."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._extension import openshift_scc
from ansible_collections.azureml.arc.plugins.module_utils._extension.openshift_scc import Grant

RULES = openshift_scc.rules_for("privileged")
USERS = ["system:serviceaccount:azureml:default", "system:serviceaccount:ml:default"]
OTHER = "system:serviceaccount:dev:default"


@pytest.mark.parametrize(
    ("before", "present", "after"),
    [
        (Grant(None, None, []), True, Grant(RULES, USERS, [])),
        (Grant(RULES, USERS, ["system:admin"]), True, Grant(RULES, USERS, ["system:admin"])),
        (Grant([], [OTHER, USERS[1]], []), True, Grant(RULES, [OTHER, USERS[1], USERS[0]], [])),
        (Grant(None, None, ["system:admin", *USERS]), True, Grant(RULES, USERS, ["system:admin"])),
        (Grant(RULES, [OTHER, *USERS], [USERS[0], OTHER]), False, Grant(None, None, [OTHER])),
        (Grant(None, None, ["system:admin"]), False, Grant(None, None, ["system:admin"])),
    ],
)
def test_plan_adds_and_removes_only_the_given_accounts(before, present, after):
    assert openshift_scc.plan(before, "privileged", USERS, present) == after


def test_default_accounts_of_compute_namespaces_are_needed_once():
    users = openshift_scc.needed_users("ml", ["default", "jobs", "jobs"])
    assert [user for user in users if user.endswith(":default")] == [
        "system:serviceaccount:azureml:default",
        "system:serviceaccount:jobs:default",
    ]
    assert "system:serviceaccount:azureml:ml-kube-state-metrics" in users


def test_only_service_accounts_count_as_bound():
    subjects = [
        {"kind": "ServiceAccount", "namespace": "ml", "name": "default"},
        {"kind": "User", "name": "system:serviceaccount:x:y"},
        {"kind": "Group", "name": "system:serviceaccounts:azureml"},
    ]
    assert openshift_scc.bound_users({"subjects": subjects}) == ["system:serviceaccount:ml:default"]
    assert openshift_scc.bound_users({"subjects": None}) == []
