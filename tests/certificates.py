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
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + start)
        .not_valid_after(NOW + end)
    )
    if alternative:
        builder = builder.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
        )
    protection = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return (
        builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM),
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection),
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
