# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates in a TLS 1.2 handshake, split into records of any size."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._endpoint.tls_records import certificates
from hypothesis import given
from hypothesis import strategies as st

ALERT = b"\x15\x03\x03\x00\x02\x02\x28"
CHANGE_CIPHER_SPEC = b"\x14\x03\x03\x00\x01\x01"


def vector(content: bytes) -> bytes:
    return len(content).to_bytes(3, "big") + content


def message(kind: int, content: bytes) -> bytes:
    return bytes([kind]) + vector(content)


def records(content: bytes, size: int) -> bytes:
    parts = [content[at : at + size] for at in range(0, len(content), size)]
    return b"".join(b"\x16\x03\x03" + len(one).to_bytes(2, "big") + one for one in parts)


HELLO, DONE = message(2, b"h" * 70), message(14, b"")
CHAIN = [b"leaf" * 100, b"intermediate" * 30, b"r"]
CERTIFICATE = message(11, vector(b"".join(map(vector, CHAIN))))


@pytest.mark.parametrize("size", [1, 7, 71, 400, 16384])
def test_chain_that_spans_records_is_found(size):
    received = records(HELLO + CERTIFICATE + DONE, size) + CHANGE_CIPHER_SPEC + records(b"encrypted", 16384)
    assert certificates(received) == CHAIN


@pytest.mark.parametrize("received", [b"", ALERT, records(HELLO, 16384), records(HELLO + message(11, vector(b"")), 99)])
def test_handshake_without_certificates_has_an_empty_chain(received):
    assert certificates(received) == []


@given(st.binary(max_size=400), st.integers(0, 400))
def test_random_bytes_are_parsed_without_an_error(noise, cut):
    received = records(HELLO + CERTIFICATE, 300)
    assert isinstance(certificates(noise), list)
    assert isinstance(certificates(received[:cut] + noise), list)
