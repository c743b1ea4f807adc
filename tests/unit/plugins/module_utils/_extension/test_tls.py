# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of a certificate and its key."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._extension.tls import check, covers, parts_of

import certificates

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("name", "cname", "covered"),
    [
        ("ml.example.com", "ml.example.com", True),
        ("ML.example.com", "ml.Example.COM.", True),
        ("*.example.com", "ml.example.com", True),
        ("*.example.com", "a.ml.example.com", False),
        ("*.example.com", "example.com", False),
        ("*.example.com", ".example.com", False),
        ("m*.example.com", "ml.example.com", False),
        ("example.com", "ml.example.com", False),
    ],
)
def test_name_covers_equal_names_and_wildcard_one_label(name, cname, covered):
    assert covers(name, cname) is covered


@pytest.mark.parametrize("alternative", [True, False])
def test_valid_certificate_and_key_are_accepted(alternative):
    certificate, key = certificates.make(alternative=alternative)

    found = check(certificate, key, "ml.example.com", certificates.NOW)

    assert found.warning is None
    assert len(bytes.fromhex(found.fingerprint)) == 32
    assert [base64.b64decode(one) for one in found.encoded] == [certificate, key]


def test_first_certificate_of_a_chain_must_belong_to_the_key():
    authority = certificates.Authority()
    certificate, key = authority.issue("ml.example.com")

    assert check(certificate + authority.intermediate, key, "ml.example.com", certificates.NOW).fingerprint
    with pytest.raises(AzureMLError, match="does not belong"):
        check(authority.intermediate + authority.root, key, "ml.example.com", certificates.NOW)


def test_chain_in_wrong_order_is_rejected_with_both_certificates():
    authority, other = certificates.Authority(), certificates.Authority("Other")
    certificate, key = authority.issue("ml.example.com")

    def refusal(*chain):
        with pytest.raises(AzureMLError) as error:
            check(b"".join(chain), key, "ml.example.com", certificates.NOW, prefix="tls.")
        return str(error.value)

    assert "tls.certificate: 'CN=ml.example.com' is followed by 'CN=Test root', which has not issued it" in refusal(
        certificate, authority.root, authority.intermediate
    )
    assert "followed by 'CN=Other intermediate'" in refusal(certificate, other.intermediate)
    assert "from that of the server to that of its authority" in refusal(authority.root, certificate)


def test_served_chain_has_no_root():
    authority = certificates.Authority()
    certificate, key = authority.issue("ml.example.com")

    def chain(*parts):
        return check(b"".join(parts), key, "ml.example.com", certificates.NOW).chain

    whole = chain(certificate, authority.intermediate, authority.root)
    assert whole == chain(certificate, authority.intermediate)
    assert len(whole) == 2
    assert chain(certificate) == whole[:1]
    alone, its_key = certificates.make()
    assert len(check(alone, its_key, None, certificates.NOW).chain) == 1


def test_fingerprint_depends_on_the_chain_but_not_on_its_layout():
    authority = certificates.Authority()
    certificate, key = authority.issue("ml.example.com")
    first, second = authority.intermediate, authority.root

    def fingerprint(pem):
        return check(pem, key, "ml.example.com", certificates.NOW).fingerprint

    assert len({fingerprint(certificate + chain) for chain in (b"", first, first + second)}) == 3
    assert fingerprint(b"# server\n" + certificate + b"\n\n" + first) == fingerprint(certificate + first)


def test_fingerprints_show_which_part_of_a_secret_differs():
    certificate, key = certificates.make()
    chain, other_key = certificates.make(("authority",))

    def parts(certificate, key):
        return parts_of(*(base64.b64encode(one).decode() for one in (certificate, key)))

    alone, chained, mixed = parts(certificate, key), parts(certificate + chain, key), parts(certificate, other_key)
    assert set(alone) == {"certificate_sha256", "public_key_sha256"}
    assert {name for name in chained if chained[name] != alone.get(name)} == {"chain_sha256"}
    assert {name for name in mixed if mixed[name] != alone[name]} == {"public_key_sha256"}
    assert parts(b"", b"nonsense") == parts_of("%", "") == {}


def test_certificate_that_expires_within_thirty_days_is_a_warning():
    warning = check(*certificates.make(end=29 * DAY), "ml.example.com", certificates.NOW).warning
    assert warning.endswith("in less than 30 days")
    assert check(*certificates.make(end=31 * DAY), "ml.example.com", certificates.NOW).warning is None


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        (certificates.make(passphrase=b"hush"), "tls.private_key is encrypted"),
        ((certificates.make()[0], certificates.make()[1]), "tls.private_key does not belong to tls.certificate"),
        (certificates.make(start=-9 * DAY, end=-DAY), "tls.certificate expired on 20"),
        (certificates.make(start=DAY), "tls.certificate is not valid before 20"),
        (
            certificates.make(("a.example.com", "*.b.com")),
            "not covered by tls.certificate, which is for a.example.com, ",
        ),
        ((b"nonsense", certificates.make()[1]), "tls.certificate is not a PEM certificate"),
        ((certificates.make()[0], b"nonsense"), "tls.private_key is not a PEM private key"),
        (certificates.make()[::-1], "tls.certificate is not a PEM certificate"),
    ],
)
def test_invalid_certificate_or_key_is_rejected(pair, message):
    with pytest.raises(AzureMLError, match=message) as error:
        check(*pair, "ml.example.com", certificates.NOW, prefix="tls.")
    assert "PRIVATE KEY" not in str(error.value)


def broken_lines(pem: bytes) -> list[bytes]:
    """Return a PEM text as editors, templates and C(cat) may leave it; OpenSSL reads none of these."""
    return [b"  " + pem, pem.replace(b"\n", b"\n  "), pem.replace(b"\n", b" "), pem.strip() + pem]


def test_boundary_inside_a_line_is_rejected_in_certificate_and_key():
    certificate, key = certificates.make()
    for one in broken_lines(certificate):
        with pytest.raises(AzureMLError, match="tls.certificate: '-----(BEGIN|END)' is not at the beginning of a line"):
            check(one, key, "ml.example.com", certificates.NOW, prefix="tls.")
    for one in broken_lines(key):
        with pytest.raises(AzureMLError, match="tls.private_key: '-----(BEGIN|END)' is not at the beginning of a line"):
            check(certificate, one, "ml.example.com", certificates.NOW, prefix="tls.")


def test_windows_line_ends_are_accepted():
    pair = [one.replace(b"\n", b"\r\n") for one in certificates.make()]
    assert check(*pair, "ml.example.com", certificates.NOW)


# The object identifiers of a curve that the library knows, and of one that it does not know, SM2.
P256, OTHER_CURVE = bytes.fromhex("2a8648ce3d030107"), bytes.fromhex("2a811ccf5501822d")


def with_unknown_curve(pem: bytes) -> bytes:
    """Return a certificate or a key as PEM with another curve."""
    first, *lines, last = pem.splitlines()
    content = base64.b64decode(b"".join(lines)).replace(P256, OTHER_CURVE)
    return b"\n".join([first, base64.b64encode(content), last])


def test_key_of_an_unknown_kind_is_rejected_with_the_option():
    certificate, key = certificates.make()
    with pytest.raises(AzureMLError, match="tls.certificate has a key that is not supported: Curve 1.2.156"):
        check(with_unknown_curve(certificate), key, "ml.example.com", certificates.NOW, prefix="tls.")
    # The lowest supported release of the library does not tell why it cannot read a key.
    unsupported = (
        "tls.private_key is not (supported: Curve 1.2.156|a PEM private key, or of a kind that is not supported)"
    )
    with pytest.raises(AzureMLError, match=unsupported):
        check(certificate, with_unknown_curve(key), "ml.example.com", certificates.NOW, prefix="tls.")
