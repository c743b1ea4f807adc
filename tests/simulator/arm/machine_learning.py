# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Microsoft.MachineLearningServices: read-only workspaces, and their Kubernetes computes, jobs and online endpoints."""

from __future__ import annotations

import uuid
from typing import Any

from aiohttp import web

from simulator.arm.clusters import Clusters
from simulator.arm.consistency import Consistency
from simulator.arm.extensions import Extensions
from simulator.arm.jobs import Jobs
from simulator.arm.protocol import (
    ArmError,
    ArmRequest,
    Handler,
    Operation,
    Operations,
    accepted,
    method_not_allowed,
    not_found,
    one_a_page,
    system_data,
)
from simulator.clock import Clock
from simulator.cluster import SimulatedCluster
from simulator.scenario import WorkspacePlan
from simulator.sign_in import SignIn
from simulator.tasks import Tasks

# The properties of a compute that requests may contain. Others are ignored, such as copies one level higher, which
# azureml-core 1.36 sends.
PROPERTIES = ("computeType", "computeLocation", "description", "resourceId", "disableLocalAuth")
KUBERNETES_PROPERTIES = ("namespace", "defaultInstanceType", "instanceTypes")


class MachineLearning:
    """The workspaces of the scenario, and the computes that are attached to them."""

    def __init__(
        self,
        workspaces: list[WorkspacePlan],
        clusters: Clusters,
        extensions: Extensions,
        clock: Clock,
        tasks: Tasks,
        consistency: Consistency,
        sign_in: SignIn,
    ) -> None:
        self._workspaces = {_workspace_id(one).lower(): one for one in workspaces}
        self._clusters = clusters
        self._extensions = extensions
        self._clock = clock
        self._consistency = consistency
        self._tasks = tasks
        self._computes: dict[str, dict[str, Any]] = {}
        self._operations = Operations()
        self._latest: dict[str, Operation] = {}  # by the key of the compute
        self.jobs = Jobs(self._compute_of, extensions, clock, tasks, sign_in)

    def types(self) -> dict[str, Handler]:
        name = "Microsoft.MachineLearningServices"
        return {
            f"{name}/workspaces": self._workspace,
            f"{name}/workspaces/computes": self._compute,
            f"{name}/workspaces/jobs": self._job,
            f"{name}/workspaces/onlineEndpoints": self._online_endpoints,
            f"{name}/locations/computeOperationsStatus": self._operations.handle,
        }

    def _find_workspace(self, workspace_id: str) -> WorkspacePlan:
        plan = self._workspaces.get(workspace_id.lower())
        if plan is None:
            raise not_found(workspace_id)
        return plan

    async def _workspace(self, request: ArmRequest) -> web.Response:
        if request.method != "GET":
            raise method_not_allowed(request)
        plan = self._find_workspace(request.address.id)
        body = {
            "id": _workspace_id(plan),
            "name": plan.name,
            "type": "Microsoft.MachineLearningServices/workspaces",
            "location": plan.location,
            # The services of the region. Only in a private cloud do they share the address of ARM.
            "properties": {"provisioningState": "Succeeded", "discoveryUrl": f"{request.origin}/discovery"},
        }
        return web.json_response(body)

    async def _job(self, request: ArmRequest) -> web.Response:
        return await self.jobs.handle(request, self._find_workspace(request.address.parent))

    def _compute_of(self, compute_id: str) -> tuple[dict[str, Any], SimulatedCluster] | None:
        compute = self._computes.get(compute_id.lower())
        return (compute, self._clusters[compute["properties"]["resourceId"]]) if compute else None

    async def _online_endpoints(self, request: ArmRequest) -> web.Response:
        found = self._find_workspace(request.address.parent).online_endpoints
        if request.method != "GET" or request.address.name:
            raise method_not_allowed(request)
        return one_a_page(request, found)

    async def _compute(self, request: ArmRequest) -> web.Response:
        workspace = self._find_workspace(request.address.parent)
        if not request.address.name:
            prefix = f"{request.address.key}/"
            found = [body for key, body in self._computes.items() if key.startswith(prefix)]
            return web.json_response({"value": found, "nextLink": None})
        handler = {"GET": self._get, "PUT": self._put, "DELETE": self._delete}.get(request.method)
        if handler is None:
            raise method_not_allowed(request)
        return handler(request, workspace)

    def _get(self, request: ArmRequest, workspace: WorkspacePlan) -> web.Response:
        compute = self._computes.get(request.address.key)
        if compute is None:
            raise not_found(f"computes/{request.address.name}")
        return web.json_response(compute)

    def _put(self, request: ArmRequest, workspace: WorkspacePlan) -> web.Response:
        properties = _known(request.require("properties"))
        request.require("properties", "computeType")
        if request.text("properties", "computeType") != "kubernetes":
            raise ArmError(400, "UserError", "Only computes of type Kubernetes are simulated.")
        # azureml-core 1.36 sends an empty location, and azure-ai-ml 1.35 no identity; both are accepted.
        if request.text("location") not in ("", workspace.location.lower()):
            raise ArmError(400, "UserError", f"The location must be that of the workspace, {workspace.location}.")
        cluster = self._clusters[request.require("properties", "resourceId")]
        extension = self._extensions.azureml_of(cluster)
        if extension is None or extension.state != "Succeeded":
            raise ArmError(400, "UserError", "The cluster has no AzureML extension that succeeded.")
        present = self._computes.get(request.address.key)
        if present and present["properties"]["provisioningState"] in ("Creating", "Deleting"):
            raise ArmError(409, "Conflict", f"Compute {request.address.name} has an operation in progress.")
        if present and _target(present["properties"]) != _target(properties):
            raise ArmError(400, "UserError", "The cluster and the namespace of an attached compute cannot be changed.")
        identity = request.body.get("identity")
        is_user_assigned = request.text("identity", "type") == "userassigned"
        if identity and is_user_assigned != bool(identity.get("userAssignedIdentities")):
            raise ArmError(400, "UserError", "userAssignedIdentities go with type UserAssigned.")
        _check_instance_types(properties["properties"])
        # The name keeps the case in which it was created.
        name = present["name"] if present else request.address.name
        compute = {
            "id": f"{_workspace_id(workspace)}/computes/{name}",
            "name": name,
            "type": request.type,
            "location": workspace.location,
            "identity": {**identity, "principalId": str(uuid.uuid4())} if identity else None,
            "systemData": system_data(present and present["systemData"]),
            "properties": {
                **properties,
                "computeType": "Kubernetes",
                "provisioningState": "Creating",
                "provisioningErrors": None,
                "isAttachedCompute": True,
                "createdOn": self._clock.timestamp(),
                "properties": {
                    "namespace": "default",
                    **properties["properties"],
                    "extensionPrincipalId": extension.principal,
                    "extensionInstanceReleaseTrain": "stable",
                    "vcName": f"{workspace.name}-{request.address.name}",
                },
            },
        }
        self._computes[request.address.key] = compute
        operation = self._begin(request, workspace, "Creating")
        self._latest[request.address.key] = operation
        self._tasks.start_on(request.address.key, self._attach(compute, operation, cluster))
        request.created = present is None
        return accepted(request, operation, 201 if request.created else 200, compute)

    def _delete(self, request: ArmRequest, workspace: WorkspacePlan) -> web.Response:
        if request.query.get("underlyingresourceaction", "").lower() != "detach":
            raise ArmError(
                400, "UserError", "An attached compute can only be detached: underlyingResourceAction=Detach."
            )
        compute = self._computes.get(request.address.key)
        if compute is None:
            return web.Response(status=204)
        key = request.address.key
        if compute["properties"]["provisioningState"] != "Deleting":
            compute["properties"]["provisioningState"] = "Deleting"
            attachment, self._latest[key] = self._latest[key], self._begin(request, workspace, "Deleting")
            self._tasks.start_on(key, self._detach(key, attachment, self._latest[key], workspace.detach_seconds))
        # A guess: no recording contains a second request to detach. Both requests share one operation.
        return accepted(request, self._latest[key], 202)

    def _begin(self, request: ArmRequest, workspace: WorkspacePlan, status: str) -> Operation:
        path = (
            f"/subscriptions/{request.address.subscription}/providers/Microsoft.MachineLearningServices"
            f"/locations/{workspace.location}/computeOperationsStatus"
        )
        return self._operations.start(path, status)

    async def _attach(self, compute: dict[str, Any], operation: Operation, cluster: SimulatedCluster) -> None:
        await self._clock.sleep(cluster.plan.attach_seconds)
        self._consistency.settled(compute["id"])
        properties = compute["properties"]
        namespace = properties["properties"]["namespace"]
        error = cluster.plan.attach_error
        if cluster.store.get(cluster.store.kind("Namespace"), "", namespace) is None:
            error = f"Namespace {namespace} does not exist in the cluster."
        elif cluster.plan.crash_once_attached:
            await cluster.workloads.crash(cluster.plan.crash_once_attached)
        if error:
            failure = {"code": "AttachFailed", "message": error}
            properties["provisioningErrors"] = [{"error": failure}]
            operation.error = failure
        properties["provisioningState"] = operation.status = "Failed" if error else "Succeeded"

    async def _detach(self, key: str, attachment: Operation, operation: Operation, seconds: float) -> None:
        await self._clock.sleep(seconds)
        del self._computes[key]
        # A guess: no recording contains a detach during an attachment. As with an extension, the operation is deleted.
        self._operations.forget(attachment.id)
        operation.status = "Succeeded"


def _known(properties: dict[str, Any]) -> dict[str, Any]:
    """Return the known properties of a compute."""
    kubernetes = properties.get("properties") or {}
    return {
        **{name: properties[name] for name in PROPERTIES if name in properties},
        "properties": {name: kubernetes[name] for name in KUBERNETES_PROPERTIES if kubernetes.get(name) is not None},
    }


def _target(properties: dict[str, Any]) -> tuple[str, str]:
    namespace = (properties.get("properties") or {}).get("namespace") or "default"
    return properties["resourceId"].lower(), namespace


def _check_instance_types(offered: dict[str, Any]) -> None:
    """Check instance types against the specification: quantities are strings, and the default is one of the types."""
    types = offered.get("instanceTypes") or {}
    for name, one in types.items():
        resources = one.get("resources") or {}
        parts = [one.get("nodeSelector") or {}, resources.get("requests") or {}, resources.get("limits") or {}]
        if not all(isinstance(value, str) for part in parts for value in part.values()):
            raise ArmError(400, "UserError", f"The values of instance type {name} must be strings.")
    if types and offered.get("defaultInstanceType") not in types:
        raise ArmError(400, "UserError", "defaultInstanceType must be one of instanceTypes.")


def _workspace_id(plan: WorkspacePlan) -> str:
    return (
        f"/subscriptions/{plan.subscription}/resourceGroups/{plan.resource_group}"
        f"/providers/Microsoft.MachineLearningServices/workspaces/{plan.name}"
    )
