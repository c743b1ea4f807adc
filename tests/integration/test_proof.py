# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""C(azureml_prove: [job]) in playbooks and in the role: a cluster whose job does not complete counts as failed."""

from __future__ import annotations

import pytest
from playbooks import play
from support import requests_to, writes

from simulator.scenario import ClusterPlan, InstallPlan

INSTALL = InstallPlan(seconds=30)
IDENTITY = {"jobs": {"failures": {"": "identity"}}}
MESSAGE = "Give either an account key or SAS token"
WAVES = ("-e", '{"azureml_waves": [1, "100%"]}')


@pytest.fixture
def fleet(start_fleet):
    """Start a fleet of three clusters with a job as proof; the arguments override the plans of clusters by name."""

    def start(**exceptions):
        plans = [ClusterPlan(name, install=INSTALL, attach_seconds=5) for name in ("c1", "c2", "c3")]
        simulator, inventory = start_fleet(plans)
        for name, fields in exceptions.items():
            simulator.change_plan(name, **fields)
        inventory["all"]["vars"]["azureml_prove"] = ["job"]
        return simulator, inventory

    return start


def submitted(simulator) -> list[str]:
    """Return the clusters to which a job was submitted, in order."""
    return [
        one["body"]["properties"]["tags"]["azureml_arc_job_check"] for one in requests_to(simulator, "PUT", "/jobs/")
    ]


def test_deployment_submits_a_job_and_its_repeat_reuses_it(fleet, playbook):
    simulator, inventory = fleet()

    deployed = playbook("azureml.arc.deploy", inventory)

    assert deployed.status == 0, deployed.output
    assert sorted(submitted(simulator)) == ["c1", "c2", "c3"]
    (job,) = deployed.outcome("c2")["jobs"]
    assert (job["succeeded"], job["reused"], job["node"], job["compute"]) == (True, False, "node-0", "c2")
    assert "compute attached, a job completed" in deployed.output
    simulator.clear_journal()

    again = playbook("azureml.arc.deploy", inventory)
    verified = playbook("azureml.arc.verify", inventory)

    for run in (again, verified):
        assert run.status == 0, run.output
        assert [run.changed(name) for name in ("c1", "c2", "c3")] == [0, 0, 0]
        assert run.outcome("c1")["jobs"][0]["reused"]
        assert run.outcome("c1")["msg"].endswith(", a job of today reused (completed)")
    assert writes(simulator) == []


def test_changed_extension_requires_another_job(fleet, playbook):
    simulator, inventory = fleet()
    playbook("azureml.arc.deploy", inventory, "--limit", "c1")
    simulator.clear_journal()

    run = playbook("azureml.arc.deploy", inventory, "--limit", "c1", "-e", "azureml_install_dcgm_exporter=true")

    assert run.status == 0, run.output
    assert submitted(simulator) == ["c1"]


def test_verify_fails_if_the_job_fails(fleet, playbook):
    simulator, inventory = fleet()
    inventory["all"]["vars"]["azureml_prove"] = []
    playbook("azureml.arc.deploy", inventory, "--limit", "c1,c2")
    inventory["all"]["vars"]["azureml_prove"] = ["job"]
    simulator.change_plan("c2", **IDENTITY)

    run = playbook("azureml.arc.verify", inventory, "--limit", "c1,c2")

    assert run.status == 2
    assert {name: figures["failed"] for name, figures in run.recap().items()} == {"c1": 0, "c2": 1}
    failed = run.outcome("c2")
    assert (failed["failed_step"], failed["error"]["code"]) == ("Prove that jobs run", "JobIdentity")
    assert MESSAGE in failed["msg"]
    assert "job identity: " in run.output
    assert "fix: Attach the cluster with a managed identity" in run.output
    assert run.outcome("c1")["jobs"][0]["succeeded"]


def test_failed_job_on_the_canary_stops_the_rollout(fleet, playbook):
    simulator, inventory = fleet(c1=IDENTITY)

    stopped = playbook("azureml.arc.rollout", inventory, *WAVES)

    assert stopped.status == 2
    assert requests_to(simulator, "PUT", "/extensions/azureml")[0]["path"].split("/")[8] == "c1"
    assert len(requests_to(simulator, "PUT", "/extensions/azureml")) == 1
    end = stopped.wave("c1")
    assert (end["failed_clusters"], end["not_started"], end["stopped"]) == (["c1"], ["c2", "c3"], True)
    assert MESSAGE in end["clusters"][0]["cause"]

    simulator.change_plan("c1", jobs={})
    simulator.clear_journal()
    resumed = playbook("azureml.arc.rollout", inventory, *WAVES)

    assert resumed.status == 0, resumed.output
    assert submitted(simulator) == ["c1"]
    assert resumed.outcome("c3")["jobs"] == []


def test_option_every_wave_proves_every_wave(fleet, playbook):
    simulator, inventory = fleet(c3=IDENTITY)
    inventory["all"]["vars"]["azureml_prove_job"] = {"every_wave": True}

    run = playbook("azureml.arc.rollout", inventory, *WAVES)

    assert run.status == 2
    assert sorted(submitted(simulator)) == ["c1", "c2", "c3"]
    assert run.wave("c2")["failed_clusters"] == ["c3"]


def test_check_mode_shows_the_job_and_sends_no_write(fleet, playbook):
    simulator, inventory = fleet()
    inventory["all"]["vars"]["azureml_prove"] = []
    playbook("azureml.arc.deploy", inventory, "--limit", "c1")
    inventory["all"]["vars"]["azureml_prove"] = ["job"]
    simulator.clear_journal()

    run = playbook("azureml.arc.deploy", inventory, "--check", "--limit", "c1,c2")

    assert run.status == 0, run.output
    assert writes(simulator) == []
    assert run.outcome("c1")["jobs"][0]["status"] == "NotSubmitted"
    assert run.outcome("c2")["jobs"] == []  # nothing is attached yet
    assert "a job would be submitted" in run.output


@pytest.mark.parametrize("in_process", ["1", "0"])
def test_role_also_proves_clusters_in_sync(fleet, playbook, in_process):
    simulator, inventory = fleet()
    content = play(roles=["azureml.arc.azureml"])

    for job_is_new in (True, False):
        simulator.clear_journal()
        run = playbook(content, inventory, "--limit", "c1", AZUREML_ARC_IN_PROCESS=in_process)

        assert run.status == 0, run.output
        assert submitted(simulator) == (["c1"] if job_is_new else [])
        assert [job["reused"] for job in run.result("Deploy Azure Machine Learning", "c1")["jobs"]] == [not job_is_new]


def test_tag_prove_runs_only_the_proof(fleet, playbook):
    simulator, inventory = fleet()
    playbook("azureml.arc.deploy", inventory, "--limit", "c1", "--skip-tags", "prove")
    assert submitted(simulator) == []
    simulator.clear_journal()

    run = playbook("azureml.arc.deploy", inventory, "--limit", "c1", "--tags", "prove")

    assert run.status == 0, run.output
    assert [path.partition("/jobs/")[2].split("-")[2] for _method, path in writes(simulator)] == ["c1"]
