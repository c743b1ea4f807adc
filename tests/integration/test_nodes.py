# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Role nodes: machines checked over a real SSH connection and through a real proxy, nodes labelled from a playbook."""

from __future__ import annotations

import stat

import outbound_proxy
import pytest
import ssh_server
from support import requests_to

PROGRAMS = {
    "getenforce": 'cat "$(dirname "$0")/mode"',
    "setenforce": 'echo Permissive > "$(dirname "$0")/mode"',
    "nvidia-smi": "echo 550.54.15",
    "nvidia-ctk": "true",
}
GPU_TYPE = {"resources": {"limits": {"nvidia.com/gpu": "1"}}}
REACHED = ["login.microsoftonline.com", "mcr.microsoft.com", "northeurope.api.azureml.ms", "ws.azurecr.io"]


@pytest.fixture
def machine(tmp_path):
    """Bring up a machine that has some of the programs; its SELinux is enforcing. Gives its host variables."""
    with outbound_proxy.running(tmp_path, REACHED) as (environment, asked):
        programs = tmp_path / "programs"
        programs.mkdir()
        (programs / "mode").write_text("Enforcing\n")
        (tmp_path / "selinux").write_text("# kept\nSELINUX=enforcing\nSELINUXTYPE=targeted\n")
        for name, script in PROGRAMS.items():
            (programs / name).write_text(f"#!/bin/sh\n{script}\n")
            (programs / name).chmod(stat.S_IRWXU)
        path = f"{programs}:/usr/bin:/bin:/usr/sbin:/sbin"
        with ssh_server.running(tmp_path / "machine", {**environment, "PATH": path}) as variables:
            yield {
                **variables,
                "asked": asked,
                "azureml_machine_become": False,
                "azureml_datasets": True,
                "azureml_compute": {"name": "plant", "instance_types": {"gpu": GPU_TYPE}},
                "azureml_profile": "inference",
                "azureml_cluster_type": "managed_cluster",
                "azureml_machine_skip_checks": ["disk"],
            }


@pytest.fixture
def check(playbook, machine, tmp_path):
    """Run the playbook on the machine."""
    host = {name: value for name, value in machine.items() if name != "asked"}

    def run(*arguments, **variables):
        inventory = {"azureml_machines": {"hosts": {"worker": {**host, **variables}}}}
        config = ("-e", f"__azureml_selinux_config={tmp_path / 'selinux'}")
        environment = {"ANSIBLE_SSH_ARGS": "-o ControlMaster=no"}
        return playbook("azureml.arc.nodes", inventory, "-vvv", *config, *arguments, **environment)

    return run


def test_reports_and_changes_nothing(check, machine, tmp_path):
    run = check(azureml_region="northeurope", azureml_container_registry="ws")

    assert run.status == 2
    found = run.result("Check the machine", "worker")
    assert (found["selinux"], found["nvidia_driver"], found["nvidia_runtime"]) == (
        "Enforcing",
        "550.54.15",
        "nvidia-ctk",
    )
    outbound = {one["message"].partition(" ")[0] for one in found["findings"] if one["check"] == "outbound"}
    assert outbound == {
        "https://management.azure.com",
        "https://northeurope.experiments.azureml.net",
        "https://ws.northeurope.data.azurecr.io",
    }
    message = run.result("Report the findings", "worker")["msg"]
    assert "SELinux is enforcing, which prevents jobs from mounting datasets." in message
    assert (
        "https://management.azure.com (Azure Resource Manager) cannot be reached: Tunnel connection failed: 403"
        in message
    )
    assert set(REACHED) <= set(machine["asked"])
    assert "<127.0.0.1> SSH: EXEC ssh" in run.output
    assert "SELINUX=enforcing" in (tmp_path / "selinux").read_text()


def test_selinux_is_changed_only_on_request(check, tmp_path):
    options = {"azureml_selinux_mode": "permissive", "azureml_machine_skip_checks": ["disk", "outbound"]}
    planned = check("--check", **options)
    assert "SELINUX=enforcing" in (tmp_path / "selinux").read_text()

    first = check(**options)
    second = check(**options)

    assert (planned.status, first.status, second.status) == (0, 0, 0), first.output
    assert (first.changed("worker"), second.changed("worker")) == (2, 0)
    assert (tmp_path / "selinux").read_text() == "# kept\nSELINUX=permissive\nSELINUXTYPE=targeted\n"
    assert "rebooted" not in first.result("Reboot to disable SELinux", "worker")


def test_replacement_is_planned_only_if_allowed(check):
    """In check mode, for the machine is this one."""
    options = {"azureml_selinux_mode": "disabled", "azureml_machine_skip_checks": ["disk", "outbound"]}
    task = "Reboot to disable SELinux"
    assert "rebooted" not in check("--check", **options).result(task, "worker")
    assert "rebooted" not in check("--check", "-e", "azureml_reboot=false", **options).result(task, "worker")
    assert check("--check", azureml_reboot=True, **options).result(task, "worker")["rebooted"]


def test_a_mode_of_selinux_that_nobody_asks_for_is_refused(check, tmp_path):
    run = check(azureml_selinux_mode="enforcing")

    assert run.status == 2
    assert "azureml_selinux_mode must be permissive or disabled" in run.output
    assert "SELINUX=enforcing" in (tmp_path / "selinux").read_text()


def test_missing_driver_and_disk(check, tmp_path):
    for name in ("nvidia-smi", "nvidia-ctk"):
        (tmp_path / "programs" / name).unlink()
    run = check(
        azureml_datasets=False,
        azureml_minimum_free_disk=10_000_000,
        azureml_machine_skip_checks=["outbound"],
        azureml_machine_disk_paths=[str(tmp_path)],
    )
    message = run.result("Report the findings", "worker")["msg"]
    assert "the NVIDIA driver does not respond (nvidia-smi). the NVIDIA container runtime is missing." in message
    assert f"are free in {tmp_path}, and 10000000 are required." in message


def test_driver_is_not_required_without_gpu_types(check, tmp_path):
    (tmp_path / "programs" / "nvidia-smi").unlink()
    types = {"small": {"resources": {"limits": {"nvidia.com/gpu": "0", "cpu": "1"}}}}
    run = check(
        azureml_datasets=False,
        azureml_machine_skip_checks=["outbound"],
        azureml_compute={"name": "plant", "instance_types": types},
        azureml_machine_disk_paths=[str(tmp_path)],
    )
    assert run.result("Check the machine", "worker")["passed"], run.output


def test_nodes_are_labelled_and_tainted(playbook, simulator, arc, kube):
    taints = [{"key": "ml.azure.com/amlarc-workload"}]
    variables = {
        "azureml_kubernetes": {"kubeconfig": simulator.kubeconfigs[arc]},
        "azureml_nodes": [{"names": ["node-[01]"], "labels": {"pool": "ml"}, "taints": taints}],
    }
    inventory = {"all": {"hosts": {arc: variables}}}

    first = playbook("azureml.arc.nodes", inventory)
    second = playbook("azureml.arc.nodes", inventory)

    assert (first.status, second.status) == (0, 0), first.output
    assert (first.changed(arc), second.changed(arc)) == (1, 0)
    node = kube(arc).resources.get(api_version="v1", kind="Node").get(name="node-1").to_dict()
    assert node["metadata"]["labels"]["pool"] == "ml"
    assert node["spec"]["taints"] == [{"key": "ml.azure.com/amlarc-workload", "value": "true", "effect": "NoSchedule"}]
    assert len(requests_to(simulator, "PATCH", f"/kubernetes/{arc}/api/v1/nodes/")) == 2
