# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the certificates in the bytes that a server sends in a TLS 1.2 handshake. Pure.

Before 3.13, Python does not return the chain of an unverified connection. TLS 1.2 sends the chain unencrypted, and the
inference router supports no other version. Source of the format: RFC 5246, sections 6.2.1, 7.4 and 7.4.2.
"""

from __future__ import annotations

from collections.abc import Iterator

RECORD_HEADER, MESSAGE_HEADER, LENGTH = 5, 4, 3  # bytes
HANDSHAKE_RECORD = 22
CERTIFICATE_MESSAGE = 11


def certificates(received: bytes) -> list[bytes]:
    """Return the certificates that a server has sent, as DER, in the order in which it sent them.

    :param received: all bytes that the server sent.
    """
    messages = b"".join(_handshake_records(received))
    while len(messages) >= MESSAGE_HEADER:
        end = MESSAGE_HEADER + int.from_bytes(messages[1:MESSAGE_HEADER], "big")
        if messages[0] == CERTIFICATE_MESSAGE:
            return list(_vectors(messages[MESSAGE_HEADER + LENGTH : end]))
        messages = messages[end:]
    return []


def _handshake_records(received: bytes) -> Iterator[bytes]:
    """Yield the contents of the leading handshake records; the records after them are encrypted."""
    while received[:1] == bytes([HANDSHAKE_RECORD]):
        end = RECORD_HEADER + int.from_bytes(received[3:RECORD_HEADER], "big")
        yield received[RECORD_HEADER:end]
        received = received[end:]


def _vectors(content: bytes) -> Iterator[bytes]:
    """Yield the elements of a list in which each element is preceded by its length."""
    while len(content) > LENGTH:
        end = LENGTH + int.from_bytes(content[:LENGTH], "big")
        yield content[LENGTH:end]
        content = content[end:]
