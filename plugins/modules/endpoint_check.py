#!/usr/bin/python
# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: endpoint_check
short_description: Check the certificate that inference endpoints serve
description:
  - Finds the inference router by its Service, connects to it as clients do, and checks the certificate that it serves.
    It must be the expected certificate with its chain, be currently valid, and cover O(cname).
  - The addresses depend on the type of the Service. They are the addresses of the load balancer, a port of up to three
    ready nodes, or the cluster IP. The cluster IP is only used with O(on_node).
  - If an address cannot be reached from the machine where the module runs, this is reported and does not fail the task.
    If no address can be reached, the module checks through the API server whether the router answers inside the
    cluster. This does not show which certificate the router serves.
  - The module sends only a TLS handshake to the router, and with O(scheme=http) a request for C(/).
version_added: 1.0.0
author: azureml.arc contributors (@azureml-arc)
extends_documentation_fragment:
  - azureml.arc.attributes
  - azureml.arc.attributes.info_module
  - azureml.arc.certificate
  - azureml.arc.kubernetes
options:
  namespace:
    description: Namespace of the router.
    type: str
    default: azureml
  scheme:
    description: Protocol that the router must serve. V(http) is plain HTTP.
    type: str
    choices: [http, https]
    default: https
  cname:
    description: DNS name that clients use and that the certificate must cover. Required with O(scheme=https).
    type: str
  chain:
    description:
      - SHA-256 fingerprints of the certificates that must be served, as
        RV(azureml.arc.extension#module:certificate.chain) and RV(azureml.arc.tls_secret#module:certificate.chain)
        return them. The certificate of the server comes first, and the root is left out.
      - Without this option and O(secret_name), any valid certificate that covers O(cname) is accepted.
    type: list
    elements: str
  secret_name:
    description:
      - Name of the Secret whose certificate must be served, instead of O(chain). If the account may not read Secrets,
        the task warns and does not compare the certificates.
    type: str
  on_node:
    description: Whether the module runs on a node of the cluster, which reaches cluster IPs.
    type: bool
    default: false
  timeout:
    description: Timeout in seconds to connect to an address, and to wait for its response.
    type: int
    default: 5
  wait:
    description:
      - Wait until the expected certificate is served, and fail after O(wait_timeout). The router takes some seconds to
        start using a renewed certificate.
      - With V(false), check once and return the result.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds to wait at most.
      - If no address can be reached, the wait ends after 15 seconds.
    type: int
    default: 300
"""

EXAMPLES = r"""
- name: Renew the certificate in the cluster
  azureml.arc.tls_secret:
    kubeconfig: ~/.kube/shop-0042
    name: ml-tls
    certificate: certs/ml.pem
    private_key: certs/ml.key
    cname: ml.example.com
  register: renewed

- name: Check that the endpoint serves it
  azureml.arc.endpoint_check:
    kubeconfig: ~/.kube/shop-0042
    cname: ml.example.com
    chain: "{{ renewed.certificate.chain }}"

- name: Show how long the certificate that the endpoint serves is valid
  azureml.arc.endpoint_check:
    kubeconfig: ~/.kube/shop-0042
    cname: ml.example.com
    wait: false
  register: endpoint
"""

RETURN = r"""
outcome:
  description:
    - V(ok) if all reachable addresses serve the expected protocol and certificate.
    - V(wrong) if one of them does not, or if the router has no address or does not answer inside the cluster.
    - V(unreachable) if no address can be reached from this machine.
  returned: always, once the cluster has responded
  type: str
summary:
  description: The state in one line.
  returned: always, once the cluster has responded
  type: str
  sample: serves the certificate, 89 days left
problems:
  description: The problems, one line for each address and problem.
  returned: always, once the cluster has responded
  type: list
  elements: str
  sample: ["10.1.0.11:30443: intermediate certificates are missing: 1 of 2 certificates are served"]
checked_from:
  description: Name of the machine that connected to the router.
  returned: always, once the cluster has responded
  type: str
service_type:
  description: Type of the router's Service. Empty if it does not exist.
  returned: always, once the cluster has responded
  type: str
  sample: NodePort
addresses:
  description: The addresses that were checked.
  returned: always, once the cluster has responded
  type: list
  elements: dict
  contains:
    address:
      description: Host and port.
      type: str
      sample: 10.1.0.11:30443
    reachable:
      description: Whether the address could be reached.
      type: bool
    reason:
      description: Why the address could not be reached.
      type: str
      sample: Connection refused
    problems:
      description: Problems with its response.
      type: list
      elements: str
certificate:
  description: The served certificate, V(null) if no address served one.
  returned: always, once the cluster has responded
  type: dict
  contains:
    chain:
      description: The SHA-256 fingerprint of each served certificate, without a root.
      type: list
      elements: str
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
answers_in_cluster:
  description: Whether the router answers inside the cluster, V(null) if this was not checked.
  returned: always, once the cluster has responded
  type: bool
error:
  description: The error; for the fields see RV(azureml.arc.extension#module:error).
  returned: failure
  type: dict
"""

from ansible_collections.azureml.arc.plugins.module_utils._core import options
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleSpec, run_module
from ansible_collections.azureml.arc.plugins.module_utils._endpoint import module as _endpoint
from ansible_collections.azureml.arc.plugins.module_utils._endpoint.addresses import PORTS
from ansible_collections.azureml.arc.plugins.module_utils._extension import tls
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes import client as kubernetes_client

SPEC = ModuleSpec(
    run=_endpoint.run,
    libraries=(*kubernetes_client.LIBRARIES, *tls.LIBRARIES),
    argument_spec={
        **options.KUBERNETES,
        **options.wait(timeout=300),
        "namespace": {"type": "str", "default": "azureml"},
        "scheme": {"type": "str", "default": "https", "choices": sorted(PORTS)},
        "cname": {"type": "str"},
        "chain": {"type": "list", "elements": "str"},
        "secret_name": {"type": "str", "no_log": False},
        "on_node": {"type": "bool", "default": False},
        "timeout": {"type": "int", "default": 5},
    },
    rules={
        "mutually_exclusive": [("chain", "secret_name")],
        "required_if": [("scheme", "https", ("cname",))],
    },
)


def main():
    run_module(SPEC)


if __name__ == "__main__":
    main()
