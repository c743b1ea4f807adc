#!/usr/bin/python
# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: extension
short_description: Install, change or remove the AzureML extension of a Kubernetes cluster
description:
  - Prepares an Azure Arc connected cluster, or an AKS cluster, for Azure Machine Learning by installing the cluster
    extension C(Microsoft.AzureML.Kubernetes).
  - Derives the settings that depend on the cluster, and finds or creates the Azure Relay of a connected cluster, as
    C(az k8s-extension create) does. An extension that was installed with one can be managed with the other.
  - Changes only what differs. Settings that the task does not name are left unchanged and returned in
    RV(unmanaged_settings).
  - Joins an operation in progress instead of starting another one. An interrupted run is resumed by running it again.
version_added: 0.1.0
author: azureml.arc contributors (@azureml-arc)
extends_documentation_fragment:
  - azureml.arc.attributes
  - azureml.arc.azure
  - azureml.arc.certificate
  - azureml.arc.cluster
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: Protected settings appear by name, never with their value.
  in_process:
    support: full
options:
  name:
    description:
      - Name of the extension.
      - A cluster can have one AzureML extension only. If it has one under another name, that one is used, with a
        warning.
    type: str
    default: azureml
  state:
    description:
      - V(present) installs the extension, or changes what differs.
      - V(absent) removes the extension, which takes about ten minutes.
    type: str
    choices: [absent, present]
    default: present
  workload_profile:
    description:
      - The workloads of the cluster. Required with O(state=present).
    type: str
    choices: [training, inference, training_inference]
  settings_generation:
    description:
      - The keys of the settings. V(current) are those of current releases.
      - V(2021) are those of the first releases (C(privateEndpointNodeport), C(inferenceLoadBalancerHA), Azure Service
        Bus). It requires O(version), because later releases do not have its components. It does not support a Secret in
        O(tls), V(cluster_ip) in O(inference_service), O(node_selector), nor C(install_*) options other than
        O(install_nvidia_device_plugin).
    type: str
    choices: [current, "2021"]
    default: current
  inference_service:
    description:
      - The service in front of the inference router. Required for inference.
      - V(load_balancer) through a public load balancer, V(internal_load_balancer) through one of the virtual network
        (AKS only, connected to Azure Arc or not), V(node_port) through a port of each node, V(cluster_ip) from within
        the cluster.
    type: str
    choices: [load_balancer, internal_load_balancer, node_port, cluster_ip]
  tls:
    description:
      - The certificate of inference endpoints. Inference needs this or O(allow_insecure_connections).
      - Give either a Secret of the cluster, a certificate in Azure Key Vault, or certificate and key as files or as
        text. Certificate and key are checked before anything is sent. They must belong together, be valid, and cover
        O(tls.cname).
      - Azure never returns a certificate. The SHA-256 fingerprint of the certificate and its chain, in the setting
        C(azuremlArc.certificateSha256), shows whether another one is in use. A renewed certificate or chain is sent, an
        unchanged one is not.
    type: dict
    suboptions:
      secret_name:
        description: Name of a Secret in namespace C(azureml) that holds C(cert.pem) and C(key.pem).
        type: str
      secret_sha256:
        description:
          - Fingerprint of the certificate in the Secret, as RV(azureml.arc.tls_secret#module:certificate.fingerprint)
            returns it, for O(tls.secret_name). The extension is updated when it differs, because the inference router
            uses a renewed Secret only after an update of the extension.
          - Without it, a renewed Secret is not detected.
        type: str
      key_vault:
        description:
          - Address of a certificate in Azure Key Vault, C(https://<vault>.vault.azure.net/certificates/<name>), with
            its version at the end to pin one. The newest version is used otherwise, and a renewed certificate is a
            change.
          - The certificate is PEM or PKCS#12, and its key can be exported. The identity that signs in needs to read
            certificates and secrets of the vault, as with role C(Key Vault Certificate User).
        type: str
      certificate:
        description:
          - Path of the certificate as PEM, followed by its chain. On the controller, a relative path is also searched
            in folder C(files), and a file encrypted with C(ansible-vault) is decrypted in memory.
        type: path
      certificate_content:
        description: The certificate as text, instead of O(tls.certificate).
        type: str
      private_key:
        description: Path of its private key as PEM, without a passphrase. Paths resolve as those of O(tls.certificate).
        type: path
      private_key_content:
        description: The private key as text, for instance from a vault, instead of O(tls.private_key).
        type: str
      cname:
        description: DNS name that clients use, and that the certificate must cover.
        type: str
        required: true
  allow_insecure_connections:
    description: Serve inference endpoints over plain HTTP.
    type: bool
  inference_router_ha:
    description:
      - Run three replicas of the inference router, on three nodes.
      - Defaults to V(true) on clusters that have three or more nodes when the extension is installed. V(true) is
        refused on smaller clusters.
    type: bool
  node_selector:
    description:
      - Labels of the nodes that may run the pods of the extension, of jobs and of endpoints.
      - Labels can be added and changed later, but not removed.
    type: dict
  install_nvidia_device_plugin:
    description: Install the NVIDIA device plugin; V(false) if the cluster already has one.
    type: bool
  install_prometheus_operator:
    description: Install the Prometheus operator; V(false) if the cluster already has one.
    type: bool
  install_volcano:
    description: Install the Volcano scheduler; V(false) if the cluster already has one. For training.
    type: bool
  install_dcgm_exporter:
    description: Install the exporter of NVIDIA GPU metrics.
    type: bool
  log_analytics:
    description:
      - Send logs to a Log Analytics workspace, which is found or created in the resource group of the cluster. The
        workspace is charged for.
      - Set C(azure_log_analytics.connection_string) in O(protected_settings) to use another workspace.
    type: bool
  openshift:
    description:
      - Whether the cluster runs OpenShift. Defaults to the distribution that Azure Arc reports.
    type: bool
  in_cluster_tls:
    description: Encrypt traffic between the extension's pods; V(false) if the cluster cannot sign certificates.
    type: bool
  release_train:
    description: Release train. Defaults to V(stable) for a new extension; otherwise it is left unchanged.
    type: str
  version:
    description: Version to pin. Switches automatic upgrades off. If unset, a pinned version stays pinned.
    type: str
  auto_upgrade_minor_version:
    description:
      - Upgrade minor versions automatically. Defaults to V(true) for a new extension without O(version); otherwise it
        is left unchanged.
    type: bool
  settings:
    description:
      - Other configuration settings by their key. They override derived settings.
      - The extension accepts any key. A key that looks like a misspelt one causes a warning.
    type: dict
  protected_settings:
    description:
      - Other protected configuration settings by their key. Azure never returns the values, so a changed value is not
        detected; see O(update_protected).
    type: dict
  update_protected:
    description:
      - V(on_create) sends O(protected_settings) with a new extension, if a key is missing, and with changes that
        replace all protected settings anyway.
      - V(always) sends them on every run.
    type: str
    choices: [always, on_create]
    default: on_create
  allow_disruption:
    description:
      - Allow changes that disturb workloads. They are refused by default; the error names the setting.
      - Jobs are disturbed by switching off training or the NVIDIA device plugin, and by another O(node_selector).
        Endpoints are disturbed by switching off inference, and by another O(inference_service), O(tls.cname),
        O(allow_insecure_connections) or O(node_selector).
    type: bool
    default: false
  force_replace:
    description:
      - Remove the extension and install it again if its release namespace is not C(azureml), which cannot be changed in
        place. Such an extension is refused by default.
      - The extension does not run meanwhile. Settings that the task does not name are kept.
    type: bool
    default: false
  retry_failed:
    description:
      - Install an extension again if its last operation failed or was canceled. Its settings, version and release train
        are kept unless the task sets others.
      - Set to V(false) in a task that only waits; the error of the operation is then the error of the task.
    type: bool
    default: true
  force_delete:
    description:
      - With O(state=absent), remove the resource in Azure even if the cluster does not respond. Its pods are kept.
    type: bool
    default: false
  remove_resources:
    description:
      - With O(state=absent), also remove these resources, which were created for the extension, after it was removed.
      - Resources whose tags show that they were not created for it are kept. Requires O(wait=true).
    type: list
    elements: str
    choices: [log_analytics, relay, service_bus]
    default: []
  wait:
    description:
      - Wait until the operation has ended.
      - With V(false) the change is only submitted, so that many clusters install at the same time; a second task with
        V(true) waits for it.
    type: bool
    default: true
  wait_timeout:
    description: Longest time to wait, in seconds.
    type: int
    default: 1800
"""

EXAMPLES = r"""
- name: Install the extension for training on a cluster connected to Azure Arc
  azureml.arc.extension:
    subscription_id: 00000000-1111-2222-3333-444444444444
    resource_group: rg-edge
    cluster_name: shop-0042
    workload_profile: training

- name: Install it for inference on AKS, behind an internal load balancer
  azureml.arc.extension:
    resource_group: rg-aks
    cluster_name: aks-west
    cluster_type: managed_cluster
    workload_profile: inference
    inference_service: internal_load_balancer
    tls:
      certificate: certs/ml.pem
      private_key: certs/ml.key
      cname: ml.example.com

- name: Reuse Volcano and the Prometheus operator of the cluster, and pin the version
  azureml.arc.extension:
    resource_group: rg-edge
    cluster_name: plant-7
    workload_profile: training
    install_volcano: false
    install_prometheus_operator: false
    version: 1.1.61

- name: Keep a cluster on a release of 2021, reached through a port of each node
  azureml.arc.extension:
    resource_group: rg-edge
    cluster_name: plant-3
    workload_profile: training_inference
    settings_generation: "2021"
    version: 1.0.67
    inference_service: node_port
    allow_insecure_connections: true

- name: Remove the extension
  azureml.arc.extension:
    resource_group: rg-edge
    cluster_name: shop-0042
    state: absent
"""

RETURN = r"""
plan:
  description: The change.
  returned: success, and if the change is refused
  type: dict
  contains:
    action:
      description:
        - V(none), V(create), V(update), V(replace) or V(delete).
        - V(adopt) if another operation is in progress and O(wait=false).
        - V(refuse) if the task failed because it does not make the change.
      type: str
      sample: update
    allowed_by:
      description: The option that allows the change, V(null) if there is none.
      returned: if the change is refused
      type: str
    reason:
      description: The reason for the action.
      type: str
      sample: it differs from the desired state
    settings:
      description: The settings that change, each with C(before) and C(after).
      type: dict
      sample: {installVolcano: {before: null, after: "False"}}
    properties:
      description: The other properties that change, each with C(before) and C(after).
      type: dict
      sample: {version: {before: null, after: 1.1.61}}
    protected_settings:
      description: Names of the protected settings that were sent.
      type: list
      elements: str
      sample: [relayServerConnectionString]
extension:
  description: The extension, V(null) if it does not exist. With O(state=absent), before its removal.
  returned: success, and if the change is refused
  type: dict
  contains:
    id:
      description: Its ARM id.
      type: str
    name:
      description: Its name, which is not O(name) if the cluster has the extension under another name.
      type: str
    extension_type:
      description: Its type.
      type: str
      sample: microsoft.azureml.kubernetes
    provisioning_state:
      description: V(Succeeded), V(Failed), V(Canceled), V(Creating), V(Updating) or V(Deleting).
      type: str
    version:
      description: The pinned version, V(null) if minor versions are upgraded automatically.
      type: str
    current_version:
      description: The version that is installed.
      type: str
    release_train:
      description: Its release train.
      type: str
    auto_upgrade_minor_version:
      description: Whether minor versions are upgraded automatically.
      type: bool
    release_namespace:
      description: The namespace of its pods.
      type: str
    principal_id:
      description: Object ID of its managed identity, which on AKS without Azure Arc is the one that AKS created.
      type: str
    settings:
      description: Its configuration settings.
      type: dict
    install_options:
      description: The C(install_*) options that its settings contain.
      type: dict
      sample: {install_volcano: false}
    protected_settings:
      description: Names of its protected configuration settings.
      type: list
      elements: str
    statuses:
      description: Status reports of the cluster's agents.
      type: list
      elements: dict
    error:
      description: The error of its last operation.
      type: dict
unmanaged_settings:
  description: Settings of the extension that this task did not set.
  returned: success and O(state=present)
  type: dict
  sample: {amloperator.custom_ip_interface: eth1}
cluster:
  description: The cluster as Azure has it.
  returned: success and O(state=present)
  type: dict
  contains:
    id:
      description: Its ARM id.
      type: str
    name:
      description: Its name.
      type: str
    fqdns:
      description: Host names of the API server of an AKS cluster, as M(azureml.arc.cluster_identity) takes them.
      type: list
      elements: str
certificate:
  description: The certificate of inference endpoints, V(null) if O(tls) gives none.
  returned: success and O(state=present)
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
      description: The DNS names that it is for.
      type: list
      elements: str
    not_after:
      description: The end of its validity.
      type: str
      sample: "2027-11-23T12:00:00+00:00"
created_resources:
  description: ARM ids of the resources that were created for the extension, such as the parts of the Azure Relay.
  returned: O(state=present), also on failure if some were created
  type: list
  elements: str
openshift:
  description: Whether the extension is installed for OpenShift.
  returned: success and O(state=present)
  type: bool
removed_resources:
  description: ARM ids of the resources that were removed besides the extension.
  returned: success and O(state=absent)
  type: list
  elements: str
gone:
  description: V(true) if Azure does not know the cluster or its resource group.
  returned: failure, if the cluster does not exist
  type: bool
replacement:
  description:
    - The request that creates the extension again, including settings that the task does not name, without the values
      of protected settings.
    - The extension was deleted in order to be replaced, and could not be created again.
  returned: failure of a replacement after the deletion
  type: dict
error:
  description: The error, as the service or this collection reports it.
  returned: failure
  type: dict
  contains:
    code:
      description: The error code.
      type: str
      sample: ExtensionOperationFailed
    message:
      description: The message.
      type: str
    correlation_id:
      description: The correlation id, which Azure support asks for.
      type: str
    status:
      description: The HTTP status.
      type: int
    hint:
      description: The next step.
      type: str
"""

from ansible_collections.azureml.arc.plugins.module_utils._azure import client as azure_client
from ansible_collections.azureml.arc.plugins.module_utils._core import options
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleSpec, run_module
from ansible_collections.azureml.arc.plugins.module_utils._extension import module as _extension
from ansible_collections.azureml.arc.plugins.module_utils._extension import options as extension_options
from ansible_collections.azureml.arc.plugins.module_utils._extension import tls
from ansible_collections.azureml.arc.plugins.module_utils._extension.keys import CURRENT
from ansible_collections.azureml.arc.plugins.module_utils._extension.supporting import SUPPORTING_RESOURCES

SPEC = ModuleSpec(
    run=_extension.run,
    libraries=(*azure_client.LIBRARIES, *tls.LIBRARIES),
    argument_spec={
        **options.AZURE,
        **options.CLUSTER,
        **extension_options.INSTALL_SWITCHES,
        **options.wait(timeout=1800),
        "name": {"type": "str", "default": "azureml"},
        "state": {"type": "str", "default": "present", "choices": ["absent", "present"]},
        "workload_profile": extension_options.WORKLOAD_PROFILE,
        "settings_generation": extension_options.SETTINGS_GENERATION,
        "inference_service": {
            "type": "str",
            "choices": list(CURRENT.inference_services),
        },
        "tls": {
            "type": "dict",
            "options": {
                "secret_name": {"type": "str", "no_log": False},
                "secret_sha256": {"type": "str", "no_log": False},
                "key_vault": {"type": "str", "no_log": False},
                **options.CERTIFICATE,
                "cname": {"type": "str", "required": True},
            },
            "mutually_exclusive": [
                ("secret_name", "key_vault", "certificate", "certificate_content"),
                ("secret_name", "key_vault", "private_key", "private_key_content"),
            ],
            "required_one_of": [("secret_name", "key_vault", "certificate", "certificate_content")],
            "required_by": {"secret_sha256": "secret_name"},
        },
        "allow_insecure_connections": {"type": "bool"},
        "inference_router_ha": {"type": "bool"},
        "node_selector": {"type": "dict"},
        "log_analytics": {"type": "bool"},
        "openshift": {"type": "bool"},
        "in_cluster_tls": {"type": "bool"},
        "release_train": {"type": "str"},
        "version": {"type": "str"},
        "auto_upgrade_minor_version": {"type": "bool"},
        "settings": {"type": "dict"},
        "protected_settings": {"type": "dict", "no_log": True},
        "update_protected": {"type": "str", "default": "on_create", "choices": ["always", "on_create"]},
        "allow_disruption": {"type": "bool", "default": False},
        "force_replace": {"type": "bool", "default": False},
        "retry_failed": {"type": "bool", "default": True},
        "force_delete": {"type": "bool", "default": False},
        "remove_resources": {
            "type": "list",
            "elements": "str",
            "default": [],
            "choices": sorted(SUPPORTING_RESOURCES),
        },
    },
    rules={"required_if": [("state", "present", ("workload_profile",))]},
)


def main():
    run_module(SPEC)


if __name__ == "__main__":
    main()
