# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Least privilege in Azure: the role of docs/permissions is enough, and each action is needed and missed by name."""

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

ACTIONS = json.loads((ROOT / "docs/permissions/azure-deploy.json").read_text(encoding="utf-8"))["Actions"]
NUMBERS = itertools.count()
# Instants: what is waited for is asked for once.
INSTALL = InstallPlan(seconds=6)


@pytest.fixture(scope="module")
def simulator(tmp_path_factory):
    count = len(ACTIONS) + 1
    clusters = [ClusterPlan(f"arc-{index}", install=INSTALL, attach_seconds=6) for index in range(count)]
    clusters += [ClusterPlan(f"aks-{index}", type="managedClusters", install=INSTALL) for index in range(count)]
    with simulated.running(
        Scenario(clusters=clusters, time_scale=300), tmp_path_factory.mktemp("simulator")
    ) as running:
        yield running


@pytest.fixture
def deploy(run_module, simulator):
    """Deploy a cluster of each kind that nobody has used yet, with all that can be had."""

    def run(actions: list[str]) -> None:
        number = next(NUMBERS)
        arc = {"resource_group": "rg-edge", "cluster_name": f"arc-{number}"}
        aks = {"resource_group": "rg-edge", "cluster_name": f"aks-{number}", "cluster_type": "managed_cluster"}
        first = {**arc, "workload_profile": "training", "settings_generation": "2021", "log_analytics": True}
        simulator.allow(actions)
        for spec, options in (
            (PREFLIGHT, {**first, "sides": ["azure"], "fail_on": "warning"}),
            (EXTENSION, first),
            (EXTENSION, {**first, "install_nvidia_device_plugin": True}),
            (EXTENSION, {**aks, "workload_profile": "training"}),
            (COMPUTE, {**arc, "name": f"arc-{number}", "workspace": {"name": "ws", "resource_group": "rg-ml"}}),
        ):
            run_module(spec, **options)

    yield run
    simulator.allow(None)


def test_role_is_enough(deploy):
    deploy(ACTIONS)


@pytest.mark.parametrize("missing", ACTIONS)
def test_action_is_needed_and_missed_by_name(deploy, missing):
    with pytest.raises(ModuleFailedError) as failure:
        deploy([action for action in ACTIONS if action != missing])
    message = failure.value.result["msg"]
    assert f"does not have authorization to perform action '{missing.lower()}'" in message
    assert "Give the identity that signs in a role with this permission" in message
