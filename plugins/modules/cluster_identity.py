#!/usr/bin/python
# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_identity
short_description: Check that a Kubernetes connection belongs to a cluster in Azure
description:
  - Compares a cluster in Azure with the identity that the Kubernetes API reports, and fails if they differ. This
    detects a wrong or missing kubeconfig before anything is written to another cluster.
  - Azure Arc stores the cluster's name, resource group and subscription in the ConfigMap C(azure-clusterconfig) in the
    namespace C(azure-arc).
  - An AKS cluster is recognised by the host name of its API server, see O(fqdns). If that is inconclusive (an IP
    address, or a name outside the domains of AKS), the ConfigMap C(extension-manager-config) in the namespace
    C(kube-system) is read, which exists once a cluster extension has been installed.
  - Without its ConfigMap, a connected cluster is another one if O(extension_installed), or if the ConfigMap of AKS
    names an AKS cluster. An AKS cluster is another one if none of its nodes has the label
    C(kubernetes.azure.com/cluster). Otherwise it is not verified.
  - Does not sign in to Azure, so it can run on a machine that only reaches the Kubernetes API, for instance on a node.
version_added: 1.0.0
author: azureml.arc contributors (@azureml-arc)
extends_documentation_fragment:
  - azureml.arc.attributes
  - azureml.arc.attributes.info_module
  - azureml.arc.kubernetes
  - azureml.arc.cluster.optional
options:
  cluster_id:
    description: ARM id of the cluster. Alternative to O(subscription_id), O(resource_group) and O(cluster_name).
    type: str
  subscription_id:
    description:
      - Subscription of the cluster. Can also be set with E(AZURE_SUBSCRIPTION_ID).
      - Without it, O(resource_group) and O(cluster_name) are compared, not the subscription.
    type: str
  fqdns:
    description: Host names of an AKS cluster's API server, as RV(azureml.arc.preflight#module:cluster.fqdns) has them.
    type: list
    elements: str
    default: []
  extension_installed:
    description:
      - Whether an extension is installed on the cluster, as Azure reports it. Only the agents of Azure Arc can have
        installed it, so a connected cluster without their ConfigMap is another one.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Check that the kubeconfig is that of the connected cluster
  azureml.arc.cluster_identity:
    subscription_id: 11111111-2222-3333-4444-555555555555
    resource_group: rg-edge
    cluster_name: shop-0042
    kubeconfig: ~/.kube/shop-0042

- name: Check an AKS cluster, and fail if it cannot be verified
  azureml.arc.cluster_identity:
    cluster_id: "{{ preflight.cluster.id }}"
    fqdns: "{{ preflight.cluster.fqdns }}"
    context: aks-east
  register: identity
  failed_when: identity is failed or not identity.verified
"""

RETURN = r"""
verified:
  description:
    - Whether the API is verified to be that of the cluster. V(false) if this is unknown, see RV(reason).
    - For another cluster, the module fails with the code V(WrongCluster).
  returned: success, and failure because of another cluster
  type: bool
reason:
  description: Why the cluster could not be verified; empty if it was.
  returned: success
  type: str
  sample: ConfigMap 'azure-clusterconfig' in namespace 'azure-arc' does not exist
api_address:
  description:
    - Address of the API, with its port. Two connections from one machine with the same address reach the same API, so
      an address that two clusters share is wrong for one of them.
  returned: success, and failure because of another cluster
  type: str
  sample: https://10.0.0.4:6443
found_id:
  description: ARM id of the cluster that the API reports; empty if it was not read, or is unknown.
  returned: success, and failure because of another cluster
  type: str
error:
  description: The error; for the fields see RV(azureml.arc.extension#module:error).
  returned: failure
  type: dict
"""

from ansible_collections.azureml.arc.plugins.module_utils._core import options
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleSpec, run_module
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes import client as kubernetes_client
from ansible_collections.azureml.arc.plugins.module_utils._preflight import identity_check

SPEC = ModuleSpec(
    run=identity_check.run,
    libraries=kubernetes_client.LIBRARIES,
    argument_spec={
        **options.KUBERNETES,
        **options.OPTIONAL_CLUSTER,
        "cluster_id": {"type": "str"},
        "subscription_id": {"type": "str"},
        "fqdns": {"type": "list", "elements": "str", "default": []},
        "extension_installed": {"type": "bool", "default": False},
    },
    rules={
        "required_one_of": [("cluster_id", "cluster_name")],
        "mutually_exclusive": [("cluster_id", "cluster_name")],
        "required_by": {"cluster_name": ("resource_group",)},
    },
)


def main():
    run_module(SPEC)


if __name__ == "__main__":
    main()
