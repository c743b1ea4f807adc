# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet that is spread over processes is deployed as by one, and they all end with their run."""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path

import pytest
from support import processes_of, requests_to, wait_for, writes

import simulated
from simulator.scenario import ClusterPlan, InstallPlan, Scenario

SPREAD = ("-e", "azureml_processes=2")
NAMES = ("c1", "c2", "c3", "c4")


@pytest.fixture
def start(begin):
    """Start a deployment over two processes; gives its own process, and its folder."""

    def run(simulator, plans):
        inventory = simulated.inventory(simulator.directory, plans)
        inventory["all"]["vars"]["azureml_progress_interval"] = 1
        return begin("azureml.arc.deploy", inventory, *SPREAD, **simulator.environment)

    return run


@pytest.fixture
def endless(tmp_path_factory):
    """Clusters whose installation does not end, and their simulator."""
    plans = [ClusterPlan(name, install=InstallPlan(seconds=10**6)) for name in NAMES]
    with simulated.running(Scenario(clusters=plans, time_scale=60), tmp_path_factory.mktemp("sim")) as simulator:
        yield simulator, plans


def wait_until_all_wait(directory: Path) -> None:
    for name in NAMES:
        line = f"waiting: [{name}] extension "
        wait_for(lambda line=line: line in (directory / "output").read_text(), seconds=60)


def parents(directory: Path) -> dict[int, int]:
    """Return the processes of a run, with their parents."""
    found = {}
    for process in processes_of(directory):
        stat = (process / "stat").read_text().rpartition(")")[2].split()
        found[int(process.name)] = int(stat[1])
    return found


def children(directory: Path) -> list[int]:
    """Return the processes over which a fleet is spread: those without children, two levels below the run."""
    found = parents(directory)
    return [one for one, parent in found.items() if one not in found.values() and found.get(parent) in found]


def test_a_spread_fleet_has_the_results_and_warnings_of_one_process(playbook, tmp_path):
    plans = [ClusterPlan(name, install=InstallPlan(seconds=30), attach_seconds=6) for name in NAMES]
    with simulated.running(Scenario(clusters=plans, time_scale=60), tmp_path / "simulator") as simulator:
        inventory = simulated.inventory(simulator.directory, plans)
        inventory["all"]["vars"]["azureml_kubernetes"]["validate_certs"] = False

        run = playbook("azureml.arc.deploy", inventory, *SPREAD, **simulator.environment)

        assert run.status == 0, run.output
        tokens = requests_to(simulator, "POST", "/oauth2/v2.0/token")
        sent = Counter(writes(simulator))
    for name in NAMES:
        assert run.outcome(name)["changed"]
        assert "validate_certs is off" in str(run.outcome(name)["warnings"])
        assert f"changed: [{name}] extension created" in run.output
        assert run.recap()[name]["failed"] == 0
    assert run.output.count("validate_certs is off") >= len(NAMES)
    assert set(sent.values()) == {1}, sent
    assert len(tokens) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_what_is_under_way_in_all_processes(endless, start, number):
    simulator, plans = endless
    process, directory = start(simulator, plans)
    wait_until_all_wait(directory)
    assert len(children(directory)) == 2

    process.send_signal(number)
    process.wait(timeout=30)

    expected = "interrupted: Wait until the extension is installed: 4 (c1, c2, c3, c4)"
    wait_for(lambda: expected in (directory / "output").read_text())
    wait_for(lambda: not processes_of(directory), seconds=10)


def test_a_killed_run_leaves_no_process_and_nothing_is_sent_twice(endless, start):
    simulator, plans = endless
    process, directory = start(simulator, plans)
    wait_until_all_wait(directory)
    assert len(children(directory)) == 2

    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_for(lambda: not processes_of(directory), seconds=10)

    _second, again = start(simulator, plans)
    wait_until_all_wait(again)
    assert set(Counter(writes(simulator)).values()) == {1}


def test_clusters_of_a_process_that_was_killed_fail_and_the_others_are_deployed(tmp_path, start):
    plans = [ClusterPlan(name, install=InstallPlan(seconds=600), attach_seconds=6) for name in NAMES]
    with simulated.running(Scenario(clusters=plans, time_scale=60), tmp_path / "simulator") as simulator:
        process, directory = start(simulator, plans)
        wait_until_all_wait(directory)

        os.kill(children(directory)[0], signal.SIGKILL)
        process.wait(timeout=120)

    output = (directory / "output").read_text()
    assert output.count("the process that worked on it has ended with code -9") == 2
    assert "azureml_processes: 1 takes less memory" in output
    assert output.count("extension created") == 2
    assert "4 clusters: 2 changed, 2 failed" in output


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5"])
def test_an_invalid_number_of_processes_is_rejected(simulator, playbook, arc, value):
    run = playbook(
        "azureml.arc.deploy",
        simulated.inventory(simulator.directory, [ClusterPlan(arc)]),
        "-e",
        f"azureml_processes={value}",
    )

    assert run.status != 0
    assert f"azureml_processes must be a number of at least 1, not '{value}'; nothing was sent" in run.output
    assert simulator.journal() == []
