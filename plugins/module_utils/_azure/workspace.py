# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Azure Machine Learning workspaces: references to them, and their facts from ARM."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.azureml.arc.plugins.module_utils._azure import cluster_reference
from ansible_collections.azureml.arc.plugins.module_utils._azure.client import AzureSession
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError

API_VERSION = "2024-04-01"  # of everything in a workspace, too: computes, jobs, endpoints
UNCHANGED_FOR = 600.0  # seconds for which a run remembers a workspace


@dataclass(frozen=True)
class WorkspaceReference:
    """A reference to a workspace, without properties that must be read."""

    subscription_id: str
    resource_group: str
    name: str

    @property
    def id(self) -> str:
        group = cluster_reference.resource_group_id(self.subscription_id, self.resource_group)
        return f"{group}/providers/Microsoft.MachineLearningServices/workspaces/{self.name}"

    def __str__(self) -> str:
        return f"workspace '{self.name}' in resource group '{self.resource_group}'"


@dataclass(frozen=True)
class Workspace:
    """A workspace as ARM shows it.

    :param discovery_url: an address of the region's services, C(https://northeurope.api.azureml.ms/discovery).
    """

    location: str
    discovery_url: str = ""


def reference(params: Mapping, subscription_id: str) -> WorkspaceReference:
    """Return the workspace that option C(workspace) names.

    :param subscription_id: the default for an option without one.
    """
    given = params["workspace"]
    return WorkspaceReference(
        cluster_reference.check_subscription("workspace.subscription_id", given["subscription_id"] or subscription_id),
        cluster_reference.check_name("workspace.resource_group", given["resource_group"]),
        cluster_reference.check_name("workspace.name", given["name"]),
    )


def read(session: AzureSession, workspace: WorkspaceReference) -> Workspace:
    """Read a workspace once for all clusters of a run.

    :raises AzureMLError: if the workspace does not exist.
    """

    def fetch() -> list[str]:
        body = session.get(workspace.id, API_VERSION, str(workspace))
        if body is None:
            raise AzureMLError(
                f"{workspace} of subscription {workspace.subscription_id} does not exist",
                code="ResourceNotFound",
                hint="Check workspace.name, workspace.resource_group and workspace.subscription_id.",
            )
        return [body["location"], (body.get("properties") or {}).get("discoveryUrl") or ""]

    return Workspace(*session.shared(workspace.id.lower(), fetch, UNCHANGED_FOR))
