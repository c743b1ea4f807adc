# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster whose kubeconfig lives on one of its nodes: modules run there over a real SSH connection."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import sys
import venv
from pathlib import Path

import pytest
from support import processes_of, wait_for

import simulated
from simulator.scenario import ClusterPlan, InstallPlan, Scenario

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"

pytestmark = pytest.mark.skipif(not Path(SSHD).exists(), reason="sshd is not there (package openssh-server)")


@pytest.fixture
def simulator(tmp_path):
    plans = [ClusterPlan("plant", distribution="openshift", install=InstallPlan(seconds=30))]
    with simulated.running(Scenario(clusters=plans, time_scale=60), tmp_path / "simulator") as running:
        yield running


@pytest.fixture
def node(simulator, tmp_path):
    """An SSH server with keys of its own. Only who comes in through it knows of the cluster's kubeconfig."""
    directory = tmp_path / "node"
    directory.mkdir(mode=0o700)
    for name in ("host", "client"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", directory / name]
        subprocess.run(command, check=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = {
        "ListenAddress": f"127.0.0.1:{port}",
        "HostKey": directory / "host",
        "AuthorizedKeysFile": directory / "client.pub",
        "PidFile": directory / "sshd.pid",
        "SetEnv": f"K8S_AUTH_KUBECONFIG={simulator.kubeconfigs['plant']}",
        "PasswordAuthentication": "no",
        "StrictModes": "no",
    }
    (directory / "sshd_config").write_text("".join(f"{name} {value}\n" for name, value in options.items()))
    Path("/run/sshd").mkdir(exist_ok=True)
    server = subprocess.Popen([SSHD, "-D", "-e", "-f", directory / "sshd_config"], stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: socket.create_connection(("127.0.0.1", port), 1).close() is None)
        yield {
            "ansible_connection": "ssh",
            "ansible_host": "127.0.0.1",
            "ansible_port": port,
            "ansible_user": getpass.getuser(),
            "ansible_ssh_private_key_file": str(directory / "client"),
            "ansible_ssh_common_args": "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null",
            "ansible_python_interpreter": sys.executable,
        }
    finally:
        server.terminate()
        server.wait(timeout=10)
    assert processes_of(directory) == []


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
    assert (first.changed("plant"), second.changed("plant")) == (3, 0)
    for task in ("Check it from its node", "Let OpenShift run the extension's pods", "Wait until the pods are ready"):
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
    message = run.result("Check it from its node", "plant")["msg"]
    assert "Failed to import the required Python library (kubernetes)" in message
