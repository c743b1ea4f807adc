# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""C(make bench): a fleet deployed, deployed again with nothing to change, and verified.

The simulator runs on the same machine, so its processor time is in the wall figures too; that of the controller is
counted alone. Simulated time runs as fast as the clock: an install takes a minute.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml
from measure import Cost, machine, measure

import simulated
from simulator.scenario import ClusterPlan, InstallPlan, Scenario

COLLECTIONS = Path(__file__).resolve().parents[2] / "build" / "collections"
INSTALL_SECONDS = 60
ATTACH_SECONDS = 5
FORKS = 20
SIZES = (50, 100, 200, 500)
AS_MODULES = 10  # clusters; a run as modules costs thirty times as much
INVENTORY_SIZE = 2000


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

    def play(self, title: str, playbook: str = "deploy", in_process: bool = True) -> Result:
        """Run a playbook of the collection over all of it."""
        self._simulator.clear_journal()
        command = ["ansible-playbook", f"azureml.arc.{playbook}", "-i", "inventory.yml", "--forks", str(FORKS)]
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


def run(count: int, directory: Path) -> tuple[Result, ...]:
    """Deploy a fleet twice, and verify it."""
    directory.mkdir(parents=True, exist_ok=True)
    clusters = plans(count)
    with simulated.running(Scenario(clusters=clusters), directory / "simulator") as simulator:
        fleet = Fleet(simulator, clusters, directory)
        return fleet.play("deployment"), fleet.play("nothing to change"), fleet.play("verification", "verify")


def run_as_modules(directory: Path) -> Result:
    """Nothing to change, by modules in a Python of their own."""
    directory.mkdir(parents=True, exist_ok=True)
    clusters = plans(AS_MODULES)
    with simulated.running(Scenario(clusters=clusters, time_scale=20), directory / "simulator") as simulator:
        fleet = Fleet(simulator, clusters, directory)
        fleet.play("deployment")
        return fleet.play("nothing to change, as modules", in_process=False)


def run_inventory(directory: Path) -> Cost:
    """A fleet as the hosts of an inventory."""
    directory.mkdir(parents=True, exist_ok=True)
    clusters = plans(INVENTORY_SIZE)
    with simulated.running(Scenario(clusters=clusters), directory / "simulator") as simulator:
        return Fleet(simulator, clusters, directory).inventory()


def line(result: Result) -> str:
    cost, count = result.cost, result.clusters
    return (
        f"{result.title:32} {count:5} {cost.wall:8.1f} s {cost.wall / INSTALL_SECONDS:6.2f}"
        f" {cost.wall / count * 1000:8.0f} ms {cost.processor / count:8.3f} s {result.requests / count:7.1f}"
        f" {result.token_requests:6} {cost.memory / 2**20:7.0f} MB"
    )


def main(directory: Path, sizes: tuple[int, ...]) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    print(f"{FORKS} forks, installs of {INSTALL_SECONDS} s, {os.cpu_count()} cores, the simulator on the same ones")
    print(
        f"{'':32} {'n':>5} {'wall':>10} {'/60 s':>6} {'a cluster':>11} {'processor':>10} {'requests':>7} tokens  memory"
    )
    results = []
    for count in sizes:
        for result in run(count, directory / f"fleet-{count}"):
            results.append(result)
            print(line(result), flush=True)
    results.append(run_as_modules(directory / "modules"))
    print(line(results[-1]), flush=True)
    by_modules = results[-1].cost.processor / AS_MODULES
    in_process = next(one for one in reversed(results) if one.title == "nothing to change").cost.processor / sizes[-1]
    print(f"as modules / in process, processor a cluster: {by_modules / in_process:.1f}")
    inventory = run_inventory(directory / "inventory")
    print(f"inventory of {INVENTORY_SIZE} clusters: {inventory.wall:.1f} s wall, {inventory.processor:.1f} s processor")
    report = {**machine(), "forks": FORKS, "results": [asdict(one) for one in results], "inventory": asdict(inventory)}
    (directory / "fleet.json").write_text(json.dumps(report, indent=2), encoding="utf-8")


if __name__ == "__main__":
    chosen = tuple(int(one) for one in sys.argv[2:])
    main(Path(sys.argv[1]).resolve(), chosen or SIZES)
