# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Query Azure Resource Graph: the resources of many subscriptions with few requests.

Source: https://learn.microsoft.com/azure/governance/resource-graph/concepts/work-with-data (pages) and
https://learn.microsoft.com/azure/governance/resource-graph/concepts/guidance-for-throttled-requests (quota).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from ansible_collections.azureml.arc.plugins.module_utils._azure.client import AzureSession
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError

PATH = "/providers/Microsoft.ResourceGraph/resources"
API_VERSION = "2022-10-01"
ROWS_A_PAGE = 1000  # the maximum


def query(session: AzureSession, text: str, subscriptions: Collection[str], what: str) -> Iterator[dict]:
    """Yield the rows of a query, page by page as they are needed.

    :param text: the query, which must sort by a unique column: otherwise pages overlap.
    :param subscriptions: the subscriptions to search; if empty, all that the identity can read.
    :param what: the subject of the query, for errors.
    :raises AzureMLError: with code C(IncompleteResponse), after the last row, if rows are missing: programs that took
        such a response for complete have deleted resources, see
        https://github.com/Azure/azure-powershell/issues/12747
    """
    options = {"resultFormat": "objectArray", "$top": ROWS_A_PAGE}
    body = {"query": text, "options": options}
    if subscriptions:
        body["subscriptions"] = sorted(subscriptions)
    received = 0
    while True:
        response = session.send("POST", PATH, API_VERSION, what, body=body)
        rows, token = response.body["data"], response.body.get("$skipToken")
        received += len(rows)
        yield from rows
        if not token:
            break
        options["$skipToken"] = token
        session.deadline.sleep(quota_pause(response.headers))
    reason = incomplete(response.body, received)
    if reason:
        raise AzureMLError(
            f"{what}: the response of Azure Resource Graph is incomplete: {reason}",
            code="IncompleteResponse",
            correlation_id=session.correlation_id,
            hint="Run again.",
        )


def incomplete(last_page: Mapping, received: int) -> str | None:
    """Return why rows are missing, C(None) if none are.

    A truncated response has no C($skipToken). Source:
    https://learn.microsoft.com/azure/governance/resource-graph/concepts/work-with-data

    :param last_page: the body of the last page.
    :param received: the number of rows of all pages.
    """
    if str(last_page.get("resultTruncated") or "").lower() == "true":
        return "it is truncated"
    total = last_page.get("totalRecords")
    return f"it has {received} of {total} rows" if isinstance(total, int) and received < total else None


def quota_pause(headers: Mapping[str, str]) -> float:
    """Return the seconds until the quota allows the next query, 0 while some of it is left."""
    if headers.get("x-ms-user-quota-remaining") != "0":
        return 0.0
    seconds = 0.0
    for part in headers.get("x-ms-user-quota-resets-after", "").split(":"):  # hh:mm:ss
        seconds = seconds * 60 + (float(part) if part.strip().isdigit() else 0)
    return seconds


def quoted(text: str) -> str:
    """Return a string literal of the query language."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\r", "\\r")
    return f"'{escaped}'"


def any_of(values: Collection[str]) -> str:
    """Return a list of literals, for C(in~)."""
    return f"({', '.join(quoted(value) for value in values)})"
