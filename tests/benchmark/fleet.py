# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Measure the cost of fleets for C(make bench): deployed, deployed again without changes, and verified.

The simulator runs on the same machine, so the wall time includes its work; the processor time is that of the
controller only. Simulated time is real time: an installation takes a minute. If a figure of the previous release is
known, it is in brackets.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml
from measure import Cost, machine, measure

import simulated
from simulator.scenario import ClusterPlan, InstallPlan, Scenario

COLLECTIONS = Path(__file__).resolve().parents[2] / "build" / "collections"
INSTALL_SECONDS = 60
ATTACH_SECONDS = 5
FORKS = 20
SIZES = (50, 200, 500, 2000)
FAR = 500  # clusters in the run with a slow network
LATENCY = 0.1  # seconds of each response there
OWN_PLAY = 100  # clusters in the play with the role
AS_MODULES = 10  # clusters; running as modules takes thirty times the processor time
INVENTORY_SIZE = 2000
ROLE = [{"hosts": "all", "gather_facts": False, "roles": ["azureml.arc.azureml"]}]
# The previous release: wall time in seconds, and processor time per cluster. Two cores, Python 3.11, ansible-core 2.19.
PREVIOUS = {
    ("deployment", 50): (88, 0.20),
    ("deployment", 200): (91, 0.13),
    ("deployment", 500): (117, 0.138),
    ("deployment", 2000): (268, 0.161),
    ("nothing to change", 500): (15, 0.029),
    ("role, deployment", 100): (None, 0.84),
    ("role, nothing to change", 100): (None, 0.146),
}


@dataclass(frozen=True)
class Result:
    """The cost of a run for the controller, and the number of its requests."""

    title: str
    clusters: int
    cost: Cost
    requests: int
    token_requests: int


def plans(count: int) -> list[ClusterPlan]:
    """Return connected clusters. Their installations take a minute."""
    install = InstallPlan(INSTALL_SECONDS)
    return [
        ClusterPlan(f"cluster-{index:04}", install=install, attach_seconds=ATTACH_SECONDS) for index in range(count)
    ]


class Fleet:
    """Clusters in a simulator, and C(ansible-playbook) over them."""

    def __init__(self, simulator: simulated.RunningSimulator, clusters: list[ClusterPlan], directory: Path) -> None:
        self._simulator = simulator
        self._clusters = clusters
        self._directory = directory
        content = simulated.inventory(simulator.directory, clusters)
        (directory / "inventory.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
        (directory / "role.yml").write_text(yaml.safe_dump(ROLE), encoding="utf-8")

    def play(
        self, title: str, playbook: str = "azureml.arc.deploy", *arguments: str, in_process: bool = True
    ) -> Result:
        """Run a playbook for all clusters."""
        self._simulator.clear_journal()
        command = ["ansible-playbook", playbook, "-i", "inventory.yml", "--forks", str(FORKS), *arguments]
        cost = measure(command, self._directory, self._environment(in_process), self._directory / f"{title}.log")
        requests = Counter(one["path"].endswith("/oauth2/v2.0/token") for one in self._simulator.journal())
        return Result(title, len(self._clusters), cost, requests[False], requests[True])

    def _environment(self, in_process: bool) -> dict[str, str]:
        return {
            **os.environ,
            **self._simulator.environment,
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_HOME": str(self._directory / "ansible"),
            "AZUREML_ARC_IN_PROCESS": str(int(in_process)),
        }

    def inventory(self) -> Cost:
        """Read the clusters from Resource Graph with the inventory plugin."""
        (self._directory / "azureml_clusters.yml").write_text("plugin: azureml.arc.clusters\n", encoding="utf-8")
        command = ["ansible-inventory", "-i", "azureml_clusters.yml", "--graph"]
        return measure(command, self._directory, self._environment(True), self._directory / "inventory.log")


def run(fleet: Fleet) -> Iterator[Result]:
    """Deploy a fleet twice, and verify it."""
    yield fleet.play("deployment")
    yield fleet.play("nothing to change")
    yield fleet.play("nothing to change, the engine alone", "azureml.arc.deploy", "-e", "azureml_report_hosts=false")
    yield fleet.play("verification", "azureml.arc.verify")


def run_far(fleet: Fleet) -> Iterator[Result]:
    """Deploy a fleet twice over a slow network."""
    yield fleet.play(f"deployment, answers take {LATENCY} s")
    yield fleet.play(f"nothing to change, answers take {LATENCY} s")


def run_role(fleet: Fleet) -> Iterator[Result]:
    """Deploy a fleet twice with the role."""
    yield fleet.play("role, deployment", "role.yml")
    yield fleet.play("role, nothing to change", "role.yml")


def run_as_modules(fleet: Fleet) -> Iterator[Result]:
    """Deploy a fleet without changes, with modules in separate processes."""
    fleet.play("deployment")
    yield fleet.play("nothing to change, as modules", in_process=False)


@contextlib.contextmanager
def fleet_of(count: int, directory: Path, **scenario: Any) -> Iterator[Fleet]:
    """Run a fleet in a separate simulator.

    :param scenario: fields of C(Scenario).
    """
    directory.mkdir(parents=True, exist_ok=True)
    clusters = plans(count)
    with simulated.running(Scenario(clusters=clusters, **scenario), directory / "simulator") as simulator:
        yield Fleet(simulator, clusters, directory)


def line(result: Result) -> str:
    cost, count = result.cost, result.clusters
    wall, processor = PREVIOUS.get((result.title, count), (None, None))
    return (
        f"{result.title:36} {count:5} {cost.wall:8.1f} s {f'({wall} s)' if wall else '':>8}"
        f" {cost.wall / INSTALL_SECONDS:6.2f} {cost.wall / count * 1000:8.0f} ms"
        f" {cost.processor / count:8.3f} s {f'({processor} s)' if processor else '':>9}"
        f" {result.requests / count:7.1f} {result.token_requests:6} {cost.memory / 2**20:7.0f} MB"
    )


def main(directory: Path, sizes: tuple[int, ...]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    print(f"{FORKS} forks, installs of {INSTALL_SECONDS} s, {os.cpu_count()} cores shared with the simulator")
    print("in brackets: the previous release")
    print(
        f"{'':36} {'n':>5} {'wall':>10} {'':>8} {'/60 s':>6} {'per cluster':>11} {'processor':>10} {'':>9}"
        f" {'requests':>7} tokens  memory"
    )
    results = []

    def show(kind: Callable[[Fleet], Iterator[Result]], count: int, name: str, **scenario: Any) -> None:
        with fleet_of(count, directory / name, **scenario) as fleet:
            for result in kind(fleet):
                results.append(result)
                print(line(result), flush=True)

    for count in sizes:
        show(run, count, f"fleet-{count}")
    show(run_far, FAR, "far", faults=[{"delay": LATENCY}])
    show(run_role, OWN_PLAY, "role")
    show(run_as_modules, AS_MODULES, "modules", time_scale=20)
    by_modules = results[-1].cost.processor / AS_MODULES
    in_process = next(one for one in results if (one.title, one.clusters) == ("nothing to change", sizes[-1]))
    ratio = by_modules / (in_process.cost.processor / sizes[-1])
    print(f"as modules / in process, processor time per cluster: {ratio:.1f}")
    with fleet_of(INVENTORY_SIZE, directory / "inventory") as fleet:
        inventory = fleet.inventory()
    print(f"inventory of {INVENTORY_SIZE} clusters: {inventory.wall:.1f} s wall, {inventory.processor:.1f} s processor")
    report = {**machine(), "forks": FORKS, "results": [asdict(one) for one in results], "inventory": asdict(inventory)}
    (directory / "fleet.json").write_text(json.dumps(report, indent=2), encoding="utf-8")


if __name__ == "__main__":
    chosen = tuple(int(one) for one in sys.argv[2:])
    main(Path(sys.argv[1]).resolve(), chosen or SIZES)
