# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The journal of all requests to the simulation, in the order in which they arrived."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import web


@dataclass
class Entry:
    """One request.

    :ivar status: the status of the response, 0 if the connection was cut.
    :ivar answer: the body of the response to a PUT or POST.
    :ivar effect: the status that the service returned, whether the response arrived or not; 0 if a fault kept the
        request from the service.
    """

    time: float
    method: str
    path: str
    query: dict[str, str]
    body: Any
    status: int
    answer: Any = None
    effect: int = 0


class Journal:
    """All requests except those to the control endpoint."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []

    def as_json(self) -> list[dict[str, Any]]:
        return [asdict(entry) for entry in self._entries]

    def clear(self) -> None:
        self._entries.clear()

    @web.middleware
    async def middleware(self, request: web.Request, handler) -> web.StreamResponse:
        if request.path.startswith("/control/"):
            return await handler(request)
        body = _parsed(await request.text())
        entry = Entry(time.time(), request.method, request.path, dict(request.query), body, 0)
        self._entries.append(entry)
        request["entry"] = entry
        try:
            response = await handler(request)
        except web.HTTPException as error:
            entry.status = error.status
            raise
        entry.status = response.status if request.transport and not request.transport.is_closing() else 0
        if request.method in ("PUT", "POST") and isinstance(response, web.Response):
            entry.answer = _parsed(response.text)
        return response

    @web.middleware
    async def effects(self, request: web.Request, handler) -> web.StreamResponse:
        """Record the status that the service returned. Runs behind all faults."""
        response = await handler(request)
        if "entry" in request:
            request["entry"].effect = response.status
        return response


def _parsed(text: str | None) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text
