# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Microsoft.ResourceGraph/resources: queries over clusters and extensions, in pages, within a quota.

Property names of extensions and the last type in their ids begin with a capital letter, as in
https://learn.microsoft.com/azure/azure-arc/kubernetes/resource-graph-samples
"""

from __future__ import annotations

import base64
import random
from typing import Any

from aiohttp import web

from simulator.arm import kusto
from simulator.arm.clusters import Clusters, cluster_body
from simulator.arm.extension import Extension
from simulator.arm.extensions import Extensions
from simulator.arm.protocol import ArmError
from simulator.clock import Clock
from simulator.scenario import Principal

TYPE = "Microsoft.ResourceGraph/resources"
QUOTA_WINDOW = 5  # simulated seconds
DEFAULT_ROWS, MOST_ROWS = 100, 1000


class ResourceGraph:
    """The tables of Resource Graph.

    :param quota: number of queries that each window allows.
    """

    def __init__(
        self, clusters: Clusters, extensions: Extensions, principal: Principal, clock: Clock, quota: int
    ) -> None:
        self._clusters = clusters
        self._extensions = extensions
        self._principal = principal
        self._clock = clock
        self._quota = quota
        self._window_end = 0.0
        self._left = 0

    async def handle(self, body: dict[str, Any]) -> web.Response:
        headers = self._take_quota()
        options = body.get("options") or {}
        if options.get("resultFormat") != "objectArray":
            raise ArmError(400, "BadRequest", "This part of the service answers with objectArray only.")
        top = options.get("$top", DEFAULT_ROWS)
        if not 1 <= top <= MOST_ROWS:
            raise ArmError(400, "BadRequest", f"$top must lie between 1 and {MOST_ROWS}.")
        subscriptions = body.get("subscriptions")
        if subscriptions is not None and not subscriptions:
            raise ArmError(400, "BadRequest", "subscriptions must not be empty.")
        rows = self._rows(body.get("query") or "", subscriptions)
        start = _start(options.get("$skipToken"))
        page = rows[start : start + top]
        answer = {"totalRecords": len(rows), "count": len(page), "data": page, "facets": [], "resultTruncated": "false"}
        if start + top < len(rows):
            answer["$skipToken"] = base64.b64encode(str(start + top).encode()).decode()
        return web.json_response(answer, headers=headers)

    def _take_quota(self) -> dict[str, str]:
        now = self._clock.now()
        if now >= self._window_end:
            self._window_end, self._left = now + QUOTA_WINDOW, self._quota
        if self._left <= 0:
            seconds = (self._window_end - now) / self._clock.scale
            raise ArmError(
                429, "RateLimiting", "Please provide below info when asking for support.", {"Retry-After": f"{seconds}"}
            )
        self._left -= 1
        reset = int((self._window_end - now) / self._clock.scale) + 1
        return {"x-ms-user-quota-remaining": str(self._left), "x-ms-user-quota-resets-after": f"00:00:{reset:02}"}

    def _rows(self, query: str, subscriptions: list[str] | None) -> list[dict[str, Any]]:
        tables = {
            "resources": [_cluster_row(cluster_body(one)) for one in self._clusters],
            "kubernetesconfigurationresources": [_extension_row(one) for one in self._extensions],
        }
        visible = {
            name: [row for row in rows if self._may_read(row) and _is_in(row, subscriptions)]
            for name, rows in tables.items()
        }
        try:
            rows = kusto.run(query, visible)
        except kusto.QueryError as error:
            details = [{"code": "InvalidQuery", "message": "Query is invalid."}]
            details.append({"code": "ParserFailure", "message": f"ParserFailure: {error}"})
            message = "Please provide below info when asking for support: timestamp, correlationId."
            raise ArmError(400, "BadRequest", message, details=details) from None
        if not kusto.is_ordered(query):
            random.shuffle(rows)
        return rows

    def _may_read(self, row: dict[str, Any]) -> bool:
        """Return whether the principal may read a row. Resource Graph omits all others without an error."""
        return self._principal.may(f"{row['type']}/read")


def _start(token: str | None) -> int:
    if not token:
        return 0
    try:
        return int(base64.b64decode(token))
    except ValueError:
        raise ArmError(400, "BadRequest", "The skip token is not valid.") from None


def _is_in(row: dict[str, Any], subscriptions: list[str] | None) -> bool:
    return subscriptions is None or row["subscriptionId"] in {one.lower() for one in subscriptions}


def _common(resource_id: str, kind: str) -> dict[str, Any]:
    segments = resource_id.split("/")
    return {
        "type": kind.lower(),
        "subscriptionId": segments[2].lower(),
        "resourceGroup": segments[4].lower(),
    }


def _cluster_row(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, **_common(body["id"], body["type"])}


def _extension_row(extension: Extension) -> dict[str, Any]:
    body = extension.body()
    return {
        "id": body["id"].replace("/extensions/", "/Extensions/"),
        "name": body["name"],
        **_common(body["id"], body["type"]),
        "properties": {name[0].upper() + name[1:]: value for name, value in body["properties"].items()},
    }
