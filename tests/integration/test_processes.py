# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deployment of a fleet by several processes: same results as by one, and no process outlives the run."""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path

import pytest
from support import processes_of, requests_to, wait_for, writes

import simulated
from simulator.scenario import ClusterPlan, InstallPlan, Scenario

TWO_PROCESSES = ("-e", "azureml_processes=2")
NAMES = ("c1", "c2", "c3", "c4")


@pytest.fixture
def start(begin):
    """Start a deployment with two processes; return the process of the run and its folder."""

    def run(simulator, plans):
        inventory = simulated.inventory(simulator.directory, plans)
        inventory["all"]["vars"]["azureml_progress_interval"] = 1
        return begin("azureml.arc.deploy", inventory, *TWO_PROCESSES, **simulator.environment)

    return run


@pytest.fixture
def endless(tmp_path_factory):
    """Yield a simulator and the plans of clusters whose installation does not end."""
    plans = [ClusterPlan(name, install=InstallPlan(seconds=10**6)) for name in NAMES]
    with simulated.running(Scenario(clusters=plans, time_scale=60), tmp_path_factory.mktemp("sim")) as simulator:
        yield simulator, plans


def wait_until_all_clusters_wait(directory: Path) -> None:
    for name in NAMES:
        line = f"waiting: [{name}] extension "
        wait_for(lambda line=line: line in (directory / "output").read_text(), seconds=60)


def parents(directory: Path) -> dict[int, int]:
    """Return the parent of each process of a run, by process ID."""
    found = {}
    for process in processes_of(directory):
        stat = (process / "stat").read_text().rpartition(")")[2].split()
        found[int(process.name)] = int(stat[1])
    return found


def children(directory: Path) -> list[int]:
    """Return the processes that deploy clusters: those without children, two levels below the run."""
    found = parents(directory)
    return [one for one, parent in found.items() if one not in found.values() and found.get(parent) in found]


def test_two_processes_return_the_results_and_warnings_of_one(playbook, tmp_path):
    plans = [ClusterPlan(name, install=InstallPlan(seconds=30), attach_seconds=6) for name in NAMES]
    with simulated.running(Scenario(clusters=plans, time_scale=60), tmp_path / "simulator") as simulator:
        inventory = simulated.inventory(simulator.directory, plans)
        inventory["all"]["vars"]["azureml_kubernetes"]["validate_certs"] = False

        run = playbook("azureml.arc.deploy", inventory, *TWO_PROCESSES, **simulator.environment)

        assert run.status == 0, run.output
        tokens = requests_to(simulator, "POST", "/oauth2/v2.0/token")
        sent = Counter(writes(simulator))
    for name in NAMES:
        assert run.outcome(name)["changed"]
        assert "validate_certs is off" in str(run.outcome(name)["warnings"])
        assert f"changed: [{name}] extension installed" in run.output
        assert run.recap()[name]["failed"] == 0
    assert run.output.count("validate_certs is off") >= len(NAMES)
    assert set(sent.values()) == {1}, sent
    assert len(tokens) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_run_lists_the_running_operations_of_all_processes(endless, start, number):
    simulator, plans = endless
    process, directory = start(simulator, plans)
    wait_until_all_clusters_wait(directory)
    assert len(children(directory)) == 2

    process.send_signal(number)
    process.wait(timeout=30)

    expected = "interrupted: Wait until the extension is installed: 4 (c1, c2, c3, c4)"
    wait_for(lambda: expected in (directory / "output").read_text())
    wait_for(lambda: not processes_of(directory), seconds=10)


def test_killed_run_leaves_no_processes_and_its_repeat_sends_no_request_twice(endless, start):
    simulator, plans = endless
    process, directory = start(simulator, plans)
    wait_until_all_clusters_wait(directory)
    assert len(children(directory)) == 2

    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_for(lambda: not processes_of(directory), seconds=10)

    _second, again = start(simulator, plans)
    wait_until_all_clusters_wait(again)
    assert set(Counter(writes(simulator)).values()) == {1}


def test_clusters_of_a_killed_process_fail_and_others_are_deployed(tmp_path, start):
    plans = [ClusterPlan(name, install=InstallPlan(seconds=600), attach_seconds=6) for name in NAMES]
    with simulated.running(Scenario(clusters=plans, time_scale=60), tmp_path / "simulator") as simulator:
        process, directory = start(simulator, plans)
        wait_until_all_clusters_wait(directory)

        os.kill(children(directory)[0], signal.SIGKILL)
        process.wait(timeout=120)

    output = (directory / "output").read_text()
    assert output.count("its worker process ended with code -9") == 2
    assert "set azureml_processes to 1 to use less memory" in output
    assert output.count("extension installed") == 2
    assert "4 clusters: 2 changed, 2 failed" in output


@pytest.mark.parametrize("value", ["0", "-1", "many", "1.5"])
def test_invalid_number_of_processes_is_rejected(simulator, playbook, arc, value):
    run = playbook(
        "azureml.arc.deploy",
        simulated.inventory(simulator.directory, [ClusterPlan(arc)]),
        "-e",
        f"azureml_processes={value}",
    )

    assert run.status != 0
    assert f"azureml_processes must be a whole number, 1 or more, not '{value}'; nothing was sent" in run.output
    assert simulator.journal() == []
