# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kubeconfigs from several files, with relative paths, and inline kubeconfigs."""

from __future__ import annotations

import os

import pytest
import yaml
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.files import Files
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.kubeconfig import (
    from_files,
    from_option,
    selected,
)


@pytest.fixture
def write(tmp_path):
    def write(name: str, content) -> str:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content if isinstance(content, str) else yaml.safe_dump(content), encoding="utf-8")
        return str(tmp_path / name)

    return write


def entry(kind: str, name: str, **fields) -> dict:
    return {"name": name, kind: fields}


def test_first_of_several_files_takes_precedence_and_missing_ones_are_skipped(write, tmp_path):
    one = write("one", {"current-context": "x", "clusters": [entry("cluster", "c", server="https://one")]})
    two = write("two", {"current-context": "y", "clusters": [entry("cluster", n, server="https://two") for n in "cd"]})
    whole = from_files("KUBECONFIG", os.pathsep.join([str(tmp_path / "none"), one, "", two]), Files())
    assert whole["current-context"] == "x"
    assert [one["cluster"]["server"] for one in whole["clusters"]] == ["https://one", "https://two"]


def test_relative_paths_are_resolved_against_their_kubeconfig(write, tmp_path):
    content = {
        "clusters": [entry("cluster", "c", **{"certificate-authority": "ca.pem"})],
        "users": [
            entry("user", "u", **{"client-certificate": "/abs/c.pem", "client-key": "k.pem", "tokenFile": "t"}),
            entry("user", "by path", exec={"command": "./bin/login"}),
            entry("user", "by name", exec={"command": "login"}),
        ],
    }
    whole = from_files("kubeconfig", write("kube/config", content), Files())
    folder = str(tmp_path / "kube")
    assert whole["clusters"][0]["cluster"] == {"certificate-authority": f"{folder}/ca.pem"}
    first, by_path, by_name = (one["user"] for one in whole["users"])
    assert first == {"client-certificate": "/abs/c.pem", "client-key": f"{folder}/k.pem", "tokenFile": f"{folder}/t"}
    assert by_path["exec"]["command"] == f"{folder}/./bin/login"
    assert by_name["exec"]["command"] == "login"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "kubeconfig: .*/bad: no cluster can be read from it"),
        ("just text", "it is not a kubeconfig"),
        ("[" * 20000, "kubeconfig: .*/bad: (it is nested too deeply|no cluster can be read from it)"),
        ("$ANSIBLE_VAULT;1.1;AES256\n6131", "/bad is encrypted with ansible-vault, which only the controller can"),
        ("x" * 1_100_000, "/bad is larger than 1048576 bytes"),
    ],
    ids=["broken", "text", "deep", "encrypted", "large"],
)
def test_invalid_kubeconfig_is_an_error_with_its_path(write, content, message):
    with pytest.raises(AzureMLError, match=message):
        from_files("kubeconfig", write("bad", content), Files())


@pytest.mark.parametrize("field", ["exec", "auth-provider", "tokenFile"])
def test_inline_kubeconfig_with_a_program_or_file_is_rejected(field):
    with pytest.raises(AzureMLError, match=f"user 'u' has {field}, which an inline kubeconfig cannot use"):
        from_option({"users": [entry("user", "u", **{field: "x"})]})


def test_inline_kubeconfig_is_copied():
    given = {"users": [entry("user", "u", token="t")]}
    from_option(given)["users"][0]["user"].clear()
    assert given == {"users": [entry("user", "u", token="t")]}


@pytest.mark.parametrize(("context", "expected"), [(None, "https://one"), ("two", "https://two"), ("none", None)])
def test_context_selects_its_cluster(context, expected):
    content = {
        "current-context": "one",
        "contexts": [entry("context", name, cluster=name) for name in ("one", "two")] + ["broken", {}],
        "clusters": [entry("cluster", name, server=f"https://{name}") for name in ("one", "two")],
    }
    assert selected(content, context)[0].get("server") == expected
