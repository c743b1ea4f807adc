# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Microsoft.KubernetesConfiguration/extensions: the life of an extension, from PUT to DELETE."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from simulator.arm.clusters import Clusters
from simulator.arm.consistency import Consistency
from simulator.arm.protocol import (
    ArmError,
    ArmRequest,
    Handler,
    Operation,
    Operations,
    accepted,
    method_not_allowed,
    not_found,
    system_data,
)
from simulator.cluster import SimulatedCluster
from simulator.scenario import TENANT
from simulator.tasks import Tasks

AZUREML = "microsoft.azureml.kubernetes"
DEFAULT_NAMESPACE = "azureml"  # a guess: the type names its own where a request names none
CURRENT_VERSION = "1.1.61"
# What requests may say; unknown members beside these are ignored, as C(location) of k8s-extension 1.0.0.
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
    """An extension as the service stores it, with its secrets."""

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
        """Object ID of its identity, whoever created that."""
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


class Extensions:
    """All extensions of all clusters."""

    def __init__(self, clusters: Clusters, tasks: Tasks, consistency: Consistency) -> None:
        self._clusters = clusters
        self._consistency = consistency
        self._tasks = tasks
        self._extensions: dict[str, Extension] = {}
        self._running: dict[str, asyncio.Task] = {}
        self._operations = Operations()

    def types(self) -> dict[str, Handler]:
        name = "Microsoft.KubernetesConfiguration/extensions"
        return {name: self._handle, f"{name}/operations": self._operations.handle}

    def __iter__(self) -> Iterator[Extension]:
        return iter(self._extensions.values())

    def azureml_of(self, cluster: SimulatedCluster) -> Extension | None:
        """The AzureML extension of a cluster."""
        prefix = f"{cluster.id.lower()}/"
        return next(
            (
                extension
                for key, extension in self._extensions.items()
                if key.startswith(prefix) and extension.properties["extensionType"].lower() == AZUREML
            ),
            None,
        )

    async def _handle(self, request: ArmRequest) -> web.Response:
        cluster = self._clusters[request.address.parent]
        if not request.address.name:
            return self._list(request)
        handler = {"GET": self._get, "PUT": self._put, "PATCH": self._patch, "DELETE": self._delete}.get(request.method)
        if handler is None:
            raise method_not_allowed(request)
        return handler(request, cluster)

    def _list(self, request: ArmRequest) -> web.Response:
        if request.method != "GET":
            raise method_not_allowed(request)
        prefix = f"{request.address.key}/"
        found = [extension.body() for key, extension in self._extensions.items() if key.startswith(prefix)]
        return web.json_response({"value": found, "nextLink": None})

    def _find(self, request: ArmRequest) -> Extension:
        extension = self._extensions.get(request.address.key)
        if extension is None:
            raise not_found(f"extensions/{request.address.name}")
        return extension

    def _get(self, request: ArmRequest, cluster: SimulatedCluster) -> web.Response:
        return web.json_response(self._find(request).body())

    def _put(self, request: ArmRequest, cluster: SimulatedCluster) -> web.Response:
        _check_identity(request, cluster)
        request.require("properties", "extensionType")
        properties = _known(request, PUTTABLE)
        scope = properties.get("scope") or {}
        if "namespace" not in scope:
            properties["scope"] = {"cluster": {"releaseNamespace": DEFAULT_NAMESPACE, **(scope.get("cluster") or {})}}
        present = self._extensions.get(request.address.key)
        if present:
            _require_idle(present)
        # The name stays as it was created, whatever case a later request has.
        name = present.name if present else request.address.name
        path = f"{cluster.id}/providers/{request.type}/{name}"
        extension = Extension(path, name, properties)
        self._give_identity(extension, present, cluster, request.body.get("identity"))
        if present:
            extension.system_data = system_data(present.system_data)
        self._extensions[request.address.key] = extension
        operation = self._begin(extension, "Creating")
        self._run(extension, self._install(extension, cluster, operation, create=True))
        request.created = present is None
        return accepted(request, operation, 201 if request.created else 200, extension.body())

    def _patch(self, request: ArmRequest, cluster: SimulatedCluster) -> web.Response:
        extension = self._find(request)
        request.require("properties")
        properties = _known(request, PATCHABLE)
        if not properties.get("configurationProtectedSettings"):
            # An empty map changes nothing: C(az k8s-extension update) sends one with every change of a plain setting.
            properties.pop("configurationProtectedSettings", None)
        _require_idle(extension)
        settings = dict(extension.properties.get("configurationSettings") or {})
        for key, value in (properties.get("configurationSettings") or {}).items():
            if value is None:
                settings.pop(key, None)
            else:
                settings[key] = value
        extension.properties = {**extension.properties, **properties, "configurationSettings": settings}
        extension.system_data = system_data(extension.system_data)
        operation = self._begin(extension, "Updating")
        self._run(extension, self._install(extension, cluster, operation, create=False))
        return accepted(request, operation, 202, extension.body())

    def _delete(self, request: ArmRequest, cluster: SimulatedCluster) -> web.Response:
        extension = self._extensions.get(request.address.key)
        if extension is None:
            return web.Response(status=204)
        if request.query.get("forcedelete", "").lower() == "true":
            del self._extensions[request.address.key]
            return web.Response(status=200)
        operation = self._begin(extension, "Deleting")
        self._run(extension, self._remove(extension, cluster, operation))
        return accepted(request, operation, 202)

    @staticmethod
    def _give_identity(
        extension: Extension, present: Extension | None, cluster: SimulatedCluster, wanted: dict[str, str] | None
    ) -> None:
        """Give an extension the identity that was asked for, on AKS one that nobody asks for.

        Source: C(recorded) answers to C(az k8s-extension create) on both types of cluster.
        """
        made = {
            "type": "SystemAssigned",
            "principalId": (present.principal if present else None) or str(uuid.uuid4()),
            "tenantId": TENANT,
        }
        if cluster.plan.type == "managedClusters":
            extension.aks_assigned_identity = made
        elif wanted and wanted.get("type", "").lower() == "systemassigned":
            extension.identity = made

    def _begin(self, extension: Extension, state: str) -> Operation:
        extension.state = state
        extension.error = None
        return self._operations.start(f"{extension.id}/operations", state)

    def _run(self, extension: Extension, work) -> None:
        running = self._running.get(extension.id)
        if running:
            running.cancel()
        self._running[extension.id] = self._tasks.start(work)

    async def _install(
        self, extension: Extension, cluster: SimulatedCluster, operation: Operation, create: bool
    ) -> None:
        plan = cluster.plan.install
        settings = extension.properties.get("configurationSettings") or {}
        version = extension.properties.get("version") or CURRENT_VERSION
        await cluster.name_itself_for_extensions()
        workloads = self._tasks.start(cluster.workloads.install(extension.name, settings, version, plan))
        await cluster.clock.sleep(plan.seconds)
        await workloads
        while cluster.plan.connectivity != "Connected":
            await cluster.clock.sleep(1)  # nobody there who would tell of it
        self._consistency.settled(extension.id)
        error = plan.error
        if version in plan.bad_versions:
            error = f"Helm upgrade failed : chart of version {version} cannot be rendered"
        if cluster.forbidden_accounts(extension.name):
            error = "pods are forbidden: unable to validate against any security context constraint"
        if error:
            action = "Create" if create else "Update"
            extension.error = {
                "code": plan.error_code,
                "message": "The extension operation failed with the following error: "
                f"Error: [ InnerError: [{error}]] occurred while doing the operation : [{action}] on the config",
            }
            extension.state = operation.status = "Failed"
            operation.error = extension.error
            return
        await cluster.router.install(settings, extension.properties.get("configurationProtectedSettings") or {})
        extension.current_version = version
        extension.state = operation.status = "Succeeded"

    async def _remove(self, extension: Extension, cluster: SimulatedCluster, operation: Operation) -> None:
        await cluster.workloads.remove()
        await cluster.router.stop()
        await cluster.clock.sleep(cluster.plan.removal_seconds)
        await cluster.workloads.forget()
        self._extensions.pop(extension.id.lower(), None)
        self._operations.forget(f"{extension.id}/operations")
        operation.status = "Succeeded"


def _require_idle(extension: Extension) -> None:
    if extension.state in ("Creating", "Updating", "Deleting"):
        raise ArmError(
            409,
            "AnotherOperationInProgress",
            f"Another operation on the extension is in progress: {extension.state}. Try again when it has ended.",
        )


def _check_identity(request: ArmRequest, cluster: SimulatedCluster) -> None:
    """Refuse an identity on AKS, which creates that of an extension itself.

    Source: https://github.com/Azure/azure-powershell/issues/22455 and 24321, whose message this is. Its code is that of
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


def _known(request: ArmRequest, names: frozenset[str]) -> dict[str, Any]:
    """The properties of a request without unknown ones, checked."""
    properties = {name: value for name, value in request.body["properties"].items() if name in names}
    for name in ("configurationSettings", "configurationProtectedSettings"):
        settings = properties.get(name)
        if settings is not None and not all(isinstance(value, (str, type(None))) for value in settings.values()):
            raise ArmError(400, "InvalidRequestContent", f"Every value of {name} must be a string.")
    return properties
