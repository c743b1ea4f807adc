# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files from which the Kubernetes client reads certificates and keys."""

from __future__ import annotations

import base64
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._core.connections import Connections
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.client import open_session

import certificates

AUTHORITY, _KEY = certificates.make()
PAIRS = [certificates.make() for _number in range(16)]


def kubeconfig(pair: tuple[bytes, bytes]) -> dict:
    certificate, key = (base64.standard_b64encode(part).decode() for part in pair)
    authority = base64.standard_b64encode(AUTHORITY).decode()
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "one",
        "contexts": [{"name": "one", "context": {"cluster": "here", "user": "me"}}],
        "clusters": [
            {"name": "here", "cluster": {"server": "https://localhost", "certificate-authority-data": authority}}
        ],
        "users": [{"name": "me", "user": {"client-certificate-data": certificate, "client-key-data": key}}],
    }


@pytest.fixture
def call(tmp_path):
    """Return a function that creates the calls of a task. C(call.task) is the context of the task."""
    connections = Connections()

    def make(content: dict) -> ModuleCall:
        return ModuleCall({"kubeconfig": content}, tmpdir=str(tmp_path), connections=connections)

    make.task = connections
    return make


@pytest.fixture(params=["memory", "disk"], autouse=True)
def place(request, monkeypatch):
    """Run each test with files in memory and on disk: not every system supports files in memory."""
    if request.param == "disk":
        monkeypatch.delattr(os, "memfd_create", raising=False)
    return request.param


def contents(session) -> set[bytes]:
    used = session._client.configuration
    return {Path(path).read_bytes() for path in (used.ssl_ca_cert, used.cert_file, used.key_file)}


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_files_exist_until_the_end_of_the_task(tmp_path, call):
    before = open_files()
    with call.task:
        with open_session(call(kubeconfig(PAIRS[0]))) as first:
            with open_session(call(kubeconfig(PAIRS[1]))) as second:
                assert contents(second) == {AUTHORITY, *PAIRS[1]}
            assert contents(first) == {AUTHORITY, *PAIRS[0]}
        assert contents(second) == {AUTHORITY, *PAIRS[1]}

    assert list(tmp_path.iterdir()) == []
    assert open_files() == before


def test_files_are_on_disk_only_if_files_in_memory_are_not_supported(tmp_path, place, call):
    with call.task, open_session(call(kubeconfig(PAIRS[0]))):
        found = list(tmp_path.iterdir())
        assert len(found) == (0 if place == "memory" else 3)
        assert {path.stat().st_mode & 0o777 for path in found} <= {0o600}


def test_failed_session_leaves_no_files(tmp_path, call):
    before = open_files()
    without_context = call({**kubeconfig(PAIRS[0]), "current-context": "none"})
    with pytest.raises(AzureMLError, match="no cluster can be read from it"), open_session(without_context):
        pass

    assert list(tmp_path.iterdir()) == []
    assert open_files() == before


def test_threads_have_separate_files(tmp_path, call):
    def work(pair: tuple[bytes, bytes]) -> bool:
        with open_session(call(kubeconfig(pair))) as session:
            return contents(session) == {AUTHORITY, *pair}

    with call.task, ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, PAIRS * 4))
    assert list(tmp_path.iterdir()) == []
