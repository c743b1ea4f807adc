# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Extensions in Azure: one by its name, and those of a cluster."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.azureml.arc.plugins.module_utils._azure.client import AzureSession
from ansible_collections.azureml.arc.plugins.module_utils._azure.cluster import reading_part_of
from ansible_collections.azureml.arc.plugins.module_utils._azure.cluster_reference import ClusterReference
from ansible_collections.azureml.arc.plugins.module_utils._azure.resource import ArmResource, list_all
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Deadline
from ansible_collections.azureml.arc.plugins.module_utils._extension.body import error_of, is_azureml

API_VERSION = "2025-03-01"
INTERVAL = 10.0  # seconds between two reads during an installation, which takes minutes


@dataclass(frozen=True)
class ExtensionReference:
    """A reference to an extension on a cluster."""

    cluster: ClusterReference
    name: str

    @property
    def id(self) -> str:
        return f"{extensions_id(self.cluster)}/{self.name}"

    def __str__(self) -> str:
        return f"extension '{self.name}' on {self.cluster}"


def extensions_id(cluster: ClusterReference) -> str:
    return f"{cluster.id}/providers/Microsoft.KubernetesConfiguration/extensions"


def resource_of(session: AzureSession, reference: ExtensionReference, deadline: Deadline) -> ArmResource:
    """Return the ARM resource of an extension."""
    return ArmResource(session, reference.id, API_VERSION, str(reference), deadline, error_of, INTERVAL)


def list_azureml(session: AzureSession, cluster: ClusterReference) -> list[dict]:
    """Return the AzureML extensions of a cluster."""
    with reading_part_of(cluster):
        found = list_all(session, extensions_id(cluster), API_VERSION, f"extensions of {cluster}")
    return [body for body in found if is_azureml(body)]


def find_other(session: AzureSession, reference: ExtensionReference) -> dict | None:
    """Return the AzureML extension of a cluster under another name; a cluster can have only one.

    :param reference: the extension that does not exist.
    :raises AzureMLError: if there are several.
    """
    found = list_azureml(session, reference.cluster)
    if len(found) > 1:
        names = ", ".join(sorted(body["name"] for body in found))
        raise AzureMLError(
            f"{reference} does not exist, but the AzureML extensions {names} do",
            code="Refused",
            hint="Remove all but one, and set name (azureml_extension_name) to that one.",
        )
    return found[0] if found else None
