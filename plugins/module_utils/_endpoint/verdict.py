# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the problems in what an inference router serves, by probes of its addresses. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from ansible_collections.azureml.arc.plugins.module_utils._core.text import printable
from ansible_collections.azureml.arc.plugins.module_utils._extension import tls

PROTOCOLS = {"https": "HTTPS", "http": "plain HTTP"}
DIGITS_SHOWN = 16  # of a fingerprint


@dataclass(frozen=True)
class ProbeResult:
    """The result of probing an address.

    :param protocol: C(https) or C(http), empty if it is neither.
    :param chain: the served certificates, as DER.
    :param unreachable: why the connection failed.
    :param failure: why the probe failed after the connection was made.
    """

    protocol: str = ""
    chain: tuple[bytes, ...] = ()
    unreachable: str = ""
    failure: str = ""


@dataclass(frozen=True)
class Expected:
    """The protocol and the certificate that the router must serve.

    :param scheme: C(https) or C(http).
    :param cname: the DNS name that clients use, empty for any name.
    :param chain: SHA-256 of each certificate, as C(tls.served_chain) returns them; C(None) if they are not known.
    """

    scheme: str
    cname: str = ""
    chain: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Served:
    """The certificate that an address serves.

    :param chain: SHA-256 of each certificate, without a root.
    """

    chain: tuple[str, ...]
    names: tuple[str, ...]
    not_before: datetime
    not_after: datetime

    def view(self, now: datetime) -> dict:
        """Return the certificate as the module returns it."""
        return {
            "chain": list(self.chain),
            "names": [printable(name) for name in self.names],
            "not_after": self.not_after.isoformat(),
            "days_left": tls.days_left(self.not_after, now),
        }


def served(result: ProbeResult) -> Served | None:
    """Return the certificate that an address serves, C(None) if there is no readable one."""
    try:
        chain = tls.load_der(result.chain)
        leaf = chain[0]
        names = tuple(tls.names_of(leaf))
    except (IndexError, ValueError):
        return None
    return Served(tls.served_chain(chain), names, leaf.not_valid_before_utc, leaf.not_valid_after_utc)


def problems(result: ProbeResult, expected: Expected, now: datetime) -> list[str]:
    """Return the problems of an address. An unreachable address has none."""
    if result.unreachable:
        return []
    if not result.protocol:
        return [f"no {PROTOCOLS[expected.scheme]}: {result.failure}"]
    if result.protocol != expected.scheme:
        return [f"it serves {PROTOCOLS[result.protocol]} instead of {PROTOCOLS[expected.scheme]}"]
    if expected.scheme == "http":
        return []
    found = served(result)
    if found is None:
        return ["it serves no readable certificate"]
    return [*_of_certificate(found, expected, now), *_of_chain(found.chain, expected.chain)]


def _of_certificate(found: Served, expected: Expected, now: datetime) -> list[str]:
    invalid = tls.why_not_valid(found.not_before, found.not_after, now)
    wrong = [f"the served certificate {invalid}"] if invalid else []
    if expected.cname and not any(tls.covers(name, expected.cname) for name in found.names):
        names = printable(", ".join(found.names)) or "no name"
        wrong.append(f"the served certificate is for {names}, not for {expected.cname}")
    return wrong


def _of_chain(found: Sequence[str], expected: Sequence[str] | None) -> list[str]:
    if expected is None or found == expected:
        return []
    if not expected or found[0] != expected[0]:
        wanted = f", not {expected[0][:DIGITS_SHOWN]}..." if expected else ""
        return [f"another certificate is served: SHA-256 {found[0][:DIGITS_SHOWN]}...{wanted}"]
    if found == expected[: len(found)]:
        return [f"intermediate certificates are missing: {len(found)} of {len(expected)} certificates are served"]
    return ["the certificate is served with another chain"]


def outcome_of(results: Mapping[str, ProbeResult], wrong: Sequence[str]) -> str:
    """Return C(wrong) if there are problems, C(unreachable) if no address can be reached, C(ok) otherwise.

    :param results: by address.
    :param wrong: all problems.
    """
    if wrong:
        return "wrong"
    return "ok" if any(not one.unreachable for one in results.values()) else "unreachable"
