# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Share tokens, and failures to get one, between the tasks of a run."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import hashlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError

try:
    from cryptography.fernet import Fernet, InvalidToken
except ImportError:
    Fernet = None  # without it the SDKs are missing, too, so nothing is ever stored

FAILURE_LIFETIME = 30  # seconds


@dataclass
class _Slot:
    """The entry of a key in this process."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    entry: dict | None = None


class RunCache:
    """A small store that the processes of a run share: the run creates it, and its workers inherit it.

    Each key has its own file and lock, in a folder that is removed with the run. The first worker or thread that needs
    an entry creates it while the others wait: a run requests one token, not one per worker. Each process then keeps the
    entry in memory. A failure is an entry, too, for C(FAILURE_LIFETIME), so that a dead endpoint does not cost each
    cluster its timeouts.

    The files are encrypted with a key that exists only in memory, so that the files of a killed run are useless.

    :param directory: the folder for the files, which are created on demand.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._secret = os.urandom(32)
        self._lock = threading.Lock()
        self._slots: dict[str, _Slot] = {}

    def get_or_create(
        self, key: str, create: Callable[[], dict], margin: float, is_good: Callable[[dict], bool] = lambda entry: True
    ) -> dict:
        """Return the entry of C(key); call C(create) unless it is valid for C(margin) more seconds.

        :raises AzureMLError: from C(create), now or shortly before.
        """

        def is_usable(entry: dict | None) -> bool:
            if not entry:
                return False
            left = entry["expires_on"] - time.time()
            return left > 0 if "error" in entry else left > margin and is_good(entry)

        with self._lock:
            slot = self._slots.setdefault(key, _Slot())
        with slot.lock:
            if not is_usable(slot.entry):
                slot.entry = self._shared(key, create, is_usable)
            entry = slot.entry
        if "error" in entry:
            raise AzureMLError(**entry["error"])
        return entry

    def _shared(self, key: str, create: Callable[[], dict], is_usable: Callable[[dict | None], bool]) -> dict:
        with self._opened(key) as file:
            found = self._read(file)
            if is_usable(found):
                return found
            try:
                entry = create()
            except AzureMLError as error:
                entry = {"error": error.as_result()["error"], "expires_on": time.time() + FAILURE_LIFETIME}
            self._write(file, entry)
            return entry

    @contextlib.contextmanager
    def _opened(self, key: str) -> Iterator[int]:
        """Open the file of a key, and lock it for other processes."""
        name = hashlib.blake2b(key.encode(), key=self._secret, digest_size=16).hexdigest()
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(os.path.join(self._directory, f"azureml_arc_{name}"), flags, mode=0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
        finally:
            os.close(file)

    @property
    def _cipher(self) -> Fernet:
        return Fernet(base64.urlsafe_b64encode(self._secret))

    def _read(self, file: int) -> dict | None:
        try:
            return json.loads(self._cipher.decrypt(os.pread(file, os.fstat(file).st_size, 0)))
        except InvalidToken:
            return None  # empty, or incomplete because the worker was killed

    def _write(self, file: int, entry: dict) -> None:
        content = self._cipher.encrypt(json.dumps(entry).encode())
        os.ftruncate(file, 0)
        os.pwrite(file, content, 0)
