# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates in a Secret."""

from __future__ import annotations

import base64

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._extension import tls
from ansible_collections.azureml.arc.plugins.module_utils._extension.tls_secret import certificates_in

import certificates

WHERE, KEYS = "Secret 's' in namespace 'n'", ("tls.crt", "cert.pem")


def encoded(*names: str) -> str:
    return base64.b64encode(b"".join(certificates.make(names=[name])[0] for name in names)).decode()


@pytest.mark.parametrize(
    ("data", "names"),
    [
        ({"tls.crt": encoded("a.example.com", "b.example.com")}, ["a.example.com", "b.example.com"]),
        ({"cert.pem": encoded("a.example.com")}, ["a.example.com"]),
        ({"cert.pem": encoded("a.example.com"), "tls.crt": encoded("b.example.com")}, ["b.example.com"]),
    ],
)
def test_certificates_are_read_from_the_first_key_that_exists(data, names):
    found = certificates_in({"data": data}, WHERE, KEYS)
    assert [name for one in found for name in tls.names_of(one)] == names


@pytest.mark.parametrize(
    ("secret", "message"),
    [
        (None, f"{WHERE} has no certificate as tls.crt or cert.pem"),
        ({"data": None}, f"{WHERE} has no certificate as tls.crt or cert.pem"),
        ({"data": {"tls.crt": "", "tls.key": "eA=="}}, f"{WHERE} has no certificate as tls.crt or cert.pem"),
        ({"data": {"tls.crt": "eA=="}}, f"{WHERE} does not hold a PEM certificate"),
        ({"data": {"tls.crt": "x"}}, f"{WHERE} does not hold a PEM certificate"),
    ],
)
def test_secret_without_a_certificate_is_rejected_by_name(secret, message):
    with pytest.raises(AzureMLError) as failure:
        certificates_in(secret, WHERE, KEYS)
    assert failure.value.message == message
