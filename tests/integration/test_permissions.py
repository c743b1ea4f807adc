# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Least privilege in Azure: the roles in docs/permissions are sufficient, and an error names each missing action."""

from __future__ import annotations

import itertools
import json

import pytest
from ansible_collections.azureml.arc.plugins.modules.compute import SPEC as COMPUTE
from ansible_collections.azureml.arc.plugins.modules.extension import SPEC as EXTENSION
from ansible_collections.azureml.arc.plugins.modules.job_check import SPEC as JOB_CHECK
from ansible_collections.azureml.arc.plugins.modules.preflight import SPEC as PREFLIGHT
from objects import WORKSPACE
from playbooks import ROOT
from support import ModuleFailedError

import simulated
from simulator.scenario import ClusterPlan, InstallPlan, Scenario

DEPLOY, REMOVE, PROVE = (
    json.loads((ROOT / f"docs/permissions/azure-{name}.json").read_text(encoding="utf-8"))["Actions"]
    for name in ("deploy", "remove", "prove")
)
# The service uses these actions on behalf of the submitter; no request of a module needs them. Source: "Submitting any
# type of run (V2)" in https://learn.microsoft.com/azure/machine-learning/how-to-assign-roles
USED_BY_THE_SERVICE = (
    "Microsoft.MachineLearningServices/workspaces/*/read",
    "Microsoft.MachineLearningServices/workspaces/environments/write",
    "Microsoft.MachineLearningServices/workspaces/environments/build/action",
    "Microsoft.MachineLearningServices/workspaces/environments/readSecrets/action",
    "Microsoft.MachineLearningServices/workspaces/metadata/artifacts/write",
)
OLD_JOB = {
    "name": "old",
    "systemData": {"createdAt": "2026-01-01T00:00:00Z"},
    "properties": {"jobType": "Command", "status": "Completed"},
}
NUMBERS = itertools.count()
# Short enough for an operation to finish before its first poll.
INSTALL = InstallPlan(seconds=6)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory):
    count = len(DEPLOY) + len(REMOVE) + len(PROVE) + 4
    clusters = [ClusterPlan(f"arc-{index}", install=INSTALL, attach_seconds=6) for index in range(count)]
    clusters += [ClusterPlan(f"aks-{index}", type="managedClusters", install=INSTALL) for index in range(count)]
    with simulated.running(
        Scenario(clusters=clusters, time_scale=300), tmp_path_factory.mktemp("simulator")
    ) as running:
        yield running


@pytest.fixture
def clusters():
    """Return the options of an unused connected cluster and an unused AKS cluster."""
    number = next(NUMBERS)
    arc = {"resource_group": "rg-edge", "cluster_name": f"arc-{number}"}
    return arc, {"resource_group": "rg-edge", "cluster_name": f"aks-{number}", "cluster_type": "managed_cluster"}


@pytest.fixture
def deploy(run_module, simulator, clusters):
    """Deploy a cluster of each kind with every optional resource, with the given actions."""

    def run(actions: list[str] | None) -> None:
        arc, aks = clusters
        first = {**arc, "workload_profile": "training", "settings_generation": "2021", "log_analytics": True}
        pinned = {**first, "version": "1.0.67"}
        simulator.allow(actions)
        for spec, options in (
            (PREFLIGHT, {**first, "sides": ["azure"], "fail_on": "warning"}),
            (EXTENSION, pinned),
            (EXTENSION, {**pinned, "install_nvidia_device_plugin": True}),
            (EXTENSION, {**aks, "workload_profile": "training"}),
            (COMPUTE, {**arc, "name": arc["cluster_name"], "workspace": WORKSPACE}),
        ):
            run_module(spec, **options)

    yield run
    simulator.allow(None)


@pytest.fixture
def remove(run_module, simulator, clusters, deploy):
    """Remove everything that C(deploy) creates, and detach the compute a second time, with the given actions."""

    def run(actions: list[str]) -> None:
        deploy(None)
        simulator.allow(actions)
        arc, aks = clusters
        compute = {"name": arc["cluster_name"], "workspace": WORKSPACE, "state": "absent"}
        everything = ["relay", "service_bus", "log_analytics"]
        for spec, options in (
            (COMPUTE, compute),
            (COMPUTE, compute),
            (EXTENSION, {**arc, "state": "absent", "remove_resources": everything}),
            (EXTENSION, {**aks, "state": "absent"}),
        ):
            run_module(spec, **options)

    return run


@pytest.fixture
def prove(run_module, simulator, clusters):
    """Check a compute whose jobs complete, fail and hang, and delete an old job; return all results as JSON."""

    def run(actions: list[str]) -> str:
        arc, _aks = clusters
        name, results = arc["cluster_name"], []
        run_module(EXTENSION, **arc, workload_profile="training")
        run_module(COMPUTE, **arc, name=name, workspace=WORKSPACE)
        tags = {"azureml_arc_job_check": name}
        old = {**OLD_JOB, "properties": {**OLD_JOB["properties"], "tags": tags}}
        simulator.change_workspace("ws", jobs=[old])
        simulator.allow(actions)
        for failure, timeout in (("", 300), ("identity", 300), ("no pod", 20)):
            simulator.change_plan(name, jobs={"failures": {"*": failure}})
            options = {"compute": name, "workspace": WORKSPACE, "inspect_pods": False, "command": f"echo {failure}"}
            try:
                results.append(run_module(JOB_CHECK, wait_timeout=timeout, **options))
            except ModuleFailedError as failed:
                results.append(failed.result)
        return json.dumps(results)

    yield run
    simulator.allow(None)
    simulator.change_workspace("ws", jobs=[])


def test_documented_roles_are_sufficient(deploy, remove):
    deploy(DEPLOY)
    remove(REMOVE)


def test_actions_that_read_are_sufficient_to_compare(deploy, run_module, simulator, clusters):
    """Playbook verify runs these modules in check mode."""
    deploy(None)
    simulator.allow([action for action in DEPLOY if action.endswith("/read")])
    arc, aks = clusters
    pinned = {"settings_generation": "2021", "version": "1.0.67", "log_analytics": True}
    changes = [
        run_module(spec, check_mode=True, **options)["changed"]
        for spec, options in (
            (EXTENSION, {**arc, **pinned, "workload_profile": "training", "install_nvidia_device_plugin": True}),
            (EXTENSION, {**aks, "workload_profile": "training"}),
            (EXTENSION, {**aks, "workload_profile": "training", "install_volcano": False}),
            (COMPUTE, {**arc, "name": arc["cluster_name"], "workspace": WORKSPACE}),
        )
    ]

    assert changes == [False, False, True, False]


def test_documented_role_is_sufficient_to_prove(prove):
    assert "does not have authorization" not in prove(PROVE)


@pytest.mark.parametrize("missing", [action for action in PROVE if action not in USED_BY_THE_SERVICE])
def test_missing_action_fails_the_proof_and_is_named(prove, missing):
    results = prove([action for action in PROVE if action != missing])
    assert f"does not have authorization to perform action '{missing.lower()}'" in results


def require_permission_is_named(failure, missing):
    message = failure.value.result["msg"]
    assert f"does not have authorization to perform action '{missing.lower()}'" in message
    assert "Assign the identity a role with this permission" in message


@pytest.mark.parametrize("missing", DEPLOY)
def test_missing_action_fails_the_deployment_and_is_named(deploy, missing):
    with pytest.raises(ModuleFailedError) as failure:
        deploy([action for action in DEPLOY if action != missing])
    require_permission_is_named(failure, missing)


@pytest.mark.parametrize("missing", REMOVE)
def test_missing_action_fails_the_removal_and_is_named(remove, missing):
    with pytest.raises(ModuleFailedError) as failure:
        remove([action for action in REMOVE if action != missing])
    require_permission_is_named(failure, missing)
