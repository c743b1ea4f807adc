# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deploy four simulated clusters, one of which fails; fix its cause, deploy again, and verify: C(make demo).

Only Azure and the clusters are simulated: C(ansible-playbook) runs the collection, which uses the official SDKs over
TLS.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import clusters

import simulated

TITLE = "\033[1m\n{}\033[0m" if sys.stdout.isatty() else "\n{}"


class Demo:
    """A demonstration in a separate folder."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self._directory = directory
        self._environment = {
            **os.environ,
            **environment,
            "ANSIBLE_COLLECTIONS_PATH": str(clusters.COLLECTIONS),
            "ANSIBLE_HOME": str(directory / "ansible"),
            "ANSIBLE_INVENTORY": str(directory / "simulator" / "inventory.yml"),
            "TMPDIR": str(directory),
        }

    def play(self, title: str, *arguments: str) -> int:
        """Run C(ansible-playbook), and show its output.

        :returns: its exit status.
        """
        print(TITLE.format(f"$ ansible-playbook {' '.join(arguments)} -i inventory.yml  # {title}"), flush=True)
        # Workers start their own sessions, so their process ids are unknown. Each inherits the other end of this pipe,
        # which is closed when the last worker has ended.
        alive, held = os.pipe()
        process = subprocess.Popen(
            ["ansible-playbook", *arguments],
            cwd=self._directory,
            env=self._environment,
            pass_fds=(held,),
            start_new_session=True,  # Ctrl-C goes to this process only, which then stops the playbook
        )
        os.close(held)
        try:
            return process.wait()
        finally:
            if process.poll() is None:  # interrupted; the playbook stops its workers
                process.terminate()
                process.wait(timeout=10)
            select.select([alive], [], [], 10)
            os.close(alive)


def main(directory: Path) -> int:
    shutil.rmtree(directory, ignore_errors=True)
    (directory / "simulator").mkdir(parents=True)
    tempfile.tempdir = str(directory)
    (directory / "simulator" / "inventory.yml").write_text(clusters.INVENTORY, encoding="utf-8")
    with simulated.running(clusters.scenario(clusters.BROKEN), directory / "simulator") as simulator:
        demo = Demo(directory, simulator.environment)
        deployed = demo.play("four clusters, one of them fails", "azureml.arc.deploy")
        simulator.change_plan("ship-k3s", install=asdict(clusters.INSTALL))
        simulator.clear_journal()
        again = demo.play("its cause is fixed", "azureml.arc.deploy")
        written = _written(simulator.journal())
        verified = demo.play("changes nothing", "azureml.arc.verify")
    expected = (deployed, again, verified) == (2, 0, 0) and written == {"ship-k3s"}
    changed = ", ".join(sorted(written))
    print(TITLE.format(f"{'Done' if expected else 'Unexpected'}: the second deployment only changed {changed}"))
    return 0 if expected else 1


def _written(journal: Iterable[dict]) -> set[str]:
    """Return the clusters that the requests changed, by the names in their paths."""
    paths = [one["path"] for one in journal if one["method"] in ("PUT", "PATCH", "DELETE")]
    names = [plan.name for plan in clusters.scenario().clusters]
    return {name for name in names if any(name in path for path in paths)}


def _stop(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _stop)
    # Shells start background jobs with SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        sys.exit(main(Path(sys.argv[1]).resolve()))
    except KeyboardInterrupt:
        sys.exit(130)
