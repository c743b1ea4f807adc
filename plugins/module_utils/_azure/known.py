# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Resources that the calls for one cluster have read or created, so that the next call need not read them again."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class KnownResources:
    """The last known state of resources.

    :param entries: states with their time, by ids in lower case; shared by the calls for one cluster.
    """

    def __init__(self, entries: dict[str, tuple[float, object]]) -> None:
        self._entries = entries

    def once(self, resource_id: str, read: Callable[[], T], longest: float = math.inf) -> T:
        """Return the result of C(read) for a resource, or its result for an earlier call.

        :param longest: the seconds for which a resource counts as unchanged, unless this run changed it.
        """
        key, now = resource_id.lower(), time.monotonic()
        if key in self._entries and now - self._entries[key][0] <= longest:
            return self._entries[key][1]
        found = read()
        self._entries[key] = (now, found)
        return found

    def update(self, resource_id: str, state: object) -> None:
        """Replace the state of a resource, if there is one."""
        if resource_id.lower() in self._entries:
            self._entries[resource_id.lower()] = (time.monotonic(), state)

    def keep_creation(self, resource_id: str, body: dict) -> None:
        """Keep the response to a creation for the next call, see C(take_creation)."""
        self._entries[_creation_key(resource_id)] = (time.monotonic(), body)

    def take_creation(self, resource_id: str, longest: float) -> dict | None:
        """Return the resource from the response to its creation by an earlier call, once.

        :param longest: the seconds for which it counts as current.
        """
        since, body = self._entries.pop(_creation_key(resource_id), (-math.inf, None))
        return body if time.monotonic() - since <= longest else None

    def forget(self, resource_id: str) -> None:
        """Forget a resource, its children, and the list that contains it."""
        key = resource_id.lower()
        collection = key.rpartition("/")[0]
        for name in [one for one in self._entries if one in (key, collection) or one.startswith(f"{key}/")]:
            del self._entries[name]


def _creation_key(resource_id: str) -> str:
    """Return the key of the response to a creation, which C(forget) finds below the resource."""
    return f"{resource_id.lower()}/creation"
