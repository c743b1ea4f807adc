#!/usr/bin/python
# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: openshift_scc
short_description: Let the service accounts of the AzureML extension run privileged on OpenShift
description:
  - Without these permissions, the pods of the extension do not start on OpenShift.
  - Creates a ClusterRole that allows to C(use) a SecurityContextConstraints object, and a ClusterRoleBinding for
    exactly the service accounts that need it. Their name is C(azureml-arc-scc-) followed by the name of the object.
  - Does not add users to the object itself, because managed OpenShift refuses changes of its default objects, and
    upgrades may revert them. Service accounts of the extension that the object lists, as Microsoft's guide recommends,
    are removed from it, because they do not need the entry any more.
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
      - V(present) creates the role and the binding, and adds the accounts that the binding lacks.
      - V(absent) removes both. On a cluster other than OpenShift it does nothing.
    type: str
    choices: [absent, present]
    default: present
  extension_name:
    description: Name of the extension, which is part of the name of a service account.
    type: str
    default: azureml
  compute_namespaces:
    description:
      - Namespaces of the cluster's computes. Their service account C(default) is bound, too.
      - Namespace V(default) needs no binding.
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

- name: Remove the role and its binding
  azureml.arc.openshift_scc:
    kubeconfig: ~/.kube/plant-7
    compute_namespaces: [ml]
    state: absent
"""

RETURN = r"""
users:
  description: The service accounts that the extension needs, as users.
  returned: success
  type: list
  elements: str
  sample: ["system:serviceaccount:azureml:default"]
added:
  description: Users added to the binding.
  returned: success
  type: list
  elements: str
removed:
  description: Users removed from the binding.
  returned: success
  type: list
  elements: str
unlisted:
  description: Users removed from the list of the object.
  returned: success
  type: list
  elements: str
error:
  description: The error; for the fields see RV(azureml.arc.extension#module:error).
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
