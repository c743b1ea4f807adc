# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The parts of Microsoft.Relay, Microsoft.ServiceBus and Microsoft.OperationalInsights that the extension needs."""

from __future__ import annotations

import secrets
import uuid
from typing import Any

from aiohttp import web

from simulator.arm.clusters import Clusters
from simulator.arm.protocol import ArmError, ArmRequest, Handler, method_not_allowed, not_found, system_data
from simulator.clock import Clock
from simulator.tasks import Tasks

PROVISIONING_SECONDS = 5.0
# States during creation. C(ProvisioningAccount) is documented for workspaces:
# https://learn.microsoft.com/rest/api/loganalytics/workspaces/get. C(Accepted) for namespaces is a guess.
NAMESPACE_CREATING = "Accepted"
WORKSPACE_CREATING = "ProvisioningAccount"
NAME_LENGTH = 50  # characters of a namespace, by its specification
SKUS = ("basic", "standard", "premium")
# The authorization rule of every new namespace.
ROOT_RULE = "RootManageSharedAccessKey"
# The members of a body that are stored; others are ignored.
MEMBERS = ("location", "tags", "sku")


class Supporting:
    """Resources that a PUT creates, some of them with a provisioning state."""

    def __init__(self, clusters: Clusters, clock: Clock, tasks: Tasks) -> None:
        self._clusters = clusters
        self._clock = clock
        self._tasks = tasks
        self._resources: dict[str, dict[str, Any]] = {}
        self._keys: dict[str, str] = {}

    def types(self) -> dict[str, Handler]:
        relay, bus = "Microsoft.Relay/namespaces", "Microsoft.ServiceBus/namespaces"
        return {
            relay: self._relay,
            f"{relay}/authorizationRules": self._rule,
            f"{relay}/hybridConnections": self._connection,
            f"{relay}/hybridConnections/authorizationRules": self._rule,
            bus: self._bus,
            f"{bus}/authorizationRules": self._rule,
            f"{bus}/topics": self._messaging_part,
            f"{bus}/topics/subscriptions": self._messaging_part,
            "Microsoft.OperationalInsights/workspaces": self._workspace,
        }

    def _find(self, request: ArmRequest) -> dict[str, Any]:
        resource = self._resources.get(request.address.key)
        if resource is None:
            raise not_found(f"{request.address.type}/{request.address.name}")
        return resource

    async def _serve(self, request: ArmRequest, properties: dict[str, Any], status: int) -> web.Response:
        """Answer GET, DELETE, or PUT with default properties. A PUT keeps the properties of an existing resource."""
        if request.method == "GET":
            return web.json_response(self._find(request) if request.address.name else self._list(request))
        if request.method == "DELETE":
            return self._delete(request)
        if request.method != "PUT":
            raise method_not_allowed(request)
        address = request.address
        self._clusters.require_group(address)
        if address.parent and address.parent not in self._resources:
            raise ArmError(404, "ParentResourceNotFound", f"Parent resource '{address.parent}' not found.")
        present = self._resources.get(address.key, {})
        if present.get("properties", {}).get("provisioningState") == "Deleting":
            # A guess: no recording contains a PUT on a namespace that is being deleted. Extensions answer like this.
            raise ArmError(409, "Conflict", f"{request.type} '{address.name}' is being deleted.")
        return web.json_response(self._put(request, present, properties), status=200 if present else status)

    def _put(self, request: ArmRequest, present: dict[str, Any], properties: dict[str, Any]) -> dict[str, Any]:
        address, body = request.address, request.body
        parent = self._resources[address.parent]["id"] if address.parent else address.id.rsplit("/", 2)[0]
        created = {"id": f"{parent}/{request.type.rsplit('/', 1)[-1]}/{address.name}", "name": address.name}
        resource = {member: body[member] for member in MEMBERS if member in body}
        # The name keeps the case in which it was created.
        resource |= {name: present.get(name, value) for name, value in created.items()} | {"type": request.type}
        resource["systemData"] = system_data(present.get("systemData"))
        resource["properties"] = {**properties, **(body.get("properties") or {}), **present.get("properties", {})}
        self._resources[address.key] = resource
        if not present:
            request.created = True
            if "provisioningState" in resource["properties"]:
                self._tasks.start_on(address.key, self._provision(address.key))
        return resource

    def _list(self, request: ArmRequest) -> dict[str, Any]:
        """Return the resources directly below a path."""
        prefix = f"{request.address.key}/"
        found = [
            one for key, one in self._resources.items() if key.startswith(prefix) and "/" not in key[len(prefix) :]
        ]
        return {"value": found, "nextLink": None}

    def _delete(self, request: ArmRequest) -> web.Response:
        """Delete a resource and its children after a delay."""
        resource = self._resources.get(request.address.key)
        if resource is None:
            return web.Response(status=204)
        if resource["properties"].get("provisioningState") != "Deleting":
            resource["properties"]["provisioningState"] = "Deleting"
            self._tasks.start_on(request.address.key, self._remove(request.address.key))
        return web.Response(status=202)

    async def _remove(self, key: str) -> None:
        await self._clock.sleep(PROVISIONING_SECONDS)
        for one in [one for one in self._resources if one == key or one.startswith(f"{key}/")]:
            del self._resources[one]

    async def _provision(self, key: str) -> None:
        await self._clock.sleep(PROVISIONING_SECONDS)
        # Look it up again: another PUT may have replaced it.
        self._resources[key]["properties"]["provisioningState"] = "Succeeded"

    async def _relay(self, request: ArmRequest) -> web.Response:
        return await self._namespace(request)

    async def _bus(self, request: ArmRequest) -> web.Response:
        if request.method == "PUT":
            request.require("sku", "name")
            if request.text("sku", "name") not in SKUS:
                raise ArmError(400, "BadRequest", "The SKU of a Service Bus namespace is Basic, Standard or Premium.")
        return await self._namespace(request)

    async def _namespace(self, request: ArmRequest) -> web.Response:
        if request.method == "PUT":
            request.require("location")
            if len(request.address.name) > NAME_LENGTH:
                raise ArmError(400, "BadRequest", f"The name of a namespace has at most {NAME_LENGTH} characters.")
        response = await self._serve(request, {"provisioningState": NAMESPACE_CREATING}, 201)
        if request.created:
            self._add_root_rule(request)
        return response

    def _add_root_rule(self, request: ArmRequest) -> None:
        rule_id = f"{self._resources[request.address.key]['id']}/authorizationRules/{ROOT_RULE}"
        self._resources[rule_id.lower()] = {
            "id": rule_id,
            "name": ROOT_RULE,
            "type": f"{request.type}/authorizationRules",
            "properties": {"rights": ["Listen", "Manage", "Send"]},
        }

    async def _connection(self, request: ArmRequest) -> web.Response:
        return await self._serve(request, {"listenerCount": 0}, 200)

    async def _rule(self, request: ArmRequest) -> web.Response:
        if request.method == "PUT":
            request.require("properties", "rights")
        if request.address.action != "listkeys":
            return await self._serve(request, {}, 200)
        if request.method != "POST":
            raise method_not_allowed(request)
        rule = self._find(request)
        segments = rule["id"].split("/")
        namespace, inner = segments[8], segments[10] if "hybridConnections" in segments else ""
        key = self._keys.setdefault(request.address.key, secrets.token_urlsafe(32))
        connection = f"Endpoint=sb://{namespace}.servicebus.windows.net/;SharedAccessKeyName={rule['name']}"
        connection += f";SharedAccessKey={key}" + (f";EntityPath={inner}" if inner else "")
        return web.json_response(
            {
                "primaryConnectionString": connection,
                "secondaryConnectionString": connection,
                "primaryKey": key,
                "secondaryKey": key,
                "keyName": rule["name"],
            }
        )

    async def _messaging_part(self, request: ArmRequest) -> web.Response:
        return await self._serve(request, {}, 200)

    async def _workspace(self, request: ArmRequest) -> web.Response:
        if request.address.action == "sharedkeys":
            self._find(request)
            key = self._keys.setdefault(request.address.key, secrets.token_urlsafe(48))
            return web.json_response({"primarySharedKey": key, "secondarySharedKey": key})
        if request.method == "PUT":
            request.require("location")
        properties = {"provisioningState": WORKSPACE_CREATING, "customerId": str(uuid.uuid4())}
        return await self._serve(request, properties, 201)
