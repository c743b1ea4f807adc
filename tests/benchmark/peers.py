# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare this collection with other tools for C(make bench): the same work in its best form, on the same simulator.

The compared figure is the processor time of the controller per cluster: it depends neither on the duration of an
installation nor on the simulator, which shares the machine. This collection deploys a fleet. The cost per cluster of
the other tools does not depend on the number of clusters, so they deploy as many as take a few minutes. Simulated time
is ten times as fast as real time, and tools whose interval can be set poll every ten simulated seconds.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import yaml
from fleet import COLLECTIONS, plans
from measure import Cost, machine, measure

import simulated
from simulator.scenario import SUBSCRIPTION, Scenario

HERE = Path(__file__).resolve().parent
# For a private cloud, azure.azcollection calls a function of azure.cli.core.cloud that current releases do not have.
# It is appended to that module, so that the collection can use the simulator.
PRIVATE_CLOUD = """

def get_cloud_from_metadata_endpoint(endpoint):
    names = ("management", "resource_manager", "active_directory", "active_directory_resource_id")
    endpoints = CloudEndpoints(**dict.fromkeys((*names, "active_directory_graph_resource_id"), endpoint))
    return Cloud(endpoint, endpoints=endpoints, suffixes=CloudSuffixes())
"""
CLUSTERS = 10
FLEET = 500
TIME_SCALE = 10
PARALLEL = "4"  # forks, and processes of xargs: more are not faster on two cores


@dataclass(frozen=True)
class Peer:
    """A tool that deploys clusters.

    :param command: deploys all clusters of inventory.yml, and changes nothing in clusters that are in sync.
    :param environment: environment variables in addition to the credentials.
    :param prepare: commands that are not measured, such as the sign-in of tools that stay signed in.
    """

    title: str
    command: list[str]
    environment: dict[str, str]
    prepare: tuple[list[str], ...] = ()
    clusters: int = CLUSTERS


def peers(environments: Path, directory: Path, endpoint: str) -> list[Peer]:
    """Return the tools, this collection first.

    :param environments: the folder with a separate environment for each other tool.
    :param endpoint: the address of the simulator.
    """
    playbook = ["-i", "inventory.yml", "--forks", PARALLEL]
    ours = ["ansible-playbook", "azureml.arc.deploy", *playbook]
    collections = {"ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS)}
    collection, az = environments / "collection/bin", environments / "az/bin"
    in_az = {
        "PATH": f"{az}:{os.environ['PATH']}",
        "AZURE_CONFIG_DIR": str(directory / "azure"),
        "SUBSCRIPTION": SUBSCRIPTION,
        "KUBECONFIGS": str(directory / "simulator/kubeconfigs"),
    }
    names = " ".join(plan.name for plan in plans(CLUSTERS))
    loop = f"printf '%s\\n' {names} | xargs -P {PARALLEL} -n 1 {HERE / 'peers/az_deploy.sh'}"
    return [
        Peer("azureml.arc", ours, collections, clusters=FLEET),
        Peer("azureml.arc, as modules", ours, {**collections, "AZUREML_ARC_IN_PROCESS": "0"}),
        Peer("az rest and kubectl in a shell", ["bash", "-c", loop], in_az, _az_sign_in(az / "az", endpoint)),
        Peer(
            "azure.azcollection and kubernetes.core",
            [str(collection / "ansible-playbook"), str(HERE / "peers/azcollection.yml"), *playbook],
            {"ANSIBLE_PYTHON_INTERPRETER": str(collection / "python")},
        ),
    ]


def _az_sign_in(az: Path, endpoint: str) -> tuple[list[str], ...]:
    endpoints = ("resource-manager", "active-directory", "active-directory-resource-id", "management")
    addresses = [part for name in endpoints for part in (f"--endpoint-{name}", endpoint)]
    addresses += ["--endpoint-active-directory-graph-resource-id", endpoint]
    login = '"$0" login --service-principal'
    sign_in = f'{login} -u "$AZURE_CLIENT_ID" -p "$AZURE_SECRET" --tenant "$AZURE_TENANT"'
    return (
        [str(az), "config", "set", "core.instance_discovery=false"],
        [str(az), "cloud", "register", "-n", "Simulated", "--skip-endpoint-discovery", *addresses],
        [str(az), "cloud", "set", "-n", "Simulated"],
        ["bash", "-c", sign_in, str(az)],
    )


def run(peer_index: int, environments: Path, directory: Path) -> tuple[Peer, Cost, Cost]:
    """Return the costs of a deployment, and of a deployment without changes."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    with simulated.running(Scenario(clusters=plans(FLEET), time_scale=TIME_SCALE), directory / "simulator") as running:
        peer = peers(environments, directory, running.endpoint)[peer_index]
        content = simulated.inventory(running.directory, plans(peer.clusters))
        content["all"]["vars"] |= {"subscription": SUBSCRIPTION, "ansible_connection": "local"}
        if "ANSIBLE_PYTHON_INTERPRETER" in peer.environment:
            content["all"]["vars"]["ansible_python_interpreter"] = peer.environment["ANSIBLE_PYTHON_INTERPRETER"]
        (directory / "inventory.yml").write_text(yaml.safe_dump(content), encoding="utf-8")
        home = {"ANSIBLE_HOME": str(directory / "ansible"), "HOME": str(directory)}
        environment = {**os.environ, **running.environment, **home, **peer.environment}
        for number, command in enumerate(peer.prepare):
            measure(command, directory, environment, directory / f"prepare-{number}.log")
        first = measure(peer.command, directory, environment, directory / "deployment.log")
        second = measure(peer.command, directory, environment, directory / "nothing.log")
        return peer, first, second


def _let_reach_simulator(environments: Path) -> None:
    (cloud,) = environments.glob("collection/lib/python*/site-packages/azure/cli/core/cloud.py")
    if PRIVATE_CLOUD not in cloud.read_text(encoding="utf-8"):
        with cloud.open("a", encoding="utf-8") as file:
            file.write(PRIVATE_CLOUD)


def main(directory: Path) -> None:
    environments = directory / "peers"
    _let_reach_simulator(environments)
    results = [run(index, environments, directory / f"peer-{index}") for index in range(4)]
    print(f"processor time of the controller per cluster, {machine()}")
    print(f"{'':40} {'n':>4} {'deployment':>22} {'nothing to change':>24}")
    ours = [cost.processor / results[0][0].clusters for cost in results[0][1:]]
    for peer, *costs in results:
        figures = [cost.processor / peer.clusters for cost in costs]
        cells = [f"{figure:9.2f} s {figure / own:7.1f} times" for figure, own in zip(figures, ours, strict=True)]
        print(f"{peer.title:40} {peer.clusters:4} {cells[0]:>22} {cells[1]:>24}")
    report = {**machine(), "results": [[peer.title, peer.clusters, *map(asdict, costs)] for peer, *costs in results]}
    (directory / "peers.json").write_text(json.dumps(report, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
