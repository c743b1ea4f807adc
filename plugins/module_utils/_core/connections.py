# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pool of clients with open connections, which module calls of a task reuse.

A TLS handshake, including reading the certificates, takes longer than ten requests. A call therefore returns its client
to the pool, and the next call with the same key reuses the connection. This is safe for these reasons:

- A client is lent to one call at a time, so no two threads use it at the same time.
- The key contains all properties of a client: address, proxy, verification of certificates, and credentials. A call
  with other credentials, or for another host, has another key.
- A client that has been idle for C(LONGEST_IDLE) is closed, because proxies and firewalls silently drop such
  connections. If the server has closed a connection, urllib3 opens another before it sends a request.
- The clients of a process belong to a task and are closed at its end. A forked process starts with an empty pool.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Iterator
from typing import Any, TypeVar

T = TypeVar("T")
# Seconds. The load balancers of Azure drop an idle connection after 4 minutes:
# https://learn.microsoft.com/azure/load-balancer/load-balancer-tcp-reset
LONGEST_IDLE = 60.0
MOST_IDLE = 100  # clients, each with its socket and the files with its certificates


class Connections:
    """The clients of one task, and so of one environment.

    :param clock: seconds since some start.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._idle: deque[tuple[float, Hashable, Any]] = deque()  # since when, key, client; the longest idle first
        self._shared: dict[Hashable, Any] = {}

    def __enter__(self) -> Connections:
        return self

    def __exit__(self, *exc_info) -> None:
        self._close(all_of_them=True)

    @contextlib.contextmanager
    def lend(self, key: Hashable, open_client: Callable[[], T]) -> Iterator[T]:
        """Lend a client to this thread alone.

        :param key: everything that makes the client.
        :param open_client: creates one if none is idle; it has C(close()).
        """
        client = self._take(key)
        if client is None:
            client = open_client()
        try:
            yield client
        finally:
            self._return(key, client)

    def shared(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return an object that all threads can use at once, created on first use.

        :param make: makes it, without sending anything: all threads wait for it.
        """
        with self._lock:
            if key not in self._shared:
                self._shared[key] = make()
            return self._shared[key]

    def _take(self, key: Hashable) -> Any:
        self._close()
        with self._lock:
            for entry in reversed(self._idle):
                if entry[1] == key:
                    self._idle.remove(entry)
                    return entry[2]
        return None

    def _return(self, key: Hashable, client: Any) -> None:
        with self._lock:
            self._idle.append((self._clock(), key, client))
        self._close()

    def _close(self, all_of_them: bool = False) -> None:
        """Close the clients that have been idle for too long, and those that are too many."""
        ended = []
        with self._lock:
            oldest = self._clock() - LONGEST_IDLE
            while self._idle and (all_of_them or len(self._idle) > MOST_IDLE or self._idle[0][0] < oldest):
                ended.append(self._idle.popleft()[2])
        for client in ended:
            client.close()
