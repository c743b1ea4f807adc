#!/usr/bin/python
# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node_preflight
short_description: Check whether the machine of a node is ready for Azure Machine Learning
description:
  - Runs on the machine itself, over SSH for instance, and changes nothing there. Needs no Python library.
  - Checks SELinux, the NVIDIA driver and container runtime, free disk space, and that the addresses that AzureML needs
    can be reached. Uses the proxies of the environment (E(HTTPS_PROXY), E(NO_PROXY)) and verifies certificates.
version_added: 0.1.0
author: azureml.arc contributors (@azureml-arc)
extends_documentation_fragment:
  - azureml.arc.attributes
  - azureml.arc.attributes.info_module
options:
  workload_profile:
    description: Workloads that run on the cluster.
    type: str
    choices: [training, inference, training_inference]
    required: true
  cluster_type:
    description: V(connected_cluster) also needs the addresses of Azure Arc.
    type: str
    choices: [connected_cluster, managed_cluster]
    default: connected_cluster
  datasets:
    description: Whether jobs mount datasets, which an enforcing SELinux prevents.
    type: bool
    default: false
  gpu:
    description: Whether instance types with GPUs use the node.
    type: bool
    default: false
  disk_paths:
    description: Folders of images and pods. Paths that do not exist are ignored.
    type: list
    elements: path
    default: [/var/lib/kubelet, /var/lib/containerd, /var/lib/containers, /var/lib/rancher]
  minimum_free_disk:
    description:
      - Required free space in each of O(disk_paths), in GiB. By default, less than 15 % is a warning.
    type: int
  region:
    description: Region of the workspace, such as V(westeurope). If unset, regional addresses are not checked.
    type: str
  workspace_id:
    description: Id of the workspace (a GUID), which its address contains.
    type: str
  container_registry:
    description: Name of the workspace's container registry.
    type: str
  storage_account:
    description: Name of the workspace's storage account.
    type: str
  outbound_addresses:
    description: Further hosts, or addresses with V(http://) or V(https://), that must be reachable.
    type: list
    elements: str
    default: []
  timeout:
    description: Maximum seconds to wait for an address. All addresses are checked at the same time.
    type: int
    default: 10
  skip_checks:
    description: Checks to skip.
    type: list
    elements: str
    choices: [disk, nvidia, outbound, selinux]
    default: []
  fail_on:
    description: Lowest level of findings that fail the task. Other errors and warnings are shown as warnings.
    type: str
    choices: [error, warning, never]
    default: error
"""

EXAMPLES = r"""
- name: Check a worker
  azureml.arc.node_preflight:
    workload_profile: training
    datasets: true
    gpu: true
    region: westeurope
  environment:
    HTTPS_PROXY: http://proxy.example.com:3128
"""

RETURN = r"""
passed:
  description: Whether there is no finding of level C(error).
  returned: always
  type: bool
findings:
  description: The findings, errors first, each with C(check), C(level), C(message) and C(fix).
  returned: always
  type: list
  elements: dict
selinux:
  description: V(Enforcing), V(Permissive) or V(Disabled).
  returned: always
  type: str
nvidia_driver:
  description: Version of the NVIDIA driver, empty if it is not installed.
  returned: always
  type: str
nvidia_runtime:
  description: Program of the NVIDIA container runtime, empty if it is not installed.
  returned: always
  type: str
addresses:
  description: The addresses that were checked.
  returned: always
  type: list
  elements: str
error:
  description: The error; for the fields see RV(azureml.arc.extension#module:error).
  returned: failure
  type: dict
"""

from ansible_collections.azureml.arc.plugins.module_utils._core import options
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleSpec, run_module
from ansible_collections.azureml.arc.plugins.module_utils._extension import options as extension_options
from ansible_collections.azureml.arc.plugins.module_utils._preflight import machine

SPEC = ModuleSpec(
    run=machine.run,
    argument_spec={
        "workload_profile": {**extension_options.WORKLOAD_PROFILE, "required": True},
        "cluster_type": options.CLUSTER["cluster_type"],
        "datasets": {"type": "bool", "default": False},
        "gpu": {"type": "bool", "default": False},
        "disk_paths": {
            "type": "list",
            "elements": "path",
            "default": ["/var/lib/kubelet", "/var/lib/containerd", "/var/lib/containers", "/var/lib/rancher"],
        },
        "minimum_free_disk": {"type": "int"},
        "region": {"type": "str"},
        "workspace_id": {"type": "str"},
        "container_registry": {"type": "str"},
        "storage_account": {"type": "str"},
        "outbound_addresses": {"type": "list", "elements": "str", "default": []},
        "timeout": {"type": "int", "default": 10},
        "skip_checks": {
            "type": "list",
            "elements": "str",
            "default": [],
            "choices": list(machine.CHECKS),
        },
        "fail_on": {"type": "str", "default": "error", "choices": ["error", "warning", "never"]},
    },
)


def main():
    run_module(SPEC)


if __name__ == "__main__":
    main()
