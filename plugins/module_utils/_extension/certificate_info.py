# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the certificate that a deployment would send, without its key."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone

from ansible_collections.azureml.arc.plugins.module_utils._azure import client as azure_client
from ansible_collections.azureml.arc.plugins.module_utils._azure import key_vault, key_vault_address
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall
from ansible_collections.azureml.arc.plugins.module_utils._extension import tls
from ansible_collections.azureml.arc.plugins.module_utils._extension.tls_secret import (
    CERTIFICATE_KEY,
    TLS_CERTIFICATE_KEY,
    certificates_in,
)
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes import client as kubernetes_client
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.resources import describe


def run(call: ModuleCall) -> dict:
    """M(azureml.arc.certificate_info)."""
    params = call.params
    certificate, version = _of_vault(call) if params["key_vault"] else _of_secret(call, params["from"])
    return {
        "changed": False,
        "certificate": {**tls.view_of(certificate, datetime.now(timezone.utc)), "version": version},
    }


def _of_vault(call: ModuleCall):
    address = key_vault_address.parse("key_vault", call.params["key_vault"])
    session = azure_client.open_session(call)
    content, version = key_vault.read_public(session, address)
    try:
        return tls.load_der([content])[0], version
    except ValueError as error:
        raise AzureMLError(f"{address} is not a certificate") from error


def _of_secret(call: ModuleCall, source: Mapping):
    where = describe("Secret", source["namespace"], source["name"])
    with kubernetes_client.open_session(call) as session:
        secret = session.get("Secret", source["name"], source["namespace"]) or {}
    certificate = certificates_in(secret, where, (TLS_CERTIFICATE_KEY, CERTIFICATE_KEY))[0]
    return certificate, (secret.get("metadata") or {}).get("resourceVersion", "")
