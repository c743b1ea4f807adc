# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Least privilege in Azure: the roles of docs/permissions are enough, each action is needed and missed by name."""

from __future__ import annotations

import itertools
import json

import pytest
from ansible_collections.azureml.arc.plugins.modules.compute import SPEC as COMPUTE
from ansible_collections.azureml.arc.plugins.modules.extension import SPEC as EXTENSION
from ansible_collections.azureml.arc.plugins.modules.preflight import SPEC as PREFLIGHT
from playbooks import ROOT
from support import ModuleFailedError

import simulated
from simulator.scenario import ClusterPlan, InstallPlan, Scenario

DEPLOY, REMOVE = (
    json.loads((ROOT / f"docs/permissions/azure-{name}.json").read_text(encoding="utf-8"))["Actions"]
    for name in ("deploy", "remove")
)
WORKSPACE = {"name": "ws", "resource_group": "rg-ml"}
NUMBERS = itertools.count()
# Instants: what is waited for is asked for once.
INSTALL = InstallPlan(seconds=6)
PACE = 30  # time passes as much faster for the modules, too


@pytest.fixture(scope="module")
def simulator(tmp_path_factory):
    count = len(DEPLOY) + len(REMOVE) + 2
    clusters = [ClusterPlan(f"arc-{index}", install=INSTALL, attach_seconds=6) for index in range(count)]
    clusters += [ClusterPlan(f"aks-{index}", type="managedClusters", install=INSTALL) for index in range(count)]
    with simulated.running(
        Scenario(clusters=clusters, time_scale=300), tmp_path_factory.mktemp("simulator")
    ) as running:
        yield running


@pytest.fixture
def clusters():
    """The options that name a connected cluster and an AKS cluster that nobody has used yet."""
    number = next(NUMBERS)
    arc = {"resource_group": "rg-edge", "cluster_name": f"arc-{number}"}
    return arc, {"resource_group": "rg-edge", "cluster_name": f"aks-{number}", "cluster_type": "managed_cluster"}


@pytest.fixture
def deploy(run_module, simulator, clusters):
    """Deploy a cluster of each kind, with all that can be had."""

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
            run_module(spec, pace=PACE, **options)

    yield run
    simulator.allow(None)


@pytest.fixture
def remove(run_module, simulator, clusters, deploy):
    """Remove all of it, and look once more at a compute that is not there."""

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
            run_module(spec, pace=PACE, **options)

    return run


def test_roles_are_enough(deploy, remove):
    deploy(DEPLOY)
    remove(REMOVE)


def require_missed(failure, missing):
    message = failure.value.result["msg"]
    assert f"does not have authorization to perform action '{missing.lower()}'" in message
    assert "Give the identity that signs in a role with this permission" in message


@pytest.mark.parametrize("missing", DEPLOY)
def test_action_is_needed_to_deploy_and_missed_by_name(deploy, missing):
    with pytest.raises(ModuleFailedError) as failure:
        deploy([action for action in DEPLOY if action != missing])
    require_missed(failure, missing)


@pytest.mark.parametrize("missing", REMOVE)
def test_action_is_needed_to_remove_and_missed_by_name(remove, missing):
    with pytest.raises(ModuleFailedError) as failure:
        remove([action for action in REMOVE if action != missing])
    require_missed(failure, missing)
