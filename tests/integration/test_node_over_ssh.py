# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster whose kubeconfig lives on one of its nodes: modules run there over a real SSH connection."""

from __future__ import annotations

import os
import venv

import pytest
import ssh_server

import simulated
from simulator.scenario import ClusterPlan, InstallPlan, Scenario


@pytest.fixture
def simulator(tmp_path):
    plans = [ClusterPlan("plant", distribution="openshift", install=InstallPlan(seconds=30))]
    with simulated.running(Scenario(clusters=plans, time_scale=60), tmp_path / "simulator") as running:
        yield running


@pytest.fixture
def node(simulator, tmp_path):
    """A node; only who comes in through its SSH server knows of the cluster's kubeconfig."""
    with ssh_server.running(tmp_path / "node", {"K8S_AUTH_KUBECONFIG": simulator.kubeconfigs["plant"]}) as variables:
        yield variables


@pytest.fixture
def deploy(playbook, node):
    """Deploy the cluster; connections end with the run."""

    def run(*arguments, **variables):
        common = {
            "azureml_resource_group": "rg-edge",
            "azureml_kube_from": "node",
            "azureml_workspace": {"name": "ws", "resource_group": "rg-ml"},
            "azureml_compute": {"name": "plant"},
        }
        inventory = {"all": {"hosts": {"plant": {**common, **node, **variables}}}}
        return playbook("azureml.arc.deploy", inventory, "-vvv", *arguments, ANSIBLE_SSH_ARGS="-o ControlMaster=no")

    return run


def test_cluster_tasks_run_on_the_node_and_azure_tasks_on_the_controller(deploy):
    assert "K8S_AUTH_KUBECONFIG" not in os.environ

    first = deploy()
    second = deploy()

    assert (first.status, second.status) == (0, 0), first.output
    assert (first.changed("plant"), second.changed("plant")) == (4, 0)
    for task in (
        "Check from its node whether the cluster can take the extension",
        "Let OpenShift run the extension's pods",
        "Wait until the pods are ready",
    ):
        assert first.result(task, "plant"), first.output
    assert first.result("Wait until the pods are ready", "plant")["ready"]
    assert "<127.0.0.1> SSH: EXEC ssh" in first.output
    assert "plant -> localhost" in first.output


def test_instance_types_on_the_node(deploy, playbook, node):
    deploy()
    task = {"name": "small", "azureml.arc.instance_type": {"name": "small", "resources": {"limits": {"cpu": "1"}}}}
    play = {"hosts": "all", "gather_facts": False, "tasks": [task]}

    runs = [
        playbook([play], {"all": {"hosts": {"plant": node}}}, "-vvv", ANSIBLE_SSH_ARGS="-o ControlMaster=no")
        for again in range(2)
    ]

    assert [run.result("small", "plant")["created"] for run in runs] == [["small"], []], runs[0].output
    assert "<127.0.0.1> SSH: EXEC ssh" in runs[0].output


def test_node_without_the_package_says_what_to_install(deploy, tmp_path):
    venv.create(tmp_path / "bare", symlinks=True)
    run = deploy(ansible_python_interpreter=str(tmp_path / "bare/bin/python"))
    assert run.status == 2
    message = run.result("Check from its node whether the cluster can take the extension", "plant")["msg"]
    assert "Failed to import the required Python library (kubernetes)" in message
