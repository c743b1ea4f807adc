#!/usr/bin/python
# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: instance_type
short_description: Create, change or remove the instance types of a cluster
description:
  - An instance type defines the nodes that a job or endpoint runs on, and the resources that it gets. Users of the
    workspace select it by name.
  - Manages custom resources of the kind C(InstanceType), which the AzureML extension defines for training, and waits
    until they are defined.
  - Validates everything as Kubernetes would before anything is sent. Warns if no node can currently serve an instance
    type.
version_added: 0.1.0
author: azureml.arc contributors (@azureml-arc)
extends_documentation_fragment:
  - azureml.arc.attributes
  - azureml.arc.kubernetes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  in_process:
    support: full
options:
  name:
    description:
      - Name of the instance type. V(defaultinstancetype) is used for jobs that do not name one.
    type: str
  node_selector:
    description: Labels of the nodes to run on. By default, all nodes.
    type: dict
  resources:
    description: The resources of a job.
    type: dict
    suboptions:
      requests:
        description: The reserved quantity of each resource, such as V(cpu) and V(memory).
        type: dict
      limits:
        description: The maximum quantity of each resource. V(nvidia.com/gpu) is a whole number.
        type: dict
  instance_types:
    description: Several instance types, instead of O(name).
    type: list
    elements: dict
    suboptions:
      name:
        description: As O(name).
        type: str
        required: true
      node_selector:
        description: As O(node_selector).
        type: dict
      resources:
        description: As O(resources).
        type: dict
        suboptions:
          requests:
            description: The reserved quantities.
            type: dict
          limits:
            description: The maximum quantities.
            type: dict
  purge:
    description: Remove all other instance types of the cluster except V(defaultinstancetype) of the extension.
    type: bool
    default: false
  state:
    description: V(present) creates or changes the instance types, V(absent) removes them.
    type: str
    choices: [absent, present]
    default: present
  wait:
    description: Wait until the extension has defined the kind C(InstanceType) in the cluster.
    type: bool
    default: true
  wait_timeout:
    description: Longest time to wait, in seconds.
    type: int
    default: 300
"""

EXAMPLES = r"""
- name: Limit jobs that name no instance type to two cores
  azureml.arc.instance_type:
    kubeconfig: ~/.kube/plant-7
    name: defaultinstancetype
    resources:
      requests: {cpu: 500m, memory: 2Gi}
      limits: {cpu: "2", memory: 4Gi}

- name: Define exactly these two instance types
  azureml.arc.instance_type:
    kubeconfig: ~/.kube/plant-7
    purge: true
    instance_types:
      - name: defaultinstancetype
        resources:
          requests: {cpu: 500m, memory: 2Gi}
          limits: {cpu: "2", memory: 4Gi}
      - name: gpu
        node_selector: {accelerator: nvidia-tesla-k80}
        resources:
          requests: {cpu: "2", memory: 16Gi}
          limits: {cpu: "2", memory: 16Gi, nvidia.com/gpu: 1}
"""

RETURN = r"""
instance_types:
  description: The instance types as they are now, empty with O(state=absent).
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name.
      type: str
    node_selector:
      description: Labels of its nodes.
      type: dict
    resources:
      description: The resources of a job, with C(requests) and C(limits).
      type: dict
created:
  description: Names of those that were created.
  returned: success
  type: list
  elements: str
updated:
  description: Names of those that were changed.
  returned: success
  type: list
  elements: str
removed:
  description: Names of those that were removed.
  returned: success
  type: list
  elements: str
error:
  description: The error; for the fields see RV(azureml.arc.extension#module:error).
  returned: failure
  type: dict
"""

from ansible_collections.azureml.arc.plugins.module_utils._compute import instance_type
from ansible_collections.azureml.arc.plugins.module_utils._core import options, quantity
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleSpec, run_module
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes import client as kubernetes_client

RESOURCES = {"type": "dict", "options": {"requests": {"type": "dict"}, "limits": {"type": "dict"}}}

SPEC = ModuleSpec(
    run=instance_type.run,
    libraries=(*kubernetes_client.LIBRARIES, *quantity.LIBRARIES),
    argument_spec={
        **options.KUBERNETES,
        **options.wait(timeout=300),
        "name": {"type": "str"},
        "node_selector": {"type": "dict"},
        "resources": RESOURCES,
        "instance_types": {
            "type": "list",
            "elements": "dict",
            "options": {
                "name": {"type": "str", "required": True},
                "node_selector": {"type": "dict"},
                "resources": RESOURCES,
            },
        },
        "purge": {"type": "bool", "default": False},
        "state": {"type": "str", "default": "present", "choices": ["absent", "present"]},
    },
    rules={
        "required_one_of": [("name", "instance_types")],
        "mutually_exclusive": [
            ("name", "instance_types"),
            ("node_selector", "instance_types"),
            ("resources", "instance_types"),
        ],
    },
)


def main():
    run_module(SPEC)


if __name__ == "__main__":
    main()
