# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create files for inline or encrypted certificates and keys, because OpenSSL reads only files."""

from __future__ import annotations

import contextlib
import os
import tempfile


class CredentialFiles:
    """The files of one session. They are in memory if the system supports it, otherwise readable only by this user.

    :param directory: for files that cannot be in memory.
    """

    def __init__(self, directory: str | None) -> None:
        self._directory = directory
        self._descriptors: list[int] = []
        self._paths: list[str] = []

    def write(self, content: bytes) -> str:
        """Create a file that exists until C(close).

        :returns: its path.
        """
        if hasattr(os, "memfd_create"):
            descriptor = os.memfd_create("azureml_arc")
            path = f"/proc/self/fd/{descriptor}"
        else:
            descriptor, path = tempfile.mkstemp(prefix="azureml_arc_", dir=self._directory)
            self._paths.append(path)
        self._descriptors.append(descriptor)
        os.write(descriptor, content)
        return path

    def close(self) -> None:
        """Remove the files."""
        for path in self._paths:
            with contextlib.suppress(FileNotFoundError):  # the folder ended before the session
                os.unlink(path)
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._paths.clear()
        self._descriptors.clear()
