# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The exception for errors that the collection expects."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.azureml.arc.plugins.module_utils._core.text import named, printable

LONGEST_MESSAGE = 16000  # characters; a cluster can have many problems


def first_line(error: BaseException) -> str:
    """Return the first line of an exception's message, or the name of its class if it has none."""
    text = str(getattr(error, "message", None) or error).strip()
    return text.splitlines()[0] if text else type(error).__name__


class AzureMLError(Exception):
    """An error that a user can act on: invalid input, a refusal of a service, a timeout.

    :param message: what was tried on which resource, and the result.
    :param code: the error code of the service (C(AuthorizationFailed), ...) or of this collection (C(Timeout), ...).
    :param correlation_id: ARM's C(x-ms-correlation-request-id), which Azure support asks for.
    :param status: the HTTP status of the response, if there was one.
    :param hint: the next step.
    :param details: further fields for the module's result, for instance the components that are not ready.
    """

    def __init__(
        self,
        message: str,
        code: str | None = None,
        correlation_id: str | None = None,
        status: int | None = None,
        hint: str | None = None,
        **details,
    ) -> None:
        message = printable(message, LONGEST_MESSAGE)
        super().__init__(message)
        self.message = message
        self.code = printable(code) if code else None
        self.correlation_id = correlation_id
        self.status = status
        self.hint = hint
        self.details = details

    def __str__(self) -> str:
        identifiers = [
            text
            for text in (
                self.code and f"code {self.code}",
                self.correlation_id and f"correlation id {self.correlation_id}",
            )
            if text
        ]
        parts = [self.message.rstrip()]
        if identifiers:
            parts.append(f"({', '.join(identifiers)})")
        text = " ".join(parts)
        if not text.endswith((".", "!", "?")):
            text += "."
        return f"{text} {self.hint}" if self.hint else text

    def after_changes(self, what: str, names: Sequence[str], **details: object) -> AzureMLError:
        """Return the error of a call that has changed something before it failed.

        :param what: the changes as text, such as C(nodes already changed).
        :param names: the changed objects; if there are none, the error is returned unchanged.
        :param details: further fields for the module's result.
        """
        if not names:
            return self
        message = f"{self.message.rstrip('.')}; {what}: {named(names)}"
        details = {**self.details, **details, "changed": True}
        return AzureMLError(message, self.code, self.correlation_id, self.status, self.hint, **details)

    def as_result(self) -> dict:
        """Return the fields of a failed module's result: C(msg), C(error), and the details."""
        return {
            "msg": str(self),
            "error": {
                "code": self.code,
                "message": self.message,
                "correlation_id": self.correlation_id,
                "status": self.status,
                "hint": self.hint,
            },
            **self.details,
        }
