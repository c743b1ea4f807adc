# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Eventual consistency: what was just created is unknown to the next reads.

Source: https://github.com/hashicorp/go-azure-sdk/issues/740 (a resource),
https://github.com/Azure/azure-rest-api-specs/issues/10148 and
https://github.com/hashicorp/terraform-provider-azurerm/issues/10839 (a child of it). How often, and for how long, is a
guess: the reports speak of seconds. By default only the caller meets this, who is known by a correlation id: in a
simulation that runs faster than real time, another caller comes later than these seconds.
"""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass, field

from simulator.arm.protocol import Address, ArmError, not_found

SECONDS = 10.0  # real ones, as clients wait real ones between two reads


@dataclass
class _Lag:
    """What is left of the time in which a resource is unknown.

    :ivar caller: correlation id of the request that has created it.
    :ivar reads: how many more reads of it do not find it: one or two, the same in each run.
    :ivar children: how many more requests for its children do not find it.
    """

    caller: str
    reads: int
    children: int = 1
    end: float = field(default_factory=lambda: time.monotonic() + SECONDS)


class Consistency:
    """The resources that were created a moment ago.

    :param scope: who does not see them: C(caller), C(everybody), or C(nobody).
    """

    def __init__(self, scope: str) -> None:
        self.scope = scope
        self._lags: dict[str, _Lag] = {}

    def created(self, address: Address, caller: str) -> None:
        """A resource has been created by a caller; without a correlation id that is nobody in particular."""
        if self.scope == "everybody" or (self.scope == "caller" and caller):
            self._lags[address.key] = _Lag(caller, 1 + zlib.crc32(address.key.encode()) % 2)

    def settled(self, resource_id: str) -> None:
        """The operation on a resource has ended, or a client that has seen it deletes it: everybody sees it."""
        self._lags.pop(resource_id.lower(), None)

    def check(self, address: Address, method: str, caller: str) -> None:
        """Raise the 404 of a resource, or of the parent of one, that is not visible yet. Operations always are."""
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
        return lag if lag and (self.scope == "everybody" or lag.caller == caller) else None
