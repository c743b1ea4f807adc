# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which inference endpoints serve a certificate that expires soon: an event source of ansible-rulebook."""

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
  - Connects to inference endpoints again and again, and tells of those whose certificate expires soon or has expired.
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
    description: Seconds between two looks. Each tells of all that expire soon, until they do not.
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


# Only the date is taken: a certificate that has expired, or is of an unknown authority, has to be readable.
READ_ONLY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
READ_ONLY.check_hostname = False
READ_ONLY.verify_mode = ssl.CERT_NONE


async def served_until(address: str) -> datetime:
    """When the certificate that an endpoint serves expires.

    :param address: name and port.
    :raises OSError: where there is no connection.
    """
    name, separator, port = address.rpartition(":")
    host, number = (name, int(port)) if separator else (address, HTTPS)
    opening = asyncio.open_connection(host, number, ssl=READ_ONLY, server_hostname=host)
    writer = (await asyncio.wait_for(opening, TIMEOUT))[1]
    certificate = x509.load_der_x509_certificate(writer.get_extra_info("ssl_object").getpeercert(binary_form=True))
    writer.close()
    return certificate.not_valid_after_utc


async def look(endpoints: list[dict[str, str]], days: float) -> list[dict[str, Any]]:
    """The events of a look. Endpoints that do not answer are logged."""
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
    """Tell of certificates until somebody ends it."""
    while True:
        for event in await look(args["endpoints"], float(args.get("days", DAYS))):
            await queue.put(event)
        await asyncio.sleep(float(args.get("interval", INTERVAL)))
