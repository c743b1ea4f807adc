#!/usr/bin/python
# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: certificate_info
short_description: Read the certificate of inference endpoints in Azure Key Vault or a Secret
description:
  - Returns the certificate that a deployment would send, for instance to find out whether it was renewed. The private
    key is not read from a key vault, and never returned.
version_added: 1.0.0
author: azureml.arc contributors (@azureml-arc)
extends_documentation_fragment:
  - azureml.arc.attributes
  - azureml.arc.attributes.info_module
  - azureml.arc.azure
  - azureml.arc.certificate
  - azureml.arc.certificate.from
  - azureml.arc.kubernetes
options:
  key_vault:
    description:
      - Address of the certificate in Azure Key Vault, as in O(azureml.arc.extension#module:tls.key_vault). Requires
        permission to read certificates of the vault.
    type: str
  from:
    description: The Secret that contains the certificate, in C(tls.crt) or C(cert.pem), instead of O(key_vault).
"""

EXAMPLES = r"""
- name: Show when the certificate in the key vault expires
  azureml.arc.certificate_info:
    key_vault: https://v.vault.azure.net/certificates/edge
  register: stored

- name: Read a certificate that cert-manager issued
  azureml.arc.certificate_info:
    kubeconfig: ~/.kube/shop-0042
    from: {namespace: certificates, name: ml-example-com}
"""

RETURN = r"""
certificate:
  description: The certificate of the server, without its chain.
  returned: success
  type: dict
  contains:
    sha256:
      description: Its SHA-256 fingerprint.
      type: str
    names:
      description: The DNS names that it covers.
      type: list
      elements: str
    not_after:
      description: The end of its validity.
      type: str
      sample: "2027-11-23T12:00:00+00:00"
    days_left:
      description: The remaining days of its validity, negative if it has expired.
      type: float
    version:
      description: Its version in the key vault, or the C(resourceVersion) of the Secret.
      type: str
error:
  description: The error; for the fields see RV(azureml.arc.extension#module:error).
  returned: failure
  type: dict
"""

from ansible_collections.azureml.arc.plugins.module_utils._azure import client as azure_client
from ansible_collections.azureml.arc.plugins.module_utils._core import options
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleSpec, run_module
from ansible_collections.azureml.arc.plugins.module_utils._extension import certificate_info, tls
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes import client as kubernetes_client

SPEC = ModuleSpec(
    run=certificate_info.run,
    libraries=(*azure_client.LIBRARIES, *kubernetes_client.LIBRARIES, *tls.LIBRARIES),
    argument_spec={
        **options.AZURE,
        **options.KUBERNETES,
        **options.CERTIFICATE_SOURCE,
        "key_vault": {"type": "str", "no_log": False},
    },
    rules={"mutually_exclusive": [("key_vault", "from")], "required_one_of": [("key_vault", "from")]},
)


def main():
    run_module(SPEC)


if __name__ == "__main__":
    main()
