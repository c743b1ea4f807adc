#!/usr/bin/python
# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: openshift_scc
short_description: Let the service accounts of the AzureML extension run privileged on OpenShift
description:
  - Puts exactly the service accounts that the extension needs into a SecurityContextConstraints object of OpenShift,
    and takes them out again. Everybody else in it stays.
  - Without them the pods of the extension do not start on OpenShift.
version_added: 0.1.0
author: azureml.arc contributors (@azureml-arc)
extends_documentation_fragment:
  - azureml.arc.attributes
  - azureml.arc.kubernetes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  in_process:
    support: full
options:
  name:
    description: Name of the SecurityContextConstraints object.
    type: str
    default: privileged
  state:
    description:
      - V(present) adds what is missing, V(absent) removes the accounts.
      - With V(absent), a cluster that is not OpenShift is as it should be.
    type: str
    choices: [absent, present]
    default: present
  extension_name:
    description: Name of the extension; a service account carries it.
    type: str
    default: azureml
  compute_namespaces:
    description: Namespaces that computes of the cluster run in; their account C(default) is added, but for C(default).
    type: list
    elements: str
    default: []
  settings_generation:
    description: As in M(azureml.arc.extension); V(2021) adds the accounts of the first releases.
    type: str
    choices: [current, "2021"]
    default: current
"""

EXAMPLES = r"""
- name: Prepare a cluster before the extension is installed
  azureml.arc.openshift_scc:
    kubeconfig: ~/.kube/plant-7
    compute_namespaces: [ml]

- name: Take the service accounts out again
  azureml.arc.openshift_scc:
    kubeconfig: ~/.kube/plant-7
    compute_namespaces: [ml]
    state: absent
"""

RETURN = r"""
users:
  description: The users of the object that the extension needs.
  returned: success
  type: list
  elements: str
  sample: ["system:serviceaccount:azureml:default"]
added:
  description: Those that were missing.
  returned: success
  type: list
  elements: str
removed:
  description: Those that were taken out.
  returned: success
  type: list
  elements: str
error:
  description: What went wrong; for the fields see RV(azureml.arc.extension#module:error).
  returned: failure
  type: dict
"""

from ansible_collections.azureml.arc.plugins.module_utils._core import options
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleSpec, run_module
from ansible_collections.azureml.arc.plugins.module_utils._extension import openshift_scc
from ansible_collections.azureml.arc.plugins.module_utils._extension import options as extension_options
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes import client as kubernetes_client

SPEC = ModuleSpec(
    run=openshift_scc.run,
    libraries=kubernetes_client.LIBRARIES,
    argument_spec={
        **options.KUBERNETES,
        "name": {"type": "str", "default": "privileged"},
        "state": {"type": "str", "default": "present", "choices": ["absent", "present"]},
        "extension_name": {"type": "str", "default": "azureml"},
        "compute_namespaces": {"type": "list", "elements": "str", "default": []},
        "settings_generation": extension_options.SETTINGS_GENERATION,
    },
)


def main():
    run_module(SPEC)


if __name__ == "__main__":
    main()
