#!/usr/bin/python
# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: compute
short_description: Attach a Kubernetes cluster to an Azure Machine Learning workspace, or detach it
description:
  - Attaches a cluster that has the AzureML extension as a compute target of a workspace.
  - A cluster can be attached more than once, under other names and with other namespaces, and to several workspaces.
  - Unset options are left unchanged. The cluster and the namespace cannot be changed in place; a change is refused
    unless O(force_reattach=true) allows detaching the compute first.
version_added: 0.1.0
author: azureml.arc contributors (@azureml-arc)
extends_documentation_fragment:
  - azureml.arc.attributes
  - azureml.arc.azure
  - azureml.arc.cluster.optional
  - azureml.arc.kubernetes
  - azureml.arc.workspace
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  in_process:
    support: full
options:
  name:
    description: Name of the compute.
    type: str
    required: true
  state:
    description:
      - V(present) attaches the cluster, V(absent) detaches it. The cluster itself is not changed.
      - V(absent) works without the options of the cluster, and after the cluster was deleted. If they are set, a
        compute of another cluster is not detached.
    type: str
    choices: [absent, present]
    default: present
  namespace:
    description:
      - Namespace of the cluster in which jobs and endpoints run.
      - Defaults to V(default).
    type: str
  create_namespace:
    description:
      - Whether to create a missing O(namespace) when the cluster is attached. With V(false) the task fails before
        anything is sent to Azure.
      - Both need a connection to the cluster. If unset, the cluster is not contacted, and Azure fails to attach it if
        the namespace is missing.
    type: bool
  description:
    description: Description of the compute.
    type: str
  identity:
    description:
      - The managed identity of jobs on the compute. Defaults to V(SystemAssigned) for a new compute.
    type: dict
    suboptions:
      type:
        description: V(SystemAssigned) for an identity of the compute, V(UserAssigned) for the listed ones.
        type: str
        choices: [SystemAssigned, UserAssigned]
        required: true
      user_assigned_identities:
        description: ARM ids of managed identities.
        type: list
        elements: str
  instance_types:
    description:
      - Instance types by name, each with C(node_selector), and C(resources) with C(requests) and C(limits), as in
        M(azureml.arc.instance_type).
      - Releases of 2021 read them from the compute. Current releases read objects of the cluster instead, which
        M(azureml.arc.instance_type) creates from RV(cluster_instance_types).
    type: dict
  default_instance_type:
    description:
      - The instance type of O(instance_types) for jobs that do not name one.
      - Required with O(instance_types), unless one of them is named C(defaultInstanceType).
    type: str
  config_file:
    description:
      - Path of a JSON file with C(namespace), C(defaultInstanceType) and C(instanceTypes), as for an advanced attach in
        the studio. Replaces O(namespace), O(default_instance_type) and O(instance_types).
    type: path
  purge_instance_types:
    description:
      - Remove instance types from the compute that are not among O(instance_types), except V(defaultinstancetype).
    type: bool
    default: false
  retry_failed:
    description:
      - Attach a compute again if its last operation failed or was canceled.
      - Set to V(false) in a task that only waits; the error of the operation is then the error of the task.
    type: bool
    default: true
  force_reattach:
    description:
      - Detach the compute and attach it again if its cluster or namespace changes.
      - Refused while it is in use, unless O(allow_disruption=true).
    type: bool
    default: false
  allow_disruption:
    description: Detach the compute even if unfinished jobs or online endpoints use it.
    type: bool
    default: false
  wait:
    description: Wait until the cluster is attached or detached.
    type: bool
    default: true
  wait_timeout:
    description: Longest time to wait, in seconds.
    type: int
    default: 600
"""

EXAMPLES = r"""
- name: Attach a cluster
  azureml.arc.compute:
    name: shop-0042
    resource_group: rg-edge
    cluster_name: shop-0042
    workspace:
      name: ws
      resource_group: rg-ml

- name: Attach it with instance types and its own namespace
  azureml.arc.compute:
    name: shop-0042-vision
    resource_group: rg-edge
    cluster_name: shop-0042
    workspace:
      name: ws
      resource_group: rg-ml
    namespace: vision
    create_namespace: true
    kubeconfig: ~/.kube/shop-0042
    identity:
      type: UserAssigned
      user_assigned_identities:
        - "/subscriptions/{{ subscription }}/resourceGroups/rg-ml\
          /providers/Microsoft.ManagedIdentity/userAssignedIdentities/vision"
    default_instance_type: gpu
    instance_types:
      gpu:
        node_selector: {accelerator: nvidia-tesla-k80}
        resources:
          requests: {cpu: "2", memory: 16Gi, nvidia.com/gpu: 1}
          limits: {cpu: "2", memory: 16Gi, nvidia.com/gpu: 1}

- name: Attach it with a configuration file of the studio
  azureml.arc.compute:
    name: shop-0042
    resource_group: rg-edge
    cluster_name: shop-0042
    workspace:
      name: ws
      resource_group: rg-ml
    config_file: attach.json

- name: Detach it, whether its cluster still exists or not
  azureml.arc.compute:
    name: shop-0042
    workspace:
      name: ws
      resource_group: rg-ml
    state: absent
"""

RETURN = r"""
plan:
  description: The change.
  returned: success, and if the change is refused
  type: dict
  contains:
    action:
      description:
        - V(none), V(create), V(update), V(replace) or V(delete).
        - V(adopt) if another operation is in progress and O(wait=false).
        - V(refuse) if the task failed because it does not make the change.
      type: str
    allowed_by:
      description: The option that allows the change, V(null) if there is none.
      returned: if the change is refused
      type: str
    reason:
      description: The reason for the action.
      type: str
    changes:
      description: The properties that change, each with C(before) and C(after).
      type: dict
compute:
  description: The compute, V(null) if it does not exist. With O(state=absent), before its removal.
  returned: success, and if the change is refused
  type: dict
  contains:
    id:
      description: Its ARM id.
      type: str
    name:
      description: Its name.
      type: str
    location:
      description: Its region, that of the workspace.
      type: str
    provisioning_state:
      description: V(Succeeded), V(Failed), V(Canceled), V(Creating), V(Updating) or V(Deleting).
      type: str
    cluster_id:
      description: ARM id of the cluster.
      type: str
    namespace:
      description: Namespace of jobs and endpoints.
      type: str
    description:
      description: Its description.
      type: str
    created_on:
      description: When it was attached.
      type: str
    default_instance_type:
      description: Name of its default instance type.
      type: str
    instance_types:
      description: Its instance types by name, each with C(node_selector) and C(resources).
      type: dict
    identity:
      description: Its identity, with C(type) and C(user_assigned_identities).
      type: dict
    extension_principal_id:
      description: Object id of the extension's managed identity.
      type: str
    extension_release_train:
      description: Release train of the extension.
      type: str
    principal_id:
      description: Object id of its own managed identity.
      type: str
    errors:
      description: Errors of its last operation.
      type: list
      elements: dict
cluster_instance_types:
  description:
    - The instance types of the task in the format of M(azureml.arc.instance_type). In the cluster, names have neither
      capital letters nor underscores, and the default also exists under the name C(defaultinstancetype).
  returned: success, and if the change is refused
  type: list
  elements: dict
created_namespace:
  description: Whether the namespace had to be created.
  returned: O(state=present) and success
  type: bool
replacement:
  description:
    - The request that creates the compute again, including settings that the task does not name.
    - The compute was deleted in order to be replaced, and could not be created again.
  returned: failure of a replacement after the deletion
  type: dict
error:
  description: The error; for the fields see RV(azureml.arc.extension#module:error).
  returned: failure
  type: dict
"""

from ansible_collections.azureml.arc.plugins.module_utils._azure import client as azure_client
from ansible_collections.azureml.arc.plugins.module_utils._compute import module as _compute
from ansible_collections.azureml.arc.plugins.module_utils._core import options
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleSpec, run_module

SPEC = ModuleSpec(
    run=_compute.run,
    libraries=azure_client.LIBRARIES,
    argument_spec={
        **options.AZURE,
        **options.OPTIONAL_CLUSTER,
        **options.KUBERNETES,
        **options.WORKSPACE,
        **options.wait(timeout=600),
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "default": "present", "choices": ["absent", "present"]},
        "namespace": {"type": "str"},
        "create_namespace": {"type": "bool"},
        "description": {"type": "str"},
        "identity": {
            "type": "dict",
            "options": {
                "type": {"type": "str", "required": True, "choices": ["SystemAssigned", "UserAssigned"]},
                "user_assigned_identities": {"type": "list", "elements": "str"},
            },
        },
        "instance_types": {"type": "dict"},
        "default_instance_type": {"type": "str"},
        "config_file": {"type": "path"},
        "purge_instance_types": {"type": "bool", "default": False},
        "retry_failed": {"type": "bool", "default": True},
        "force_reattach": {"type": "bool", "default": False},
        "allow_disruption": {"type": "bool", "default": False},
    },
    rules={
        "required_if": [("state", "present", ("resource_group", "cluster_name"))],
        "required_together": [("resource_group", "cluster_name")],
        "mutually_exclusive": [
            ("config_file", "namespace"),
            ("config_file", "default_instance_type"),
            ("config_file", "instance_types"),
        ],
    },
)


def main():
    run_module(SPEC)


if __name__ == "__main__":
    main()
