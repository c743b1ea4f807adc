# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A certificate and its key in one text, as key vaults store them, in the form that the extension takes. Pure.

Source: C(CertificatePolicy) and C(SecretBundle) in specification/keyvault of
https://github.com/Azure/azure-rest-api-specs
"""

from __future__ import annotations

import base64
import re

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._extension import tls

try:
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        NoEncryption,
        PrivateFormat,
        load_pem_private_key,
        pkcs12,
    )
    from cryptography.x509 import Certificate
except ImportError:
    pass  # tls reports it

PEM, PKCS12 = "application/x-pem-file", "application/x-pkcs12"
PRIVATE_KEY = re.compile(rb"-----BEGIN ([A-Z ]*PRIVATE KEY)-----.*?-----END \1-----\s*", re.DOTALL)


def unpack(value: str, content_type: str, what: str) -> tuple[bytes, bytes]:
    """Return the certificate with its chain, and the private key, both as PEM.

    :param value: a PEM text in any order, or the base64 of PKCS#12 without a password.
    :param content_type: C(PEM) or C(PKCS12).
    :param what: the certificate, for errors.
    :raises AzureMLError: if the value is neither, or lacks a part.
    """
    unpacked = {PEM: _of_pem, PKCS12: _of_pkcs12}.get(content_type)
    if unpacked is None:
        raise AzureMLError(f"{what} has content type '{content_type}', not {PEM} or {PKCS12}")
    try:
        key, certificates = unpacked(value)
    except (TypeError, ValueError) as error:  # without its message, which may quote the value
        raise AzureMLError(f"{what} cannot be parsed as {content_type}") from error
    if key is None:
        raise AzureMLError(
            f"{what} comes without its private key",
            hint="Make the key exportable in the policy of the certificate, and create a new version.",
        )
    chain = b"".join(one.public_bytes(Encoding.PEM) for one in _chain(key, certificates))
    return chain, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _of_pem(value: str):
    content = value.encode()
    found = PRIVATE_KEY.search(content)
    return (load_pem_private_key(found[0], None) if found else None), tls.load_pem(content)


def _of_pkcs12(value: str):
    bundle = pkcs12.load_pkcs12(base64.b64decode(value), None)
    others = [one.certificate for one in bundle.additional_certs]
    return bundle.key, [bundle.cert.certificate, *others] if bundle.cert else others


def _chain(key, certificates: list[Certificate]) -> list[Certificate]:
    """Return the certificate of a key, followed by its issuers; others do not belong to it."""
    public_key = tls.encode_public_key(key.public_key())
    chain = [one for one in certificates if tls.encode_public_key(one.public_key()) == public_key][:1]
    left = [one for one in certificates if one not in chain]
    while chain:
        issuer = next((one for one in left if tls.has_issued(one, chain[-1])), None)
        if issuer is None:
            return chain
        chain.append(issuer)
        left.remove(issuer)
    return certificates  # their check reports that the key belongs to none of them
