# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the options that connect to a Kubernetes API."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  kubeconfig:
    description:
      - Path of a kubeconfig file, or its content as a dictionary or as text.
      - Without it, and without O(host), the service account of the pod is used where there is one, else
        C(~/.kube/config).
      - Can also be set with E(K8S_AUTH_KUBECONFIG).
    type: raw
  context:
    description: Context in the kubeconfig. Can also be set with E(K8S_AUTH_CONTEXT).
    type: str
  host:
    description: URL of the API. Can also be set with E(K8S_AUTH_HOST).
    type: str
  api_key:
    description: Bearer token. Can also be set with E(K8S_AUTH_API_KEY).
    type: str
  username:
    description: User for basic authentication. Can also be set with E(K8S_AUTH_USERNAME).
    type: str
  password:
    description: Password for basic authentication. Can also be set with E(K8S_AUTH_PASSWORD).
    type: str
  client_cert:
    description: Path of a client certificate. Can also be set with E(K8S_AUTH_CERT_FILE).
    type: path
    aliases: [cert_file]
  client_key:
    description: Path of the key of O(client_cert). Can also be set with E(K8S_AUTH_KEY_FILE).
    type: path
    aliases: [key_file]
  ca_cert:
    description: Path of the CA that signed the API's certificate. Can also be set with E(K8S_AUTH_SSL_CA_CERT).
    type: path
    aliases: [ssl_ca_cert]
  validate_certs:
    description:
      - Whether to verify the API's certificate. It is, where nothing else is said.
      - Can also be set with E(K8S_AUTH_VERIFY_SSL).
    type: bool
    aliases: [verify_ssl]
  proxy:
    description: URL of a proxy. Can also be set with E(K8S_AUTH_PROXY).
    type: str
  no_proxy:
    description: Hosts that are reached without the proxy, separated by commas. Can also be set with
      E(K8S_AUTH_NO_PROXY).
    type: str
  proxy_headers:
    description: Headers for the proxy.
    type: dict
    suboptions:
      proxy_basic_auth:
        description: User and password for the proxy, separated by a colon.
        type: str
      basic_auth:
        description: User and password for basic authentication, separated by a colon.
        type: str
      user_agent:
        description: User agent to show.
        type: str
  impersonate_user:
    description: User to act as. Can also be set with E(K8S_AUTH_IMPERSONATE_USER).
    type: str
requirements:
  - kubernetes >= 31
"""
