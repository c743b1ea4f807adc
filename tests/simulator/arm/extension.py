# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An extension as the service stores it, and the checks of requests for one."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from simulator.arm.protocol import ArmError, ArmRequest, system_data
from simulator.cluster import SimulatedCluster

# The properties that requests may contain. Others are ignored, such as C(location) of k8s-extension 1.0.0.
PATCHABLE = frozenset(
    {
        "autoUpgradeMinorVersion",
        "releaseTrain",
        "version",
        "configurationSettings",
        "configurationProtectedSettings",
    }
)
PUTTABLE = PATCHABLE | {"extensionType", "scope"}


@dataclass
class Extension:
    """An extension, with its secrets."""

    id: str
    name: str
    properties: dict[str, Any]
    state: str = "Creating"
    current_version: str | None = None
    identity: dict[str, str] | None = None
    aks_assigned_identity: dict[str, str] | None = None
    error: dict[str, Any] | None = None
    system_data: dict[str, str] = field(default_factory=system_data)

    @property
    def principal(self) -> str | None:
        """Object ID of its identity, created by the request or by AKS."""
        return (self.identity or self.aks_assigned_identity or {}).get("principalId")

    def body(self) -> dict[str, Any]:
        protected = dict.fromkeys(self.properties.get("configurationProtectedSettings") or {}, "")
        statuses = []
        if self.error:
            statuses = [
                {"code": "InstallationFailed", "level": "Error", "message": self.error["message"], "time": None}
            ]
        return {
            "id": self.id,
            "name": self.name,
            "type": "Microsoft.KubernetesConfiguration/extensions",
            "identity": self.identity,
            "systemData": self.system_data,
            "properties": {
                "version": None,
                "autoUpgradeMinorVersion": True,
                "releaseTrain": "Stable",
                **self.properties,
                "extensionType": self.properties["extensionType"].lower(),
                "configurationProtectedSettings": protected,
                "currentVersion": self.current_version,
                "provisioningState": self.state,
                "statuses": statuses,
                "errorInfo": self.error,
                "aksAssignedIdentity": self.aks_assigned_identity,
                "isSystemExtension": False,
            },
        }


def require_idle(extension: Extension) -> None:
    """Refuse a change while another operation is in progress."""
    if extension.state in ("Creating", "Updating", "Deleting"):
        raise ArmError(
            409,
            "AnotherOperationInProgress",
            f"Another operation on the extension is in progress: {extension.state}. Try again when it has ended.",
        )


def check_identity(request: ArmRequest, cluster: SimulatedCluster) -> None:
    """Refuse an identity on AKS, which creates the identity of an extension itself.

    Source of the message: https://github.com/Azure/azure-powershell/issues/22455 and 24321. Source of the code:
    https://github.com/Azure/azure-cli/issues/31837, where another resource provider answers with the same message.
    """
    if cluster.plan.type == "managedClusters" and request.body.get("identity"):
        cause = 'Status: \'BadRequest\'. Response: \'{"error":{"code":"BadRequest","message":""}}\''
        raise ArmError(
            400,
            "FailedIdentityOperation",
            f"Identity operation for resource '{request.address.id}' failed with error"
            f" 'Failed to perform resource identity operation. {cause}.'.",
        )


def known(request: ArmRequest, names: frozenset[str]) -> dict[str, Any]:
    """Return the properties of a request without unknown ones, checked."""
    properties = {name: value for name, value in request.body["properties"].items() if name in names}
    for name in ("configurationSettings", "configurationProtectedSettings"):
        settings = properties.get(name)
        if settings is not None and not all(isinstance(value, (str, type(None))) for value in settings.values()):
            raise ArmError(400, "InvalidRequestContent", f"Every value of {name} must be a string.")
    return properties
