# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cache that the workers of a run share."""

from __future__ import annotations

import multiprocessing
import subprocess
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.plugin_utils._controller import run_cache
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.run_cache import RunCache

FORKING = multiprocessing.get_context("fork")


def in_workers(work: Callable, *arguments: object) -> None:
    """Run a function in six processes at the same time."""
    workers = [FORKING.Process(target=work, args=arguments) for _number in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def entry(token="t", seconds=3600):
    return {"token": token, "expires_on": time.time() + seconds}


def test_entry_is_created_once(tmp_path):
    created = []

    def create():
        created.append(1)
        return entry()

    cache = RunCache(str(tmp_path))
    tokens = [cache.get_or_create("key", create, margin=300)["token"] for attempt in range(3)]
    assert tokens == ["t", "t", "t"]
    assert len(created) == 1


def test_entry_is_replaced_before_it_expires(tmp_path):
    cache = RunCache(str(tmp_path))
    cache.get_or_create("key", lambda: entry("old", 200), margin=300)
    assert cache.get_or_create("key", lambda: entry("new"), margin=300)["token"] == "new"


def test_keys_have_separate_entries(tmp_path):
    cache = RunCache(str(tmp_path))
    cache.get_or_create("one", lambda: entry("1"), margin=0)
    assert cache.get_or_create("two", lambda: entry("2"), margin=0)["token"] == "2"
    assert cache.get_or_create("one", lambda: entry("3"), margin=0)["token"] == "1"


def test_rejected_entry_is_replaced(tmp_path):
    cache = RunCache(str(tmp_path))
    cache.get_or_create("key", lambda: entry("refused"), margin=0)

    def is_good(found):
        return found["token"] != "refused"

    assert cache.get_or_create("key", lambda: entry("new"), margin=0, is_good=is_good)["token"] == "new"
    assert cache.get_or_create("key", lambda: entry("newer"), margin=0, is_good=is_good)["token"] == "new"


def test_nothing_is_written_before_the_first_use(tmp_path):
    RunCache(str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_files_are_private_and_contain_neither_key_nor_entry_in_plain_text(tmp_path):
    cache = RunCache(str(tmp_path))
    cache.get_or_create("the key", lambda: entry("the token"), margin=0)
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert b"the token" not in file.read_bytes()
    assert "key" not in file.name


def test_programs_that_the_run_starts_do_not_inherit_the_files(tmp_path):
    def create():
        command = ["ls", "-l", "/proc/self/fd"]
        seen = subprocess.run(command, capture_output=True, text=True, check=True, close_fds=False)
        return {**entry(), "seen": seen.stdout}

    assert str(tmp_path) not in RunCache(str(tmp_path)).get_or_create("key", create, margin=0)["seen"]


def test_incomplete_file_of_a_killed_worker_is_replaced(tmp_path):
    cache = RunCache(str(tmp_path))
    cache.get_or_create("key", lambda: entry("lost"), margin=0)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:-10])
    cache._slots.clear()  # as in another worker
    assert cache.get_or_create("key", entry, margin=0)["token"] == "t"


def test_process_reads_the_file_once(tmp_path):
    cache = RunCache(str(tmp_path))
    cache.get_or_create("key", entry, margin=0)
    for file in tmp_path.iterdir():
        file.unlink()
    assert cache.get_or_create("key", lambda: entry("new"), margin=0)["token"] == "t"
    assert list(tmp_path.iterdir()) == []


def _work(cache, queue):
    def create():
        queue.put("created")
        time.sleep(0.2)
        return entry()

    cache.get_or_create("key", create, margin=0)


def test_workers_wait_for_the_first_one(tmp_path):
    queue = FORKING.Queue()
    in_workers(_work, RunCache(str(tmp_path)), queue)
    assert queue.get(timeout=5) == "created"
    assert queue.empty()


def refuse(attempts):
    attempts.append(1)
    raise AzureMLError("no", code="AuthenticationFailed", hint="Run 'az login'.")


def test_failure_is_remembered_for_some_seconds(tmp_path, monkeypatch):
    cache, attempts = RunCache(str(tmp_path)), []
    for _attempt in range(3):
        with pytest.raises(AzureMLError, match=r"no \(code AuthenticationFailed\). Run 'az login'."):
            cache.get_or_create("key", lambda: refuse(attempts), margin=300)
    assert len(attempts) == 1

    later = time.time() + run_cache.FAILURE_LIFETIME + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert cache.get_or_create("key", entry, margin=300)["token"] == "t"


def test_unexpected_exception_is_not_remembered(tmp_path):
    cache = RunCache(str(tmp_path))
    with pytest.raises(ZeroDivisionError):
        cache.get_or_create("key", lambda: 1 / 0, margin=0)
    assert cache.get_or_create("key", entry, margin=0)["token"] == "t"


def test_threads_make_one_attempt_at_an_endpoint_that_hangs_and_do_not_block_others(tmp_path):
    cache, attempts, failed = RunCache(str(tmp_path)), [], threading.Event()

    def create():
        failed.wait(10)
        refuse(attempts)

    def work():
        with pytest.raises(AzureMLError):
            cache.get_or_create("hanging", create, margin=0)

    with ThreadPoolExecutor(100) as pool:
        waiting = [pool.submit(work) for _number in range(100)]
        assert cache.get_or_create("healthy", entry, margin=0)["token"] == "t"
        assert not any(one.done() for one in waiting)
        failed.set()
        for one in waiting:
            one.result()
    assert len(attempts) == 1


def _fail(cache, queue):
    try:
        cache.get_or_create("key", lambda: refuse([queue.put("attempt")]), margin=0)
    except AzureMLError as error:
        queue.put(error.code)


def test_workers_share_a_failure(tmp_path):
    queue = FORKING.SimpleQueue()
    in_workers(_fail, RunCache(str(tmp_path)), queue)
    assert sorted(queue.get() for _number in range(7)) == ["AuthenticationFailed"] * 6 + ["attempt"]
