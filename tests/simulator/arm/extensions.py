# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Microsoft.KubernetesConfiguration/extensions: the life cycle of an extension, from PUT to DELETE."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator

from aiohttp import web

from simulator.arm.clusters import Clusters
from simulator.arm.consistency import Consistency
from simulator.arm.extension import PATCHABLE, PUTTABLE, Extension, check_identity, known, require_idle
from simulator.arm.protocol import (
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
DEFAULT_NAMESPACE = "azureml"  # a guess: the extension type sets it if the request does not
CURRENT_VERSION = "1.1.61"


class Extensions:
    """All extensions of all clusters."""

    def __init__(self, clusters: Clusters, tasks: Tasks, consistency: Consistency) -> None:
        self._clusters = clusters
        self._consistency = consistency
        self._tasks = tasks
        self._extensions: dict[str, Extension] = {}
        self._removals: dict[str, Operation] = {}  # by the key of the extension
        self._operations = Operations()

    def types(self) -> dict[str, Handler]:
        name = "Microsoft.KubernetesConfiguration/extensions"
        return {name: self._handle, f"{name}/operations": self._operations.handle}

    def __iter__(self) -> Iterator[Extension]:
        return iter(self._extensions.values())

    def azureml_of(self, cluster: SimulatedCluster) -> Extension | None:
        """Return the AzureML extension of a cluster."""
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
        check_identity(request, cluster)
        request.require("properties", "extensionType")
        properties = known(request, PUTTABLE)
        scope = properties.get("scope") or {}
        if "namespace" not in scope:
            properties["scope"] = {"cluster": {"releaseNamespace": DEFAULT_NAMESPACE, **(scope.get("cluster") or {})}}
        present = self._extensions.get(request.address.key)
        if present:
            require_idle(present)
        # The name keeps the case in which it was created.
        name = present.name if present else request.address.name
        path = f"{cluster.id}/providers/{request.type}/{name}"
        extension = Extension(path, name, properties)
        self._give_identity(extension, present, cluster, request.body.get("identity"))
        if present:
            extension.system_data = system_data(present.system_data)
        self._extensions[request.address.key] = extension
        operation = self._begin(extension, "Creating")
        self._tasks.start_on(request.address.key, self._install(extension, cluster, operation, create=True))
        request.created = present is None
        return accepted(request, operation, 201 if request.created else 200, extension.body())

    def _patch(self, request: ArmRequest, cluster: SimulatedCluster) -> web.Response:
        extension = self._find(request)
        request.require("properties")
        properties = known(request, PATCHABLE)
        if not properties.get("configurationProtectedSettings"):
            # An empty map changes nothing: C(az k8s-extension update) sends one with every change of other settings.
            properties.pop("configurationProtectedSettings", None)
        require_idle(extension)
        settings = dict(extension.properties.get("configurationSettings") or {})
        for key, value in (properties.get("configurationSettings") or {}).items():
            if value is None:
                settings.pop(key, None)
            else:
                settings[key] = value
        extension.properties = {**extension.properties, **properties, "configurationSettings": settings}
        extension.system_data = system_data(extension.system_data)
        operation = self._begin(extension, "Updating")
        self._tasks.start_on(request.address.key, self._install(extension, cluster, operation, create=False))
        return accepted(request, operation, 202, extension.body())

    def _delete(self, request: ArmRequest, cluster: SimulatedCluster) -> web.Response:
        extension = self._extensions.get(request.address.key)
        if extension is None:
            return web.Response(status=204)
        if request.query.get("forcedelete", "").lower() == "true":
            del self._extensions[request.address.key]
            return web.Response(status=200)
        if extension.state != "Deleting":
            operation = self._removals[request.address.key] = self._begin(extension, "Deleting")
            self._tasks.start_on(request.address.key, self._remove(extension, cluster, operation))
        # A guess: no recording contains a second DELETE. Both requests share one operation.
        return accepted(request, self._removals[request.address.key], 202)

    @staticmethod
    def _give_identity(
        extension: Extension, present: Extension | None, cluster: SimulatedCluster, wanted: dict[str, str] | None
    ) -> None:
        """Create the identity that the request contains. On AKS, every extension has one.

        Source: the answers to C(az k8s-extension create) on both types of cluster, in C(tests/recorded).
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

    async def _install(
        self, extension: Extension, cluster: SimulatedCluster, operation: Operation, create: bool
    ) -> None:
        plan = cluster.plan.install
        settings = extension.properties.get("configurationSettings") or {}
        version = extension.properties.get("version") or CURRENT_VERSION
        await cluster.put_extension_config()
        workloads = cluster.workloads.install(extension.name, settings, version, plan)
        await asyncio.gather(workloads, cluster.clock.sleep(plan.seconds))
        while cluster.plan.connectivity != "Connected":
            await cluster.clock.sleep(1)  # no agent reports the end of the operation
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
