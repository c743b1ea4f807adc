# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates and keys in the formats of Azure Key Vault."""

from __future__ import annotations

import base64

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._extension import tls
from ansible_collections.azureml.arc.plugins.module_utils._extension.certificate_bundle import PEM, PKCS12, unpack
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

import certificates

AUTHORITY = certificates.Authority()
LEAF, KEY = AUTHORITY.issue("ml.example.com")
CHAIN = LEAF + AUTHORITY.intermediate + AUTHORITY.root
UNRELATED = certificates.make(("other",))[0]


def bundle(leaf: bytes, *others: bytes, key: bytes | None = KEY, password: bytes | None = None) -> str:
    loaded = serialization.load_pem_private_key(key, None) if key else None
    protection = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    certificate, *more = (x509.load_pem_x509_certificate(one) for one in (leaf, *others))
    return base64.b64encode(pkcs12.serialize_key_and_certificates(None, loaded, certificate, more, protection)).decode()


@pytest.mark.parametrize(
    ("value", "content_type"),
    [
        ((KEY + CHAIN).decode(), PEM),
        ((CHAIN + KEY).decode(), PEM),
        ((AUTHORITY.root + AUTHORITY.intermediate + LEAF + KEY).decode(), PEM),
        ((KEY + UNRELATED + CHAIN).decode(), PEM),
        (bundle(LEAF, AUTHORITY.intermediate, AUTHORITY.root), PKCS12),
        (bundle(LEAF, AUTHORITY.root, AUTHORITY.intermediate), PKCS12),
    ],
    ids=["key first", "key last", "root first", "with an unrelated certificate", "PKCS#12", "PKCS#12 in another order"],
)
def test_certificates_in_any_order_become_a_chain(value, content_type):
    certificate, key = unpack(value, content_type, "certificate 'edge'")

    assert certificate == CHAIN
    assert tls.check(certificate, key, "ml.example.com", certificates.NOW).names == ("ml.example.com",)


@pytest.mark.parametrize(
    ("value", "content_type", "message"),
    [
        (LEAF.decode(), PEM, "certificate 'edge' comes without its private key.*Make the key exportable"),
        (bundle(LEAF, key=None), PKCS12, "certificate 'edge' comes without its private key"),
        (bundle(LEAF, password=b"hush"), PKCS12, "certificate 'edge' cannot be parsed as application/x-pkcs12"),
        ("nonsense", PKCS12, "certificate 'edge' cannot be parsed as application/x-pkcs12"),
        (KEY.decode(), PEM, "certificate 'edge' cannot be parsed as application/x-pem-file"),
        ("hush", "text/plain", "certificate 'edge' has content type 'text/plain', not application/x-pem-file or"),
    ],
)
def test_invalid_value_is_rejected_without_showing_the_value(value, content_type, message):
    with pytest.raises(AzureMLError, match=message) as error:
        unpack(value, content_type, "certificate 'edge'")
    assert (value[40:80] or value) not in str(error.value)


def test_key_of_another_certificate_is_rejected_by_the_later_check():
    certificate, key = unpack((KEY + UNRELATED).decode(), PEM, "certificate 'edge'")
    with pytest.raises(AzureMLError, match="private_key does not belong to"):
        tls.check(certificate, key, None, certificates.NOW)
