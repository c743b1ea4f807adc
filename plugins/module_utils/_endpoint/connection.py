# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections to an inference router that detect its protocol and its certificates."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import first_line
from ansible_collections.azureml.arc.plugins.module_utils._core.text import printable
from ansible_collections.azureml.arc.plugins.module_utils._endpoint.addresses import Address
from ansible_collections.azureml.arc.plugins.module_utils._endpoint.tls_records import certificates
from ansible_collections.azureml.arc.plugins.module_utils._endpoint.verdict import ProbeResult

CHUNK = 16 * 1024  # bytes
LONGEST_HANDSHAKE = 256 * 1024  # bytes
HTTP = b"HTTP/"


def probe(address: Address, scheme: str, name: str, timeout: float) -> ProbeResult:
    """Detect the protocol of an address by a TLS handshake, and by a request for C(/) if plain HTTP is expected.

    The handshake always comes first, because many servers respond to a plain request on their HTTPS port with an HTTP
    error.

    :param scheme: the expected scheme; with C(http), a plain request follows if the handshake fails.
    :param name: the DNS name that clients use, for SNI and C(Host); empty if there is none.
    :param timeout: seconds to connect, and to wait for each part of the response.
    """
    result = _connect(address, _probe_tls, name, timeout)
    if scheme == "http" and result.failure:
        result = _connect(address, _probe_http, name, timeout)
    return result


def _connect(
    address: Address, probe_protocol: Callable[[socket.socket, str], ProbeResult], name: str, timeout: float
) -> ProbeResult:
    try:
        connection = socket.create_connection((address.host, address.port), timeout)
    except (OSError, ValueError) as error:  # ValueError: an invalid name
        return ProbeResult(unreachable=_reason(error))
    with connection:
        try:
            return probe_protocol(connection, name)
        except OSError as error:
            return ProbeResult(failure=_reason(error))


def _reason(error: Exception) -> str:
    return printable(getattr(error, "strerror", None) or first_line(error))


def _probe_tls(connection: socket.socket, name: str) -> ProbeResult:
    """Read the certificates that a server sends, trusted or not.

    Verification is off, because the check itself reports expired certificates, other names and other authorities. No
    secret is sent over the connection.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # see tls_records
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(incoming, outgoing, server_hostname=name or None)
    received = bytearray()
    while True:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            connection.sendall(outgoing.read())
            chunk = connection.recv(CHUNK)
            received += chunk
            if not chunk or len(received) > LONGEST_HANDSHAKE:
                return ProbeResult(failure="the connection was closed during the TLS handshake")
            incoming.write(chunk)
        except ssl.SSLError as error:
            if received.startswith(HTTP):
                return ProbeResult(protocol="http")
            return ProbeResult(failure=f"the TLS handshake failed: {error.reason or first_line(error)}")
        else:
            return ProbeResult(protocol="https", chain=tuple(certificates(bytes(received))))


def _probe_http(connection: socket.socket, name: str) -> ProbeResult:
    host = name or "localhost"
    connection.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode("ascii", "replace"))
    if connection.recv(CHUNK).startswith(HTTP):
        return ProbeResult(protocol="http")
    return ProbeResult(failure="the response is not HTTP")
