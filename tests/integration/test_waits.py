# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits: clusters do not block each other, interruption, and the number of requests."""

from __future__ import annotations

import itertools
import re
import signal
from dataclasses import dataclass, field

import pytest
from playbooks import LOCAL, play
from support import requests_to, wait_for

import certificates
import simulated
from simulator.scenario import ClusterPlan, InstallPlan, Scenario

HEALTHY, HANGING = 50, 100
TIMEOUT = 45  # in seconds of the run; the clock of the simulator is faster
# Resources that a deployment creates and waits for.
CREATED = (".*/Microsoft.Relay/namespaces/[^/]+", ".*/extensions/azureml", ".*/computes/shop")
# Requests sent once for a run: token, cloud metadata, workspaces, and registered resource providers.
SHARED_BY_THE_RUN = re.compile(
    r"/metadata/endpoints|/oauth2/|/\.well-known/|/workspaces/\w+$|/subscriptions/[^/]+/providers/[^/]+$"
)


def test_clusters_that_time_out_do_not_block_others(playbook, tmp_path):
    plans = [ClusterPlan(f"c{number}", install=InstallPlan(seconds=30)) for number in range(HEALTHY)]
    plans += [ClusterPlan(f"h{number}", install=InstallPlan(seconds=10**6)) for number in range(HANGING)]
    # The clusters that never finish are first: they would occupy all threads.
    plans.reverse()
    with simulated.running(Scenario(clusters=plans, time_scale=60), tmp_path / "simulator") as simulator:
        inventory = simulated.inventory(simulator.directory, plans)
        inventory["all"]["vars"] |= {"azureml_extension_timeout": TIMEOUT, "azureml_progress_interval": 3600}

        run = playbook("azureml.arc.deploy", inventory, "-e", "azureml_processes=1", **simulator.environment)

    outcomes = {plan.name: run.outcome(plan.name) for plan in plans}
    assert {name for name, one in outcomes.items() if one.get("failed")} == {f"h{n}" for n in range(HANGING)}
    assert all(one["error"]["code"] == "Timeout" for one in outcomes.values() if one.get("failed"))
    begun = min(one["steps"][0]["start"] for one in outcomes.values())
    ends = {name: one["steps"][-1]["end"] - begun for name, one in outcomes.items()}
    last_healthy = max(end for name, end in ends.items() if name.startswith("c"))
    last_hanging = max(end for name, end in ends.items() if name.startswith("h"))
    # If waits occupied the 50 threads, 100 such clusters would take twice the timeout, and delay all others.
    assert last_healthy < 2 * TIMEOUT
    assert last_hanging < 2 * TIMEOUT
    # Healthy clusters finish before the others time out.
    submitted = max(
        step["end"] - begun
        for one in outcomes.values()
        for step in one["steps"]
        if step["name"] == "Submit the extension"
    )
    assert last_healthy < submitted + TIMEOUT


ENDLESS = 10**6  # simulated seconds
DELAY = 60  # seconds until a response
CONTINUES = "Operations in progress continue in Azure. Run the playbook again to resume."
NOTHING_IN_PROGRESS = "No operation is in progress in Azure. Run the playbook again."


@dataclass
class Interrupted:
    """The wait during which a playbook is interrupted.

    :param step: its name.
    :param plan: fields of the cluster plans that prolong the wait.
    :param workspace: fields of the workspace plan that prolong the wait.
    :param variables: the variables of the run.
    :param delayed: a part of the path of the requests whose responses are delayed, to prolong the wait.
    :param last_line: the last line of the output.
    :param awaited: the resource that the lines of this wait name; other waits can have lines before it.
    """

    step: str
    plan: dict = field(default_factory=dict)
    workspace: dict = field(default_factory=dict)
    variables: dict = field(default_factory=dict)
    delayed: str = ""
    last_line: str = CONTINUES
    awaited: str = "extension"


INSTALLS = {"install": {"seconds": ENDLESS}}
CONFIRMED = {"azureml_confirm": 2}
READS_PODS = Interrupted("Check the pods", delayed="/api/v1/namespaces/azureml/pods", last_line=NOTHING_IN_PROGRESS)
INTERRUPTED = {
    "deploy": Interrupted("Wait until the extension is installed", INSTALLS),
    "rollout": Interrupted("Wait until the extension is installed", INSTALLS, variables={"azureml_waves": "100%"}),
    "upgrade": Interrupted(
        "Wait until the extension is updated",
        INSTALLS,
        variables={"azureml_waves": "100%", "azureml_version": "1.1.70"},
    ),
    "rotate_tls": Interrupted("Wait until the extension is updated", INSTALLS),
    "detach": Interrupted(
        "Wait until the cluster is detached",
        workspace={"detach_seconds": ENDLESS},
        variables=CONFIRMED,
        awaited="compute",
    ),
    "remove": Interrupted("Wait until the extension is removed", {"removal_seconds": ENDLESS}, variables=CONFIRMED),
    "verify": READS_PODS,
    "report": READS_PODS,
    "nodes": Interrupted(
        "Label and taint nodes node-*",
        variables={"azureml_nodes": [{"names": ["node-*"]}]},
        delayed="/api/v1/nodes",
        last_line=NOTHING_IN_PROGRESS,
    ),
}


@pytest.mark.parametrize(
    ("name", "number"), [*((name, signal.SIGINT) for name in INTERRUPTED), ("deploy", signal.SIGTERM)]
)
def test_interrupted_run_lists_operations_in_progress(playbook, begin, tmp_path, name, number):
    one = INTERRUPTED[name]
    plans = [ClusterPlan(name, install=InstallPlan(seconds=30)) for name in ("c1", "c2")]
    with simulated.running(Scenario(clusters=plans, time_scale=60), tmp_path / "simulator") as simulator:
        inventory = simulated.inventory(simulator.directory, plans)
        if name == "rotate_tls":
            inventory["all"]["vars"] |= with_certificate()
        if name not in ("deploy", "rollout"):
            deployed = playbook("azureml.arc.deploy", inventory, **simulator.environment)
            assert deployed.status == 0, deployed.output
        if name == "rotate_tls":
            inventory["all"]["vars"] |= with_certificate()
        for plan in plans:
            simulator.change_plan(plan.name, **one.plan)
        simulator.change_workspace("ws", **one.workspace)
        if one.delayed:
            simulator.add_fault(path=one.delayed, delay=DELAY)
        inventory["all"]["vars"] |= {**one.variables, "azureml_progress_interval": 1}
        simulator.clear_journal()
        process, directory = begin(f"azureml.arc.{name}", inventory, **simulator.environment)
        output = directory / "output"
        for plan in plans:
            path = f"/kubernetes/{plan.name}{one.delayed}"
            if one.delayed:
                wait_for(lambda path=path: requests_to(simulator, "GET", path), seconds=60)
            else:
                line = f"waiting: [{plan.name}] {one.awaited} "
                wait_for(lambda line=line: line in output.read_text(), seconds=60)
        process.send_signal(number)
        process.wait(timeout=30)
        wait_for(lambda: one.last_line in output.read_text())

    assert f"interrupted: {one.step}: 2 (c1, c2)\n{one.last_line}\n" in output.read_text()


def test_interrupted_role_lists_the_operation_of_each_host(begin, start_fleet):
    _simulator, inventory = start_fleet(
        [ClusterPlan(name, install=InstallPlan(seconds=ENDLESS)) for name in ("c1", "c2")]
    )
    inventory["all"]["vars"] |= {**LOCAL, "azureml_progress_interval": 1}
    role = {"ansible.builtin.import_role": {"name": "azureml.arc.azureml"}}

    process, directory = begin(play(role), inventory)
    output = directory / "output"
    for name in inventory["all"]["hosts"]:
        wait_for(lambda line=f"waiting: [{name}] extension ": line in output.read_text(), seconds=60)
    process.send_signal(signal.SIGINT)
    process.wait(timeout=30)

    for name in inventory["all"]["hosts"]:
        line = f"interrupted: Wait until the extension is installed: 1 ({name})\n{CONTINUES}\n"
        wait_for(lambda line=line: line in output.read_text())


def with_certificate() -> dict:
    """Return the variables of a cluster for inference, with a new certificate."""
    tls = {**certificates.as_options(), "cname": "ml.example.com"}
    service = {"azureml_profile": "inference", "azureml_inference_service": "node_port"}
    return {**service, "azureml_tls": tls}


def test_first_deployment_reads_each_resource_once(playbook, tmp_path):
    plans = [ClusterPlan("shop", install=InstallPlan(seconds=30), attach_seconds=6)]
    # Reads of new resources are consistent: the test counts no retries.
    scenario = Scenario(clusters=plans, time_scale=60, eventual_consistency="none")
    with simulated.running(scenario, tmp_path / "simulator") as simulator:
        inventory = simulated.inventory(simulator.directory, plans)
        requests = []
        for _run in range(2):
            simulator.clear_journal()
            run = playbook("azureml.arc.deploy", inventory, **simulator.environment)
            assert run.status == 0, run.output
            requests.append([one for one in simulator.journal() if not is_not_of_the_cluster(one)])

    first, second = (without_polls(one) for one in requests)
    assert len(first) <= 13, "\n".join(map(str, first))
    assert len(second) == 3, second


@pytest.fixture
def deploy_shop(playbook, tmp_path):
    """Return a function that deploys a cluster, and returns the requests.

    Its parameters are the simulated seconds of an installation and an attachment, and fields of the scenario.
    """

    def run(seconds: int, **scenario) -> list[dict]:
        plans = [ClusterPlan("shop", install=InstallPlan(seconds=seconds), attach_seconds=seconds)]
        with simulated.running(Scenario(clusters=plans, **scenario), tmp_path / "simulator") as simulator:
            inventory = simulated.inventory(simulator.directory, plans)
            run = playbook("azureml.arc.deploy", inventory, **simulator.environment)
            assert run.status == 0, run.output
            return simulator.journal()

    return run


def test_resources_that_are_not_visible_at_first_are_created_once(deploy_shop):
    requests = deploy_shop(120, time_scale=60, eventual_consistency="all")

    for resource in CREATED:
        sent = [one for one in requests if one["method"] == "PUT" and re.fullmatch(resource, one["path"])]
        assert [one["status"] for one in sent] == [201], resource


def is_not_of_the_cluster(request: dict) -> bool:
    """Return whether a request is shared by the run, or for the Kubernetes API."""
    return bool(SHARED_BY_THE_RUN.search(request["path"])) or request["path"].startswith("/kubernetes/")


def without_polls(requests: list[dict]) -> list[tuple[str, str]]:
    """Return the requests without polls of operations and of resources already written."""
    kept, submitted = [], set()
    for one in requests:
        path = one["path"].lower()
        if one["method"] == "GET" and (path in submitted or "operation" in path):
            continue
        if one["method"] in ("PUT", "PATCH", "DELETE"):
            submitted.add(path)
        kept.append((one["method"], path))
    return kept


def test_operation_is_polled_only_an_interval_after_its_start_and_its_last_read(deploy_shop):
    requests = deploy_shop(15, time_scale=10, eventual_consistency="none")

    for resource in CREATED:
        sent = [one for one in requests if re.fullmatch(resource, one["path"])]
        polls = sent[[one["method"] for one in sent].index("PUT") :]
        pauses = [after["time"] - before["time"] for before, after in itertools.pairwise(polls)]
        assert pauses, resource
        assert min(pauses) > 0.5, resource


def test_clusters_of_a_run_read_their_workspace_once(playbook, tmp_path):
    plans = [ClusterPlan(name, install=InstallPlan(seconds=30), attach_seconds=6) for name in ("a1", "a2", "a3")]
    with simulated.running(Scenario(clusters=plans, time_scale=60), tmp_path / "simulator") as simulator:
        run = playbook("azureml.arc.deploy", simulated.inventory(simulator.directory, plans), **simulator.environment)

        assert run.status == 0, run.output
        read = [one for one in simulator.journal() if one["path"].endswith("/workspaces/ws")]
    assert len(read) == 1
