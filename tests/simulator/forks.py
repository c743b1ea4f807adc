# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""C(python -m simulator.forks): start a simulator for each directory that is a line of standard input.

Each is a fork of this process, because the imports take most of the time of a start. Its process ID is the answer.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
import traceback

from simulator import __main__ as program

LOG = "simulator.log"


def main() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel removes ended forks: no process waits for their status
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            _simulate(line.rstrip("\n"))
        print(process, flush=True)


def _simulate(directory: str) -> None:
    """Run the program in a directory until a signal; its output goes to a file there."""
    try:
        os.chdir(directory)
        log = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        for output in (1, 2):
            os.dup2(log, output)
        threading.Thread(target=_end_with_the_client, daemon=True).start()
        program.main(["--scenario", "scenario.json", "--directory", "."])
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)  # not the rest of main, which is the parent's


def _end_with_the_client() -> None:
    """End this simulator once standard input is closed: a killed test does not stop it."""
    poll = select.poll()
    poll.register(sys.stdin, 0)  # only its end: lines are for the parent
    poll.poll()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
