# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Handle the eventual consistency of ARM: a resource may be unknown for some seconds after its creation.

Source: https://github.com/hashicorp/go-azure-sdk/issues/740 (a resource),
https://github.com/hashicorp/terraform-provider-azurerm/issues/10839 (a child of a new namespace).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.polling import (
    Deadline,
    Intervals,
    Waiting,
    timeout_error,
    waiting,
)

T = TypeVar("T")
VISIBLE_WITHIN = 60.0  # seconds after an accepted create; a guess, because the reports mention seconds
PAUSES = {"first": 0.5, "usual": 10.0}  # seconds between two attempts

# Codes of a 404 for a resource and for its parent. Other codes, such as ResourceGroupNotFound, are permanent.
NOT_FOUND_CODES = frozenset({"resourcenotfound", "notfound", "extensionnotfound", "computenotfound"})
PARENT_NOT_FOUND = "parentresourcenotfound"


def is_not_found(error: AzureMLError) -> bool:
    """Return whether the service does not know the resource itself."""
    return error.status == 404 and (error.code or "").lower() in NOT_FOUND_CODES


def once_visible(action: Callable[[], T | Waiting[T]], deadline: Deadline, what: str) -> Waiting[T]:
    """Return the result of C(action) once the service knows a resource that was created for it, a parent for instance.

    :param action: sends requests that need another resource, which exists.
    :param what: the subject of C(action), for the error.
    :raises AzureMLError: from C(action), a 404 of that resource only after C(VISIBLE_WITHIN) seconds; with code
        C(Timeout) if the deadline comes first.
    """
    patience, pause = deadline.within(VISIBLE_WITHIN), Intervals(**PAUSES)
    while True:
        try:
            return (yield from waiting(action()))
        except AzureMLError as error:
            is_missing = is_not_found(error) or (error.status == 404 and (error.code or "").lower() == PARENT_NOT_FOUND)
            if is_missing and deadline.passed:
                raise timeout_error(
                    what, deadline, "a resource that it needs was created, but is not visible"
                ) from error
            if not is_missing or patience.passed:
                raise
        yield from patience.pause(pause.next())
