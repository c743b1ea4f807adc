# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The common parts of ARM: ids, errors, requests, lists, and asynchronous operations."""

from __future__ import annotations

import json
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from aiohttp import web


class ArmError(Exception):
    """An error response of ARM."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        headers: Mapping[str, str] | None = None,
        details: Sequence[Mapping[str, str]] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers
        self.details = list(details)

    def response(self) -> web.Response:
        error = {"code": self.code, "message": str(self), "details": self.details, "additionalInfo": []}
        return web.json_response({"error": error}, status=self.status, headers=self.headers)


@dataclass(frozen=True)
class Address:
    """The parts of an ARM path.

    :param type: the full resource type, lower case: C(microsoft.relay/namespaces/hybridconnections).
    :param parent: the id of the resource that contains or is extended by this one, empty if there is none.
    :param name: the name of the resource; empty for a list.
    :param action: the action after the name, lower case: C(listkeys).
    """

    id: str
    subscription: str
    resource_group: str
    type: str
    parent: str
    name: str
    action: str = ""

    @property
    def key(self) -> str:
        """The id in lower case: ARM ignores the case of ids."""
        return self.id.lower()


def parse(path: str) -> Address:
    """Parse a path. Names keep their case."""
    segments = [unquote(one) for one in path.strip("/").split("/")]
    if len(segments) < 4 or segments[0].lower() != "subscriptions":
        raise ArmError(404, "InvalidResourceId", f"The path {path} is not a resource id.")
    subscription, rest = segments[1], segments[2:]
    group = ""
    if rest[0].lower() == "resourcegroups":
        group, rest = rest[1], rest[2:]
    start = len(segments) - len(rest)
    providers = [index for index, one in enumerate(rest) if one.lower() == "providers"]
    if not providers or providers[0] != 0:
        raise ArmError(404, "InvalidResourceId", f"The path {path} names no provider.")
    last = providers[-1]
    namespace, pairs = rest[last + 1], rest[last + 2 :]
    if not pairs:
        return Address("/" + "/".join(segments), subscription, group, PROVIDERS, "", namespace)
    types, names = pairs[0::2], pairs[1::2]
    action = ""
    if len(types) > len(names) and len(names) > 0 and types[-1].lower() in ACTIONS:
        action, types = types[-1].lower(), types[:-1]
    length = start + last + 2 + len(types) + len(names)
    is_list = len(types) > len(names)
    parent_length = length - 2 + is_list if len(types) > 1 else start + last
    parent = "/" + "/".join(segments[:parent_length]) if parent_length > 4 else ""
    return Address(
        id="/" + "/".join(segments[:length]),
        subscription=subscription,
        resource_group=group,
        type="/".join([namespace, *types]).lower(),
        parent=parent.lower(),
        name="" if is_list else names[-1],
        action=action,
    )


# The type of a resource provider itself.
PROVIDERS = "microsoft.resources/subscriptions/providers"
# The actions that a POST may contain after the name of a resource.
ACTIONS = frozenset({"cancel", "listkeys", "sharedkeys"})


@dataclass
class ArmRequest:
    """A request that has passed the checks of ARM.

    :param type: the resource type in the case of its specification.
    :param query: by name in lower case, because ARM ignores their case.
    :param origin: scheme, host and port of the service, for links to it.
    :ivar created: whether the request has created a resource; set by its handler.
    """

    address: Address
    type: str
    method: str
    query: dict[str, str]
    body: Any
    origin: str
    created: bool = False

    def text(self, *path: str) -> str:
        """Return a field of the body in lower case, because ARM ignores the case; empty if it is missing."""
        value = self.body
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return str(value or "").lower()

    def require(self, *path: str) -> Any:
        """Return a required field of the body.

        :raises ArmError: if it is missing.
        """
        value = self.body
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        if value in (None, ""):
            raise ArmError(400, "InvalidRequestContent", f"The request content has no {'.'.join(path)}.")
        return value


Handler = Callable[[ArmRequest], Awaitable[web.Response]]


@dataclass
class Operation:
    """An asynchronous operation."""

    id: str
    status: str
    error: dict[str, Any] | None = None
    properties: dict[str, Any] = field(default_factory=dict)

    def response(self) -> web.Response:
        body = {
            "id": self.id,
            "name": self.id.rsplit("/", 1)[-1],
            "status": self.status,
            "properties": self.properties,
            "error": self.error,
        }
        return web.json_response(body)


class Operations:
    """The operations of a resource provider."""

    def __init__(self) -> None:
        self._operations: dict[str, Operation] = {}

    def start(self, parent: str, status: str) -> Operation:
        """Return a new operation below a path."""
        operation = Operation(f"{parent}/{uuid.uuid4()}", status)
        self._operations[operation.id.lower()] = operation
        return operation

    def forget(self, path: str) -> None:
        """Delete the operations at or below a path after their resource was deleted, except for its deletion."""
        for key, operation in list(self._operations.items()):
            if f"{key}/".startswith(f"{path}/".lower()) and operation.status != "Deleting":
                del self._operations[key]

    async def handle(self, request: ArmRequest) -> web.Response:
        operation = self._operations.get(request.address.key)
        if operation is None:
            raise ArmError(404, "OperationNotFound", f"The operation {request.address.id} does not exist.")
        return operation.response()


def accepted(request: ArmRequest, operation: Operation, status: int, body: Any = None) -> web.Response:
    """Return the answer to a change that continues as an asynchronous operation."""
    url = f"{request.origin}{operation.id}?api-Version={request.query['api-version']}"
    headers = {"Azure-AsyncOperation": url, "Location": url}
    text = json.dumps(body) if body is not None else ""
    return web.Response(text=text, status=status, headers=headers, content_type="application/json")


def one_a_page(request: ArmRequest, found: Sequence[Any]) -> web.Response:
    """Return a page of a list. It has one item, so that clients must follow the links."""
    skip = int(request.query.get("$skip", 0))
    following = None
    if skip + 1 < len(found):
        query = {**request.query, "$skip": str(skip + 1)}
        following = f"{request.origin}{request.address.id}?" + "&".join(f"{key}={query[key]}" for key in query)
    return web.json_response({"value": found[skip : skip + 1], "nextLink": following})


def system_data(present: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Return the metadata of a change: C(systemData) of the common types in the specifications of ARM.

    :param present: the C(systemData) of the resource before the change.
    """
    now = datetime.now(UTC).isoformat()
    created = present["createdAt"] if present else now
    return {
        "createdAt": created,
        "createdByType": "Application",
        "lastModifiedAt": now,
        "lastModifiedByType": "Application",
    }


def not_found(what: str) -> ArmError:
    return ArmError(404, "ResourceNotFound", f"The Resource '{what}' was not found.")


def method_not_allowed(request: ArmRequest) -> ArmError:
    return ArmError(405, "MethodNotAllowed", f"The method {request.method} is not allowed on {request.address.type}.")
