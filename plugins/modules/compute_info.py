#!/usr/bin/python
# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: compute_info
short_description: Read the Kubernetes computes of an Azure Machine Learning workspace
description:
  - Returns all Kubernetes computes of a workspace, one of them, or those of one cluster, but none of other types.
version_added: 0.1.0
author: azureml.arc contributors (@azureml-arc)
extends_documentation_fragment:
  - azureml.arc.attributes
  - azureml.arc.attributes.info_module
  - azureml.arc.azure
  - azureml.arc.cluster.optional
  - azureml.arc.workspace
options:
  name:
    description: Name of the compute. Defaults to all of them.
    type: str
"""

EXAMPLES = r"""
- name: Read all Kubernetes computes of a workspace
  azureml.arc.compute_info:
    workspace:
      name: ws
      resource_group: rg-ml
  register: computes

- name: Read the computes of one cluster
  azureml.arc.compute_info:
    resource_group: rg-edge
    cluster_name: shop-0042
    workspace:
      name: ws
      resource_group: rg-ml
"""

RETURN = r"""
computes:
  description: The computes, possibly none. For the fields see RV(azureml.arc.compute#module:compute).
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.azureml.arc.plugins.module_utils._azure import client as azure_client
from ansible_collections.azureml.arc.plugins.module_utils._compute import module as _compute
from ansible_collections.azureml.arc.plugins.module_utils._core import options
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleSpec, run_module

SPEC = ModuleSpec(
    run=_compute.run_info,
    libraries=azure_client.LIBRARIES,
    argument_spec={**options.AZURE, **options.OPTIONAL_CLUSTER, **options.WORKSPACE, "name": {"type": "str"}},
    rules={"required_together": [("resource_group", "cluster_name")]},
)


def main():
    run_module(SPEC)


if __name__ == "__main__":
    main()
