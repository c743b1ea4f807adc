#!/usr/bin/python
# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: extension_info
short_description: Read the AzureML extension of a Kubernetes cluster
description:
  - Returns the AzureML extensions of a cluster, or one of them, without extensions of other types.
version_added: 0.1.0
author: azureml.arc contributors (@azureml-arc)
extends_documentation_fragment:
  - azureml.arc.attributes
  - azureml.arc.attributes.info_module
  - azureml.arc.azure
  - azureml.arc.cluster
options:
  name:
    description: Name of the extension. Defaults to all of them.
    type: str
"""

EXAMPLES = r"""
- name: Read the extension
  azureml.arc.extension_info:
    resource_group: rg-edge
    cluster_name: shop-0042
    name: azureml
  register: found

- name: Show its state
  ansible.builtin.debug:
    msg: "{{ found.extensions | map(attribute='provisioning_state') | first | default('not installed') }}"
"""

RETURN = r"""
extensions:
  description: The extensions, possibly none. For the fields see RV(azureml.arc.extension#module:extension).
  returned: success
  type: list
  elements: dict
"""

from ansible_collections.azureml.arc.plugins.module_utils._azure import client as azure_client
from ansible_collections.azureml.arc.plugins.module_utils._core import options
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleSpec, run_module
from ansible_collections.azureml.arc.plugins.module_utils._extension import module as _extension

SPEC = ModuleSpec(
    run=_extension.run_info,
    libraries=azure_client.LIBRARIES,
    argument_spec={**options.AZURE, **options.CLUSTER, "name": {"type": "str"}},
)


def main():
    run_module(SPEC)


if __name__ == "__main__":
    main()
