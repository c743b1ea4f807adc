# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pass results of hosts from C(fleet) to C(cluster), in a folder of the run.

Each host has its own process, and a result in a variable is templated for each of them, which costs more than the task
itself.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os

from ansible import constants

FOLDER = "azureml_arc_results"
TAKEN = "taken: "


class Handover:
    """Files of a run, one for each host, readable only by its user. Ansible removes them with the run.

    :param root: the folder for temporary files of the run.
    """

    def __init__(self, root: str = constants.DEFAULT_LOCAL_TMP) -> None:
        self._folder = os.path.join(root, FOLDER)

    def leave(self, host: str, content: dict) -> None:
        """Leave content for a host, which replaces earlier content."""
        os.replace(self._new_file(host, content), self._path(host))

    def read(self, host: str) -> dict | None:
        """Return the content for a host, C(None) if there is none."""
        try:
            with open(self._path(host), encoding="utf-8") as file:
                return json.load(file)
        except FileNotFoundError:
            return None

    def take(self, host: str) -> dict | None:
        """Return the content for a host once; C(taken) still returns it."""
        content = self.read(host)
        if content is not None:
            os.replace(self._path(host), self._path(TAKEN + host))
        return content

    def taken(self, host: str) -> dict | None:
        """Return the content for a host, taken or not."""
        return self.read(host) or self.read(TAKEN + host)

    def claim(self, name: str, host: str) -> str | None:
        """Claim a name for a host; return the other host of the run that has claimed it, C(None) for none."""
        new = self._new_file(f"{name} {host}", {"host": host})
        try:
            os.link(new, self._path(name))
        except FileExistsError:
            owner = self.read(name)["host"]
            return None if owner == host else owner
        finally:
            os.unlink(new)
        return None

    def lock(self, name: str) -> None:
        """Wait until no other process has locked the name, and lock it until this process ends."""
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        # The handle stays open, so that the lock ends with the process.
        handle = os.open(f"{self._path(name)}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(handle, fcntl.LOCK_EX)

    def _new_file(self, name: str, content: dict) -> str:
        """Write a file under a temporary name, so that it can be moved atomically; return its path."""
        os.makedirs(self._folder, mode=0o700, exist_ok=True)
        path = f"{self._path(name)}.new"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with open(handle, "w", encoding="utf-8") as file:
            file.write(json.dumps(content))  # several times as fast as json.dump
        return path

    def _path(self, name: str) -> str:
        return os.path.join(self._folder, hashlib.sha256(name.encode()).hexdigest())
