# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state that a task of the collection changes in its worker, and restores."""

from __future__ import annotations

import ctypes
import gc
import io
import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import pytest
from ansible_collections.azureml.arc.plugins.plugin_utils._controller import worker
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.worker import (
    in_process_by_default,
    prepared_worker,
)

COLLECTIONS = Path(__file__).resolve().parents[5] / "build" / "collections"
FORK = multiprocessing.get_context("fork")
IMPORT = """
import gc, os, signal, sys, traceback
hooks_added = []
register = os.register_at_fork
def record(**hooks):
    callers = [frame.filename for frame in traceback.extract_stack()[-2:]]
    hooks_added.extend(name for name in callers if "/azureml/arc/" in name)
    register(**hooks)
os.register_at_fork = record
before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT), gc.get_freeze_count()
from ansible.plugins.loader import init_plugin_loader
init_plugin_loader(sys.argv[1:])
from ansible import constants
files = os.listdir(constants.DEFAULT_LOCAL_TMP)
from ansible_collections.azureml.arc.plugins.plugin_utils._controller import in_process
assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT), gc.get_freeze_count()) == before
assert hooks_added == []
assert os.listdir(constants.DEFAULT_LOCAL_TMP) == files
"""


def in_child(function, *arguments) -> list:
    """Run a function in a forked process; return the objects that it puts into its queue."""
    queue = FORK.SimpleQueue()
    process = FORK.Process(target=function, args=(queue, *arguments))
    process.start()
    process.join(10)
    assert process.exitcode is not None
    return [*iter(lambda: None if queue.empty() else queue.get(), None)]


def death_signal() -> int:
    found = ctypes.c_int()
    ctypes.CDLL(None).prctl(worker.PR_GET_PDEATHSIG, ctypes.byref(found))
    return found.value


def test_import_has_no_effect_on_the_controller(tmp_path):
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "ANSIBLE_LOCAL_TEMP": str(tmp_path)}
    run = subprocess.run(
        [sys.executable, "-c", IMPORT, str(COLLECTIONS)], env=environ, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr


def _state() -> tuple:
    return (
        *map(signal.getsignal, worker.ENDING),
        death_signal(),
        gc.get_freeze_count(),
        os.environ.get("SOME"),
        "NEW" in os.environ,
    )


def _restored(queue) -> None:
    signal.signal(signal.SIGTERM, print)
    os.environ["SOME"] = "before"
    before = _state()
    with prepared_worker({"SOME": "task", "NEW": "task"}):
        queue.put((death_signal(), gc.get_freeze_count() > 0, os.environ["SOME"], os.environ["NEW"]))
    queue.put(_state() == before)


def test_everything_is_restored_after_the_task():
    assert in_child(_restored) == [(signal.SIGTERM, True, "task", "task"), True]


def _ended(queue, number, former) -> None:
    def end(number, frame):
        queue.put("former handler")
        os._exit(1)

    signal.signal(number, end if former else signal.SIG_DFL)
    with prepared_worker({}):
        try:
            os.kill(os.getpid(), number)
            time.sleep(10)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)  # a second signal, as from a run that stops waiting
            queue.put("cleaned up")
    queue.put("continued")


@pytest.mark.parametrize("number", worker.ENDING)
@pytest.mark.parametrize(("former", "seen"), [(True, ["cleaned up", "former handler"]), (False, ["cleaned up"])])
def test_signal_cleans_up_then_calls_the_former_handler(number, former, seen):
    assert in_child(_ended, number, former) == seen


def _interrupted_handler(queue, line) -> None:
    lines = itertools.count(1)

    def trace(frame, event, argument):
        if frame.f_code.co_name != "leave":
            return None
        if event == "line" and next(lines) == line:
            os.kill(os.getpid(), signal.SIGTERM)
        return trace

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    sys.settrace(trace)
    with prepared_worker({}):
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1)
            queue.put("continued")
        finally:
            queue.put("cleaned up")


@pytest.mark.parametrize("line", [1, 2, 3, 4])
def test_second_signal_during_the_handler_of_the_first_ends_the_worker(line):
    """A run passes Ctrl-C to its workers, and sends them SIGTERM some milliseconds later."""
    assert in_child(_interrupted_handler, line) == ["cleaned up"]


def _terminated_while_it_ends(queue) -> None:
    signal.signal(signal.SIGTERM, lambda number, frame: queue.put("terminated"))
    with prepared_worker({}):
        try:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)


def test_sigterm_after_ctrl_c_calls_its_former_handler():
    assert in_child(_terminated_while_it_ends) == ["terminated"]


def _orphan(queue, path) -> None:
    def work() -> None:
        with prepared_worker({}):
            Path(path, "started").touch()
            try:
                time.sleep(30)
            finally:
                Path(path, "cleaned up").touch()

    FORK.Process(target=work).start()
    while not Path(path, "started").exists():
        time.sleep(0.01)
    os._exit(0)


def test_worker_cleans_up_and_ends_when_its_run_is_killed(tmp_path):
    in_child(_orphan, str(tmp_path))
    deadline = time.monotonic() + 10
    while not (tmp_path / "cleaned up").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert (tmp_path / "cleaned up").exists()


def _not_a_worker() -> None:
    with prepared_worker({}):
        assert death_signal() == 0


def test_process_that_is_not_a_worker_does_not_end_with_its_parent():
    _not_a_worker()


@pytest.mark.parametrize(("platform", "expected"), [("linux", True), ("freebsd14", True), ("darwin", False)])
def test_modules_run_in_process_by_default_except_on_macos(platform, expected):
    assert in_process_by_default(platform) is expected


def test_output_of_libraries_is_discarded_and_cannot_block_threads(monkeypatch):
    """The main thread of a worker of ansible-core 2.17 holds the lock of its output until it ends."""
    lock = threading.RLock()

    class Locked(io.StringIO):
        def write(self, text: str) -> int:
            with lock:
                return super().write(text)

    output = Locked()
    monkeypatch.setattr(sys, "stderr", output)
    monkeypatch.setattr(sys, "stdout", output)
    with lock, prepared_worker({}):
        thread = threading.Thread(target=lambda: (warnings.warn("insecure", stacklevel=1), print("text")), daemon=True)
        thread.start()
        thread.join(10)
        assert not thread.is_alive()

    assert sys.stderr is sys.stdout is output
    assert output.getvalue() == ""
