# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""C(make demo): three simulated clusters deployed, deployed again, verified, and a fourth one that fails.

Everything is real but Azure and the clusters: C(ansible-playbook) runs the collection, which talks to the simulator
through the official SDKs over TLS.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import simulated
from simulator.scenario import ClusterPlan, InstallPlan, Scenario

COLLECTIONS = Path(__file__).resolve().parents[2] / "build" / "collections"
TIME_SCALE = 20  # an install of a minute and a half takes five seconds
INSTALL = InstallPlan(seconds=90)
BROKEN = InstallPlan(
    seconds=60,
    error="Helm installation failed : timed out waiting for the condition",
    pods={"relayserver": "ImagePullBackOff", "aml-operator": "Unschedulable"},
)
CLUSTERS = [
    ClusterPlan("shop-k3s", nodes=1, install=INSTALL),
    ClusterPlan("plant-openshift", distribution="openshift", install=INSTALL),
    ClusterPlan("aks-west", type="managedClusters", install=INSTALL),
    ClusterPlan("ship-k3s", nodes=1, install=BROKEN),
]
INVENTORY = """\
edge:
  vars:
    azureml_profile: training
    azureml_resource_group: rg-edge
    azureml_workspace: {name: ws, resource_group: rg-ml}
    azureml_compute: {name: "{{ inventory_hostname }}"}
    azureml_kubernetes: {kubeconfig: "{{ inventory_dir }}/simulator/kubeconfigs/{{ inventory_hostname }}"}
  hosts:
    shop-k3s:
    plant-openshift:
    aks-west: {azureml_cluster_type: managed_cluster}
    ship-k3s:
"""
TITLE = "\033[1m\n# {}\033[0m" if sys.stdout.isatty() else "\n# {}"


class Demo:
    """One demonstration in a folder of its own."""

    def __init__(self, directory: Path, environment: dict[str, str]) -> None:
        self._directory = directory
        self._environment = {
            **os.environ,
            **environment,
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
            "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false",
            "ANSIBLE_HOME": str(directory / "ansible"),
            "ANSIBLE_INVENTORY": str(directory / "inventory.yml"),
            "TMPDIR": str(directory),
        }

    def play(self, title: str, *arguments: str) -> int:
        """Run C(ansible-playbook) and show what it prints. Returns its status."""
        print(TITLE.format(title), f"\n$ ansible-playbook {' '.join(arguments)} -i inventory.yml", flush=True)
        # Workers are sessions of their own, so nobody here knows them. Each holds the other end of this pipe, which
        # stays open while one lives.
        alive, held = os.pipe()
        process = subprocess.Popen(
            ["ansible-playbook", *arguments],
            cwd=self._directory,
            env=self._environment,
            pass_fds=(held,),
            start_new_session=True,  # a Ctrl-C is for whoever started it, which then stops it in order
        )
        os.close(held)
        try:
            return process.wait()
        finally:
            if process.poll() is None:  # interrupted; it tells its workers
                process.terminate()
                process.wait(timeout=10)
            select.select([alive], [], [], 10)
            os.close(alive)


def main(directory: Path) -> int:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    tempfile.tempdir = str(directory)
    (directory / "inventory.yml").write_text(INVENTORY, encoding="utf-8")
    with simulated.running(Scenario(clusters=CLUSTERS, time_scale=TIME_SCALE), directory / "simulator") as simulator:
        demo = Demo(directory, simulator.environment)
        healthy = ("--limit", "!ship-k3s")
        deployed = demo.play("Deploy three clusters for training", "azureml.arc.deploy", *healthy)
        simulator.clear_journal()
        again = demo.play("Deploy them again: changed=0", "azureml.arc.deploy", *healthy)
        writes = [one for one in simulator.journal() if one["method"] in ("PUT", "PATCH", "DELETE")]
        verified = demo.play("Verify them; nothing is changed", "azureml.arc.verify", *healthy)
        failed = demo.play("A cluster that fails, and why", "azureml.arc.deploy", "--limit", "ship-k3s")
    expected = (deployed, again, len(writes), verified, failed) == (0, 0, 0, 0, 2)
    print(TITLE.format("Done" if expected else "Something went otherwise than it should"))
    print(f"requests that changed something in the second deployment: {len(writes)}")
    return 0 if expected else 1


def _stop(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, _stop)
    # A shell lets its jobs in the background ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        sys.exit(main(Path(sys.argv[1]).resolve()))
    except KeyboardInterrupt:
        sys.exit(130)
