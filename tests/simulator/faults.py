# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Network and service faults: which fault affects which requests, and how often."""

from __future__ import annotations

import asyncio
import os
import random
import re
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from email.utils import formatdate

from aiohttp import web

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # of an operation; it differs in each run
# Fields of a C(Fault), by name. If C(acts) is set, the request takes effect and the response is lost.
KINDS: dict[str, dict] = {
    "429, seconds": {"status": 429, "headers": {"Retry-After": "1"}},
    "429, date": {"status": 429, "retry_at": 1},
    "500": {"status": 500},
    "502": {"status": 502, "body": "<html>Bad Gateway</html>", "content_type": "text/html"},
    "503": {"status": 503},
    "504": {"status": 504},
    "504, acted": {"status": 504, "acts": True},
    "refused": {"cut": "refused", "delay": 0.2},
    "reset": {"cut": "reset"},
    "reset, acted": {"cut": "reset", "acts": True},
    "TLS cut": {"cut": "tls", "acts": True},
    "truncated": {"cut": "truncated", "acts": True},
    "not JSON": {"status": 200, "body": "{not: JSON", "content_type": "application/json"},
    "HTML": {"status": 200, "body": "<html>Sign in to the network</html>", "content_type": "text/html"},
    "401": {"status": 401},
    "409": {"status": 409},
    "412": {"status": 412},
    "slow": {"acts": True, "delay": 3},
}
# The error codes of Azure Resource Manager and of Kubernetes, by HTTP status.
CODES = {
    401: ("ExpiredAuthenticationToken", "Unauthorized"),
    409: ("AnotherOperationInProgress", "Conflict"),
    412: ("PreconditionFailed", "PreconditionFailed"),
    429: ("TooManyRequests", "TooManyRequests"),
    500: ("InternalServerError", "InternalError"),
    503: ("ServiceUnavailable", "ServiceUnavailable"),
    504: ("GatewayTimeout", "Timeout"),
}


@dataclass
class Fault:
    """A fault that affects matching requests.

    :param path: regular expression that the path of a request must match, in any case.
    :param query: query parameter that the request must have; empty for any request.
    :param without: query parameter that the request must not have.
    :param method: HTTP method; empty for any.
    :param acts: whether the request takes effect nevertheless, before the delay.
    :param status: status of the response; 0 for the response of the service.
    :param headers: headers of the response, such as C(Retry-After).
    :param retry_at: seconds from now, sent as a date in C(Retry-After).
    :param body: text of the response; empty for an error in the format of the service.
    :param content_type: the type of C(body).
    :param cut: how the connection ends instead: C(reset), C(tls) (after bytes that are not a TLS record), C(truncated)
        (after half of the response), or C(refused) (new connections are refused, too, for C(delay) seconds).
    :param delay: real seconds before the response.
    :param times: number of requests that it affects; C(None) for all.
    """

    path: str = ""
    query: str = ""
    without: str = ""
    method: str = ""
    acts: bool = False
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    retry_at: int = 0
    body: str = ""
    content_type: str = "text/plain"
    cut: str = ""
    delay: float = 0
    times: int | None = None

    def applies(self, request: web.Request) -> bool:
        """Return whether the fault affects this request; count the request if so."""
        if self.times is not None and self.times <= 0:
            return False
        if self.method and self.method != request.method:
            return False
        if (self.query and self.query not in request.query) or (self.without and self.without in request.query):
            return False
        if not re.search(self.path, request.path, re.IGNORECASE):
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def answer(self, path: str) -> web.Response:
        headers = dict(self.headers)
        if self.retry_at:
            headers["Retry-After"] = formatdate(time.time() + self.retry_at, usegmt=True)
        if self.body:
            return web.Response(status=self.status, headers=headers, text=self.body, content_type=self.content_type)
        return web.json_response(_error(path, self.status), status=self.status, headers=headers)


def _error(path: str, status: int) -> dict:
    """Return an error in the format of the service at this path."""
    arm, kubernetes = CODES.get(status, (f"Simulated{status}",) * 2)
    message = f"simulated fault {status}"
    if path.startswith("/kubernetes/"):
        return {"kind": "Status", "status": "Failure", "message": message, "reason": kubernetes, "code": status}
    if "/oauth2/" in path:
        return {"error": "temporarily_unavailable", "error_description": f"AADSTS90033: {message}"}
    return {"error": {"code": arm, "message": message}}


class Faults:
    """The active faults.

    :param share: fraction of requests, 0 to 1, that one of C(RANDOM_KINDS) affects at random.
    :param seed: selects the affected requests, so that equal runs have equal faults.
    :ivar refuse: a function that refuses new connections for some seconds.
    """

    def __init__(self, faults: list[dict], share: float = 0, seed: int = 0) -> None:
        self._faults = [Fault(**fault) for fault in faults]
        self._share = share
        self._seed = seed
        self._seen: Counter[str] = Counter()
        self.refuse: Callable[[float], Awaitable[None]] | None = None

    def add(self, fault: dict) -> None:
        self._faults.append(Fault(**fault))

    def clear(self) -> None:
        self._faults.clear()
        self._share = 0

    @web.middleware
    async def middleware(self, request: web.Request, handler) -> web.StreamResponse:
        if request.path.startswith("/control/"):
            return await handler(request)
        fault = next((one for one in self._faults if one.applies(request)), None)
        if fault is None and self._share:
            fault = self._at_random(request)
        return await (self._fail(fault, request, handler) if fault else handler(request))

    def _at_random(self, request: web.Request) -> Fault | None:
        """Return the fault of a request, by its method, path and number, independent of all other requests."""
        what = f"{request.method} {UUID.sub('*', request.path)}"
        self._seen[what] += 1
        chance = random.Random(f"{self._seed} {what} {self._seen[what]}")
        return Fault(**chance.choice(RANDOM_KINDS)) if chance.random() < self._share else None

    async def _fail(self, fault: Fault, request: web.Request, handler) -> web.StreamResponse:
        response = await handler(request) if fault.acts else None
        if fault.cut == "refused":
            await self.refuse(fault.delay)
        else:
            await asyncio.sleep(fault.delay)
        if fault.cut:
            await _cut(fault.cut, request, response)
            return web.Response()
        return fault.answer(request.path) if fault.status else response or await handler(request)


# The random faults of a fleet: without slow ones and those that a retry cannot be expected to survive.
RANDOM_KINDS = [
    kind for name, kind in KINDS.items() if name not in ("not JSON", "HTML", "401", "409", "412", "slow", "refused")
]


async def _cut(how: str, request: web.Request, response: web.StreamResponse | None) -> None:
    """Cut the connection of a request."""
    transport = request.transport
    if transport is None:
        return  # the client has closed it already
    if how == "truncated" and isinstance(response, web.Response) and response.body:
        headers = {"Content-Type": "application/json", "Content-Length": str(len(response.body))}
        half = web.StreamResponse(status=response.status, headers=headers)
        await half.prepare(request)
        await half.write(response.body[: len(response.body) // 2])
        transport.close()
        return
    if how == "tls":
        os.write(transport.get_extra_info("socket").fileno(), b"this is no record of TLS")
        await asyncio.sleep(0.05)  # for it to be read before the reset
    transport.abort()
