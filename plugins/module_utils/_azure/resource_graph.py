# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Azure Resource Graph: all resources of many subscriptions with a handful of requests.

Source: https://learn.microsoft.com/azure/governance/resource-graph/concepts/work-with-data (pages) and
https://learn.microsoft.com/azure/governance/resource-graph/concepts/guidance-for-throttled-requests (quota).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping

from ansible_collections.azureml.arc.plugins.module_utils._azure.client import AzureSession

PATH = "/providers/Microsoft.ResourceGraph/resources"
API_VERSION = "2022-10-01"
ROWS_A_PAGE = 1000  # the most that the service gives


def query(
    session: AzureSession,
    text: str,
    subscriptions: Collection[str],
    what: str,
    sleep: Callable[[float], None] = time.sleep,
) -> Iterator[dict]:
    """The rows that a query finds, page by page as they are needed.

    :param text: the query; it has to order its rows by something unique, else pages overlap.
    :param subscriptions: where to look; without any, everywhere that the identity may read.
    :param what: what is looked for in a person's words, for errors.
    :param sleep: waits for seconds, where the quota is used up and more pages follow.
    """
    options = {"resultFormat": "objectArray", "$top": ROWS_A_PAGE}
    body = {"query": text, "options": options}
    if subscriptions:
        body["subscriptions"] = sorted(subscriptions)
    while True:
        response = session.send("POST", PATH, API_VERSION, what, body=body)
        yield from response.body["data"]
        token = response.body.get("$skipToken")
        if not token:
            return
        options["$skipToken"] = token
        sleep(quota_pause(response.headers))


def quota_pause(headers: Mapping[str, str]) -> float:
    """Seconds until the quota lets the next query in: none while some of it is left."""
    if headers.get("x-ms-user-quota-remaining") != "0":
        return 0.0
    seconds = 0.0
    for part in headers.get("x-ms-user-quota-resets-after", "").split(":"):  # hh:mm:ss
        seconds = seconds * 60 + (float(part) if part.strip().isdigit() else 0)
    return seconds


def quoted(text: str) -> str:
    """A string literal of the query language."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"


def any_of(values: Collection[str]) -> str:
    """A list of literals, for C(in~)."""
    return f"({', '.join(quoted(value) for value in values)})"
