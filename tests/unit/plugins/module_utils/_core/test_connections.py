# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The pool of clients."""

from __future__ import annotations

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._core.connections import LONGEST_IDLE, MOST_IDLE, Connections


class Client:
    """A client that counts its concurrent users, and how often it was closed."""

    def __init__(self) -> None:
        self.users = 0
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def now():
    """The current time, which a test can set."""
    return [0.0]


@pytest.fixture
def connections(now):
    return Connections(clock=lambda: now[0])


def borrow(connections: Connections, key) -> Client:
    with connections.lend(key, Client) as client:
        return client


def test_returned_client_is_only_reused_for_the_same_key(connections):
    first = borrow(connections, ("azure", "one"))

    assert borrow(connections, ("azure", "other")) is not first
    assert borrow(connections, ("azure", "one")) is first


def test_client_has_one_user_at_a_time(connections):
    with connections.lend("key", Client) as first, connections.lend("key", Client) as second:
        assert first is not second


def test_threads_never_share_a_client():
    connections, shared = Connections(), []

    def work(number: int) -> None:
        with connections.lend(number % 3, Client) as client:
            client.users += 1
            time.sleep(0.0001)
            shared.append(client.users > 1)
            client.users -= 1

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(500)))
    assert len(shared) == 500
    assert not any(shared)


def test_client_is_reused_after_a_failure(connections):
    with pytest.raises(ConnectionError), connections.lend("key", Client) as client:
        raise ConnectionError

    assert borrow(connections, "key") is client


@pytest.mark.parametrize(("idle", "closed"), [(LONGEST_IDLE, 0), (LONGEST_IDLE + 1, 1)])
def test_client_is_closed_after_it_was_idle_for_too_long(connections, now, idle, closed):
    first = borrow(connections, "key")
    now[0] = idle

    assert (borrow(connections, "key") is first) == (not closed)
    assert first.closed == closed


def test_longest_idle_client_is_closed_when_there_are_too_many(connections):
    clients = [borrow(connections, number) for number in range(MOST_IDLE + 1)]

    assert [client.closed for client in clients] == [1] + [0] * MOST_IDLE


def test_all_clients_are_closed_at_the_end_of_the_task():
    with Connections() as connections:
        clients = [borrow(connections, key) for key in "ab"]

    assert [client.closed for client in clients] == [1, 1]


def test_shared_value_is_computed_once_for_each_key(connections):
    computed, barrier = itertools.count(), threading.Barrier(8)

    def read(number: int) -> int:
        barrier.wait()
        return connections.shared(number % 2, lambda: next(computed))

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(read, range(8)))) == 2
    assert next(computed) == 2
