# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create certificates for tests."""

from __future__ import annotations

import base64
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
    """Return a self-signed certificate and its key, both as PEM.

    :param alternative: whether the names are subject alternative names, or only the common name as in old certificates.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    unsigned = builder(name_of(names[0]), name_of(names[0]), key, start, end)
    if alternative:
        unsigned = unsigned.add_extension(
            x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
        )
    return signed(unsigned, key), pem_of(key, passphrase)


class Authority:
    """A root authority and an intermediate authority.

    :ivar root: the certificate of the root as PEM.
    :ivar intermediate: the certificate of the intermediate authority as PEM, which issues server certificates.
    """

    def __init__(self, name: str = "Test") -> None:
        root_key, self._key = (ec.generate_private_key(ec.SECP256R1()) for _time in range(2))
        root_name, self._name = (name_of(f"{name} {part}") for part in ("root", "intermediate"))
        ends = timedelta(days=-1), timedelta(days=3650)
        is_authority = x509.BasicConstraints(ca=True, path_length=None)
        root = builder(root_name, root_name, root_key, *ends).add_extension(is_authority, critical=True)
        intermediate = builder(self._name, root_name, self._key, *ends).add_extension(is_authority, critical=True)
        self.root, self.intermediate = (signed(one, root_key) for one in (root, intermediate))

    def issue(
        self,
        *names: str,
        start: timedelta = timedelta(days=-1),
        end: timedelta = timedelta(days=365),
    ) -> tuple[bytes, bytes]:
        """Return a server certificate without its chain, and its key, both as PEM."""
        key = ec.generate_private_key(ec.SECP256R1())
        alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        certificate = builder(name_of(names[0]), self._name, key, start, end).add_extension(alternative, critical=False)
        return signed(certificate, self._key), pem_of(key)

    def issue_with_chain(self, *names: str, **validity: timedelta) -> tuple[bytes, bytes]:
        """Return the certificate of a server with the intermediate one, and its key; see C(issue)."""
        certificate, key = self.issue(*names, **validity)
        return certificate + self.intermediate, key


def name_of(common_name: str) -> x509.Name:
    """Return a name that consists of a common name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, start: timedelta, end: timedelta
) -> x509.CertificateBuilder:
    """Return an unsigned certificate.

    :param start: the start of its validity, relative to now.
    :param end: the end of its validity, relative to now.
    """
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + start)
        .not_valid_after(NOW + end)
    )


def signed(certificate: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> bytes:
    """Return a certificate as PEM, signed with a key."""
    return certificate.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def pem_of(key: ec.EllipticCurvePrivateKey, passphrase: bytes | None = None) -> bytes:
    """Return a private key as PEM."""
    protection = serialization.BestAvailableEncryption(passphrase) if passphrase else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)


def as_options(pair: tuple[bytes, bytes] | None = None) -> dict[str, str]:
    """Return a certificate and its key as text, by the names of the module options.

    :param pair: certificate and key; by default new ones.
    """
    certificate, key = (part.decode() for part in pair or make())
    return {"certificate_content": certificate, "private_key_content": key}


def as_secret(pair: tuple[bytes, bytes] | None = None) -> dict[str, str]:
    """Return the C(data) of a Secret of type kubernetes.io/tls, as cert-manager writes it.

    :param pair: certificate and key; by default new ones.
    """
    certificate, key = (base64.b64encode(part).decode() for part in pair or make())
    return {"tls.crt": certificate, "tls.key": key}


def as_files(directory: Path, pair: tuple[bytes, bytes] | None = None) -> dict[str, str]:
    """Write a certificate and its key to C(ml.pem) and C(ml.key); return the paths by the names of the module options.

    :param pair: certificate and key; by default new ones.
    """
    paths = {"certificate": directory / "ml.pem", "private_key": directory / "ml.key"}
    for path, content in zip(paths.values(), pair or make(), strict=True):
        path.write_bytes(content)
    return {option: str(path) for option, path in paths.items()}
