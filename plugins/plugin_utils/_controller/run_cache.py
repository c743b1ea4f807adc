# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tasks of one run share: tokens, in a file that has no name."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator


class RunCache:
    """A small store that lives as long as the processes that hold it.

    Workers are processes of their own, forked from the one that made the store. It is a file, but without a name: only
    those processes can open it, and nothing of it is left however they end. The first worker, or thread of one, that
    needs an entry makes it while the others wait for it: a run asks for one token, not for one a worker.

    :param directory: a folder on the file system to use.
    """

    def __init__(self, directory: str) -> None:
        self._file, path = tempfile.mkstemp(prefix="azureml_arc_", dir=directory)
        os.unlink(path)
        self._threads = threading.Lock()

    def get_or_create(
        self, key: str, create: Callable[[], dict], margin: float, is_good: Callable[[dict], bool] = lambda entry: True
    ) -> dict:
        """The entry under C(key), made by C(create) where there is none that is good for C(margin) more seconds."""
        with self._locked():
            entries = self._read()
            found = entries.get(key)
            if found and found["expires_on"] - margin > time.time() and is_good(found):
                return found
            entries[key] = create()
            self._write(entries)
            return entries[key]

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        with self._threads:
            # A lock of the process, not of the open file, which all workers have in common.
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            try:
                yield
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)

    # Workers share the position in the file as well, so each access names its own.
    def _read(self) -> dict:
        try:
            return json.loads(os.pread(self._file, os.fstat(self._file).st_size, 0))
        except ValueError:
            return {}  # nothing yet, or the half of what a worker wrote that was killed

    def _write(self, entries: dict) -> None:
        content = json.dumps(entries).encode()
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, content, 0)
