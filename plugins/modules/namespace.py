#!/usr/bin/python
# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: namespace
short_description: Create the namespace that a compute runs in, or wait until a namespace is empty
description:
  - Creates the namespace of a compute before the cluster is attached, or waits until nothing runs in a namespace any
    more after the extension was removed. Never removes anything.
version_added: 0.1.0
author: azureml.arc contributors (@azureml-arc)
extends_documentation_fragment:
  - azureml.arc.attributes
  - azureml.arc.kubernetes
attributes:
  check_mode:
    support: full
    details: With O(state=empty) it does not wait.
  diff_mode:
    support: full
  in_process:
    support: full
options:
  name:
    description: Name of the namespace.
    type: str
    required: true
  state:
    description:
      - V(present) creates the namespace if it does not exist.
      - V(empty) waits until it contains no Deployments, StatefulSets, DaemonSets and Pods, or does not exist.
    type: str
    choices: [empty, present]
    default: present
  wait:
    description: Wait for O(state=empty). V(false) returns the remaining objects in RV(left).
    type: bool
    default: true
  wait_timeout:
    description: Longest time to wait, in seconds.
    type: int
    default: 900
"""

EXAMPLES = r"""
- name: Create the namespace of a compute
  azureml.arc.namespace:
    kubeconfig: ~/.kube/shop-0042
    name: vision

- name: Wait until nothing of the extension runs any more
  azureml.arc.namespace:
    kubeconfig: ~/.kube/shop-0042
    name: azureml
    state: empty
"""

RETURN = r"""
left:
  description: The remaining objects, with O(state=empty) and O(wait=false) or in check mode.
  returned: success
  type: list
  elements: str
  sample: ["Pod 'gateway-5c9d'"]
error:
  description: The error; for the fields see RV(azureml.arc.extension#module:error).
  returned: failure
  type: dict
"""

from ansible_collections.azureml.arc.plugins.module_utils._core import options
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleSpec, run_module
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes import client as kubernetes_client
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes import namespace

SPEC = ModuleSpec(
    run=namespace.run,
    libraries=kubernetes_client.LIBRARIES,
    argument_spec={
        **options.KUBERNETES,
        **options.wait(timeout=900),
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "default": "present", "choices": ["empty", "present"]},
    },
)


def main():
    run_module(SPEC)


if __name__ == "__main__":
    main()
