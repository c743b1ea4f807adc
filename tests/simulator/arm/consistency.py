# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Eventual consistency: the first reads of a new resource do not find it.

Sources: https://github.com/hashicorp/go-azure-sdk/issues/740 (a resource),
https://github.com/Azure/azure-rest-api-specs/issues/10148 and
https://github.com/hashicorp/terraform-provider-azurerm/issues/10839 (a child of a resource). The number of reads and
the duration are guesses: the reports mention seconds. By default, this only affects the client that created the
resource, identified by its correlation id: a simulation runs faster than real time, so the requests of another client
represent a later time.
"""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass, field

from simulator.arm.protocol import Address, ArmError, not_found

SECONDS = 10.0  # in real time, in which clients pause between two reads


@dataclass
class _Lag:
    """The requests that do not find a new resource yet.

    :ivar caller: correlation id of the request that created it.
    :ivar reads: remaining number of reads that do not find it: one or two, the same in each run.
    :ivar children: remaining number of requests for its children that do not find it.
    """

    caller: str
    reads: int
    children: int = 1
    end: float = field(default_factory=lambda: time.monotonic() + SECONDS)


class Consistency:
    """The resources that were created recently.

    :param scope: the clients that do not see them yet: C(caller), C(all), or C(none).
    """

    def __init__(self, scope: str) -> None:
        self.scope = scope
        self._lags: dict[str, _Lag] = {}

    def created(self, address: Address, caller: str) -> None:
        """Record that a caller has created a resource.

        :param caller: its correlation id; without one, only scope C(all) applies.
        """
        if self.scope == "all" or (self.scope == "caller" and caller):
            self._lags[address.key] = _Lag(caller, 1 + zlib.crc32(address.key.encode()) % 2)

    def settled(self, resource_id: str) -> None:
        """Make a resource visible to all clients: its operation has ended, or a client that sees it deletes it."""
        self._lags.pop(resource_id.lower(), None)

    def check(self, address: Address, method: str, caller: str) -> None:
        """Refuse requests for resources that are not visible yet, or whose parent is not. Operations always are.

        :raises ArmError: with status 404.
        """
        if address.type.endswith("/operations"):
            return
        parent = self._lag_of(address.parent, caller)
        if parent and parent.children:
            parent.children -= 1
            raise ArmError(404, "ParentResourceNotFound", f"Parent resource '{address.parent}' not found.")
        own = self._lag_of(address.key, caller) if method in ("GET", "POST") else None
        if own and own.reads:
            own.reads -= 1
            raise not_found(f"{address.type}/{address.name}")

    def _lag_of(self, key: str, caller: str) -> _Lag | None:
        lag = self._lags.get(key)
        if lag and time.monotonic() > lag.end:
            del self._lags[key]
            return None
        return lag if lag and (self.scope == "all" or lag.caller == caller) else None
