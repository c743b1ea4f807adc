# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert the values of variables that have no specification. Pure."""

from __future__ import annotations

import math

from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError


def flag_of(name: str, value: object) -> bool:
    """Return whether a variable is true.

    :param name: of the variable.
    :raises AzureMLError: naming the variable if its value is neither true nor false.
    """
    try:
        return boolean(value)
    except TypeError:
        raise AzureMLError(f"{name} must be true or false, not '{value}'") from None


def require_positive(name: str, number: float) -> None:
    """Refuse a number that is not above zero, naming its option."""
    if number <= 0:
        raise AzureMLError(f"{name} must be greater than 0, not {number}")


def seconds_of(name: str, value: object, default: float) -> float:
    """Return a number of seconds that a variable gives.

    :param name: of the variable.
    :param default: the number if the value is null or an empty text.
    :raises AzureMLError: naming the variable if its value is invalid.
    """
    try:
        number = float(default if value in (None, "") else value)
    except (TypeError, ValueError):
        number = -1.0
    if isinstance(value, bool) or not 0 <= number < math.inf:
        raise AzureMLError(f"{name} must be a number of seconds, 0 or more, not '{value}'")
    return number
