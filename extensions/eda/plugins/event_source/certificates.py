# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Event source of ansible-rulebook that reports expiring and renewed certificates of inference endpoints."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import ssl
from collections.abc import Coroutine
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509

DOCUMENTATION = r"""
short_description: Report certificates of inference endpoints that expire soon or were renewed
description:
  - Connects to inference endpoints at intervals, and reports certificates that expire soon or have expired. It accepts
    certificates of any authority, because it only uses the date and the fingerprint, and sends no data.
  - Reads the certificates in Azure Key Vault and in Secrets, and reports those that differ from the served ones. If an
    endpoint cannot be reached, it reports a certificate that was renewed since the last check. The module
    M(azureml.arc.certificate_info#module) reads the certificates and needs its credentials in the environment. No
    private key is read from a key vault.
options:
  endpoints:
    description:
      - The endpoints. C(host) is the inventory host of an endpoint, C(address) its name, with its
        port if that is not 443.
      - C(key_vault) is the address of the certificate that the endpoint must serve. C(from) is the Secret that contains
        it, with C(namespace) and C(name), and optionally C(kubeconfig) and C(context).
      - One of C(address), C(key_vault) and C(from) is required.
    type: list
    elements: dict
    required: true
  days:
    description: Days before the end of a certificate from which it is reported.
    type: float
    default: 30
  interval:
    description: Seconds between two checks. Each check reports all certificates that expire soon.
    type: float
    default: 86400
"""

EXAMPLES = r"""
- azureml.arc.certificates:
    endpoints:
      - {host: shop-k3s, address: "ml.example.com:443"}
      - {host: plant-7, address: "10.1.0.11:30443", key_vault: "https://v.vault.azure.net/certificates/edge"}
      - {host: plant-8, from: {namespace: certificates, name: ml-example-com, kubeconfig: ~/.kube/plant-8}}
    days: 14
"""

RETURN = r"""
reason:
  description: V(certificate_expires) or V(certificate_renewed).
  type: str
host:
  description: Name of the inventory host, for the limit of a job.
  type: str
address:
  description: Name and port of the endpoint, empty if not configured.
  type: str
source:
  description: The key vault or Secret of the renewed certificate. Only with V(certificate_renewed).
  type: str
not_after:
  description: When the certificate expires, in UTC. With V(certificate_renewed), this is the new certificate.
  type: str
days_left:
  description: The remaining days of its validity, negative if it has expired.
  type: float
"""

INTERVAL = 86400.0
DAYS = 30.0
TIMEOUT = 10  # seconds for an endpoint
# Maximum seconds to read a key vault or Secret (its module retries requests for less), and the number of reads at once.
LONGEST_READ = 900
AT_ONCE = 4
SECONDS_A_DAY = 86400
HTTPS = 443
# The output of C(ansible), whatever callbacks and formats its configuration selects.
AS_JSON = {
    "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
    "ANSIBLE_LOAD_CALLBACK_PLUGINS": "false",
    "ANSIBLE_LOCALHOST_WARNING": "false",
    "ANSIBLE_NOCOLOR": "true",
}

logger = logging.getLogger(__name__)


# Only the date and the fingerprint are used, so expired certificates and unknown authorities must be accepted.
READ_ONLY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
READ_ONLY.check_hostname = False
READ_ONLY.verify_mode = ssl.CERT_NONE


def host_and_port(address: str) -> tuple[str, int]:
    """Return the host and the effective port of an endpoint, so that C(ml) and C(ml:443) are the same. Pure.

    :param address: name and port, an IPv6 address in brackets.
    :raises ValueError: if it has no host, or its port is not a number.
    """
    parts = urlsplit(f"//{address}")
    if not parts.hostname:
        raise ValueError("the address has no host")
    return parts.hostname, parts.port or HTTPS


async def served(address: str) -> dict[str, Any]:
    """Return the certificate that an endpoint serves, in the form of module certificate_info.

    :param address: as in C(host_and_port).
    :raises OSError: if the connection fails.
    """
    host, port = host_and_port(address)
    opening = asyncio.open_connection(host, port, ssl=READ_ONLY, server_hostname=host)
    writer = (await asyncio.wait_for(opening, TIMEOUT))[1]
    content = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    end = x509.load_der_x509_certificate(content).not_valid_after_utc
    left = (end - datetime.now(timezone.utc)).total_seconds() / SECONDS_A_DAY
    digest = hashlib.sha256(content).hexdigest()
    return {"sha256": digest, "not_after": end.isoformat(), "days_left": round(left, 1)}


async def stored(endpoint: dict[str, Any]) -> dict[str, Any]:
    """Return the certificate that an endpoint must serve, read by module certificate_info in a separate process.

    :raises RuntimeError: if the certificate cannot be read.
    :raises asyncio.TimeoutError: after C(LONGEST_READ) seconds.
    """
    secret = dict(endpoint.get("from") or {})
    connection = {name: secret.pop(name) for name in ("kubeconfig", "context") if name in secret}
    options = {"key_vault": endpoint["key_vault"]} if "key_vault" in endpoint else {"from": secret, **connection}
    process = await asyncio.create_subprocess_exec(
        *("ansible", "localhost", "-m", "azureml.arc.certificate_info", "-a", json.dumps(options)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **AS_JSON},
    )
    try:
        output, errors = await asyncio.wait_for(process.communicate(), LONGEST_READ)
    finally:
        if process.returncode is None:  # after the timeout, or if the rulebook ends
            process.kill()
            await process.wait()
    try:
        result = json.loads(output.partition(b" => ")[2])  # "localhost | SUCCESS => {...}"
    except ValueError:
        raise RuntimeError(errors.decode(errors="replace").strip() or "no result") from None
    if "certificate" not in result:
        raise RuntimeError(result.get("msg", "no certificate"))
    return result["certificate"]


def source_of(endpoint: dict[str, Any]) -> str:
    """Return the key vault or Secret of an endpoint's certificate, empty if none is configured."""
    secret = endpoint.get("from")
    return endpoint.get("key_vault") or (f"{secret['namespace']}/{secret['name']}" if secret else "")


def key_of(endpoint: dict[str, Any]) -> str:
    """Return a key that identifies the key vault or Secret of an endpoint."""
    return json.dumps([endpoint.get("key_vault"), endpoint.get("from")], sort_keys=True)


def events_of(
    endpoint: dict[str, Any],
    at_endpoint: dict[str, Any] | None,
    at_source: dict[str, Any] | None,
    last: str | None,
    days: float,
) -> list[dict[str, Any]]:
    """Return the events of one endpoint. Pure.

    :param at_endpoint: the certificate that it serves, C(None) if unknown.
    :param at_source: the certificate that it must serve, C(None) if unknown.
    :param last: the fingerprint of C(at_source) at the last check, C(None) at the first.
    :param days: the remaining days below which a certificate is reported.
    """
    common = {"host": endpoint["host"], "address": endpoint.get("address", "")}
    found = []
    if at_endpoint and at_endpoint["days_left"] < days:
        ends = {name: at_endpoint[name] for name in ("not_after", "days_left")}
        found.append({"reason": "certificate_expires", **common, **ends})
    in_use = at_endpoint["sha256"] if at_endpoint else last
    if at_source and in_use and at_source["sha256"] != in_use:
        ends = {name: at_source[name] for name in ("not_after", "days_left")}
        found.append({"reason": "certificate_renewed", **common, "source": source_of(endpoint), **ends})
    return found


async def check(endpoints: list[dict[str, Any]], days: float, seen: dict[str, str]) -> list[dict[str, Any]]:
    """Return the events of one check. Certificates that cannot be read are logged.

    :param seen: the fingerprints of stored certificates at the last check, by C(key_of). Updated in place.
    """
    watched = {key_of(one): one for one in endpoints if source_of(one)}
    slots = asyncio.Semaphore(AT_ONCE)

    async def read(endpoint: dict[str, Any]) -> dict[str, Any] | None:
        async with slots:
            return await _or_log(stored(endpoint), source_of(endpoint))

    at_sources = dict(zip(watched, await asyncio.gather(*map(read, watched.values()))))
    with_address = [one for one in endpoints if "address" in one]
    certificates = await asyncio.gather(*(_or_log(served(one["address"]), one["address"]) for one in with_address))
    at_endpoints = {one["address"]: certificate for one, certificate in zip(with_address, certificates)}
    found = []
    for one in endpoints:
        key = key_of(one)
        found += events_of(one, at_endpoints.get(one.get("address")), at_sources.get(key), seen.get(key), days)
    seen.update({key: certificate["sha256"] for key, certificate in at_sources.items() if certificate})
    return found


async def _or_log(reading: Coroutine[Any, Any, dict[str, Any]], what: str) -> dict[str, Any] | None:
    """Return a certificate, or log why it cannot be read and return C(None)."""
    try:
        return await reading
    except (OSError, RuntimeError, ValueError, asyncio.TimeoutError) as error:
        logger.warning("the certificate of %s could not be read: %s", what, str(error) or type(error).__name__)
        return None


async def main(queue: asyncio.Queue, args: dict[str, Any]) -> None:
    """Report certificates until the task is cancelled."""
    seen: dict[str, str] = {}
    while True:
        for event in await check(args["endpoints"], float(args.get("days", DAYS)), seen):
            await queue.put(event)
        await asyncio.sleep(float(args.get("interval", INTERVAL)))
