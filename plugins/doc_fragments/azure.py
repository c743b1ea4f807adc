# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the sign-in options."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  auth_source:
    description:
      - The source of the credentials.
      - V(auto), the default, uses the first of these that is set - O(profile) or O(client_id) as an option,
        E(AZURE_PROFILE), E(AZURE_CLIENT_ID) with a secret or certificate, E(AZURE_FEDERATED_TOKEN_FILE), profile
        V(default) of the credential file, the Azure CLI.
      - V(env) uses the C(AZURE_*) environment variables.
      - V(credential_file) uses the O(profile) in C(~/.azure/credentials).
      - V(cli) uses the account of C(az login).
      - V(msi) uses the managed identity of the machine; O(client_id) selects a user-assigned one.
      - V(workload_identity) uses the token file that Kubernetes mounts, in E(AZURE_FEDERATED_TOKEN_FILE).
      - Can also be set with E(ANSIBLE_AZURE_AUTH_SOURCE).
    type: str
    choices: [auto, cli, credential_file, env, msi, workload_identity]
  cli_timeout:
    description:
      - Maximum seconds to wait for the Azure CLI. The default is 60.
      - Can also be set with E(ANSIBLE_AZURE_CLI_TIMEOUT).
    type: int
  profile:
    description:
      - Section of C(~/.azure/credentials) to read. Can also be set with E(AZURE_PROFILE).
    type: str
  subscription_id:
    description:
      - Subscription of the cluster. Can also be set with E(AZURE_SUBSCRIPTION_ID) or in the O(profile).
    type: str
  client_id:
    description:
      - Client id of the service principal or managed identity. Can also be set with E(AZURE_CLIENT_ID).
    type: str
  secret:
    description:
      - Client secret of the service principal. Can also be set with E(AZURE_SECRET) or E(AZURE_CLIENT_SECRET).
    type: str
  tenant:
    description:
      - Tenant of the service principal. Can also be set with E(AZURE_TENANT) or E(AZURE_TENANT_ID).
    type: str
  x509_certificate_path:
    description:
      - Path of a PEM file with the private key and certificate of the service principal, instead of O(secret).
      - On the controller, a relative path is also searched in the folder C(files), and a file that is encrypted with
        C(ansible-vault) is decrypted in memory.
      - Can also be set with E(AZURE_X509_CERTIFICATE_PATH) or E(AZURE_CLIENT_CERTIFICATE_PATH).
    type: path
  cloud_environment:
    description:
      - The cloud, V(AzureCloud) (the default), V(AzureUSGovernment), V(AzureChinaCloud), or the https address of the
        resource manager of a private cloud, whose metadata is read.
      - Can also be set with E(AZURE_CLOUD_ENVIRONMENT) or in the O(profile).
    type: str
  adfs_authority_url:
    description:
      - Authority for the sign-in, instead of that of the cloud. Can also be set with E(AZURE_ADFS_AUTHORITY_URL).
    type: str
  cert_validation_mode:
    description:
      - V(ignore) switches off the verification of Azure's certificates. The default is V(validate).
      - To trust the CA of a proxy, set E(REQUESTS_CA_BUNDLE) instead.
      - Can also be set with E(AZURE_CERT_VALIDATION_MODE) or in the O(profile).
    type: str
    choices: [ignore, validate]
  disable_instance_discovery:
    description:
      - Do not ask the public cloud whether the authority belongs to Azure. Required for private clouds.
      - Can also be set with E(AZURE_DISABLE_INSTANCE_DISCOVERY) or in the O(profile).
    type: bool
requirements:
  - azure-identity >= 1.19
  - azure-mgmt-kubernetesconfiguration-extensions >= 1.0
seealso:
  - name: Sign in with azure.azcollection
    description: The options and environment variables are the same, so AWX's Azure credentials work for both.
    link: https://docs.ansible.com/ansible/latest/scenario_guides/guide_azure.html#authenticating-with-azure
"""
