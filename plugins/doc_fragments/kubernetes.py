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
      - On the controller, a relative path is also searched in the folders C(files) of role and playbook, and a file
        that is encrypted with C(ansible-vault) is decrypted in memory. Both apply to all options with a path.
      - If neither it nor O(host) is set, the files in E(KUBECONFIG) are used, then the service account of the pod, then
        C(~/.kube/config).
      - O(kubeconfig), O(context) and O(host) select a cluster. If a task sets one of them, all C(K8S_AUTH_*) variables
        except those of the proxy are ignored, so that nothing is sent to another cluster than the selected one.
        With O(context) alone, E(K8S_AUTH_KUBECONFIG) still names the file.
      - Can also be set with E(K8S_AUTH_KUBECONFIG).
    type: raw
  context:
    description: Context in the kubeconfig. Can also be set with E(K8S_AUTH_CONTEXT).
    type: str
  host:
    description:
      - URL of the API. With O(kubeconfig) or O(context), their server must be the same, or a loopback address as in a
        kubeconfig of k3s.
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
      - Whether to verify the API's certificate. The default is V(true).
      - Can also be set with E(K8S_AUTH_VERIFY_SSL).
    type: bool
    aliases: [verify_ssl]
  proxy:
    description:
      - URL of a proxy. It takes precedence over the C(proxy-url) of the kubeconfig, which takes precedence over
        E(K8S_AUTH_PROXY) and E(HTTPS_PROXY). A cluster at a loopback address does not use proxies of the environment.
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
        description: User agent to send.
        type: str
  impersonate_user:
    description: User to impersonate. Can also be set with E(K8S_AUTH_IMPERSONATE_USER).
    type: str
requirements:
  - kubernetes >= 31, but not 36.0.0 and 36.0.1, which lose bearer tokens
  - PySocks, for a SOCKS proxy
"""
