# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read certificates and their keys from Azure Key Vault.

A certificate and its key are the value of the secret with the same name and version. Source: C(GetCertificate) and
C(GetSecret) in specification/keyvault of https://github.com/Azure/azure-rest-api-specs
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.azureml.arc.plugins.module_utils._azure import service
from ansible_collections.azureml.arc.plugins.module_utils._azure.client import AzureSession
from ansible_collections.azureml.arc.plugins.module_utils._azure.key_vault_address import CertificateAddress
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError

API_VERSION = "7.4"
UNCHANGED_FOR = 60.0  # seconds for which the steps of a deployment reuse a certificate
# Hints for refused requests: a part of the message, and the hint. The first match is used.
HINTS = (
    ("client address is not authorized", "Allow the network of this machine in the firewall of the key vault."),
    ("not authorized to perform action", "Assign the identity role 'Key Vault Certificate User' on the key vault."),
    ("get permission on key vault", "Give the identity 'get' on certificates and secrets in the access policy."),
)


@dataclass(frozen=True)
class StoredCertificate:
    """A certificate and its key, as stored in the vault.

    :param value: text in the format of C(content_type).
    """

    value: str
    content_type: str
    version: str


def read(session: AzureSession, address: CertificateAddress) -> StoredCertificate:
    """Read a certificate and its key.

    :raises AzureMLError: if it does not exist or access is denied.
    """
    _require_vault(session, address)
    return session.known.once(
        f"{address.vault}/{address.name}/{address.version}", lambda: _read(session, address), UNCHANGED_FOR
    )


def read_public(session: AzureSession, address: CertificateAddress) -> tuple[bytes, str]:
    """Return a certificate without its key and chain, as DER, and its version.

    :raises AzureMLError: if it does not exist or access is denied.
    """
    _require_vault(session, address)
    found = _get(session, address, "/".join(filter(None, ("/certificates", address.name, address.version))))
    return base64.b64decode(str(found.get("cer", ""))), _version(found)


def _require_vault(session: AzureSession, address: CertificateAddress) -> None:
    if not session.cloud.is_key_vault(address.vault):
        raise AzureMLError(f"refusing to send a token to '{address.vault}': not a key vault of this cloud")


def _version(found: Mapping) -> str:
    return str(found.get("id", "")).rpartition("/")[2]


def _read(session: AzureSession, address: CertificateAddress) -> StoredCertificate:
    version = address.version
    if not version:
        version = _version(_get(session, address, f"/certificates/{address.name}"))
    secret = _get(session, address, f"/secrets/{address.name}/{version}")
    return StoredCertificate(str(secret.get("value", "")), str(secret.get("contentType", "")), version)


def _get(session: AzureSession, address: CertificateAddress, path: str) -> dict:
    """Read an object of a vault.

    :param path: of the object.
    """
    url, version = f"{address.vault}{path}", {"api-version": API_VERSION}
    try:
        return service.read(session, url, session.cloud.key_vault, str(address), version)
    except AzureMLError as error:
        message = error.message.lower()
        error.hint = next((hint for part, hint in HINTS if part in message), error.hint)
        raise
