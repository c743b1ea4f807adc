# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Validate a certificate and its key for the inference router. Pure.

The extension accepts any certificate and fails minutes later, so everything is validated before anything is sent. Names
match as in RFC 9525: a wildcard matches the whole leftmost label.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import re
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError, first_line

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.x509.oid import NameOID
except ImportError:
    IMPORT_ERROR = traceback.format_exc()
else:
    IMPORT_ERROR = None

LIBRARIES = (("cryptography", IMPORT_ERROR),)
WARN_BEFORE = timedelta(days=30)
# Lengths from RFC 1035, section 2.3.4. Names in other scripts are written as in certificates, with xn--.
DNS_NAME = re.compile(r"[A-Za-z0-9_*-]{1,63}(\.[A-Za-z0-9_-]{1,63})*\.?")
LONGEST_NAME = 254  # with the dot of the root
# Only at the beginning of a line are these words a boundary (RFC 7468, section 3). The library finds them anywhere, but
# OpenSSL does not, and so no server that uses it.
MISPLACED = re.compile(rb"[^\r\n]-----(BEGIN|END) ")


@dataclass(frozen=True)
class ServerCertificate:
    """A valid certificate with its key.

    :param fingerprint: SHA-256 of the certificate and its chain, in hexadecimal digits.
    :param chain: SHA-256 of each certificate that has to be served, see C(served_chain).
    :param names: the DNS names that it is for.
    :param not_after: the end of its validity.
    :param warning: a problem to come.
    """

    certificate: bytes
    private_key: bytes
    fingerprint: str
    chain: tuple
    names: tuple
    not_after: datetime
    warning: str | None = None

    def view(self) -> dict:
        """Return the certificate as modules return it."""
        return {
            "fingerprint": self.fingerprint,
            "chain": list(self.chain),
            "names": list(self.names),
            "not_after": self.not_after.isoformat(),
        }

    @property
    def encoded(self) -> tuple[str, str]:
        """Certificate and key in the format of the extension: the base64 of the PEM text."""
        return base64.b64encode(self.certificate).decode(), base64.b64encode(self.private_key).decode()


def check(
    certificate: bytes, private_key: bytes, cname: str | None, now: datetime, prefix: str = ""
) -> ServerCertificate:
    """Check a certificate with its key.

    :param certificate: PEM; the server's certificate first, then those that lead to its authority.
    :param private_key: PEM, not encrypted.
    :param cname: the DNS name that clients use, C(None) if it is not known.
    :param now: with a time zone.
    :param prefix: the prefix of the options' names in errors.
    :raises AzureMLError: naming the option.
    """
    chain = _chain(certificate, prefix)
    leaf = chain[0]
    _check_order(chain, prefix)
    if _public_key(leaf, prefix) != encode_public_key(_key(private_key, prefix).public_key()):
        raise AzureMLError(f"{prefix}private_key does not belong to {prefix}certificate")
    invalid = why_not_valid(leaf.not_valid_before_utc, leaf.not_valid_after_utc, now)
    if invalid:
        raise AzureMLError(f"{prefix}certificate {invalid}")
    names = names_of(leaf)
    if cname is not None and not any(covers(name, cname) for name in names):
        covered = ", ".join(names) or "no name"
        raise AzureMLError(f"{prefix}cname '{cname}' is not covered by {prefix}certificate, which is for {covered}")
    warning = None
    if leaf.not_valid_after_utc - now < WARN_BEFORE:
        warning = (
            f"{prefix}certificate expires on {leaf.not_valid_after_utc:%Y-%m-%d}, in less than {WARN_BEFORE.days} days"
        )
    return ServerCertificate(
        certificate,
        private_key,
        _fingerprint(chain),
        served_chain(chain),
        tuple(names),
        leaf.not_valid_after_utc,
        warning,
    )


def check_cname(option: str, cname: str) -> None:
    """Refuse what is not a DNS name, such as an address with its scheme or its port.

    :param option: the option that contains it, for the error.
    """
    if not DNS_NAME.fullmatch(cname) or len(cname) > LONGEST_NAME:
        raise AzureMLError(f"{option} must be a DNS name like ml.example.com, not '{cname}'")


def _check_order(chain: list[x509.Certificate], prefix: str) -> None:
    """Refuse a chain whose certificates do not follow each other: server, intermediate, root.

    Source: https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-kubernetes-extension, E40007.
    """
    for one, issuer in zip(chain, chain[1:]):
        if not has_issued(issuer, one):
            raise AzureMLError(
                f"{prefix}certificate: '{_subject(one)}' is followed by '{_subject(issuer)}', which has not issued it",
                hint="Order the certificates from that of the server to that of its authority.",
            )


def has_issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    """Return whether a certificate names another one as its issuer, and has its signature."""
    try:
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, TypeError, UnsupportedAlgorithm, ValueError):
        return False
    return True


def _subject(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string()


def _fingerprint(chain: list[x509.Certificate]) -> str:
    """Return the SHA-256 of all certificates, so that another intermediate certificate counts as a change."""
    return hashlib.sha256(b"".join(one.public_bytes(serialization.Encoding.DER) for one in chain)).hexdigest()


def load_pem(chain: bytes) -> list[x509.Certificate]:
    """Return the certificates of a text.

    :raises ValueError: if one of them cannot be parsed, or there is none.
    """
    return x509.load_pem_x509_certificates(chain)


def load_der(chain: Sequence[bytes]) -> list[x509.Certificate]:
    """Return the certificates of a chain.

    :raises ValueError: if one of them cannot be parsed.
    """
    try:
        return [x509.load_der_x509_certificate(one) for one in chain]
    except x509.InvalidVersion as error:  # this is no ValueError
        raise ValueError(str(error)) from error


def view_of(certificate: x509.Certificate, now: datetime) -> dict:
    """Return a certificate without its chain as modules return it."""
    return {
        "sha256": _fingerprint([certificate]),
        "names": names_of(certificate),
        "not_after": certificate.not_valid_after_utc.isoformat(),
        "days_left": days_left(certificate.not_valid_after_utc, now),
    }


def why_not_valid(not_before: datetime, not_after: datetime, now: datetime) -> str:
    """Return why a certificate is not valid now, as the end of a sentence about it; empty if it is."""
    if not_after < now:
        return f"expired on {not_after:%Y-%m-%d}"
    if not_before > now:
        return f"is not valid before {not_before:%Y-%m-%d %H:%M} UTC"
    return ""


def days_left(not_after: datetime, now: datetime) -> float:
    """Return the days of validity that are left, less than 0 after its end."""
    return round((not_after - now) / timedelta(days=1), 1)


def served_chain(chain: Sequence[x509.Certificate]) -> tuple:
    """Return the SHA-256 of each certificate that a server has to send.

    A server may leave the root out, which clients have: RFC 5246, section 7.4.2.
    """
    is_root = len(chain) > 1 and chain[-1].issuer == chain[-1].subject
    return tuple(_fingerprint([one]) for one in (chain[:-1] if is_root else chain))


def parts_of(certificate: str, private_key: str) -> dict[str, str]:
    """Return the digests of the content of a Secret, without parts that cannot be parsed.

    :param certificate: the base64 of a PEM text.
    :param private_key: the same; its digest is that of the public key.
    """
    parts = {}
    with contextlib.suppress(ValueError, AzureMLError):
        chain = _chain(base64.b64decode(certificate), "")
        parts["certificate_sha256"] = _fingerprint(chain[:1])
        if chain[1:]:
            parts["chain_sha256"] = _fingerprint(chain[1:])
    with contextlib.suppress(ValueError, AzureMLError):
        key = _key(base64.b64decode(private_key), "")
        parts["public_key_sha256"] = hashlib.sha256(encode_public_key(key.public_key())).hexdigest()
    return parts


def covers(name: str, cname: str) -> bool:
    """Return whether a name in a certificate, possibly with a wildcard, matches a DNS name."""
    name, cname = name.lower().rstrip("."), cname.lower().rstrip(".")
    if name.startswith("*."):
        label, _dot, rest = cname.partition(".")
        return bool(label) and rest == name[2:]
    return name == cname


def _chain(certificate: bytes, prefix: str) -> list[x509.Certificate]:
    _check_lines(certificate, f"{prefix}certificate")
    try:
        return load_pem(certificate)
    except ValueError as error:
        raise AzureMLError(f"{prefix}certificate is not a PEM certificate") from error


def _check_lines(pem: bytes, option: str) -> None:
    """Refuse a text whose boundaries do not begin a line."""
    found = MISPLACED.search(pem)
    if found:
        raise AzureMLError(
            f"{option}: '-----{found[1].decode()}' is not at the beginning of a line",
            hint="Remove what stands before it (spaces, a byte order mark), or add the missing line break.",
        )


def _public_key(certificate: x509.Certificate, prefix: str) -> bytes:
    try:
        return encode_public_key(certificate.public_key())
    except (UnsupportedAlgorithm, ValueError) as error:
        raise AzureMLError(f"{prefix}certificate has a key that is not supported: {first_line(error)}") from error


def _key(private_key: bytes, prefix: str):
    _check_lines(private_key, f"{prefix}private_key")
    try:
        return serialization.load_pem_private_key(private_key, password=None)
    except TypeError as error:
        raise AzureMLError(
            f"{prefix}private_key is encrypted, but the extension supports only keys without a passphrase",
            hint="Decrypt it: openssl pkey -in encrypted.key -out plain.key.",
        ) from error
    except ValueError as error:
        raise AzureMLError(
            f"{prefix}private_key is not a PEM private key, or of a kind that is not supported"
        ) from error
    except UnsupportedAlgorithm as error:
        raise AzureMLError(f"{prefix}private_key is not supported: {first_line(error)}") from error


def encode_public_key(key) -> bytes:
    """Return a public key as DER, which is the same for equal keys."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def names_of(leaf: x509.Certificate) -> list[str]:
    """Return the DNS names that a certificate is for, none if its extensions cannot be parsed."""
    try:
        alternative = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return alternative.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        return [str(one.value) for one in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    except (x509.DuplicateExtension, ValueError):
        return []
