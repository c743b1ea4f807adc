# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a simulation until SIGINT or SIGTERM: C(python -m simulator)."""

from __future__ import annotations

import argparse
import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path

from simulator import scenario
from simulator.server import Simulator


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="simulator", description="Azure and Kubernetes clusters on loopback.")
    parser.add_argument("--clusters", type=int, default=1, metavar="N", help="connected clusters to simulate (1)")
    parser.add_argument(
        "--install-seconds", type=float, default=60, metavar="S", help="simulated seconds an install takes (60)"
    )
    parser.add_argument(
        "--scenario", type=Path, metavar="FILE", help="JSON file with the whole scenario, instead of --clusters"
    )
    parser.add_argument("--time-scale", type=float, metavar="X", help="simulated seconds per real second (1)")
    parser.add_argument(
        "--directory",
        type=Path,
        required=True,
        metavar="DIR",
        help="directory for certificates, kubeconfigs and simulator.json",
    )
    parser.add_argument("--port", type=int, default=0, help="port on loopback (default: a free one)")
    return parser


async def _run(arguments: argparse.Namespace) -> None:
    if arguments.scenario:
        plan = scenario.load(arguments.scenario)
    else:
        plan = scenario.Scenario(clusters=scenario.many(arguments.clusters, arguments.install_seconds))
    if arguments.time_scale:
        plan.time_scale = arguments.time_scale
    arguments.directory.mkdir(parents=True, exist_ok=True)
    simulator = Simulator(plan, arguments.directory)
    stop = asyncio.Event()
    for one in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(one, stop.set)
    await simulator.start(arguments.port)
    print(
        f"{len(plan.clusters)} clusters at {simulator.endpoint}, see {arguments.directory}/simulator.json", flush=True
    )
    try:
        await stop.wait()
    finally:
        await simulator.stop()


def main(arguments: Sequence[str] | None = None) -> None:
    """Run with the arguments of a command line, by default those of this process."""
    asyncio.run(_run(_parser().parse_args(arguments)))


if __name__ == "__main__":
    main()
