# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files that options name."""

from __future__ import annotations

import os

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.text import LONGEST_FILE

VAULT_HEADER = b"$ANSIBLE_VAULT;"


class Files:
    """The files of this machine."""

    def find(self, path: str) -> str:
        """Return the whole path of a file, whether it exists or not."""
        return os.path.abspath(os.path.expanduser(path))

    def read(self, path: str) -> bytes:
        """Return the content of a file, but no more than one byte beyond C(LONGEST_FILE).

        :param path: what C(find) returned.
        :raises OSError, ValueError: if it cannot be read; C(ValueError) if no file can have this path.
        """
        with open(path, "rb") as file:
            return file.read(LONGEST_FILE + 1)


def read(option: str, path: str, files: Files | None = None) -> bytes:
    """Return the content of a file.

    :param option: the option that names it, for the error.
    :raises AzureMLError: if it cannot be read, is too large, or is encrypted.
    """
    files = files or Files()
    found = files.find(path)
    try:
        content = files.read(found)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise AzureMLError(f"{option}: {found} cannot be read: {reason}") from error
    if len(content) > LONGEST_FILE:
        raise AzureMLError(f"{option}: {found} is larger than {LONGEST_FILE} bytes")
    if content.startswith(VAULT_HEADER):
        raise AzureMLError(
            f"{option}: {found} is encrypted with ansible-vault, which only the controller can decrypt",
            hint="Set the option for its content instead, for instance to lookup('ansible.builtin.file', ...).",
        )
    return content
