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
  - A name that is taken by another cluster is refused, and so is another namespace than the one it was attached with.
version_added: 0.1.0
author: azureml.arc contributors (@azureml-arc)
extends_documentation_fragment:
  - azureml.arc.attributes
  - azureml.arc.azure
  - azureml.arc.cluster
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
    type: str
    choices: [absent, present]
    default: present
  namespace:
    description: Namespace in the cluster that jobs and endpoints run in. It must exist.
    type: str
    default: default
  description:
    description: Description of the compute, given when it is attached.
    type: str
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

- name: Detach it
  azureml.arc.compute:
    name: shop-0042
    resource_group: rg-edge
    cluster_name: shop-0042
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
        - V(none), V(create) or V(delete).
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
    extension_principal_id:
      description: Object id of the extension's managed identity.
      type: str
    principal_id:
      description: Object id of its own managed identity.
      type: str
    errors:
      description: Errors of its last operation.
      type: list
      elements: dict
error:
  description: What the service answered; for the fields see RV(azureml.arc.extension#module:error).
  returned: failure
  type: dict
"""

from ansible_collections.azureml.arc.plugins.module_utils import _azure_session, _compute, _options
from ansible_collections.azureml.arc.plugins.module_utils._runner import ModuleSpec, run_module

SPEC = ModuleSpec(
    run=_compute.run,
    libraries=_azure_session.LIBRARIES,
    argument_spec={
        **_options.AZURE,
        **_options.CLUSTER,
        **_options.WORKSPACE,
        **_options.wait(timeout=600),
        "name": {"type": "str", "required": True},
        "state": {"type": "str", "default": "present", "choices": ["absent", "present"]},
        "namespace": {"type": "str", "default": "default"},
        "description": {"type": "str"},
    },
)


def main():
    run_module(SPEC)


if __name__ == "__main__":
    main()
