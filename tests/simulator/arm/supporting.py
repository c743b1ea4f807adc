# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Microsoft.Relay, Microsoft.ServiceBus and Microsoft.OperationalInsights, as far as the extension needs them."""

from __future__ import annotations

import secrets
import uuid
from typing import Any

from aiohttp import web

from simulator.arm.clusters import Clusters
from simulator.arm.protocol import ArmError, ArmRequest, ResourceType, method_not_allowed, not_found, system_data
from simulator.clock import Clock
from simulator.tasks import Tasks

PROVISIONING_SECONDS = 5.0
MESSAGING_VERSION = frozenset({"2021-11-01"})
# The authorization rule that every namespace of Service Bus is born with.
ROOT_RULE = "RootManageSharedAccessKey"
LOG_ANALYTICS_VERSION = frozenset({"2022-10-01"})


class Supporting:
    """Resources that are made with a PUT and provisioned in no time, or a little later."""

    def __init__(self, clusters: Clusters, clock: Clock, tasks: Tasks) -> None:
        self._clusters = clusters
        self._clock = clock
        self._tasks = tasks
        self._resources: dict[str, dict[str, Any]] = {}
        self._keys: dict[str, str] = {}

    def types(self) -> dict[str, ResourceType]:
        relay = "microsoft.relay/namespaces"
        connection = f"{relay}/hybridconnections"
        bus = "microsoft.servicebus/namespaces"
        return {
            relay: ResourceType(self._namespace, MESSAGING_VERSION),
            connection: ResourceType(self._connection, MESSAGING_VERSION),
            f"{connection}/authorizationrules": ResourceType(self._rule, MESSAGING_VERSION),
            bus: ResourceType(self._bus, MESSAGING_VERSION),
            f"{bus}/authorizationrules": ResourceType(self._bus_rule, MESSAGING_VERSION),
            f"{bus}/topics": ResourceType(self._messaging_part, MESSAGING_VERSION),
            f"{bus}/topics/subscriptions": ResourceType(self._messaging_part, MESSAGING_VERSION),
            "microsoft.operationalinsights/workspaces": ResourceType(self._workspace, LOG_ANALYTICS_VERSION),
        }

    def _find(self, request: ArmRequest) -> dict[str, Any]:
        resource = self._resources.get(request.address.key)
        if resource is None:
            raise not_found(f"{request.address.type}/{request.address.name}")
        return resource

    async def _serve(self, request: ArmRequest, properties: dict[str, Any], status: int) -> web.Response:
        """GET, or PUT with these properties; a PUT on an existing resource keeps what it has."""
        if request.method == "GET":
            return web.json_response(self._find(request))
        if request.method == "DELETE":
            return self._delete(request)
        if request.method != "PUT":
            raise method_not_allowed(request)
        address = request.address
        if not self._clusters.has_group(address.subscription, address.resource_group):
            raise ArmError(
                404, "ResourceGroupNotFound", f"Resource group '{address.resource_group}' could not be found."
            )
        if address.parent and address.parent not in self._resources:
            raise ArmError(404, "ParentResourceNotFound", f"Parent resource '{address.parent}' not found.")
        present = self._resources.get(address.key, {})
        merged = {**request.body, "id": address.id, "name": address.name, "type": address.type}
        merged["systemData"] = system_data(present.get("systemData"))
        merged["properties"] = {**properties, **(request.body.get("properties") or {}), **present.get("properties", {})}
        self._resources[address.key] = merged
        if merged["properties"].get("provisioningState") == "Creating":
            self._tasks.start(self._provision(merged))
        return web.json_response(merged, status=200 if present else status)

    def _delete(self, request: ArmRequest) -> web.Response:
        """Remove a resource with all that lies in it, a little later."""
        resource = self._resources.get(request.address.key)
        if resource is None:
            return web.Response(status=204)
        resource["properties"]["provisioningState"] = "Deleting"
        self._tasks.start(self._remove(request.address.key))
        return web.Response(status=202)

    async def _remove(self, key: str) -> None:
        await self._clock.sleep(PROVISIONING_SECONDS)
        for one in [one for one in self._resources if one == key or one.startswith(f"{key}/")]:
            del self._resources[one]

    async def _provision(self, resource: dict[str, Any]) -> None:
        await self._clock.sleep(PROVISIONING_SECONDS)
        resource["properties"]["provisioningState"] = "Succeeded"

    async def _namespace(self, request: ArmRequest) -> web.Response:
        if request.method == "PUT":
            request.require("location")
            if len(request.address.name) > 50:
                raise ArmError(400, "BadRequest", "The name of a Relay namespace has at most 50 characters.")
        return await self._serve(request, {"provisioningState": "Creating"}, 201)

    async def _connection(self, request: ArmRequest) -> web.Response:
        return await self._serve(request, {"listenerCount": 0}, 200)

    async def _rule(self, request: ArmRequest) -> web.Response:
        if request.method == "PUT":
            request.require("properties", "rights")
        if request.address.action != "listkeys":
            return await self._serve(request, {}, 200)
        if request.method != "POST":
            raise method_not_allowed(request)
        self._find(request)
        path = request.address.id.split("/")
        return self._keys_of(request, path[8], path[12], f";EntityPath={path[10]}")

    def _keys_of(self, request: ArmRequest, namespace: str, rule: str, scope: str = "") -> web.Response:
        key = self._keys.setdefault(request.address.key, secrets.token_urlsafe(32))
        host = f"{namespace}.servicebus.windows.net"
        connection = f"Endpoint=sb://{host}/;SharedAccessKeyName={rule};SharedAccessKey={key}{scope}"
        return web.json_response(
            {
                "primaryConnectionString": connection,
                "secondaryConnectionString": connection,
                "primaryKey": key,
                "secondaryKey": key,
                "keyName": rule,
            }
        )

    async def _bus(self, request: ArmRequest) -> web.Response:
        if request.method == "PUT":
            request.require("location")
            if request.require("sku", "name") not in ("Basic", "Standard", "Premium"):
                raise ArmError(400, "BadRequest", "The SKU of a Service Bus namespace is Basic, Standard or Premium.")
            if len(request.address.name) > 50:
                raise ArmError(400, "BadRequest", "The name of a Service Bus namespace has at most 50 characters.")
        return await self._serve(request, {"provisioningState": "Creating"}, 201)

    async def _bus_rule(self, request: ArmRequest) -> web.Response:
        address = request.address
        if address.parent not in self._resources or address.name != ROOT_RULE:
            raise not_found(f"{address.type}/{address.name}")
        if address.action != "listkeys" or request.method != "POST":
            raise method_not_allowed(request)
        return self._keys_of(request, address.id.split("/")[8], ROOT_RULE)

    async def _messaging_part(self, request: ArmRequest) -> web.Response:
        return await self._serve(request, {}, 200)

    async def _workspace(self, request: ArmRequest) -> web.Response:
        if request.address.action == "sharedkeys":
            self._find(request)
            key = self._keys.setdefault(request.address.key, secrets.token_urlsafe(48))
            return web.json_response({"primarySharedKey": key, "secondarySharedKey": key})
        if request.method == "PUT":
            request.require("location")
        properties = {"provisioningState": "Creating", "customerId": str(uuid.uuid4())}
        return await self._serve(request, properties, 201)
