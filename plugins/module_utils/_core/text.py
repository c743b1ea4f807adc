# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Text to display: made safe if it is from a cluster, a service or a proxy; counts and names. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

LONGEST_TEXT = 4000  # characters; the length of a cluster's text is not limited otherwise
LONGEST_FILE = 1024 * 1024  # bytes of a certificate, a kubeconfig or a configuration; ARM and Kubernetes take no more
NAMES_SHOWN = 10
# Terminals act on control characters, and show text after one of direction in another order (CVE-2021-42574); a lone
# half of a surrogate pair has no encoding. Line ends and tabs may stay.
_HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def printable(value: object, longest: int = LONGEST_TEXT) -> str:
    """Return text to display: harmful characters as escapes like C(\\x1b), and no more than C(longest) characters.

    :param value: the text; C(None) is empty.
    """
    text = "" if value is None else str(value)
    if len(text) > longest:
        text = f"{text[:longest]}... ({len(text)} characters)"
    return _HARMFUL.sub(_escape, text)


def counted(count: int, noun: str = "cluster") -> str:
    """Return a number of things in words: C(1 cluster), C(3 clusters)."""
    return f"1 {noun}" if count == 1 else f"{count} {noun}s"


def named(names: Sequence[str]) -> str:
    """Return the number of things, with the names of the first."""
    if not names:
        return "none"
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return f"{len(names)} ({', '.join(names[:NAMES_SHOWN])}{more})"


def _escape(match: re.Match) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def plain(value: object) -> object:
    """Return a value with every text as C(str).

    Before ansible-core 2.19, text that ansible-vault has encrypted is another kind of sequence, which decrypts itself.
    """
    if value is None or isinstance(value, (str, bytes, bool, int, float)):
        return value
    if isinstance(value, Mapping):
        return {plain(key): plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    return str(value) if isinstance(value, Sequence) else value
