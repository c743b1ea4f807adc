# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Faults on the wire: what goes wrong with which requests, how often."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from aiohttp import web


@dataclass
class Fault:
    """One thing that goes wrong.

    :param path: regular expression that the path of a request must contain, without case.
    :param query: name of a query parameter that it must have; any request where it is empty.
    :param method: HTTP method; any where it is empty.
    :param status: status to answer with instead of doing anything.
    :param headers: headers of that answer, such as C(Retry-After).
    :param body: text of that answer; ARM's form of an error where it is empty.
    :param drop: cut the connection C(before) or C(after) the request takes effect.
    :param times: how many requests it hits; C(None) for all.
    """

    path: str = ""
    query: str = ""
    method: str = ""
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    drop: str = ""
    times: int | None = None

    def takes(self, request: web.Request) -> bool:
        """Whether this request is hit; counts it if so."""
        if self.times is not None and self.times <= 0:
            return False
        if self.method and self.method != request.method:
            return False
        if self.query and self.query not in request.query:
            return False
        if not re.search(self.path, request.path, re.IGNORECASE):
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def answer(self) -> web.Response:
        if self.body:
            return web.Response(status=self.status, headers=self.headers, text=self.body)
        error = {"code": f"Simulated{self.status}", "message": f"simulated fault {self.status}"}
        return web.json_response({"error": error}, status=self.status, headers=self.headers)


class Faults:
    """The faults in force."""

    def __init__(self, faults: list[dict]) -> None:
        self._faults = [Fault(**fault) for fault in faults]

    def add(self, fault: dict) -> None:
        self._faults.append(Fault(**fault))

    def clear(self) -> None:
        self._faults.clear()

    @web.middleware
    async def middleware(self, request: web.Request, handler) -> web.StreamResponse:
        fault = next((one for one in self._faults if one.takes(request)), None)
        if fault is None:
            return await handler(request)
        if fault.drop == "after":
            await handler(request)
        if fault.drop:
            request.transport.abort()
            return web.Response()
        return fault.answer()
