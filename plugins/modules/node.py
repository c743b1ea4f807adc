#!/usr/bin/python
# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node
short_description: Label and taint the nodes that Azure Machine Learning uses
description:
  - Sets labels, by which instance types select nodes, and taints that reserve nodes for AzureML, whose pods tolerate
    them. Changes nothing else on a node.
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
  names:
    description:
      - Names of nodes, or patterns like V(gpu-*). A name that no node has is an error, a pattern that no node matches a
        warning.
      - If no node is selected at all, the module fails with O(state=present), and warns with O(state=absent).
      - Set this, O(label_selectors), or both, in which case a node must match both.
    type: list
    elements: str
  label_selectors:
    description: Label selectors as C(kubectl) takes them, such as V(pool=gpu) or V(!spot). All of them must match.
    type: list
    elements: str
  labels:
    description: Labels to set, or with O(state=absent) to remove, whatever their value.
    type: dict
    default: {}
  taints:
    description: Taints to set, or with O(state=absent) to remove.
    type: list
    elements: dict
    default: []
    suboptions:
      key:
        description:
          - All pods of AzureML tolerate V(ml.azure.com/amlarc), those of the extension V(ml.azure.com/amlarc-system),
            jobs and endpoints V(ml.azure.com/amlarc-workload).
          - V(ml.azure.com/resource-group), V(ml.azure.com/workspace) and V(ml.azure.com/compute) admit only jobs and
            endpoints of the resource that O(taints[].value) names.
        type: str
        required: true
        choices:
          - ml.azure.com/amlarc
          - ml.azure.com/amlarc-system
          - ml.azure.com/amlarc-workload
          - ml.azure.com/resource-group
          - ml.azure.com/workspace
          - ml.azure.com/compute
      value:
        description: Name of the resource group, workspace or compute; V(true) for the others, which is their default.
        type: str
      effect:
        description: Effect on other pods. V(NoExecute) evicts running pods.
        type: str
        choices: [NoSchedule, PreferNoSchedule, NoExecute]
        default: NoSchedule
  allow_disruption:
    description: Set taints with effect V(NoExecute) even if they evict running pods.
    type: bool
    default: false
  state:
    description: V(present) sets labels and taints, V(absent) removes them.
    type: str
    choices: [absent, present]
    default: present
"""

EXAMPLES = r"""
- name: Keep the GPU nodes for jobs of one compute
  azureml.arc.node:
    kubeconfig: ~/.kube/plant-7
    names: [gpu-*]
    labels: {accelerator: nvidia-tesla-k80}
    taints:
      - key: ml.azure.com/compute
        value: plant-7

- name: Release the nodes
  azureml.arc.node:
    kubeconfig: ~/.kube/plant-7
    label_selectors: [accelerator=nvidia-tesla-k80]
    taints:
      - key: ml.azure.com/compute
    state: absent
"""

RETURN = r"""
nodes:
  description: Names of the selected nodes.
  returned: success
  type: list
  elements: str
changed_nodes:
  description: Names of the nodes that were changed.
  returned: success, and failure after the first change
  type: list
  elements: str
error:
  description: The error; for the fields see RV(azureml.arc.extension#module:error).
  returned: failure
  type: dict
"""

from ansible_collections.azureml.arc.plugins.module_utils._core import options
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleSpec, run_module
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes import client as kubernetes_client
from ansible_collections.azureml.arc.plugins.module_utils._node import module as _node
from ansible_collections.azureml.arc.plugins.module_utils._node import taints

SPEC = ModuleSpec(
    run=_node.run,
    libraries=kubernetes_client.LIBRARIES,
    argument_spec={
        **options.KUBERNETES,
        "names": {"type": "list", "elements": "str"},
        "label_selectors": {"type": "list", "elements": "str"},
        "labels": {"type": "dict", "default": {}},
        "taints": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {
                "key": {"type": "str", "required": True, "choices": list(taints.TAINT_KEYS), "no_log": False},
                "value": {"type": "str"},
                "effect": {"type": "str", "default": "NoSchedule", "choices": list(taints.EFFECTS)},
            },
        },
        "allow_disruption": {"type": "bool", "default": False},
        "state": {"type": "str", "default": "present", "choices": ["absent", "present"]},
    },
    rules={"required_one_of": [("names", "label_selectors")]},
)


def main():
    run_module(SPEC)


if __name__ == "__main__":
    main()
