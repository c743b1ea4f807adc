# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M(azureml.arc.openshift_scc) against the simulator's OpenShift, through the official client."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.modules.extension import SPEC as EXTENSION
from ansible_collections.azureml.arc.plugins.modules.openshift_scc import SPEC
from support import ModuleFailedError, writes

import simulated
from simulator.scenario import ClusterPlan, InstallPlan, Scenario

OTHERS = ["system:admin", "system:serviceaccount:openshift-infra:build-controller"]
NEEDED = [
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
FIRST = [
    "system:serviceaccount:azureml:cluster-status-reporter",
    "system:serviceaccount:azureml:csi-blob-node-sa",
    "system:serviceaccount:azureml:csi-blob-controller-sa",
    "system:serviceaccount:azureml:azureml-fe",
]
CONFLICT = {
    "path": "securitycontextconstraints/privileged",
    "method": "PATCH",
    "status": 409,
    "body": '{"kind": "Status", "reason": "Conflict", "message": "the object has been modified", "code": 409}',
}


@pytest.fixture
def simulator(tmp_path):
    plans = [ClusterPlan("plant", distribution="openshift", install=InstallPlan(seconds=30)), ClusterPlan("shop")]
    with simulated.running(Scenario(clusters=plans, time_scale=60), tmp_path / "simulator") as running:
        yield running


@pytest.fixture
def converge(run_module, simulator):
    def run(cluster="plant", **options):
        return run_module(SPEC, kubeconfig=simulator.kubeconfigs[cluster], extension_name="ml", **options)

    return run


@pytest.fixture
def constraints(kube):
    """The resource of the cluster, for the tests to look at and to change."""
    return kube("plant").resources.get(api_version="security.openshift.io/v1", kind="SecurityContextConstraints")


def test_adds_what_is_missing_keeps_others_and_takes_it_out_again(converge, constraints, simulator):
    planned = converge(check_mode=True, compute_namespaces=["ml"])
    assert (planned["changed"], writes(simulator)) == (True, [])

    added = converge(compute_namespaces=["ml", "default"], diff=True)
    again = converge(compute_namespaces=["ml"])

    wanted = [*NEEDED, "system:serviceaccount:ml:default"]
    assert added["added"] == planned["added"] == wanted
    assert added["diff"] == {"before": {"users": OTHERS}, "after": {"users": [*OTHERS, *wanted]}}
    assert not again["changed"]
    assert constraints.get(name="privileged").users == [*OTHERS, *wanted]

    removed = converge(compute_namespaces=["ml"], state="absent")

    assert removed["removed"] == wanted
    assert constraints.get(name="privileged").users == OTHERS
    assert not converge(compute_namespaces=["ml"], state="absent")["changed"]


def test_accounts_of_the_first_releases(converge):
    assert converge(settings_generation="2021")["added"] == [*NEEDED, *FIRST]


def test_change_by_somebody_else_is_not_lost(converge, constraints, simulator):
    """Whoever writes between our read and write is kept: the server refuses our write, and we start again."""
    conflict = '{"kind": "Status", "reason": "Conflict", "message": "the object has been modified", "code": 409}'
    simulator.add_fault(
        path="securitycontextconstraints/privileged", method="PATCH", status=409, body=conflict, times=2
    )
    assert converge()["changed"]
    assert constraints.get(name="privileged").users == [*OTHERS, *NEEDED]
    (first, *rest) = [one for one in simulator.journal() if one["method"] == "PATCH"]
    assert first["body"]["metadata"]["resourceVersion"]
    assert len(rest) == 2


def test_conflict_without_end(converge, simulator):
    simulator.add_fault(**CONFLICT)
    with pytest.raises(ModuleFailedError, match="Changing SecurityContextConstraints 'privileged' .*been modified"):
        converge()
    assert len(writes(simulator)) == 5


def test_not_openshift(converge):
    with pytest.raises(ModuleFailedError, match="no SecurityContextConstraints 'privileged': this is not OpenShift"):
        converge("shop")
    assert not converge("shop", state="absent")["changed"]


def test_missing_right_is_named(converge, simulator):
    simulator.change_plan("plant", forbidden=["patch securitycontextconstraints"])
    with pytest.raises(ModuleFailedError, match="The account may not patch securitycontextconstraints: give it a Role"):
        converge()


def test_without_it_the_install_fails(converge, run_module):
    install = {"resource_group": "rg-edge", "cluster_name": "plant", "workload_profile": "training", "name": "ml"}
    with pytest.raises(ModuleFailedError, match="unable to validate against any security context constraint"):
        run_module(EXTENSION, **install)
    converge()
    assert run_module(EXTENSION, **install)["extension"]["provisioning_state"] == "Succeeded"
