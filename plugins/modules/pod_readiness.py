#!/usr/bin/python
# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: pod_readiness
short_description: Wait until the pods of the AzureML extension are ready, and report problems
description:
  - Checks the expected workloads of a deployment, and every pod in the extension's namespace, through the Kubernetes
    API of the cluster.
  - Ready means that each expected component is rolled out and each pod is ready. Pods of finished Jobs count as ready.
    A namespace without pods is not ready.
  - A pod that is being removed is ignored if its workload has its replicas. Pods of a DaemonSet on a node that is not
    ready are ignored with a warning that names the node.
  - Watches the pods instead of polling.
version_added: 0.1.0
author: azureml.arc contributors (@azureml-arc)
extends_documentation_fragment:
  - azureml.arc.attributes
  - azureml.arc.attributes.info_module
  - azureml.arc.kubernetes
options:
  namespace:
    description: Namespace of the extension's pods.
    type: str
    default: azureml
  workload_profile:
    description: Workloads that run on the cluster. With O(cluster_type) it determines the expected components.
    type: str
    choices: [training, inference, training_inference]
  settings_generation:
    description: As in M(azureml.arc.extension); V(2021) expects the components of the first releases.
    type: str
    choices: [current, "2021"]
    default: current
  cluster_type:
    description: V(connected_cluster) for a cluster connected to Azure Arc, V(managed_cluster) for an AKS cluster.
    type: str
    choices: [connected_cluster, managed_cluster]
    default: connected_cluster
  extension_name:
    description: Name of the extension, which is part of the names of some components.
    type: str
    default: azureml
  install_nvidia_device_plugin:
    description: As in M(azureml.arc.extension); V(true) expects the plugin, V(false) does not.
    type: bool
  install_prometheus_operator:
    description: As in M(azureml.arc.extension); V(false) does not expect the operator.
    type: bool
  install_volcano:
    description: As in M(azureml.arc.extension); V(false) does not expect Volcano.
    type: bool
  install_dcgm_exporter:
    description: As in M(azureml.arc.extension); V(true) expects the exporter.
    type: bool
  components:
    description:
      - The expected components, instead of those of O(workload_profile), for a version of the extension that contains
        others.
      - With an empty list, only pods are checked.
    type: list
    elements: dict
    suboptions:
      kind:
        description: Kind of the workload.
        type: str
        choices: [Deployment, StatefulSet, DaemonSet]
        default: Deployment
      name:
        description: Name of the workload.
        type: str
        required: true
      required:
        description: Whether it must exist. If it exists, it must be ready in either case.
        type: bool
        default: true
  wait:
    description:
      - Wait until everything is ready, and fail after O(wait_timeout).
      - V(false) checks once and returns the result, ready or not. So does check mode, with a warning if something is
        not ready yet.
    type: bool
    default: true
  wait_timeout:
    description:
      - Longest time to wait, in seconds.
      - If only expected components are missing and all others are ready, the wait ends after a minute.
    type: int
    default: 900
"""

EXAMPLES = r"""
- name: Wait until a cluster's training components are ready
  azureml.arc.pod_readiness:
    kubeconfig: ~/.kube/shop-0042
    workload_profile: training

- name: Check a cluster once, on the node that has its kubeconfig
  azureml.arc.pod_readiness:
    kubeconfig: /etc/rancher/k3s/k3s.yaml
    workload_profile: training
    wait: false
  become: true
  register: readiness
"""

RETURN = r"""
ready:
  description: Whether everything is ready.
  returned: always, once the cluster has responded
  type: bool
summary:
  description: The state in one line.
  returned: always, once the cluster has responded
  type: str
  sample: 10 of 10 components and 12 of 12 pods are ready
problems:
  description: A line for each failed check of the extension, and for each component and pod that is not ready.
  returned: always, once the cluster has responded
  type: list
  elements: str
  sample: ["Pod relayserver-7f9c: ImagePullBackOff: container relayserver: Back-off pulling image"]
health_check:
  description: The failed health checks of the extension. Read if something is not ready.
  returned: always, once the cluster has responded
  type: list
  elements: dict
  contains:
    report:
      description: The occasion, such as V(pre-install) or V(pre-upgrade).
      type: str
    check:
      description: Name of the check.
      type: str
    code:
      description: Its error code.
      type: str
      sample: E40002
    title:
      description: The code's name.
      type: str
      sample: INSUFFICIENT_NODE
    message:
      description: Its message.
      type: str
    blocking:
      description: Whether it stops the installation.
      type: bool
    hint:
      description: The fix.
      type: str
components:
  description: The components.
  returned: always, once the cluster has responded
  type: list
  elements: dict
  contains:
    kind:
      description: Kind of the workload.
      type: str
    name:
      description: Name of the workload.
      type: str
    ready:
      description: Whether it is rolled out.
      type: bool
    desired_replicas:
      description: The desired number of replicas.
      type: int
    ready_replicas:
      description: The number of available replicas.
      type: int
    reason:
      description: Why it is not ready; empty if it is ready.
      type: str
      sample: Unavailable
    message:
      description: The reason as text.
      type: str
      sample: 0 of 1 available
pods:
  description: The pods.
  returned: always, once the cluster has responded
  type: list
  elements: dict
  contains:
    name:
      description: Name of the pod.
      type: str
    phase:
      description: Its phase.
      type: str
    ready:
      description: Whether it is ready, or has completed.
      type: bool
    node:
      description: The node it runs on.
      type: str
    restarts:
      description: How often its containers were restarted.
      type: int
    reason:
      description:
        - Why it is not ready, as Kubernetes names it; empty if it is ready.
        - V(NodeNotReady) if it is ignored because of its node, V(Terminating) if it is being removed.
      type: str
      sample: Unschedulable
    message:
      description: The reason as text.
      type: str
      sample: "0/1 nodes are available: 1 Insufficient cpu."
component_table:
  description: The source of the expected components, O(settings_generation) or V(components option).
  returned: always, once the cluster has responded
  type: str
  sample: current
error:
  description: The error; for the fields see RV(azureml.arc.extension#module:error).
  returned: failure
  type: dict
"""

from ansible_collections.azureml.arc.plugins.module_utils._core import options
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleSpec, run_module
from ansible_collections.azureml.arc.plugins.module_utils._extension import options as extension_options
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes import client as kubernetes_client
from ansible_collections.azureml.arc.plugins.module_utils._readiness import module as _pod_readiness

SPEC = ModuleSpec(
    run=_pod_readiness.run,
    libraries=kubernetes_client.LIBRARIES,
    argument_spec={
        **options.KUBERNETES,
        **extension_options.INSTALL_SWITCHES,
        **options.wait(timeout=900),
        "namespace": {"type": "str", "default": "azureml"},
        "workload_profile": extension_options.WORKLOAD_PROFILE,
        "settings_generation": extension_options.SETTINGS_GENERATION,
        "cluster_type": options.CLUSTER["cluster_type"],
        "extension_name": {"type": "str", "default": "azureml"},
        "components": {
            "type": "list",
            "elements": "dict",
            "options": {
                "kind": {
                    "type": "str",
                    "default": "Deployment",
                    "choices": ["Deployment", "StatefulSet", "DaemonSet"],
                },
                "name": {"type": "str", "required": True},
                "required": {"type": "bool", "default": True},
            },
        },
    },
    rules={"required_one_of": [("workload_profile", "components")]},
)


def main():
    run_module(SPEC)


if __name__ == "__main__":
    main()
