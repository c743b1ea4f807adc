# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The entry point of ARM: metadata, authentication, API versions, and routing to resource providers."""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from aiohttp import web

from simulator.arm.consistency import Consistency
from simulator.arm.protocol import Address, ArmError, ArmRequest, Handler, parse
from simulator.arm.versions import versions_of
from simulator.scenario import Principal
from simulator.sign_in import SignIn

# The action of each HTTP method in an Azure role definition.
ACTIONS = {"GET": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete", "POST": "action"}
CORRELATION_ID = "x-ms-correlation-request-id"
BODY_METHODS = frozenset({"PUT", "PATCH"})

TenantHandler = Callable[[dict[str, Any]], Awaitable[web.Response]]


class Frontend:
    """Checks each request as ARM does, then passes it to the handler of its resource type."""

    def __init__(
        self, sign_in: SignIn, principal: Principal, subscription_ids: Iterable[str], consistency: Consistency
    ) -> None:
        self._sign_in = sign_in
        self._principal = principal
        self._subscription_ids = sorted(subscription_ids)
        self._consistency = consistency
        self._types: dict[str, tuple[str, Handler]] = {}
        self._tenant: dict[str, tuple[str, TenantHandler]] = {}

    def register(self, types: Mapping[str, Handler]) -> None:
        """Add resource types by their full name."""
        self._types.update({name.lower(): (name, handler) for name, handler in types.items()})

    def serve_tenant(self, resource_type: str, handler: TenantHandler) -> None:
        """Add a resource type outside of subscriptions, which accepts POST."""
        self._tenant[f"/providers/{resource_type}".lower()] = (resource_type, handler)

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/metadata/endpoints", self._metadata),
            web.get("/subscriptions", self._subscriptions),
            web.route("*", "/{prefix:(?i:subscriptions|providers)}/{path:.*}", self._handle),
        ]

    async def _metadata(self, request: web.Request) -> web.Response:
        if not request.query.get("api-version"):
            raise web.HTTPBadRequest(text="api-version is missing")
        base = f"https://{request.host}"
        return web.json_response(
            {
                "name": "Simulated",
                "resourceManager": base,
                "authentication": {
                    "loginEndpoint": base,
                    "audiences": [base],
                    "tenant": self._principal.tenant,
                    "identityProvider": "AAD",
                },
                "graphEndpoint": base,
                "portalEndpoint": base,
                "galleryEndpoint": base,
            }
        )

    async def _subscriptions(self, request: web.Request) -> web.Response:
        correlation = {CORRELATION_ID: str(uuid.uuid4())}
        try:
            self._authorize(request)
        except ArmError as error:
            response = error.response()
            response.headers.update(correlation)
            return response
        found = [
            {
                "id": f"/subscriptions/{one}",
                "subscriptionId": one,
                "tenantId": self._principal.tenant,
                "displayName": "Simulated",
                "state": "Enabled",
            }
            for one in self._subscription_ids
        ]
        return web.json_response({"value": found, "nextLink": None}, headers=correlation)

    async def _handle(self, request: web.Request) -> web.Response:
        try:
            response = await self._dispatch(request)
        except ArmError as error:
            response = error.response()
        response.headers[CORRELATION_ID] = request.headers.get(CORRELATION_ID, str(uuid.uuid4()))
        response.headers["x-ms-request-id"] = request.headers.get("x-ms-client-request-id", str(uuid.uuid4()))
        return response

    async def _dispatch(self, request: web.Request) -> web.Response:
        self._authorize(request)
        if request.path.lower() in self._tenant:
            resource_type, handler = self._tenant[request.path.lower()]
            _require_version(request, resource_type)
            return await handler(await self._body(request))
        address = parse(request.path)
        if address.type not in self._types:
            raise ArmError(404, "InvalidResourceType", f"The resource type '{address.type}' could not be found.")
        resource_type, handler = self._types[address.type]
        _require_version(request, resource_type)
        self._require_action(address, request.method)
        body = await self._body(request)
        caller = request.headers.get(CORRELATION_ID, "")
        self._consistency.check(address, request.method, caller)
        query = {name.lower(): value for name, value in request.query.items()}
        arm_request = ArmRequest(address, resource_type, request.method, query, body, origin_of(request.host))
        response = await handler(arm_request)
        if arm_request.created:
            self._consistency.created(address, caller)
        elif request.method == "DELETE":
            self._consistency.settled(address.id)
        return response

    def _authorize(self, request: web.Request) -> None:
        authorization = request.headers.get("Authorization")
        if not authorization:
            raise ArmError(401, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.")
        token = self._sign_in.token(authorization)
        if token is None:
            raise ArmError(401, "ExpiredAuthenticationToken", "The access token is invalid or has expired.")
        if token.audience != f"https://{request.host}":
            raise ArmError(
                401,
                "InvalidAuthenticationTokenAudience",
                f"The access token has been obtained for wrong audience or resource '{token.audience}'.",
            )

    def _require_action(self, address: Address, method: str) -> None:
        """Refuse a request that the principal's role does not allow, as Azure's role-based access control does."""
        action = f"{address.type}/{ACTIONS[method]}"
        if method == "POST":
            action = f"{address.type}/{address.action}/action"
        if not self._principal.may(action):
            raise ArmError(
                403,
                "AuthorizationFailed",
                f"The client '{self._principal.client_id}' does not have authorization to perform action '{action}'"
                f" over scope '{address.id}' or the scope is invalid.",
            )

    async def _body(self, request: web.Request) -> object:
        if request.method not in BODY_METHODS and not (request.method == "POST" and request.body_exists):
            return None
        if request.content_type != "application/json":
            raise ArmError(
                415, "UnsupportedMediaType", f"The content media type '{request.content_type}' is not supported."
            )
        try:
            body = json.loads(await request.text())
        except ValueError:
            raise ArmError(
                400, "InvalidRequestContent", "The request content was invalid and could not be deserialized."
            ) from None
        if not isinstance(body, dict):
            raise ArmError(400, "InvalidRequestContent", "The request content must be an object.")
        return body


def origin_of(host: str) -> str:
    """Return scheme, host and port as in links of ARM, which always contain the port.

    Source: C(https://management.azure.com:443/...) in recordings of https://github.com/Azure/azure-sdk-for-js
    """
    name, _colon, port = host.partition(":")
    return f"https://{name}:{port or 443}"


def _require_version(request: web.Request, resource_type: str) -> None:
    versions = versions_of(resource_type)
    version = next((value for key, value in request.query.items() if key.lower() == "api-version"), "")
    if not version:
        raise ArmError(
            400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required."
        )
    if version not in versions:
        raise ArmError(
            400,
            "NoRegisteredProviderFound",
            f"No registered resource provider found for API version '{version}' for type '{resource_type}'."
            f" The supported api-versions are '{', '.join(sorted(versions))}'.",
        )
