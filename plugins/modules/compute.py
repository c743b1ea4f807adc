#!/usr/bin/python
# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: compute
short_description: Attach a Kubernetes cluster to an Azure Machine Learning workspace, or detach it
description:
  - Makes a cluster with the AzureML extension a compute target of a workspace.
  - A cluster can be attached more than once, under other names and with other namespaces, and to several workspaces.
  - What the task says nothing of stays as it is. Cluster and namespace cannot be changed in place, so another one is
    refused, unless O(force_reattach) detaches it first.
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
      - V(present) attaches the cluster, V(absent) detaches it. The cluster stays as it is.
      - With V(absent) the cluster need not be named, nor exist any more. Where it is named, the compute of another
        cluster is refused.
    type: str
    choices: [absent, present]
    default: present
  namespace:
    description:
      - Namespace in the cluster that jobs and endpoints run in.
      - The default is V(default).
    type: str
  create_namespace:
    description:
      - Whether to create O(namespace) where it does not exist when the cluster is attached; V(false) fails then, before
        anything is sent to Azure.
      - Either asks the cluster, with the options of its connection. Where this is not set, the cluster is not asked,
        and attaching fails where the namespace does not exist.
    type: bool
  description:
    description: Description of the compute.
    type: str
  identity:
    description:
      - In whose name jobs on the compute act. A new compute gets an identity of its own where this is not set.
    type: dict
    suboptions:
      type:
        description: V(SystemAssigned) for an identity of its own, V(UserAssigned) for those of the list.
        type: str
        choices: [SystemAssigned, UserAssigned]
        required: true
      user_assigned_identities:
        description: ARM ids of managed identities.
        type: list
        elements: str
  instance_types:
    description:
      - What jobs may run on, by name. Each has C(node_selector), and C(resources) with C(requests) and C(limits), as in
        M(azureml.arc.instance_type).
      - The compute keeps them for releases of 2021. Today they are objects of the cluster besides, made by
        M(azureml.arc.instance_type) from RV(cluster_instance_types).
    type: dict
  default_instance_type:
    description:
      - Which of O(instance_types) a job gets that names none.
      - Required with O(instance_types), unless one of them is named C(defaultInstanceType).
    type: str
  config_file:
    description:
      - Path of a JSON file with C(namespace), C(defaultInstanceType) and C(instanceTypes), as the studio takes it for
        an advanced attach; instead of O(namespace), O(default_instance_type) and O(instance_types).
    type: path
  purge_instance_types:
    description:
      - Remove instance types from the compute that are not among O(instance_types), except V(defaultinstancetype).
    type: bool
    default: false
  retry_failed:
    description:
      - Attach a compute again whose last operation failed or was canceled. With V(false) that is an error, with what
        the operation said; a task that waits for what another one has submitted wants that.
    type: bool
    default: true
  force_reattach:
    description:
      - Detach the compute and attach it anew where its cluster or namespace is another.
      - Refused while it is in use, unless O(allow_disruption=true).
    type: bool
    default: false
  allow_disruption:
    description: Detach the compute though jobs that have not ended or online endpoints use it.
    type: bool
    default: false
  wait:
    description: Wait until the cluster is attached or detached.
    type: bool
    default: true
  wait_timeout:
    description: How long to wait at most, in seconds.
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

- name: Attach it with instance types and a namespace of its own
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

- name: Attach it as a configuration file of the studio says
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
  description: What had to happen.
  returned: success
  type: dict
  contains:
    action:
      description:
        - V(none), V(create), V(update), V(replace) or V(delete).
        - V(adopt) where an operation is under way and O(wait=false).
      type: str
    reason:
      description: Why.
      type: str
    changes:
      description: What changes, each with C(before) and C(after).
      type: dict
compute:
  description: The compute, V(null) where there is none. With O(state=absent) as it was before.
  returned: success
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
      description: Namespace that jobs and endpoints run in.
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
    - The wanted instance types as M(azureml.arc.instance_type) takes them. In the cluster names have no capitals and
      underscores, and the default is called C(defaultinstancetype) as well.
  returned: success
  type: list
  elements: dict
created_namespace:
  description: Whether the namespace had to be created.
  returned: O(state=present) and success
  type: bool
error:
  description: What the service answered; for the fields see RV(azureml.arc.extension#module:error).
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
