# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""C(make bench): fleets deployed, deployed again with nothing to change, and verified; near by, and over a network.

The simulator runs on the same machine, so its processor time is in the wall figures too; that of the controller is
counted alone. Simulated time runs as fast as the clock: an install takes a minute. Beside each figure stands that of
the release before, if it was measured.
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
FAR = 500  # clusters of the run over a network
LATENCY = 0.1  # seconds that each answer takes there
OWN_PLAY = 100  # clusters of the play with the role
AS_MODULES = 10  # clusters; a run as modules costs thirty times as much
INVENTORY_SIZE = 2000
ROLE = [{"hosts": "all", "gather_facts": False, "roles": ["azureml.arc.azureml"]}]
# Of the release before: seconds of wall and, a cluster, of processor. Two cores, Python 3.11, ansible-core 2.19.
FORMERLY = {
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
    """A run: what was run over how many clusters, what it cost the controller, and how many requests it sent."""

    title: str
    clusters: int
    cost: Cost
    requests: int
    token_requests: int


def plans(count: int) -> list[ClusterPlan]:
    """Connected clusters that take a minute to install."""
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
        """Run a playbook over all of it."""
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
        """Read the clusters from Resource Graph, as the hosts of an inventory."""
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
    """Deploy a fleet twice where each answer takes a while."""
    yield fleet.play(f"deployment, answers take {LATENCY} s")
    yield fleet.play(f"nothing to change, answers take {LATENCY} s")


def run_role(fleet: Fleet) -> Iterator[Result]:
    """Deploy a fleet twice by the role, in a play of one's own."""
    yield fleet.play("role, deployment", "role.yml")
    yield fleet.play("role, nothing to change", "role.yml")


def run_as_modules(fleet: Fleet) -> Iterator[Result]:
    """Nothing to change, by modules in a separate Python."""
    fleet.play("deployment")
    yield fleet.play("nothing to change, as modules", in_process=False)


@contextlib.contextmanager
def fleet_of(count: int, directory: Path, **scenario: Any) -> Iterator[Fleet]:
    """A fleet in a simulator of its own; C(scenario) are fields of C(Scenario)."""
    directory.mkdir(parents=True, exist_ok=True)
    clusters = plans(count)
    with simulated.running(Scenario(clusters=clusters, **scenario), directory / "simulator") as simulator:
        yield Fleet(simulator, clusters, directory)


def line(result: Result) -> str:
    cost, count = result.cost, result.clusters
    wall, processor = FORMERLY.get((result.title, count), (None, None))
    return (
        f"{result.title:36} {count:5} {cost.wall:8.1f} s {f'({wall} s)' if wall else '':>8}"
        f" {cost.wall / INSTALL_SECONDS:6.2f} {cost.wall / count * 1000:8.0f} ms"
        f" {cost.processor / count:8.3f} s {f'({processor} s)' if processor else '':>9}"
        f" {result.requests / count:7.1f} {result.token_requests:6} {cost.memory / 2**20:7.0f} MB"
    )


def main(directory: Path, sizes: tuple[int, ...]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    print(f"{FORKS} forks, installs of {INSTALL_SECONDS} s, {os.cpu_count()} cores, the simulator on the same ones")
    print("in brackets: the release before")
    print(
        f"{'':36} {'n':>5} {'wall':>10} {'':>8} {'/60 s':>6} {'a cluster':>11} {'processor':>10} {'':>9}"
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
    print(f"as modules / in process, processor a cluster: {by_modules / (in_process.cost.processor / sizes[-1]):.1f}")
    with fleet_of(INVENTORY_SIZE, directory / "inventory") as fleet:
        inventory = fleet.inventory()
    print(f"inventory of {INVENTORY_SIZE} clusters: {inventory.wall:.1f} s wall, {inventory.processor:.1f} s processor")
    report = {**machine(), "forks": FORKS, "results": [asdict(one) for one in results], "inventory": asdict(inventory)}
    (directory / "fleet.json").write_text(json.dumps(report, indent=2), encoding="utf-8")


if __name__ == "__main__":
    chosen = tuple(int(one) for one in sys.argv[2:])
    main(Path(sys.argv[1]).resolve(), chosen or SIZES)
