# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A rollout killed after a random number of requests: the next run completes it and repeats no write."""

from __future__ import annotations

import random
import signal
from collections import Counter

import pytest
from playbooks import start_playbook
from support import processes_of, wait_for

import simulated
from simulator.scenario import ClusterPlan

# The minimum number of requests of a deployment of two clusters. A run is killed after a random one of them.
REQUESTS = 56


@pytest.fixture
def clusters(_names) -> list[str]:
    """Return the names of two connected clusters that no other test uses."""
    return [f"arc-{next(_names['arc'])}" for _number in range(2)]


def sent(simulator, clusters: list[str], methods=("GET", "PUT", "PATCH", "POST", "DELETE")) -> list[tuple[str, str]]:
    """Return the requests about these clusters."""
    parts = [f"/{name}" for name in clusters] + [f"/{name.replace('-', '')}" for name in clusters]
    return [
        (one["method"], one["path"])
        for one in simulator.journal()
        if one["method"] in methods and any(part in one["path"] for part in parts)
    ]


@pytest.mark.parametrize("seed", range(10))
def test_killed_rollout_is_resumed_without_duplicate_requests(simulator, playbook, clusters, tmp_path, seed):
    kill_after = random.Random(seed).randint(1, REQUESTS)
    inventory = simulated.inventory(simulator.directory, [ClusterPlan(name) for name in clusters])
    with start_playbook("azureml.arc.rollout", inventory, tmp_path, ["-e", "azureml_waves=2"]) as process:
        wait_for(lambda: len(sent(simulator, clusters)) >= kill_after or process.poll() is not None)
        assert process.poll() is None, f"the run ended before request {kill_after}"
        process.send_signal(signal.SIGKILL)
    # No worker process outlives its run.
    wait_for(lambda: not processes_of(tmp_path), seconds=5)

    resumed = playbook("azureml.arc.rollout", inventory, "-e", "azureml_waves=2")

    assert resumed.status == 0, resumed.output
    writes = Counter(sent(simulator, clusters, methods=("PUT", "PATCH", "DELETE")))
    # For each cluster: relay namespace, hybrid connection, authorization rule, extension and compute, each once.
    assert set(writes.values()) == {1}, writes
    assert len(writes) == 5 * len(clusters)
    verified = playbook("azureml.arc.verify", inventory)
    assert verified.status == 0, verified.output
