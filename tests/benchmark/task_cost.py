# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure the cost of a task for C(make bench), in the controller's worker and as an ordinary module.

The task is M(azureml.arc.extension_info): sign-in, two reads from ARM over TLS, a result. The simulator runs on the
same machine, so the wall time includes its work. Playbooks with few and with many tasks are timed: the difference,
divided by tasks and hosts, is the cost of a task, and the rest is the cost of a run, including imports.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import simulated
from simulator.scenario import Scenario, many

COLLECTIONS = Path(__file__).resolve().parents[2] / "build" / "collections"
HOSTS = 100
FORKS = 5
READ = {"azureml.arc.extension_info": {"resource_group": "rg-edge", "cluster_name": "{{ inventory_hostname }}"}}
NOTHING = {"ansible.builtin.assert": {"that": True, "quiet": True}}


@dataclass(frozen=True)
class Subject:
    """A measured task: how it runs, and the numbers of tasks in both playbooks."""

    title: str
    task: dict
    few: int = 1
    many: int = 11
    hosts: int = HOSTS
    in_process: bool = True


SUBJECTS = (
    Subject("ansible.builtin.assert: the cost of any task in ansible-core", NOTHING),
    Subject("azureml.arc.extension_info in process", READ),
    Subject("azureml.arc.extension_info as a module", READ, many=4, hosts=10, in_process=False),
)


@dataclass(frozen=True)
class Cost:
    """Wall and processor time per task and host in milliseconds, and time of a run without its tasks in seconds."""

    title: str
    wall: float
    processor: float
    run: float


class Bench:
    """Playbook runs against one simulator."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self._directory = directory
        self._environment = {
            **os.environ,
            **environment,
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_HOME": str(directory / "ansible"),
            "ANSIBLE_REMOTE_TMP": str(directory / "ansible/remote"),
        }
        hosts = {f"cluster-{index:04}": None for index in range(HOSTS)}
        variables = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable}
        self._write("inventory.json", {"all": {"hosts": hosts, "vars": variables}})

    def cost(self, subject: Subject) -> Cost:
        few, many_ = (self._time(subject, count) for count in (subject.few, subject.many))
        tasks = (subject.many - subject.few) * subject.hosts
        wall, processor = ((after - before) / tasks for before, after in zip(few, many_, strict=True))
        return Cost(subject.title, wall * 1000, processor * 1000, few[0] - wall * subject.few * subject.hosts)

    def empty(self) -> float:
        """Return the seconds of a play without tasks."""
        return self._run([], HOSTS, in_process=True)[0]

    def _time(self, subject: Subject, count: int) -> tuple[float, float]:
        return self._run([subject.task] * count, subject.hosts, subject.in_process)

    def _run(self, tasks: list[dict], hosts: int, in_process: bool) -> tuple[float, float]:
        self._write("playbook.json", [{"hosts": f"all[0:{hosts - 1}]", "gather_facts": False, "tasks": tasks}])
        command = ["ansible-playbook", "playbook.json", "-i", "inventory.json", "--forks", str(FORKS)]
        environment = {**self._environment, "AZUREML_ARC_IN_PROCESS": str(int(in_process))}
        start, before = time.monotonic(), _children()
        subprocess.run(command, cwd=self._directory, env=environment, check=True, stdout=subprocess.DEVNULL)
        return time.monotonic() - start, _children() - before

    def _write(self, name: str, content: object) -> None:
        (self._directory / name).write_text(json.dumps(content), encoding="utf-8")


def _children() -> float:
    """Return the processor seconds of finished child processes and their descendants."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def main(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    with simulated.running(Scenario(clusters=many(HOSTS)), directory / "simulator") as simulator:
        bench = Bench(directory, simulator.environment)
        empty = bench.empty()
        costs = [bench.cost(subject) for subject in SUBJECTS]
    print(f"{HOSTS} hosts, {FORKS} forks, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{'':64} {'wall':>8} {'processor':>10} {'per run':>8}")
    print(f"{'an empty play':64} {'':>8} {'':>10} {empty:6.1f} s")
    for cost in costs:
        print(f"{cost.title:64} {cost.wall:5.1f} ms {cost.processor:7.1f} ms {cost.run:6.1f} s")
    floor, in_process, module = costs
    walls, processors = module.wall / in_process.wall, module.processor / in_process.processor
    print(f"as a module / in process: {walls:.1f} wall, {processors:.1f} processor")
    print(f"in process, in addition to the cost of ansible-core: {in_process.wall - floor.wall:.1f} ms wall")
    facts = {
        "hosts": HOSTS,
        "forks": FORKS,
        "cores": os.cpu_count(),
        "machine": platform.platform(),
        "empty_play": empty,
    }
    report = {**facts, "costs": [asdict(cost) for cost in costs]}
    (directory / "task_cost.json").write_text(json.dumps(report, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
