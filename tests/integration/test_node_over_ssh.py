# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster whose kubeconfig is only on one of its nodes: modules run there over a real SSH connection."""

from __future__ import annotations

import json
import os
import re
import venv

import pytest
import ssh_server
from objects import WORKSPACE
from playbooks import play

import simulated
from simulator.scenario import ClusterPlan, InstallPlan, Scenario

PLANS = [ClusterPlan("plant", distribution="openshift", install=InstallPlan(seconds=30))]
# Values that differ between simulations.
VOLATILE = re.compile(r"SharedAccessKey=[^;\"]*|[0-9a-f]{8}-[0-9a-f-]{27}|localhost(?::|%3A)\d+")


@pytest.fixture
def simulator(tmp_path):
    with simulated.running(Scenario(clusters=PLANS, time_scale=60), tmp_path / "simulator") as running:
        yield running


@pytest.fixture
def node(simulator, tmp_path):
    """The variables of a node. Only sessions of its SSH server have the kubeconfig of the cluster."""
    with ssh_server.running(tmp_path / "node", {"K8S_AUTH_KUBECONFIG": simulator.kubeconfigs["plant"]}) as variables:
        yield variables


@pytest.fixture
def deploy(playbook, node):
    """Return a function that deploys the cluster."""

    def run(*arguments, **variables):
        common = {
            "azureml_resource_group": "rg-edge",
            "azureml_kubernetes_via": "node",
            "azureml_workspace": WORKSPACE,
            "azureml_compute": {"name": "plant"},
        }
        environ = {name: variables.pop(name) for name in list(variables) if name.startswith("ANSIBLE_")}
        inventory = {"all": {"hosts": {"plant": {**common, **node, **variables}}}}
        return playbook("azureml.arc.deploy", inventory, "-vvv", *arguments, **environ)

    return run


def requests(simulator) -> list[tuple[str, str, object]]:
    """Return all requests in their order, with volatile parts of paths and bodies replaced."""
    return [
        (one["method"], VOLATILE.sub("*", one["path"]), VOLATILE.sub("*", json.dumps(one["body"], sort_keys=True)))
        for one in simulator.journal()
    ]


def without_repeated_reads(sent: list[tuple[str, str, object]]) -> list[tuple[str, str, object]]:
    """Return requests without repeated reads, which depend on the duration of waits."""
    found: list[tuple[str, str, object]] = []
    for one in sent:
        if one[0] != "GET" or one not in found:
            found.append(one)
    return found


def test_cluster_steps_run_on_the_node_and_azure_steps_on_the_controller(deploy, simulator, tmp_path):
    assert "K8S_AUTH_KUBECONFIG" not in os.environ

    first = deploy(ANSIBLE_KEEP_REMOTE_FILES="1")  # modules are then copied, even with pipelining
    second = deploy()

    assert (first.status, second.status) == (0, 0), first.output
    assert (first.changed("plant"), second.changed("plant")) == (1, 0)
    steps = {one["name"]: one for one in first.outcome("plant")["steps"]}
    for name in (
        "Check that the extension can be installed",
        "Grant the permissions on OpenShift",
        "Wait until the pods are ready",
    ):
        assert name in steps
    assert first.outcome("plant")["pod_readiness"]["ready"]
    assert "<127.0.0.1> SSH: EXEC ssh" in first.output
    # Modules that ran on the node as ordinary modules.
    ran = set(re.findall(r"AnsiballZ_(\w+)\.py", first.output))
    assert {"preflight", "openshift_scc", "pod_readiness"} <= ran
    assert not {"extension", "compute"} & ran
    # Neither credentials for Azure nor the subscription are sent to the node.
    executed = "\n".join(line for line in first.output.splitlines() if "SSH: EXEC" in line)
    assert not re.search(r"AZURE_|ARM_|IDENTITY_|MSI_", executed)
    modules = list((tmp_path / "ansible/remote").rglob("AnsiballZ_*.py"))
    assert modules
    assert not [path for path in modules if simulator.environment["AZURE_SECRET"] in path.read_text(encoding="utf-8")]


def test_node_sends_the_same_requests_as_the_controller(playbook, deploy, simulator, tmp_path):
    """In a first and in a second deployment, except for repeated reads."""
    seen = []
    for _run in range(2):
        simulator.clear_journal()
        assert deploy().status == 0
        seen.append(without_repeated_reads(requests(simulator)))
    with simulated.running(Scenario(clusters=PLANS, time_scale=60), tmp_path / "other") as other:
        inventory = simulated.inventory(other.directory, PLANS)
        for sent in seen:
            other.clear_journal()
            run = playbook("azureml.arc.deploy", inventory, **other.environment)

            assert run.status == 0, run.output
            assert without_repeated_reads(requests(other)) == sent


def test_nodes_are_labelled_from_the_node(playbook, node):
    variables = {
        **node,
        "azureml_kubernetes_via": "node",
        "azureml_nodes": [{"names": ["node-0"], "labels": {"pool": "ml"}}],
    }

    run = playbook("azureml.arc.nodes", {"all": {"hosts": {"plant": variables}}})

    assert run.status == 0, run.output
    assert run.outcome("plant")["changed_nodes"] == ["node-0"]
    assert "1 cluster: 1 changed\n" in run.output


def test_instance_types_are_created_from_the_node(deploy, playbook, node):
    deploy()
    task = {"name": "small", "azureml.arc.instance_type": {"name": "small", "resources": {"limits": {"cpu": "1"}}}}

    runs = [playbook(play(task), {"all": {"hosts": {"plant": node}}}, "-vvv") for again in range(2)]

    assert [run.result("small", "plant")["created"] for run in runs] == [["small"], []], runs[0].output
    assert "<127.0.0.1> SSH: EXEC ssh" in runs[0].output


def test_missing_package_on_the_node_is_reported(deploy, tmp_path):
    venv.create(tmp_path / "bare", symlinks=True)
    run = deploy(ansible_python_interpreter=str(tmp_path / "bare/bin/python"))
    assert run.status == 2
    message = run.outcome("plant")["msg"]
    assert "Failed to import the required Python library (kubernetes)" in message
