# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prepare kubeconfigs, from files or inline, for the Kubernetes client to load from memory.

Relative paths become absolute, and certificates and keys become files of the session, because the client's own loader
would write them to files that all threads of a process share.
"""

from __future__ import annotations

import base64
import binascii
import copy
import os
import traceback
from collections.abc import Iterator, Mapping

from ansible_collections.azureml.arc.plugins.module_utils._core import files
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError, first_line
from ansible_collections.azureml.arc.plugins.module_utils._core.text import LONGEST_FILE
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.credential_files import CredentialFiles

try:
    import yaml
except ImportError:
    IMPORT_ERROR = traceback.format_exc()
else:
    IMPORT_ERROR = None

ENTRIES = {"clusters": "cluster", "users": "user", "contexts": "context"}
# Fields with the path of a file, and those with its content in base64, by kind of entry.
PATHS = {
    "cluster": ("certificate-authority",),
    "user": ("client-certificate", "client-key", "tokenFile"),
}
INLINE = ("certificate-authority-data", "client-certificate-data", "client-key-data")
REACHES_OUT = ("exec", "auth-provider", "tokenFile")


def from_option(kubeconfig: Mapping | str) -> dict:
    """Return an inline kubeconfig.

    :raises AzureMLError: if it would run a program of this machine, or send a file of it to the cluster as a token.
        A file is as trusted as its folder. Inline content comes from inventories, surveys and lookups, whose authors
        may not be allowed to do either.
    """
    content = copy.deepcopy(kubeconfig) if isinstance(kubeconfig, dict) else _parse("kubeconfig", kubeconfig)
    for user in entries_of(content, "users"):
        found = [name for name in REACHES_OUT if user["user"].get(name)]
        if found:
            raise AzureMLError(
                f"kubeconfig: user '{user.get('name')}' has {', '.join(found)}, which an inline kubeconfig cannot use",
                hint="It would run a program or read a file of this machine. Set the path of a kubeconfig file, or a"
                " token, instead.",
            )
    return content


def from_files(option: str, paths: str, reader: files.Files) -> dict:
    """Return the kubeconfig in one or several files; the first definition counts, as for kubectl.

    :param option: the source of the paths, for errors.
    :param paths: in the format of C(KUBECONFIG). If there are several, some may be missing.
    :raises AzureMLError: if there is none, or one cannot be read.
    """
    named = [reader.find(path) for path in paths.split(os.pathsep) if path]
    whole: dict = {}
    for path in [one for one in named if os.path.exists(one)] or named[:1]:
        content = _parse(f"{option}: {path}", files.read(option, path, reader))
        _make_whole(content, os.path.dirname(os.path.abspath(path)))
        for name, value in content.items():
            if name in ENTRIES and isinstance(value, list):
                present = whole.setdefault(name, [])
                names = {one.get("name") for one in present if isinstance(one, dict)}
                present += [one for one in value if not (isinstance(one, dict) and one.get("name") in names)]
            else:
                whole.setdefault(name, value)
    return whole


def selected(kubeconfig: Mapping, context: str | None) -> tuple[dict, dict]:
    """Return cluster and user of a context, or of the current one; empty if there is none."""
    chosen = _named(kubeconfig, "contexts", context or kubeconfig.get("current-context"))
    cluster, user = chosen.get("cluster"), chosen.get("user")
    return _named(kubeconfig, "clusters", cluster), _named(kubeconfig, "users", user)


def move_to_files(kubeconfig: Mapping, context: str | None, session_files: CredentialFiles) -> None:
    """Move the inline parts of the context to files. Malformed parts are kept for the client to report."""
    for entry in selected(kubeconfig, context):
        for field in INLINE:
            try:
                content = base64.standard_b64decode(entry.get(field) or "")
            except (binascii.Error, TypeError, ValueError):
                continue
            if content:
                entry[field.removesuffix("-data")] = session_files.write(content)
                del entry[field]


def _parse(what: str, content: bytes | str) -> dict:
    if len(content) > LONGEST_FILE:
        raise AzureMLError(f"{what}: it is longer than {LONGEST_FILE} characters")
    try:
        parsed = yaml.load(content, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except RecursionError:
        raise AzureMLError(f"{what}: it is nested too deeply") from None
    except (yaml.YAMLError, ValueError) as error:
        raise AzureMLError(f"{what}: no cluster can be read from it: {first_line(error)}") from error
    if not isinstance(parsed, dict):
        raise AzureMLError(f"{what}: no cluster can be read from it: it is not a kubeconfig")
    return parsed


def _make_whole(kubeconfig: Mapping, directory: str) -> None:
    """Replace paths that are relative to the folder of a kubeconfig."""
    for entries, kind in ENTRIES.items():
        for entry in entries_of(kubeconfig, entries):
            for field in PATHS.get(kind, ()):
                if isinstance(entry[kind].get(field), str) and entry[kind][field]:
                    entry[kind][field] = os.path.join(directory, entry[kind][field])
            program = entry[kind].get("exec")
            # A name without a slash is searched in PATH.
            if isinstance(program, dict) and os.sep in str(program.get("command")):
                program["command"] = os.path.join(directory, program["command"])


def entries_of(kubeconfig: Mapping, entries: str) -> Iterator[dict]:
    """Return the well-formed entries of a list."""
    found = kubeconfig.get(entries)
    for one in found if isinstance(found, list) else ():
        if isinstance(one, dict) and isinstance(one.get(ENTRIES[entries]), dict):
            yield one


def _named(kubeconfig: Mapping, entries: str, name: object) -> dict:
    for one in entries_of(kubeconfig, entries):
        if one.get("name") == name:
            return one[ENTRIES[entries]]
    return {}
