# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Simulate Azure and four clusters on loopback until Ctrl-C, to try the collection without Azure: C(make simulator)."""

from __future__ import annotations

import shlex
import signal
import sys
from pathlib import Path

import clusters

import simulated

TEXT = """\
Azure and four clusters are simulated at {endpoint}. In another terminal, in this folder:

{exports}

The inventory is {inventory}:

{content}
$ ansible-playbook azureml.arc.deploy
$ ansible-playbook azureml.arc.verify
$ kubectl --kubeconfig {directory}/kubeconfigs/shop-k3s get pods -n azureml

Ctrl-C ends the simulation."""


def environment(directory: Path, simulator: simulated.RunningSimulator) -> dict[str, str]:
    """Return the environment variables for the simulated Azure and this collection."""
    tools = Path(sys.executable).parent
    return {
        **simulator.environment,
        "ANSIBLE_COLLECTIONS_PATH": str(clusters.COLLECTIONS),
        "ANSIBLE_INVENTORY": str(directory / "inventory.yml"),
        "PATH": f"{tools}:$PATH",
    }


def _assignment(name: str, value: str) -> str:
    return f'export {name}="{value}"' if value.endswith("$PATH") else f"export {name}={shlex.quote(value)}"


def main(directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    inventory = directory / "inventory.yml"
    inventory.write_text(clusters.INVENTORY, encoding="utf-8")
    with simulated.running(clusters.scenario(), directory) as simulator:
        exports = "\n".join(_assignment(*one) for one in environment(directory, simulator).items())
        text = TEXT.format(
            endpoint=simulator.endpoint,
            exports=exports,
            inventory=inventory,
            content=clusters.INVENTORY,
            directory=directory,
        )
        print(text, flush=True)
        signal.pause()


def _stop(number: int, frame: object) -> None:
    raise SystemExit(0)


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    main(Path(sys.argv[1]).resolve())
