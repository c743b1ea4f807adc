# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M(azureml.arc.tls_secret) with a real API server."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
import yaml
from ansible_collections.azureml.arc.plugins.modules.tls_secret import SPEC
from support import ModuleFailedError

import certificates

CERT_MANAGER = Path(__file__).resolve().parents[2] / "docs/permissions/kubernetes-cert-manager.yml"


@pytest.fixture
def fresh() -> str:
    """The name of a namespace that does not exist."""
    return f"fresh-{os.urandom(3).hex()}"


def test_secret_and_namespace_are_created_and_the_secret_is_renewed_and_removed(as_administrator, api, fresh):
    first, second = certificates.as_options(), certificates.as_options()
    options = {"name": "ml-tls", "namespace": fresh}

    created = as_administrator(SPEC, **options, **first)
    same = as_administrator(SPEC, **options, **first)
    renewed = as_administrator(SPEC, **options, **second)

    secret = api.resources.get(api_version="v1", kind="Secret").get(name="ml-tls", namespace=fresh)
    assert base64.b64decode(secret.data["key.pem"]).decode() == second["private_key_content"]
    assert [one["changed"] for one in (created, same, renewed)] == [True, False, True]
    assert [one["namespace_created"] for one in (created, same, renewed)] == [True, False, False]
    assert as_administrator(SPEC, state="absent", **options)["changed"]
    assert not as_administrator(SPEC, state="absent", **options)["changed"]


def test_copying_requires_permission_to_read_only_the_source_secret(run_module, create, account, namespace, fresh):
    (role,) = yaml.safe_load(CERT_MANAGER.read_text(encoding="utf-8"))["items"]
    (name,) = role["rules"][0]["resourceNames"]
    create("v1", "Secret", name, namespace, type="kubernetes.io/tls", data=certificates.as_secret())
    create("v1", "Namespace", fresh)
    everywhere = {"": [{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get"]}]}
    write = {**everywhere, fresh: [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "create", "patch"]}]}
    read = {namespace: role["rules"]}
    options = {"name": "ml-tls", "namespace": fresh, "from": {"namespace": namespace, "name": name}}

    assert run_module(SPEC, kubeconfig=account({**write, **read}), **options)["changed"]
    with pytest.raises(ModuleFailedError, match=f"Secret '{name}' in namespace '{namespace}'.*may not get secrets"):
        run_module(SPEC, kubeconfig=account(write), **options)


def test_terminating_namespace_is_an_error(as_administrator, create, api, fresh):
    create("v1", "Namespace", fresh)
    create("v1", "ConfigMap", "held", fresh, metadata={"finalizers": ["example.com/hold"]})
    api.resources.get(api_version="v1", kind="Namespace").delete(name=fresh)
    with pytest.raises(ModuleFailedError, match="is being removed: no Secret can be created in it"):
        as_administrator(SPEC, name="ml-tls", namespace=fresh, **certificates.as_options())
    maps = api.resources.get(api_version="v1", kind="ConfigMap")
    maps.patch(name="held", namespace=fresh, body={"metadata": {"finalizers": None}})
