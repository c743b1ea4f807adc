# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults on the wire: the fault with which requests, how often."""

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

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")  # of an operation: another one in each run
# What goes wrong on the way to a service, by name; the fields are those of C(Fault). Where a request C(acts), it is the
# answer that is lost.
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
# Codes of the answers, as Azure Resource Manager and as Kubernetes name them.
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
    """One thing that goes wrong.

    :param path: regular expression that the path of a request must contain, without case.
    :param query: name of a query parameter that it must have; any request if it is empty.
    :param without: name of a query parameter that it must not have.
    :param method: HTTP method; any if it is empty.
    :param acts: whether the request takes effect all the same, and that at once.
    :param status: status to answer with; without one, the answer of the service.
    :param headers: headers of that answer, such as C(Retry-After).
    :param retry_at: seconds from now that C(Retry-After) names as a date.
    :param body: text of that answer; an error as the service writes them if it is empty.
    :param content_type: the type of C(body).
    :param cut: how the connection ends instead: C(reset), C(tls) (with what is no TLS), C(truncated) (with half of the
        answer), or C(refused) (and so are new ones for C(delay) seconds).
    :param delay: real seconds before the answer.
    :param times: how many requests it hits; C(None) for all.
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

    def takes(self, request: web.Request) -> bool:
        """Return whether this request is hit; counts it if so."""
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
    """Return an error as the service at this path writes it."""
    arm, kubernetes = CODES.get(status, (f"Simulated{status}",) * 2)
    message = f"simulated fault {status}"
    if path.startswith("/kubernetes/"):
        return {"kind": "Status", "status": "Failure", "message": message, "reason": kubernetes, "code": status}
    if "/oauth2/" in path:
        return {"error": "temporarily_unavailable", "error_description": f"AADSTS90033: {message}"}
    return {"error": {"code": arm, "message": message}}


class Faults:
    """The faults in force.

    :param share: the part of all requests, 0 to 1, that one of C(KINDS) hits at random.
    :param seed: makes the same requests be hit in each run that sends the same.
    :ivar refuse: refuses new connections for some seconds.
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
        fault = next((one for one in self._faults if one.takes(request)), None)
        if fault is None and self._share:
            fault = self._at_random(request)
        return await (self._fail(fault, request, handler) if fault else handler(request))

    def _at_random(self, request: web.Request) -> Fault | None:
        """Return the faults of the first, second, ... request of its kind to a path; other requests do not count."""
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


# What may hit a fleet at random: what no retry can be expected to fix is left out, and what takes long.
RANDOM_KINDS = [
    kind for name, kind in KINDS.items() if name not in ("not JSON", "HTML", "401", "409", "412", "slow", "refused")
]


async def _cut(how: str, request: web.Request, response: web.StreamResponse | None) -> None:
    """End the connection of a request."""
    transport = request.transport
    if transport is None:
        return  # the client was faster
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
