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
  - Looks at SELinux, the NVIDIA driver and container runtime, free disk, and whether the addresses can be reached that
    AzureML needs. Proxies of the environment (E(HTTPS_PROXY), E(NO_PROXY)) are honoured, and certificates verified.
version_added: 0.1.0
author: azureml.arc contributors (@azureml-arc)
extends_documentation_fragment:
  - azureml.arc.attributes
  - azureml.arc.attributes.info_module
options:
  workload_profile:
    description: What the cluster is for.
    type: str
    choices: [training, inference, training_inference]
    required: true
  cluster_type:
    description: V(connected_cluster) needs the addresses of Azure Arc besides.
    type: str
    choices: [connected_cluster, managed_cluster]
    default: connected_cluster
  datasets:
    description: Whether jobs mount datasets, which an enforcing SELinux keeps them from.
    type: bool
    default: false
  gpu:
    description: Whether the node is for instance types with GPUs.
    type: bool
    default: false
  disk_paths:
    description: Where images and pods are kept. Paths that do not exist are not looked at.
    type: list
    elements: path
    default: [/var/lib/kubelet, /var/lib/containerd, /var/lib/containers, /var/lib/rancher]
  minimum_free_disk:
    description:
      - How much must be free in each of O(disk_paths), in GiB. Without it, less than 15 % is a warning.
    type: int
  region:
    description: Region of the workspace, such as V(westeurope). Without it addresses of a region are not tried.
    type: str
  workspace_id:
    description: Id of the workspace (a GUID), for its own address.
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
    description: How long to wait for the answer of an address, in seconds. They are tried at the same time.
    type: int
    default: 10
  skip_checks:
    description: Checks to leave out.
    type: list
    elements: str
    choices: [disk, nvidia, outbound, selinux]
    default: []
  fail_on:
    description: From which level on a finding is a failure.
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
  description: Whether nothing of level C(error) was found.
  returned: always
  type: bool
findings:
  description: What was found, errors first, each with C(check), C(level), C(message) and C(fix).
  returned: always
  type: list
  elements: dict
selinux:
  description: V(Enforcing), V(Permissive) or V(Disabled).
  returned: always
  type: str
nvidia_driver:
  description: Version of the NVIDIA driver, empty where there is none.
  returned: always
  type: str
nvidia_runtime:
  description: Program of the NVIDIA container runtime, empty where there is none.
  returned: always
  type: str
addresses:
  description: The addresses that were tried.
  returned: always
  type: list
  elements: str
error:
  description: What went wrong; for the fields see RV(azureml.arc.extension#module:error).
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
            "choices": ["disk", "nvidia", "outbound", "selinux"],
        },
        "fail_on": {"type": "str", "default": "error", "choices": ["error", "warning", "never"]},
    },
)


def main():
    run_module(SPEC)


if __name__ == "__main__":
    main()
