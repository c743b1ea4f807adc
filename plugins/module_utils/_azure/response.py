# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Responses of Azure Resource Manager: success, transient error, or permanent error. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from ansible_collections.azureml.arc.plugins.module_utils._azure.hints import hint_for
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import LONGEST_MESSAGE, AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.text import printable

RETRY_STATUSES = frozenset({408, 429, 500, 502, 503, 504})
EXCERPT = 200  # characters to show of a response that did not come from ARM


@dataclass(frozen=True)
class Response:
    """A response of ARM: status, body (an empty dictionary if it has none), and headers, compared without case."""

    status: int
    body: dict
    headers: Mapping[str, str]


class TransientError(AzureMLError):
    """A failure that another attempt may not have.

    :ivar retry_after: seconds that the service asks to wait, C(None) if it does not.
    """

    retry_after: float | None = None


def parse_response(action: str, response, correlation_id: str) -> Response:
    """Return a successful response.

    :param action: what was tried, for the error.
    :param response: the SDK's response.
    :param correlation_id: that of the request.
    :raises TransientError: if another attempt may succeed.
    :raises AzureMLError: if the request failed permanently, with code, message, status and correlation id.
    """
    try:
        body = response.json() if response.content else {}
    except (ValueError, RecursionError):
        body = None
    if 200 <= response.status_code < 300 and isinstance(body, dict):
        return Response(response.status_code, body, response.headers)
    error = body.get("error") if isinstance(body, dict) else None
    hint = None
    if not isinstance(error, dict):
        excerpt = response.text()[:EXCERPT].strip() if response.content else "nothing"
        error = {"code": "InvalidResponse", "message": f"the response is not from Azure Resource Manager: {excerpt}"}
        hint = "Check for a proxy or a sign-in page between this machine and Azure."
    code, message = _code_and_message(error)
    kind = TransientError if response.status_code in RETRY_STATUSES else AzureMLError
    failure = kind(
        f"{action}: HTTP {response.status_code}: {message or response.reason}",
        code=code,
        correlation_id=response.headers.get("x-ms-correlation-request-id") or correlation_id,
        status=response.status_code,
        hint=hint_for(message, code) or hint,
    )
    if kind is TransientError:
        failure.retry_after = retry_after(response.headers)
    raise failure


def operation_error(what: str, status: str, error: Mapping | None, correlation_id: str | None = None) -> AzureMLError:
    """Return the error of an operation or resource that ended as Failed or Canceled."""
    code, message = _code_and_message(error or {})
    message = message or f"it ended in state {status}, without a message"
    return AzureMLError(
        f"{what} {status.lower()}: {message}",
        code=code,
        correlation_id=correlation_id,
        hint=hint_for(message, code),
    )


def _code_and_message(error: Mapping) -> tuple[str, str]:
    """Return code and message of an error as text, whatever their types are."""
    return printable(error.get("code")), printable(error.get("message"), LONGEST_MESSAGE)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of C(Retry-After), a number or a date; C(None) if it is not set."""
    value = headers.get("Retry-After")
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(timezone.utc)).total_seconds())
    except (TypeError, ValueError):
        return None
