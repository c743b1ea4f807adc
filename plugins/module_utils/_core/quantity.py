# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Quantities of Kubernetes: C(250m) of a processor, C(4Gi) of memory. Pure."""

from __future__ import annotations

import traceback

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError

try:
    from kubernetes.utils.quantity import parse_quantity
except ImportError:
    IMPORT_ERROR = traceback.format_exc()
else:
    IMPORT_ERROR = None

LIBRARIES = (("kubernetes", IMPORT_ERROR),)


def quantity(value: object, path: str = "quantity"):
    """Return a quantity as a decimal number: cores, or bytes.

    :param path: its place in the options, for the error.
    :raises AzureMLError: if it is not a quantity.
    """
    try:
        number = parse_quantity(None if isinstance(value, bool) else value)
    except (ValueError, TypeError, ArithmeticError) as error:
        raise AzureMLError(f"{path}: '{value}' is not a valid quantity like 500m, 2 or 4Gi") from error
    if not number.is_finite() or number < 0:
        raise AzureMLError(f"{path}: '{value}' must be a number, zero or more")
    return number
