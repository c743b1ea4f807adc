# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The common parts of the Kubernetes API: errors, patches, continue tokens."""

from __future__ import annotations

import base64
from typing import Any

REASONS = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    409: "Conflict",
    410: "Expired",
    415: "UnsupportedMediaType",
    422: "Invalid",
}


class StatusError(Exception):
    """An error response of Kubernetes."""

    def __init__(self, code: int, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.body = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": message,
            "reason": reason or REASONS[code],
            "code": code,
        }


class UnknownPathError(Exception):
    """A path outside of all API groups, which the server answers in plain text."""


def deleted(resource: str, name: str, group: str) -> dict[str, Any]:
    """Return the answer to a DELETE that takes effect immediately."""
    details = {"name": name, "kind": resource, **({"group": group} if group else {})}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def merge(present: Any, patch: Any) -> Any:
    """Apply a merge patch (RFC 7386). A strategic merge patch only differs for lists, which no client here patches."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(present) if isinstance(present, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def encode_continue(start: int) -> str:
    """Return the token for the page that begins at an index."""
    return base64.b64encode(str(start).encode()).decode()


def decode_continue(token: str) -> int:
    """Return the index in a token, 0 for an empty token."""
    try:
        return int(base64.b64decode(token)) if token else 0
    except ValueError as error:
        raise StatusError(400, "continue key is not valid") from error
