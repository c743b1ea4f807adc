# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: drift
short_description: Find out in one task whether a cluster is as it should be
version_added: 1.0.0
description:
  - Looks at the extension, at what the cluster needs for it, at the pods, the computes and the instance types, in this
    order, and stops at the first that is not as it should be. It changes nothing.
  - Does what M(azureml.arc.extension), M(azureml.arc.openshift_scc), M(azureml.arc.tls_secret),
    M(azureml.arc.pod_readiness), M(azureml.arc.compute) and M(azureml.arc.instance_type) do in check mode. Each as a
    task of its own costs the controller several times as much as the look itself.
  - Role P(azureml.arc.azureml#role) uses it to be done with clusters that need no change.
options:
  mistakes:
    description: What is wrong with the options. With any of it nothing is looked at, and the task fails.
    type: list
    elements: str
    default: []
  azure:
    description: Options of all modules that sign in to Azure.
    type: dict
    default: {}
  kubernetes:
    description: Options of all modules that connect to the cluster.
    type: dict
    default: {}
  extension:
    description: Options of M(azureml.arc.extension).
    type: dict
    required: true
  openshift_scc:
    description: Options of M(azureml.arc.openshift_scc). Is looked at where the extension is for OpenShift.
    type: dict
  tls_secret:
    description: Options of M(azureml.arc.tls_secret). Without them it is not looked at.
    type: dict
  pod_readiness:
    description:
      - Options of M(azureml.arc.pod_readiness). Without them it is not looked at.
      - What they do not say is taken from how the extension was installed.
    type: dict
  computes:
    description: Options of M(azureml.arc.compute), for each compute.
    type: list
    elements: dict
    default: []
  instance_type:
    description:
      - Options of M(azureml.arc.instance_type), such as C(purge). Without them it is not looked at.
      - The instance types themselves are those of the computes.
    type: dict
extends_documentation_fragment:
  - azureml.arc.attributes
  - azureml.arc.attributes.info_module
attributes:
  in_process:
    support: full
    details: Its parts do what they do as tasks of their own.
author: azureml.arc contributors (@azureml-arc)
"""

EXAMPLES = r"""
- name: Find out whether the cluster is as it should be
  azureml.arc.drift:
    extension: {resource_group: rg-edge, cluster_name: shop-0042, workload_profile: training}
    pod_readiness: {workload_profile: training}
    computes:
      - resource_group: rg-edge
        cluster_name: shop-0042
        name: shop-0042
        workspace: {name: ws, resource_group: rg-ml}
  delegate_to: localhost
  register: cluster

- name: Say so
  ansible.builtin.debug:
    msg: "{{ 'as it should be' if cluster.as_wanted else cluster.plan.reason }}"
"""

RETURN = r"""
as_wanted:
  description: Whether all that was asked for is as it should be.
  returned: success
  type: bool
plan:
  description: What would have to happen to the extension; see RV(azureml.arc.extension#module:plan).
  returned: success
  type: dict
extension:
  description: The extension; see RV(azureml.arc.extension#module:extension). So are all further values.
  returned: success
  type: dict
pod_readiness:
  description: What M(azureml.arc.pod_readiness) returned, V(null) where the pods were not looked at.
  returned: success
  type: dict
computes:
  description: What M(azureml.arc.compute) returned, for each compute that was looked at.
  returned: success
  type: list
  elements: dict
"""
