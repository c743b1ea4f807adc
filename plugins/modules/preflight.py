#!/usr/bin/python
# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: preflight
short_description: Check whether the AzureML extension can be installed on a cluster
description:
  - Checks the cluster in Azure and through its Kubernetes API, changes nothing, and returns all findings at once, each
    with its fix.
  - If the account lacks the permission for a check, the finding is a warning.
version_added: 0.1.0
author: azureml.arc contributors (@azureml-arc)
extends_documentation_fragment:
  - azureml.arc.attributes
  - azureml.arc.attributes.info_module
  - azureml.arc.azure
  - azureml.arc.cluster
  - azureml.arc.kubernetes
options:
  workload_profile:
    description: Workloads to run on the cluster.
    type: str
    choices: [training, inference, training_inference]
    required: true
  settings_generation:
    description: As in M(azureml.arc.extension).
    type: str
    choices: [current, "2021"]
    default: current
  extension_name:
    description: Name of the extension.
    type: str
    default: azureml
  inference_service:
    description: As in M(azureml.arc.extension).
    type: str
    choices: [load_balancer, internal_load_balancer, node_port, cluster_ip]
  inference_router_ha:
    description: As in M(azureml.arc.extension).
    type: bool
  node_selector:
    description: As in M(azureml.arc.extension).
    type: dict
  log_analytics:
    description: As in M(azureml.arc.extension).
    type: bool
  install_nvidia_device_plugin:
    description: As in M(azureml.arc.extension).
    type: bool
  install_prometheus_operator:
    description: As in M(azureml.arc.extension).
    type: bool
  install_volcano:
    description: As in M(azureml.arc.extension).
    type: bool
  install_dcgm_exporter:
    description: As in M(azureml.arc.extension).
    type: bool
  install_components:
    description:
      - What to do if an NVIDIA device plugin, Volcano or a Prometheus operator exists in the cluster.
      - V(check) reports an error that names the option to use the existing one.
      - V(auto) adds that option to RV(install_options), unless the task sets it.
    type: str
    choices: [auto, check]
    default: check
  compute_namespaces:
    description: Namespaces of computes. They must exist, and need permissions on OpenShift.
    type: list
    elements: str
    default: []
  minimum_agent_version:
    description: Lowest version of the Arc agents to accept, such as V(1.20.0). By default, any version.
    type: str
  sides:
    description:
      - The APIs to check, V(azure) for Azure Resource Manager, V(kubernetes) for the API of the cluster.
      - If only a node reaches the latter, run V(azure) on the controller and V(kubernetes) on the node. Each needs only
        the Python packages of its side.
    type: list
    elements: str
    choices: [azure, kubernetes]
    default: [azure, kubernetes]
  skip_checks:
    description: Checks to skip, by their names in RV(findings).
    type: list
    elements: str
    choices:
      - connectivity
      - agent_version
      - resource_providers
      - namespace
      - compute_namespaces
      - nodes
      - resources
      - volcano
      - prometheus_operator
      - nvidia_device_plugin
      - legacy_router
      - load_balancer
      - openshift_scc
    default: []
  skip_installed:
    description:
      - Return at once, without checks, if the extension is installed or being installed.
    type: bool
    default: false
  fail_on:
    description:
      - Lowest level of findings that fail the task. The failed result contains all findings. Other errors and warnings
        are shown as warnings.
      - With V(never), check RV(passed).
    type: str
    choices: [error, warning, never]
    default: error
"""

EXAMPLES = r"""
- name: Check a cluster before the extension is installed for training
  azureml.arc.preflight:
    resource_group: rg-edge
    cluster_name: shop-0042
    kubeconfig: ~/.kube/shop-0042
    workload_profile: training

- name: Check a cluster that may have Volcano
  azureml.arc.preflight:
    resource_group: rg-edge
    cluster_name: plant-7
    kubeconfig: ~/.kube/plant-7
    workload_profile: training_inference
    inference_service: load_balancer
    install_components: auto
    fail_on: never
  register: preflight
"""

RETURN = r"""
checked:
  description: Whether the checks were run. V(false) if O(skip_installed=true) and the extension exists.
  returned: success, and failure because of findings
  type: bool
passed:
  description: Whether no finding is an error.
  returned: success, and failure because of findings
  type: bool
findings:
  description: The findings, errors first.
  returned: success, and failure because of findings
  type: list
  elements: dict
  contains:
    check:
      description: Name of the check. C(kubernetes_api) if the API did not respond.
      type: str
      sample: resources
    level:
      description: V(error) prevents an installation, V(warning) may prevent it, V(info) is for information.
      type: str
    message:
      description: The problem.
      type: str
      sample: 250m of cpu are free on these nodes, but training needs 410m.
    fix:
      description: The fix.
      type: str
      sample: Add nodes, or free resources.
install_options:
  description: With O(install_components=auto), options for M(azureml.arc.extension) to use existing components.
  returned: success, and failure because of findings
  type: dict
  sample: {install_volcano: false}
installed:
  description: Whether the extension exists, in any state.
  returned: success, and failure because of findings
  type: bool
openshift:
  description: Whether the cluster runs OpenShift, as Azure reports it.
  returned: success, and failure because of findings
  type: bool
cluster:
  description: The cluster as Azure reports it, V(null) if it was not read.
  returned: success, and failure because of findings
  type: dict
  contains:
    id:
      description: Its ARM id.
      type: str
    location:
      description: Its region.
      type: str
    node_count:
      description: The number of its nodes.
      type: int
    distribution:
      description: The distribution of a connected cluster.
      type: str
      sample: k3s
    connectivity_status:
      description: V(Connected), V(Connecting), V(Offline) or V(Expired), of a connected cluster.
      type: str
    agent_version:
      description: The version of its Arc agents.
      type: str
    fqdns:
      description: Host names of the API server of an AKS cluster, for M(azureml.arc.cluster_identity).
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
from ansible_collections.azureml.arc.plugins.module_utils._extension.keys import CURRENT
from ansible_collections.azureml.arc.plugins.module_utils._preflight import checks
from ansible_collections.azureml.arc.plugins.module_utils._preflight import module as _preflight

SIDES = ["azure", "kubernetes"]

SPEC = ModuleSpec(
    run=_preflight.run,
    argument_spec={
        **options.AZURE,
        **options.CLUSTER,
        **options.KUBERNETES,
        **extension_options.INSTALL_SWITCHES,
        "workload_profile": {**extension_options.WORKLOAD_PROFILE, "required": True},
        "settings_generation": extension_options.SETTINGS_GENERATION,
        "extension_name": {"type": "str", "default": "azureml"},
        "inference_service": {"type": "str", "choices": list(CURRENT.inference_services)},
        "inference_router_ha": {"type": "bool"},
        "node_selector": {"type": "dict"},
        "log_analytics": {"type": "bool"},
        "install_components": {"type": "str", "default": "check", "choices": ["auto", "check"]},
        "compute_namespaces": {"type": "list", "elements": "str", "default": []},
        "minimum_agent_version": {"type": "str"},
        "sides": {"type": "list", "elements": "str", "default": SIDES, "choices": SIDES},
        "skip_checks": {"type": "list", "elements": "str", "default": [], "choices": checks.NAMES},
        "skip_installed": {"type": "bool", "default": False},
        "fail_on": {"type": "str", "default": "error", "choices": ["error", "warning", "never"]},
    },
)


def main():
    run_module(SPEC)


if __name__ == "__main__":
    main()
