# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cache that the workers of one run share."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import time

import pytest
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.run_cache import RunCache


def entry(token="t", seconds=3600):
    return {"token": token, "expires_on": time.time() + seconds}


def test_made_once(tmp_path):
    made = []

    def create():
        made.append(1)
        return entry()

    cache = RunCache(str(tmp_path))
    tokens = [cache.get_or_create("key", create, margin=300)["token"] for attempt in range(3)]
    assert tokens == ["t", "t", "t"]
    assert len(made) == 1


def test_made_anew_before_it_expires(tmp_path):
    cache = RunCache(str(tmp_path))
    cache.get_or_create("key", lambda: entry("old", 200), margin=300)
    assert cache.get_or_create("key", lambda: entry("new"), margin=300)["token"] == "new"


def test_keys_are_apart(tmp_path):
    cache = RunCache(str(tmp_path))
    cache.get_or_create("one", lambda: entry("1"), margin=0)
    assert cache.get_or_create("two", lambda: entry("2"), margin=0)["token"] == "2"
    assert cache.get_or_create("one", lambda: entry("3"), margin=0)["token"] == "1"


def test_made_anew_where_it_is_not_good(tmp_path):
    cache = RunCache(str(tmp_path))
    cache.get_or_create("key", lambda: entry("refused"), margin=0)

    def is_good(found):
        return found["token"] != "refused"

    assert cache.get_or_create("key", lambda: entry("new"), margin=0, is_good=is_good)["token"] == "new"
    assert cache.get_or_create("key", lambda: entry("newer"), margin=0, is_good=is_good)["token"] == "new"


def test_it_has_no_name(tmp_path):
    cache = RunCache(str(tmp_path))
    cache.get_or_create("key", entry, margin=0)
    assert list(tmp_path.iterdir()) == []


def test_programs_that_the_run_starts_do_not_inherit_it(tmp_path):
    cache = RunCache(str(tmp_path))
    cache.get_or_create("key", entry, margin=0)
    seen = subprocess.run(["ls", "-l", "/proc/self/fd"], capture_output=True, text=True, check=True, close_fds=False)
    assert str(tmp_path) not in seen.stdout


def test_half_of_an_entry_is_none(tmp_path):
    cache = RunCache(str(tmp_path))
    os.write(cache._file, b'{"key": {"tok')
    assert cache.get_or_create("key", entry, margin=0)["token"] == "t"


def _work(cache, queue):
    def create():
        queue.put("made")
        time.sleep(0.2)
        return entry()

    cache.get_or_create("key", create, margin=0)


def test_workers_wait_for_the_first_one(tmp_path):
    context = multiprocessing.get_context("fork")
    queue, cache = context.Queue(), RunCache(str(tmp_path))
    workers = [context.Process(target=_work, args=(cache, queue)) for number in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert queue.get(timeout=5) == "made"
    assert queue.empty()


def test_a_failure_is_not_kept(tmp_path):
    cache = RunCache(str(tmp_path))
    with pytest.raises(ZeroDivisionError):
        cache.get_or_create("key", lambda: 1 / 0, margin=0)
    assert cache.get_or_create("key", entry, margin=0)["token"] == "t"
