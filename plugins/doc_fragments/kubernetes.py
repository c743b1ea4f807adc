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
      - On the controller, a relative path is also sought in folder C(files) of role and playbook, and a file that is
        encrypted with C(ansible-vault) is decrypted in memory. Both hold for the other options with a path, too.
      - Without it, and without O(host), the files in E(KUBECONFIG) are used; without these, the service account of the
        pod where there is one, else C(~/.kube/config).
      - O(kubeconfig), O(context) and O(host) select a cluster. Where a task gives one of them, all C(K8S_AUTH_*)
        variables but those of the proxy are ignored, so that nothing is sent to another cluster than the one selected.
        With O(context) alone, E(K8S_AUTH_KUBECONFIG) still names the file.
      - Can also be set with E(K8S_AUTH_KUBECONFIG).
    type: raw
  context:
    description: Context in the kubeconfig. Can also be set with E(K8S_AUTH_CONTEXT).
    type: str
  host:
    description:
      - URL of the API. With O(kubeconfig) or O(context), its server has to be the same, or the loopback address that a
        kubeconfig of k3s has.
      - Can also be set with E(K8S_AUTH_HOST).
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
    description:
      - URL of a proxy. It counts before the C(proxy-url) of the kubeconfig, and that before E(K8S_AUTH_PROXY) and
        E(HTTPS_PROXY). The proxies of the environment are not used for a cluster at a loopback address.
      - Can also be set with E(K8S_AUTH_PROXY).
    type: str
  no_proxy:
    description:
      - Hosts that are reached without the proxy, separated by commas.
      - Can also be set with E(K8S_AUTH_NO_PROXY) or E(NO_PROXY), for a proxy of the environment.
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
  - kubernetes >= 31, but not 36.0.0 and 36.0.1, which lose bearer tokens
  - PySocks, for a SOCKS proxy
"""
