# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""C(make bench): the same jobs by others, in their best form, and by this collection, over the same simulator.

Processor time of the controller a cluster is compared: it does not depend on how long an install takes, nor on the
simulator, which shares the machine. This collection deploys a fleet of them; the others, whose cost a cluster is the
same for few and for many, as many as end within minutes. Simulated time runs ten times as fast as the clock, and
everybody polls once in ten simulated seconds where it can be told.
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
# azure.azcollection asks azure.cli.core.cloud for a private cloud by a function that its releases do not have any more.
# Appended to that module, so that the peer reaches the simulator at all; it costs nothing.
PRIVATE_CLOUD = """

def get_cloud_from_metadata_endpoint(endpoint):
    names = ("management", "resource_manager", "active_directory", "active_directory_resource_id")
    endpoints = CloudEndpoints(**dict.fromkeys((*names, "active_directory_graph_resource_id"), endpoint))
    return Cloud(endpoint, endpoints=endpoints, suffixes=CloudSuffixes())
"""
CLUSTERS = 10
FLEET = 500
TIME_SCALE = 10
AT_ONCE = "4"  # forks, and processes of xargs: more of them do not end sooner on two cores


@dataclass(frozen=True)
class Peer:
    """A way to do the jobs.

    :param command: does them for all clusters of inventory.yml; has to leave alone what is as wanted.
    :param environment: what it needs beside the sign-in.
    :param prepare: commands that are not measured: signing in, for those that stay signed in.
    """

    title: str
    command: list[str]
    environment: dict[str, str]
    prepare: tuple[list[str], ...] = ()
    clusters: int = CLUSTERS


def peers(environments: Path, directory: Path, endpoint: str) -> list[Peer]:
    """This collection first.

    :param environments: where the others are installed, each in a separate environment.
    :param endpoint: the simulator's.
    """
    playbook = ["-i", "inventory.yml", "--forks", AT_ONCE]
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
    loop = f"printf '%s\\n' {names} | xargs -P {AT_ONCE} -n 1 {HERE / 'peers/az_deploy.sh'}"
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
    """Both jobs, on their own clusters: to deploy, and to find nothing to change."""
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
    print(f"processor time of the controller a cluster, {machine()}")
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
