# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates of every kind for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime.now(UTC)


def make(
    names: tuple[str, ...] = ("ml.example.com",),
    start: timedelta = timedelta(days=-1),
    end: timedelta = timedelta(days=365),
    passphrase: bytes | None = None,
    alternative: bool = True,
) -> tuple[bytes, bytes]:
    """A certificate that signs itself, and its key, both as PEM.

    :param alternative: whether the names stand where they belong, or in the common name as of old.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    builder = _builder(_name(names[0]), _name(names[0]), key, start, end)
    if alternative:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
        )
    protection = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return (
        builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM),
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection),
    )


class Authority:
    """A root and an intermediate authority below it.

    :ivar root: its certificate as PEM.
    :ivar intermediate: the same for the one that issues certificates of servers.
    """

    def __init__(self, name: str = "Test") -> None:
        root_key, self._key = (ec.generate_private_key(ec.SECP256R1()) for _time in range(2))
        root_name, self._name = (_name(f"{name} {part}") for part in ("root", "intermediate"))
        ends = timedelta(days=-1), timedelta(days=3650)
        is_authority = x509.BasicConstraints(ca=True, path_length=None)
        root = _builder(root_name, root_name, root_key, *ends).add_extension(is_authority, critical=True)
        intermediate = _builder(self._name, root_name, self._key, *ends).add_extension(is_authority, critical=True)
        self.root, self.intermediate = (
            one.sign(root_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM) for one in (root, intermediate)
        )

    def issue(
        self,
        *names: str,
        start: timedelta = timedelta(days=-1),
        end: timedelta = timedelta(days=365),
    ) -> tuple[bytes, bytes]:
        """The certificate of a server without its chain, and its key, both as PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        certificate = _builder(_name(names[0]), self._name, key, start, end).add_extension(alternative, critical=False)
        return (
            certificate.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM),
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
        )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, start: timedelta, end: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + start)
        .not_valid_after(NOW + end)
    )


def as_options() -> dict[str, str]:
    """A new certificate with its key, as text, under the names of the options that take them."""
    certificate, key = (part.decode() for part in make())
    return {"certificate_content": certificate, "private_key_content": key}


def as_files(directory: Path, pair: tuple[bytes, bytes] | None = None) -> dict[str, str]:
    """A certificate and its key as files C(ml.pem) and C(ml.key), under the names of the options that take their paths.

    :param pair: a new one where none is given.
    """
    paths = {"certificate": directory / "ml.pem", "private_key": directory / "ml.key"}
    for path, content in zip(paths.values(), pair or make(), strict=True):
        path.write_bytes(content)
    return {option: str(path) for option, path in paths.items()}
