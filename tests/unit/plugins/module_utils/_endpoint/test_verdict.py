# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Problems in what an inference router serves."""

from __future__ import annotations

from datetime import timedelta

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._endpoint.verdict import (
    Expected,
    ProbeResult,
    outcome_of,
    problems,
    served,
)
from ansible_collections.azureml.arc.plugins.module_utils._extension import tls
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

import certificates

NOW, DAY = certificates.NOW, timedelta(days=1)
AUTHORITY = certificates.Authority()


def der(*pem: bytes) -> tuple[bytes, ...]:
    return tuple(one.public_bytes(Encoding.DER) for one in tls.load_pem(b"".join(pem)))


LEAF = AUTHORITY.issue("ml.example.com")[0]
RIGHT = der(LEAF, AUTHORITY.intermediate)
CHAIN = tls.served_chain(tls.load_der(RIGHT))
FOREIGN = der(certificates.make(("other.example.com",))[0])


def of(*chain: bytes, expected: tuple | None = CHAIN, cname: str = "ml.example.com", now=NOW) -> list[str]:
    return problems(ProbeResult("https", chain), Expected("https", cname, expected), now)


def test_expected_chain_is_accepted_with_or_without_the_root():
    assert of(*RIGHT) == of(*RIGHT, *der(AUTHORITY.root)) == of(*RIGHT, expected=None) == []


@pytest.mark.parametrize(
    ("chain", "problem"),
    [
        (RIGHT[:1], "intermediate certificates are missing: 1 of 2 certificates are served"),
        ((RIGHT[0], *der(AUTHORITY.issue("ca")[0])), "the certificate is served with another chain"),
        ((*RIGHT, *der(AUTHORITY.issue("ca")[0])), "the certificate is served with another chain"),
        (der(AUTHORITY.issue("ml.example.com")[0]), f"not {CHAIN[0][:16]}..."),
        ((), "it serves no readable certificate"),
        ((b"nonsense",), "it serves no readable certificate"),
    ],
    ids=["no intermediate", "another intermediate", "extra certificate", "another leaf", "empty", "not a certificate"],
)
def test_unexpected_chain_is_reported_with_its_problem(chain, problem):
    (found,) = of(*chain)
    assert found.endswith(problem)


def test_all_problems_of_a_stale_certificate_are_reported_together():
    assert of(*RIGHT, now=NOW + 400 * DAY) == [f"the served certificate expired on {NOW + 365 * DAY:%Y-%m-%d}"]
    assert "is not valid before" in of(*RIGHT, now=NOW - 2 * DAY)[0]
    name, stale = of(*FOREIGN)
    assert name == "the served certificate is for other.example.com, not for ml.example.com"
    assert stale.startswith("another certificate is served: SHA-256 ")
    assert of(*FOREIGN, expected=None, cname="") == []


@pytest.mark.parametrize(
    ("scheme", "answer", "found"),
    [
        ("https", ProbeResult("http"), ["it serves plain HTTP instead of HTTPS"]),
        ("http", ProbeResult("https", RIGHT), ["it serves HTTPS instead of plain HTTP"]),
        ("http", ProbeResult("http"), []),
        ("https", ProbeResult(failure="it hung up"), ["no HTTPS: it hung up"]),
        ("https", ProbeResult(unreachable="Connection refused"), []),
    ],
)
def test_unexpected_protocol_is_a_problem(scheme, answer, found):
    assert problems(answer, Expected(scheme), NOW) == found


@pytest.mark.parametrize(
    ("answers", "wrong", "found"),
    [
        ({"a": ProbeResult("http"), "b": ProbeResult(unreachable="x")}, [], "ok"),
        ({"a": ProbeResult("http"), "b": ProbeResult(unreachable="x")}, ["it is"], "wrong"),
        ({"a": ProbeResult(unreachable="x")}, [], "unreachable"),
        ({}, ["no address"], "wrong"),
    ],
)
def test_outcome_is_unreachable_only_if_no_address_can_be_reached(answers, wrong, found):
    assert outcome_of(answers, wrong) == found


# A certificate with two extensions, and parts of it: its version, and the identifiers of the extensions.
KEY = ec.generate_private_key(ec.SECP256R1())
UNSIGNED = certificates.builder(certificates.name_of("a"), certificates.name_of("a"), KEY, -DAY, DAY)
for extension in (
    x509.SubjectKeyIdentifier.from_public_key(KEY.public_key()),
    x509.SubjectAlternativeName([x509.DNSName("ml.example.com")]),
):
    UNSIGNED = UNSIGNED.add_extension(extension, critical=False)
(SIGNED,) = der(certificates.signed(UNSIGNED, KEY))
VERSION, KEY_IDENTIFIER, ALTERNATIVE_NAME = (bytes.fromhex(one) for one in ("a003020102", "0603551d0e", "0603551d11"))


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        (VERSION, bytes.fromhex("a003020104"), "it serves no readable certificate"),
        (KEY_IDENTIFIER, ALTERNATIVE_NAME, "the served certificate is for no name, not for ml.example.com"),
    ],
    ids=["unknown version", "duplicate extension"],
)
def test_certificate_that_cannot_be_parsed_is_a_problem(before, after, problem):
    leaf = SIGNED.replace(before, after)
    assert leaf != SIGNED
    assert of(leaf, expected=None) == [problem]


def test_days_left_are_negative_after_expiry():
    certificate = served(ProbeResult("https", RIGHT))
    assert certificate.view(NOW)["days_left"] == 365
    assert certificate.view(NOW + 370 * DAY)["days_left"] == -5
    assert certificate.view(NOW)["names"] == ["ml.example.com"]
