# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An event source of ansible-rulebook: inference endpoints whose certificate expires soon."""

from __future__ import annotations

import asyncio
import logging
import ssl
from datetime import datetime, timezone
from typing import Any

from cryptography import x509

DOCUMENTATION = r"""
short_description: Certificates of inference endpoints that expire soon
description:
  - Connects to inference endpoints at intervals, and reports those whose certificate expires soon or has expired.
  - Nothing is sent to them, and nothing that they serve is trusted but the date, so it works with certificates of any
    authority.
options:
  endpoints:
    description: The endpoints. C(address) is name and port, C(host) the host of the inventory that they belong to.
    type: list
    elements: dict
    required: true
  days:
    description: How many days before the end to begin.
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
    days: 14
"""

RETURN = r"""
reason:
  description: V(certificate_expires).
  type: str
host:
  description: Name of the host, to limit a job to.
  type: str
address:
  description: The endpoint.
  type: str
not_after:
  description: When the certificate expires, in UTC.
  type: str
days_left:
  description: How many days are left, less than 0 where it has expired.
  type: float
"""

INTERVAL = 86400.0
DAYS = 30.0
TIMEOUT = 10  # seconds
SECONDS_A_DAY = 86400
HTTPS = 443

logger = logging.getLogger(__name__)


# Only the date is used, so expired certificates and unknown authorities must be accepted.
READ_ONLY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
READ_ONLY.check_hostname = False
READ_ONLY.verify_mode = ssl.CERT_NONE


async def served_until(address: str) -> datetime:
    """Return when the certificate of an endpoint expires.

    :param address: name and port.
    :raises OSError: if the connection fails.
    """
    name, separator, port = address.rpartition(":")
    host, number = (name, int(port)) if separator else (address, HTTPS)
    opening = asyncio.open_connection(host, number, ssl=READ_ONLY, server_hostname=host)
    writer = (await asyncio.wait_for(opening, TIMEOUT))[1]
    certificate = x509.load_der_x509_certificate(writer.get_extra_info("ssl_object").getpeercert(binary_form=True))
    writer.close()
    return certificate.not_valid_after_utc


async def look(endpoints: list[dict[str, str]], days: float) -> list[dict[str, Any]]:
    """Return the events of one check. Endpoints that do not answer are logged."""
    now = datetime.now(timezone.utc)
    found = []
    ends = await asyncio.gather(*(served_until(one["address"]) for one in endpoints), return_exceptions=True)
    for endpoint, end in zip(endpoints, ends):
        if isinstance(end, BaseException):
            logger.warning("the certificate of %s could not be read: %r", endpoint["address"], end)
            continue
        left = (end - now).total_seconds() / SECONDS_A_DAY
        if left < days:
            found.append(
                {
                    "reason": "certificate_expires",
                    "host": endpoint["host"],
                    "address": endpoint["address"],
                    "not_after": end.isoformat(),
                    "days_left": round(left, 1),
                }
            )
    return found


async def main(queue: asyncio.Queue, args: dict[str, Any]) -> None:
    """Report expiring certificates until the task is cancelled."""
    while True:
        for event in await look(args["endpoints"], float(args.get("days", DAYS))):
            await queue.put(event)
        await asyncio.sleep(float(args.get("interval", INTERVAL)))
