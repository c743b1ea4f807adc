# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tasks of one run share: a file with tokens, readable by its owner only."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator


class RunCache:
    """A small store in a folder that lives as long as the run.

    Workers are processes of their own, so the store is a file. The first one that needs an entry makes it while the
    others wait for it: a run asks for one token, not for one a worker.

    :param directory: the run's own temporary folder, which ansible-core removes at its end.
    """

    def __init__(self, directory: str) -> None:
        self._path = os.path.join(directory, "azureml_arc_cache.json")
        self._lock_path = os.path.join(directory, "azureml_arc_cache.lock")

    def get_or_create(self, key: str, create: Callable[[], dict], margin: float) -> dict:
        """The entry under C(key), made by C(create) where there is none for C(margin) more seconds."""
        found = self._read(key, margin)
        if found:
            return found
        with self._locked():
            found = self._read(key, margin)
            if found:
                return found
            entry = create()
            self._write(key, entry)
            return entry

    def _read(self, key: str, margin: float) -> dict | None:
        entry = self._entries().get(key)
        return entry if entry and entry["expires_on"] - margin > time.time() else None

    def _entries(self) -> dict:
        try:
            with open(self._path, encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            return {}

    def _write(self, key: str, entry: dict) -> None:
        entries = {**self._entries(), key: entry}
        part = f"{self._path}.part"
        with open(_private(part, os.O_TRUNC), "w", encoding="utf-8") as file:
            json.dump(entries, file)
        os.replace(part, self._path)  # readers see the old entries or the new ones, never half of them

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        lock = _private(self._lock_path)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _private(path: str, flags: int = 0) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | flags, 0o600)
