# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Spread work over processes, because the threads of a Python process share one core.

The worker of a task forks before it starts a thread, so the children have what it has read, and no lock that a thread
holds. A child sends JSON lines through a pipe of its own and does nothing else with the run: what it displayed itself
would be lost. It ends with its parent, however that ends. (Starting a new Python instead, as spawn and forkserver do,
fails in a worker of Ansible.)
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import NoReturn, TypeVar

from ansible.errors import AnsibleError
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.worker import (
    ENDING,
    LONGEST_WAIT,
    set_death_signal,
)

T = TypeVar("T")
Send = Callable[[dict], None]
# The clusters for which another process saves time. Measured on two cores: 200 clusters with nothing to change took 1 s
# less in two processes than in one, for 0.3 s more of processor time and 30 MB more of memory.
LEAST = 100
GRACE = 5.0  # seconds in which children that have to end can send their state
FAILURE = "failure"  # the key of a message that ends the work


def count_for(clusters: int, wanted: int | None = None) -> int:
    """Return the number of processes over which to spread clusters.

    :param wanted: the number that the user has set; by default one for C(LEAST) clusters, up to the number of cores.
    """
    if sys.platform != "linux":
        return 1  # on other systems nothing would end the children
    if wanted is None:
        wanted = min(len(os.sched_getaffinity(0)), clusters // LEAST)
    return max(1, min(wanted, clusters))


def _kernel_threads() -> set[str]:
    """Return the ids of this process's threads in the kernel, none on systems that do not list them."""
    try:
        return set(os.listdir("/proc/self/task"))
    except OSError:
        return set()


@contextlib.contextmanager
def no_thread_left() -> Iterator[None]:
    """Wait at the end until the kernel has ended all threads that were started inside and joined.

    A thread that Python has joined may still clean up, and holds a lock of OpenSSL meanwhile: a process forked then
    would wait for that lock forever.
    """
    before = _kernel_threads()
    yield
    while _kernel_threads() - before:
        time.sleep(0.001)


def spread(shares: Sequence[T], work: Callable[[T, Send], None], receive: Send) -> list[int]:
    """Work on each share in a separate process, until all have ended.

    Only for the main thread of a process without other threads, in C(prepared_worker).

    :param work: runs in a child with its share, and a function that sends dictionaries (which JSON can hold) from any
        thread.
    :param receive: called in this thread with each dictionary. If this process has to end, also with those that
        children send until they have ended.
    :returns: the exit code of each process, as in C(subprocess): negative for a signal.
    :raises AnsibleError: if work raises an exception in one process; the others are ended.
    """
    children: dict[int, int] = {}  # process, and the end of its pipe to read from
    try:
        with _signals_held():
            for share in shares:
                reading, writing = os.pipe()
                parent = os.getpid()
                process = os.fork()
                if not process:
                    _work(work, share, writing, parent)
                os.close(writing)
                children[process] = reading
        _read(children.values(), receive)
    except BaseException:
        _end(children)
        try:
            _read(children.values(), receive, time.monotonic() + GRACE)
        finally:  # also if a second child has failed
            _end(children, signal.SIGKILL)
        raise
    finally:
        for reading in children.values():
            os.close(reading)
        ends = [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in children]
    return ends


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """Hold back the signals that end a run, so that no child is forked that its parent does not know."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _work(work: Callable[[T, Send], None], share: T, pipe: int, parent: int) -> NoReturn:
    """Do the work in a child process, then exit without the cleanup that belongs to the parent."""
    lock, status = threading.Lock(), 1

    def send(value: dict) -> None:
        line = memoryview(b"\n" + json.dumps(value).encode() + b"\n")
        with lock:
            while line:
                line = line[os.write(pipe, line) :]

    try:
        set_death_signal(signal.SIGTERM)
        if os.getppid() != parent:  # it ended before the signal was set
            os._exit(status)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        work(share, send)
        status = 0
    except SystemExit as end:
        status = end.code
    except BaseException:
        send({FAILURE: traceback.format_exc()})
    finally:
        os._exit(status)


def _read(pipes: Sequence[int], receive: Send, until: float = float("inf")) -> None:
    """Receive the dictionaries from pipes until all are closed, or until a time of the monotonic clock."""
    rest = dict.fromkeys(pipes, b"")
    with selectors.DefaultSelector() as selector:
        for pipe in rest:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map() and time.monotonic() < until:
            for key, _events in selector.select(min(LONGEST_WAIT, until - time.monotonic())):
                content = os.read(key.fd, 65536)
                if not content:
                    selector.unregister(key.fd)
                *lines, rest[key.fd] = (rest[key.fd] + content).split(b"\n")
                for line in filter(None, lines):
                    _receive(line, receive)


def _receive(line: bytes, receive: Send) -> None:
    try:
        value = json.loads(line)
    except ValueError:
        return  # incomplete, because the child had to end
    if FAILURE in value:
        raise AnsibleError(f"a worker process failed unexpectedly. Please report it: {value[FAILURE]}")
    receive(value)


def _end(children: dict[int, int], number: int = signal.SIGTERM) -> None:
    for process in children:
        os.kill(process, number)
