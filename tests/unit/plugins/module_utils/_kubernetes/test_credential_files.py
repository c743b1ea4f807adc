# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files that the Kubernetes client reads certificates and keys from, which all sessions of a process share."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
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


def call(directory: Path, content: dict) -> ModuleCall:
    return ModuleCall({"kubeconfig": content}, tmpdir=str(directory))


def contents(directory: Path) -> set[bytes]:
    return {path.read_bytes() for path in directory.rglob("*") if path.is_file()}


def test_they_last_until_the_last_session_ends(tmp_path):
    first = open_session(call(tmp_path, kubeconfig(PAIRS[0])))
    with open_session(call(tmp_path, kubeconfig(PAIRS[1]))):
        pass

    assert {AUTHORITY, *PAIRS[0]} <= contents(tmp_path)

    with first:
        pass

    assert list(tmp_path.iterdir()) == []


def test_a_session_after_all_have_ended_writes_them_anew(tmp_path):
    for _round in range(2):
        with open_session(call(tmp_path, kubeconfig(PAIRS[0]))):
            assert contents(tmp_path) == {AUTHORITY, *PAIRS[0]}


def test_a_session_that_does_not_come_about_leaves_nothing(tmp_path):
    with pytest.raises(AzureMLError, match="no cluster can be read from it"):
        open_session(call(tmp_path, {**kubeconfig(PAIRS[0]), "current-context": "none"}))

    assert list(tmp_path.iterdir()) == []


def test_many_threads_with_one_authority(tmp_path):
    def work(pair: tuple[bytes, bytes]) -> bool:
        with open_session(call(tmp_path, kubeconfig(pair))):
            return {AUTHORITY, *pair} <= contents(tmp_path)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(work, PAIRS * 4))
    assert list(tmp_path.iterdir()) == []
