# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Work that is spread over processes."""

from __future__ import annotations

import contextlib
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
def test_as_many_processes_as_pay(clusters, wanted, expected):
    assert processes.count_for(clusters, wanted) == expected


def test_where_nothing_would_end_the_children_there_is_one_process(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert processes.count_for(10**6, 4) == 1


def test_what_threads_of_all_processes_send_arrives_whole():
    text = "x" * 70_000  # more than a pipe holds
    received = []

    def work(share, send):
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda number: send({"share": share, "number": number, "text": text}), range(20)))

    assert processes.spread(["a", "b"], work, received.append) == [0, 0]
    assert all(one["text"] == text for one in received)
    expected = [(share, number) for share in "ab" for number in range(20)]
    assert sorted((one["share"], one["number"]) for one in received) == expected


def test_each_share_has_a_process_of_its_own_and_none_is_left():
    found = []
    processes.spread([1, 2, 3], lambda share, send: send({"process": os.getpid()}), found.append)
    children = {one["process"] for one in found}

    assert len(children) == 3
    assert os.getpid() not in children
    assert not any(Path(f"/proc/{child}").exists() for child in children)


def test_an_exception_in_a_process_ends_the_others():
    def work(share, send):
        if share == "bad":
            raise ValueError("an odd answer")
        time.sleep(60)

    start = time.monotonic()
    with pytest.raises(AnsibleError, match="(?s)a process that worked on clusters failed: .*an odd answer"):
        processes.spread(["good", "bad"], work, pytest.fail)
    assert time.monotonic() - start < 30


def test_a_process_that_somebody_kills_is_told_by_its_end():
    received = []

    def work(share, send):
        send({"share": share})
        if share == "victim":
            os.kill(os.getpid(), signal.SIGKILL)

    assert processes.spread(["victim", "other"], work, received.append) == [-signal.SIGKILL, 0]
    assert sorted(one["share"] for one in received) == ["other", "victim"]


def newest_pipe() -> int:
    """Return the pipe of this process that was made last."""
    for handle in reversed(range(256)):
        with contextlib.suppress(OSError):
            if stat.S_ISFIFO(os.fstat(handle).st_mode):
                return handle
    raise LookupError


def test_the_half_of_a_message_is_left_out():
    received = []

    def work(share, send):
        os.write(newest_pipe(), b'{"host": "half')
        send({"begun": {}})

    processes.spread(["one"], work, received.append)
    assert received == [{"begun": {}}]


def test_no_file_is_left_open():
    before = len(list(Path("/proc/self/fd").iterdir()))
    processes.spread([1, 2], lambda share, send: send({}), lambda value: None)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
