# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Set up the worker process of a task."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import multiprocessing
import os
import signal
from collections.abc import Iterator, Mapping, Sequence

from ansible.plugins.loader import connection_loader, shell_loader

# Plugins that the tasks of every cluster use.
FOR_ALL = ((connection_loader, "ansible.builtin.local"), (shell_loader, "sh"))
# The signals that end a run.
ENDING = (signal.SIGINT, signal.SIGTERM)
# Python handles a signal in the main thread, and does not interrupt its wait if another thread received the signal, or
# if it arrived just before the wait.
LONGEST_WAIT = 1.0  # seconds, of the main thread
# prctl(2)
PR_SET_PDEATHSIG = 1
PR_GET_PDEATHSIG = 2


def _standard_error() -> int | None:
    """Return a duplicate of the file descriptor of standard error, C(None) if there is none."""
    with contextlib.suppress(OSError):
        return os.dup(2)
    return None


# Standard error of the run: from ansible-core 2.19, its workers have none, and their output is lost once it ends.
STANDARD_ERROR = _standard_error()


def load_for_all() -> None:
    """Load plugins once in the parent process, instead of in each of its workers."""
    for loader, name in FOR_ALL:
        loader.get(name, class_only=True)


def in_process_by_default(platform: str) -> bool:
    """Return whether modules run in process by default: not on macOS.

    The SDKs query the proxies of the system, which crashes or blocks a forked process there:
    https://github.com/python/cpython/issues/75999.
    """
    return platform != "darwin"


@contextlib.contextmanager
def prepared_worker(environment: Mapping[str, str]) -> Iterator[None]:
    """Set up this process for a task of the collection, and restore the former state afterwards.

    Only for the main thread of a worker.

    :param environment: the C(environment) of the task, for the SDKs and the programs they start.
    """
    with _exit_on_signals(), _end_with_parent(), _without_old_garbage(), _environment(environment), _without_output():
        yield


@contextlib.contextmanager
def _exit_on_signals() -> Iterator[None]:
    """Leave all C(with) blocks on a signal, so that files with credentials are removed, then call the former handler.

    From ansible-core 2.19 the worker's own handlers end its process group, including programs that the SDKs have
    started, and do not return. A run passes Ctrl-C to its workers, and sends them SIGTERM a moment later.
    """
    received = []
    before = {number: signal.getsignal(number) for number in ENDING}

    def leave(number: int, frame) -> None:
        is_first = not received  # before the next line, because another signal can interrupt this function
        received.append(number)
        if is_first:
            raise SystemExit(128 + number)  # as a shell reports a signal

    for number in ENDING:
        signal.signal(number, leave)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        _raise(received)


def _raise(numbers: Sequence[int]) -> None:
    """Send signals to this process, all of them even if a handler raises an exception.

    The handler of Ctrl-C raises one, and Python waits for threads whose requests are not answered: SIGTERM ends that.
    """
    if numbers:
        try:
            signal.raise_signal(numbers[0])
        finally:
            _raise(numbers[1:])


def write_error(text: str) -> None:
    """Write to the standard error of the run, even while it ends."""
    if STANDARD_ERROR is not None:
        with contextlib.suppress(OSError):
            os.write(STANDARD_ERROR, text.encode(errors="replace"))


@contextlib.contextmanager
def _end_with_parent() -> Iterator[None]:
    """End this worker when its run ends in any way. Linux only; on other systems the worker continues.

    Otherwise the worker of a killed run could wait for half an hour, or send the same request as the next run.
    """
    run = multiprocessing.parent_process()
    if run is None:  # not a worker: the caller's parent does not matter
        yield
        return
    before = ctypes.c_int()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_GET_PDEATHSIG, ctypes.byref(before))
    set_death_signal(signal.SIGTERM)
    try:
        if os.getppid() != run.pid:  # it ended before the signal was set
            os.kill(os.getpid(), signal.SIGTERM)
        yield
    finally:
        set_death_signal(before.value)


def set_death_signal(number: int) -> None:
    """Have the kernel send a signal to this process when its parent ends; Linux only."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)


@contextlib.contextmanager
def _without_old_garbage() -> Iterator[None]:
    """Exclude the objects of the run from garbage collection.

    A collection would write to all pages that this worker shares with the run, and so copy them.
    """
    if gc.get_freeze_count():  # already frozen by other code
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextlib.contextmanager
def _without_output() -> Iterator[None]:
    """Discard what libraries write to standard output and standard error, as ansible-core does from 2.19 on.

    Until ansible-core 2.18, the main thread of a worker holds the lock of both until the worker ends
    (C(WorkerProcess.start)), so that a warning of a library in another thread would block that thread forever.
    """
    with (
        open(os.devnull, "w", encoding="utf-8") as nothing,
        contextlib.redirect_stdout(nothing),
        contextlib.redirect_stderr(nothing),
    ):
        yield


@contextlib.contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables, and restore them: the items of a loop share one worker."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
