# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files for certificates and keys that a kubeconfig carries inline; the Kubernetes client reads them from files only.

The client's loader writes them, and remembers them by content for the whole process, without regard to threads. So all
sessions of a process share one folder, which goes away, and is forgotten, with the last of them.
"""

from __future__ import annotations

import base64
import binascii
import tempfile
import threading
from collections.abc import Iterator, Mapping

try:
    from kubernetes.config import kube_config
except ImportError:
    kube_config = None

# Where a kubeconfig has them, by kind of entry: the list, and the fields.
INLINE = {
    "cluster": ("clusters", ("certificate-authority-data",)),
    "user": ("users", ("client-certificate-data", "client-key-data")),
}


class CredentialFiles:
    """The folder of all sessions of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions = 0
        self._directory: tempfile.TemporaryDirectory | None = None

    def open(self, parent: str | None) -> str:
        """Begin a session.

        :param parent: the folder to make the folder in, where there is none yet.
        :returns: the folder.
        """
        with self._lock:
            if not self._sessions:
                self._directory = tempfile.TemporaryDirectory(prefix="azureml_arc_kube_", dir=parent)
            self._sessions += 1
            return self._directory.name

    def close(self) -> None:
        """End a session."""
        with self._lock:
            self._sessions -= 1
            if not self._sessions:
                kube_config._cleanup_temp_files()
                self._directory.cleanup()

    def write(self, kubeconfig: Mapping, context: str | None, directory: str) -> None:
        """Write what the loader would write for a context, so that it finds it, whole, whatever other threads do.

        :param directory: what C(open) has returned.
        """
        with self._lock:
            for data in _inline(kubeconfig, context):
                kube_config._create_temp_file_with_content(data, directory)


FILES = CredentialFiles()


def _inline(kubeconfig: Mapping, context: str | None) -> Iterator[bytes]:
    """The inline files of a context. What is not as it should be is left for the loader to complain about."""
    named = _entry(kubeconfig, "contexts", context or kubeconfig.get("current-context")).get("context")
    for kind, (entries, fields) in INLINE.items():
        wanted = named.get(kind) if isinstance(named, Mapping) else None
        entry = _entry(kubeconfig, entries, wanted).get(kind)
        for field in fields if isinstance(entry, Mapping) else ():
            try:
                data = base64.standard_b64decode(entry.get(field) or "")
            except (binascii.Error, TypeError, ValueError):
                continue
            if data:
                yield data


def _entry(kubeconfig: Mapping, entries: str, name: object) -> Mapping:
    found = kubeconfig.get(entries)
    for one in found if isinstance(found, list) else ():
        if isinstance(one, Mapping) and one.get("name") == name:
            return one
    return {}
