#!/usr/bin/python
# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: tls_secret
short_description: Create, renew or remove the Secret with the certificate of inference endpoints
description:
  - Stores a certificate and its key in a Secret of the cluster, under the names that
    O(azureml.arc.extension#module:tls.secret_name) expects, C(cert.pem) and C(key.pem).
  - Validates them before anything is sent. They must belong together, be valid now, and cover O(cname) if it is set.
  - Creates the namespace if it does not exist, so that the Secret can exist before the extension.
version_added: 0.1.0
author: azureml.arc contributors (@azureml-arc)
extends_documentation_fragment:
  - azureml.arc.attributes
  - azureml.arc.certificate
  - azureml.arc.certificate.from
  - azureml.arc.kubernetes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Shows digests of the certificate, its chain and the public key, never a private key.
  in_process:
    support: full
options:
  name:
    description: Name of the Secret.
    type: str
    required: true
  namespace:
    description: Namespace of the Secret. The extension looks for it in C(azureml).
    type: str
    default: azureml
  state:
    description: V(present) creates or updates the Secret, V(absent) removes it. The namespace is kept.
    type: str
    choices: [absent, present]
    default: present
  certificate:
    description:
      - Path of the certificate as PEM, followed by its chain. On the controller, a relative path is also searched in
        the folder C(files), and a file that is encrypted with C(ansible-vault) is decrypted in memory.
      - This, O(certificate_content) or O(from) is required with O(state=present).
    type: path
  certificate_content:
    description: The certificate as text, instead of O(certificate).
    type: str
  private_key:
    description:
      - Path of its private key as PEM, without a passphrase. Paths resolve as those of O(certificate).
      - This or O(private_key_content) is required with O(state=present), unless O(from) is set.
    type: path
  private_key_content:
    description: The private key as text, for instance from a vault, instead of O(private_key).
    type: str
  from:
    description:
      - A Secret of the same cluster to copy the certificate from, with its key, instead of O(certificate) and
        O(private_key). It holds C(tls.crt) and C(tls.key), as Secrets of cert-manager do.
      - A certificate that cert-manager has renewed is a change.
  cname:
    description: DNS name that the certificate must be for.
    type: str
"""

EXAMPLES = r"""
- name: Store a renewed certificate in the cluster
  azureml.arc.tls_secret:
    kubeconfig: ~/.kube/shop-0042
    name: ml-tls
    certificate: certs/ml.pem
    private_key: certs/ml.key
    cname: ml.example.com

- name: Copy the certificate that cert-manager renews
  azureml.arc.tls_secret:
    kubeconfig: ~/.kube/shop-0042
    name: ml-tls
    from: {namespace: certificates, name: ml-example-com}
    cname: ml.example.com

- name: Remove it
  azureml.arc.tls_secret:
    kubeconfig: ~/.kube/shop-0042
    name: ml-tls
    state: absent
"""

RETURN = r"""
secret:
  description: Name and namespace of the Secret.
  returned: success
  type: dict
  sample: {name: ml-tls, namespace: azureml}
namespace_created:
  description: Whether the namespace had to be created.
  returned: success
  type: bool
certificate:
  description: The certificate, V(null) with O(state=absent).
  returned: success
  type: dict
  contains:
    fingerprint:
      description: The SHA-256 fingerprint of the certificate and its chain.
      type: str
    chain:
      description:
        - The SHA-256 fingerprint of each certificate that the router has to serve, without a root, for
          O(azureml.arc.endpoint_check#module:chain).
      type: list
      elements: str
    names:
      description: Its DNS names.
      type: list
      elements: str
    not_after:
      description: The end of its validity.
      type: str
      sample: "2027-11-23T12:00:00+00:00"
error:
  description: The error; for the fields see RV(azureml.arc.extension#module:error).
  returned: failure
  type: dict
"""

from ansible_collections.azureml.arc.plugins.module_utils._core import options
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleSpec, run_module
from ansible_collections.azureml.arc.plugins.module_utils._extension import tls, tls_secret
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes import client as kubernetes_client

SPEC = ModuleSpec(
    run=tls_secret.run,
    libraries=(*kubernetes_client.LIBRARIES, *tls.LIBRARIES),
    argument_spec={
        **options.KUBERNETES,
        **options.CERTIFICATE,
        **options.CERTIFICATE_SOURCE,
        "name": {"type": "str", "required": True},
        "namespace": {"type": "str", "default": "azureml"},
        "state": {"type": "str", "default": "present", "choices": ["absent", "present"]},
        "cname": {"type": "str"},
    },
    rules={
        "mutually_exclusive": [
            ("from", "certificate", "certificate_content"),
            ("from", "private_key", "private_key_content"),
        ],
        "required_if": [
            ("state", "present", ("certificate", "certificate_content", "from"), True),
            ("state", "present", ("private_key", "private_key_content", "from"), True),
        ],
    },
)


def main():
    run_module(SPEC)


if __name__ == "__main__":
    main()
