# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that options name."""

from __future__ import annotations

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.text import LONGEST_FILE


def read(option: str, path: str) -> bytes:
    """The content of a file.

    :param option: what names it, for the error.
    :raises AzureMLError: where it cannot be read, or is too large to be what it is taken for.
    """
    try:
        with open(path, "rb") as file:
            content = file.read(LONGEST_FILE + 1)
    except (OSError, ValueError) as error:  # the latter where no file can have this path
        reason = getattr(error, "strerror", None) or error
        raise AzureMLError(f"{option}: {path} cannot be read: {reason}") from error
    if len(content) > LONGEST_FILE:
        raise AzureMLError(f"{option}: {path} is larger than {LONGEST_FILE} bytes")
    return content
