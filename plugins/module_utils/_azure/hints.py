# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hints for the most frequent failures of the AzureML extension.

The messages are those of Helm and of the extension, as Microsoft's troubleshooting page lists them:
https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-kubernetes-extension
"""

from __future__ import annotations

# Part of the message (compared without case), and the hint that goes with it. The first match counts.
HINTS = (
    (
        "pod healthcheck failed",
        "The checks before the installation failed. azureml.arc.pod_readiness decodes their report, ConfigMap"
        " 'arcml-healthcheck' in namespace 'azureml'.",
    ),
    (
        "timed out waiting for the condition",
        "The pods did not become ready in time: azureml.arc.pod_readiness shows which, and why.",
    ),
    (
        "cannot re-use a name that is still in use",
        "An earlier Helm release still exists: wait until its removal has ended, or choose another extension name.",
    ),
    (
        "is in progress",
        "Another operation on the extension is in progress: wait for it instead of sending a second one.",
    ),
    (
        "because it is being terminated",
        "Namespace 'azureml' is still being removed: wait until it is gone, then install again.",
    ),
    (
        "jobs.batch.volcano.sh",
        "Volcano is already installed: set 'install_volcano: false' to use it.",
    ),
    (
        "monitoring.coreos.com",
        "The Prometheus operator is already installed: set 'install_prometheus_operator: false' to use it.",
    ),
    (
        "nvidia-device-plugin",
        "The NVIDIA device plugin is already installed: set 'install_nvidia_device_plugin: false' to use it.",
    ),
    (
        "chart path not found",
        "This version does not exist on the release train: set 'version' to an existing one, or remove it.",
    ),
    (  # https://github.com/Azure/azure-sdk-for-python/issues/38594
        "no environment exists for name",
        "Give an environment that exists in the workspace or registry, as the option 'environment'.",
    ),
    (
        "unable to get the status from the local crd",
        "The Arc agents of the cluster are down or offline: check its connectivity before installing.",
    ),
)


# ARM's error code, and the hint that goes with it.
CODE_HINTS = {
    "AuthorizationFailed": "Assign the identity a role with this permission on the resource group.",
    "MissingSubscriptionRegistration": "Register the resource provider in the subscription: 'az provider register'.",
    "ParentResourceNotFound": "Check cluster_name, cluster_type, resource_group and subscription_id.",
    "ResourceGroupNotFound": "Check resource_group and subscription_id.",
    "SubscriptionNotFound": "Check subscription_id, and that the identity can read it.",
}


def hint_for(message: str | None, code: str | None = None) -> str | None:
    """Return the hint for a failure, C(None) if nothing better than its message is known."""
    text = (message or "").lower()
    return next((hint for part, hint in HINTS if part in text), CODE_HINTS.get(code))
