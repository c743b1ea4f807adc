# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Work that is distributed to processes."""

from __future__ import annotations

import _thread
import contextlib
import fcntl
import os
import signal
import stat
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ansible.errors import AnsibleError
from ansible_collections.azureml.arc.plugins.plugin_utils._controller import processes

CORES = len(os.sched_getaffinity(0))


@pytest.mark.parametrize(
    ("clusters", "wanted", "expected"),
    [
        (0, None, 1),
        (1, None, 1),
        (processes.LEAST, None, 1),
        (2 * processes.LEAST, None, min(2, CORES)),
        (10**6, None, CORES),
        (10**6, 1, 1),
        (10, 4, 4),
        (3, 4, 3),
    ],
)
def test_number_of_processes_is_limited_by_cores_and_clusters(clusters, wanted, expected):
    assert processes.count_for(clusters, wanted) == expected


def test_there_is_one_process_on_systems_that_do_not_end_children_with_their_parent(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert processes.count_for(10**6, 4) == 1


def test_messages_of_all_threads_and_processes_arrive_complete():
    text = "x" * 70_000  # more than the capacity of a pipe
    received = []

    def work(share, send):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda number: send({"share": share, "number": number, "text": text}), range(20)))

    assert processes.spread(["a", "b"], work, received.append) == [0, 0]
    assert all(one["text"] == text for one in received)
    expected = [(share, number) for share in "ab" for number in range(20)]
    assert sorted((one["share"], one["number"]) for one in received) == expected


def test_no_process_is_forked_before_the_kernel_has_ended_the_threads():
    before = set(Path("/proc/self/task").iterdir())

    with processes.no_thread_left():
        _thread.start_new_thread(time.sleep, (0.3,))

    assert set(Path("/proc/self/task").iterdir()) <= before


def test_each_share_has_its_own_process_and_none_remains():
    found = []
    processes.spread([1, 2, 3], lambda share, send: send({"process": os.getpid()}), found.append)
    children = {one["process"] for one in found}

    assert len(children) == 3
    assert os.getpid() not in children
    assert not any(Path(f"/proc/{child}").exists() for child in children)


def test_exception_in_one_process_ends_the_others():
    def work(share, send):
        if share == "bad":
            raise ValueError("an unexpected answer")
        time.sleep(60)

    start = time.monotonic()
    with pytest.raises(AnsibleError, match="(?s)a worker process failed unexpectedly. .*an unexpected answer"):
        processes.spread(["good", "bad"], work, pytest.fail)
    assert time.monotonic() - start < 30


def test_process_that_does_not_end_is_killed_even_if_two_others_failed():
    def work(share, send):
        if share == "stuck":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            send({})
            time.sleep(60)
        raise ValueError("an unexpected answer")

    start = time.monotonic()
    with pytest.raises(AnsibleError, match="an unexpected answer"):
        processes.spread(["stuck", "bad", "bad"], work, lambda value: time.sleep(1))  # while the others fail
    assert time.monotonic() - start < 30


def test_killed_process_is_reported_by_its_signal():
    received = []

    def work(share, send):
        send({"share": share})
        if share == "victim":
            os.kill(os.getpid(), signal.SIGKILL)

    assert processes.spread(["victim", "other"], work, received.append) == [-signal.SIGKILL, 0]
    assert sorted(one["share"] for one in received) == ["other", "victim"]


def open_pipes() -> set[int]:
    """Return the pipes that this process can write to."""
    found = set()
    for handle in range(256):
        with contextlib.suppress(OSError):
            is_writable = fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY
            if is_writable and stat.S_ISFIFO(os.fstat(handle).st_mode):
                found.add(handle)
    return found


def test_incomplete_message_is_dropped():
    received, earlier = [], open_pipes()

    def work(share, send):
        (own,) = open_pipes() - earlier
        os.write(own, b'{"host": "half')
        send({"begun": {}})

    processes.spread(["one"], work, received.append)
    assert received == [{"begun": {}}]


def test_all_files_are_closed():
    before = len(list(Path("/proc/self/fd").iterdir()))
    processes.spread([1, 2], lambda share, send: send({}), lambda value: None)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
