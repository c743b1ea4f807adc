# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: cluster_options
short_description: Options of this collection's modules by the variables of role azureml
version_added: 1.0.0
description:
  - Returns what a module is to be told about the cluster that the host stands for, by the variables of role
    P(azureml.arc.azureml#role). The role uses it for all of its tasks; a playbook can, for tasks of its own.
  - Components that neither the variables nor what earlier tasks have found say anything about are left to the module.
options:
  _terms:
    description:
      - The module. C(compute) is for the attachment in variable C(azureml_attachment).
    required: true
    choices: [drift, preflight, openshift_scc, tls_secret, extension, pod_readiness, compute]
author: azureml.arc contributors (@azureml-arc)
"""

EXAMPLES = r"""
- name: Ask what is installed, with the role's variables
  azureml.arc.extension:
  module_defaults:
    azureml.arc.extension: "{{ lookup('azureml.arc.cluster_options', 'extension') }}"
    group/azureml.arc.azure: "{{ azureml_sign_in }}"
  delegate_to: localhost
  check_mode: true
"""

RETURN = r"""
_raw:
  description: The options, a dictionary for each term.
  type: list
  elements: dict
"""

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.reading import options_of_host

NAMES = ("drift", "preflight", "openshift_scc", "tls_secret", "extension", "pod_readiness", "compute")


class LookupModule(LookupBase):
    """Options of modules, by the variables of the host."""

    def run(self, terms, variables=None, **kwargs):
        """The options for each term."""
        self.set_options(var_options=variables, direct=kwargs)
        unknown = [term for term in terms if term not in NAMES]
        if unknown:
            raise AnsibleLookupError(f"cluster_options: there is no '{unknown[0]}', only {', '.join(NAMES)}")
        options, attachment = options_of_host(variables, self._templar, self._loader)
        return [options.compute(attachment) if term == "compute" else getattr(options, term)() for term in terms]
