# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The worker process that a task runs in."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import signal
import sys

from ansible.plugins.loader import connection_loader, filter_loader, lookup_loader, shell_loader, test_loader

# What the tasks and templates of the role use.
FOR_ALL = (
    (connection_loader, ("ansible.builtin.local",)),
    (shell_loader, ("sh",)),
    (lookup_loader, ("azureml.arc.cluster_options",)),
    (filter_loader, ("bool", "combine", "flatten", "selectattr", "unique")),
    (test_loader, ("defined", "equalto")),
)
PR_SET_PDEATHSIG = 1  # prctl(2)
LOADED_BY = os.getpid()  # the run itself, which loads action plugins before it forks its workers


def load_for_all() -> None:
    """Load plugins in the parent process, so that its workers need not load them, each anew.

    What is loaded by then is kept out of garbage collection, which would write to each of its pages and so give each
    worker a copy of them, see https://docs.python.org/3/library/gc.html#gc.freeze. What the run adds to
    it, variables and results of a whole fleet, each worker keeps out of its own collection.
    """
    for loader, names in FOR_ALL:
        for name in names:
            loader.get(name, class_only=True)
    gc.freeze()
    os.register_at_fork(after_in_child=gc.freeze)


def end_with_parent() -> None:
    """Have this worker end when the run that it belongs to does, however that ends.

    A worker whose run was killed would go on: it would wait for half an hour for nobody, or send the request that the
    next run, which does not know of it, sends as well. Linux only; elsewhere such a worker goes on. It ends in order:
    files with credentials are removed.
    """
    signal.signal(signal.SIGTERM, _exit_in_order)
    parent = os.getppid() if os.getpid() == LOADED_BY else LOADED_BY
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it ended before the kernel could tell
        os.kill(os.getpid(), signal.SIGTERM)


def _exit_in_order(number: int, frame) -> None:
    """Leave all C(with) blocks, then the process, as a shell tells of a signal."""
    sys.exit(128 + number)
