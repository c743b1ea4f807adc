# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fleets: rollouts and upgrades in waves, stopped where too much fails, planned in check mode."""

from __future__ import annotations

import contextlib

import pytest
from support import requests_to, writes

import simulated
from simulator.scenario import ClusterPlan, InstallPlan, Scenario

INSTALL = InstallPlan(seconds=30, bad_versions=["9.9.9"])
BROKEN = InstallPlan(
    seconds=30,
    error="Helm installation failed : timed out waiting for the condition",
    pods={"relayserver": "ImagePullBackOff"},
)
WAVES = ("-e", '{"azureml_waves": [1, 2, "100%"]}')


def plans(**exceptions) -> list[ClusterPlan]:
    """Six clusters, all well but for what is said of one by its name."""
    return [
        ClusterPlan(name, **{"install": INSTALL, "attach_seconds": 5, **exceptions.get(name, {})})
        for name in ("c1", "c2", "c3", "c4", "c5", "c6")
    ]


@pytest.fixture
def fleet(tmp_path, environment, monkeypatch):
    """Start a fleet; takes what differs from the plan by cluster. Returns its simulator and its inventory."""
    with contextlib.ExitStack() as stack:

        def start(**exceptions):
            clusters = plans(**exceptions)
            directory = tmp_path / "simulator"
            running = stack.enter_context(simulated.running(Scenario(clusters=clusters, time_scale=60), directory))
            for name, value in running.environment.items():
                monkeypatch.setenv(name, value)
            return running, simulated.inventory(directory, clusters)

        yield start


def touched(simulator) -> set[str]:
    """The clusters whose extension anybody has looked at."""
    return {one["path"].split("/")[8] for one in requests_to(simulator, "GET", "/extensions/azureml")}


def test_stops_after_the_wave_that_fails_and_goes_on_when_it_is_mended(fleet, playbook):
    simulator, inventory = fleet(c3={"install": BROKEN})

    stopped = playbook("azureml.arc.rollout", inventory, *WAVES)

    assert stopped.status == 2
    assert touched(simulator) == {"c1", "c2", "c3"}
    end = stopped.result("See how the wave went", "c2")
    assert [(one["name"], one["outcome"]) for one in end["clusters"]] == [("c2", "changed"), ("c3", "failed")]
    assert (end["failed_clusters"], end["not_started"], end["exceeded"]) == (["c3"], ["c4", "c5", "c6"], True)
    assert "c3       failed   " in stopped.output
    assert "failed so far: 1 (c3); still to come: 3 (c4, c5, c6); the rollout stops" in stopped.output
    recap = stopped.output.split("PLAY RECAP")[1]
    assert "c2 " in recap
    assert [line.split()[0] for line in recap.splitlines() if "failed=1" in line] == ["c3"]

    simulator.change_plan("c3", install={"seconds": 30})
    simulator.clear_journal()
    resumed = playbook("azureml.arc.rollout", inventory, *WAVES)

    assert resumed.status == 0, resumed.output
    assert resumed.changed("c1") == resumed.changed("c2") == 0
    assert len(requests_to(simulator, "PUT", "/extensions/azureml")) == 4
    assert "3 changed; failed so far: none; still to come: none" in resumed.output


@pytest.mark.parametrize("budget", ["1", "20%"])
def test_a_budget_lets_some_fail(fleet, playbook, budget):
    simulator, inventory = fleet(c1={"connectivity": "Offline"}, c2={"install": BROKEN})

    # One may fail: the first wave, which is one cluster, does. The second does so as well.
    run = playbook("azureml.arc.rollout", inventory, *WAVES, "-e", f"azureml_max_failures={budget}")

    assert run.status == 2
    assert touched(simulator) == {"c1", "c2", "c3"}
    assert run.result("See how the wave went", "c2")["failed_clusters"] == ["c1", "c2"]
    assert "Offline" in run.output


def test_bad_variables_count_as_a_failure_of_their_cluster(fleet, playbook):
    simulator, inventory = fleet()
    inventory["all"]["hosts"]["c2"]["azureml_profile"] = "serving"

    run = playbook("azureml.arc.rollout", inventory, *WAVES)

    assert run.status == 2
    assert touched(simulator) == {"c1", "c3"}
    (row,) = [one for one in run.result("See how the wave went", "c2")["clusters"] if one["name"] == "c2"]
    assert "value of azureml_profile must be one of" in row["error"]


def test_budget_that_is_none(fleet, playbook):
    _simulator, inventory = fleet()

    run = playbook("azureml.arc.rollout", inventory, "--limit", "c1", "-e", "azureml_max_failures=few")

    assert "azureml_max_failures must be a number of clusters or a percentage of them" in run.output
    assert run.status == 2


def test_a_machine_that_does_not_answer(fleet, playbook):
    simulator, inventory = fleet()
    inventory["all"]["hosts"]["c2"] |= {
        "azureml_kube_from": "node",
        "ansible_connection": "ssh",
        "ansible_host": "127.0.0.1",
        "ansible_port": 9,  # discard: nobody listens
        "azureml_kubernetes": {},
    }

    run = playbook("azureml.arc.rollout", inventory, *WAVES)

    assert run.status == 4
    end = run.result("See how the wave went", "c3")
    assert [(one["name"], one["outcome"]) for one in end["clusters"]][-1] == ("c3", "changed")
    assert (end["failed_clusters"], end["exceeded"]) == (["c2"], True)
    assert touched(simulator) == {"c1", "c2", "c3"}


def test_what_breaks_while_it_soaks(fleet, playbook):
    simulator, inventory = fleet(c1={"crash_once_attached": "gateway"})

    run = playbook("azureml.arc.rollout", inventory, *WAVES, "-e", "azureml_soak=1")

    assert run.status == 2
    assert touched(simulator) == {"c1"}
    assert run.result("See how the wave went", "c1")["failed_clusters"] == []
    end = run.result("See what the soak has changed", "c1")
    assert end["failed_clusters"] == ["c1"]
    assert "CrashLoopBackOff" in end["clusters"][0]["error"]
    assert "failed so far: 1 (c1); still to come: 5 (c2, c3, c4, c5, c6); the rollout stops" in run.output


def test_check_mode_plans_the_whole_fleet(fleet, playbook):
    simulator, inventory = fleet()
    deployed = playbook("azureml.arc.deploy", inventory, "--limit", "c1,c2")
    assert deployed.status == 0, deployed.output
    inventory["all"]["hosts"]["c2"]["azureml_settings"] = {"amloperator.custom_ip_interface": "eth1"}
    simulator.clear_journal()

    plan = playbook("azureml.arc.rollout", inventory, *WAVES, "--check")

    assert plan.status == 0, plan.output
    assert writes(simulator) == []
    steps = {one["name"]: one["extension"] for one in plan.result("See how the wave went", "c1")["clusters"]}
    assert steps == {
        "c1": "nothing to do",
        "c2": "update amloperator.custom_ip_interface",
        **dict.fromkeys(("c3", "c4", "c5", "c6"), "install"),
    }


@pytest.mark.parametrize(
    ("tags", "installed", "looked_at"),
    [("--tags=extension", 1, 0), ("--skip-tags=attach", 1, 1), ("--tags=readiness", 0, 1)],
)
def test_tags_leave_parts_out(fleet, playbook, tags, installed, looked_at):
    simulator, inventory = fleet()
    if not installed:
        playbook("azureml.arc.deploy", inventory, "--limit", "c1", "--skip-tags", "attach")
    simulator.clear_journal()

    run = playbook("azureml.arc.rollout", inventory, "--limit", "c1", tags)

    assert run.status == 0, run.output
    assert len(requests_to(simulator, "PUT", "/extensions/azureml")) == installed
    steps = [one["name"] for one in run.outcome("c1")["steps"]]
    assert ("Wait until the pods are ready" in steps) == bool(looked_at)
    assert requests_to(simulator, "PUT", "/computes/") == []
    assert "failed so far: none; still to come: none" in run.output


def test_progress_is_shown_and_can_be_quiet(fleet, playbook):
    _simulator, inventory = fleet(c1={"install": InstallPlan(seconds=300)}, c2={"install": InstallPlan(seconds=300)})

    told = playbook("azureml.arc.rollout", inventory, "--limit", "c1", "-e", "azureml_progress_interval=1")
    quiet = playbook("azureml.arc.rollout", inventory, "--limit", "c2", "-e", "azureml_progress_interval=0")

    assert (told.status, quiet.status) == (0, 0), told.output + quiet.output
    lines = [line for line in told.output.splitlines() if line.startswith("waiting: ")]
    assert any("[c1] extension 'azureml' on connected cluster 'c1': Creating (since " in line for line in lines)
    assert "waiting: " not in quiet.output
    assert "still to come" not in quiet.output


class TestUpgrade:
    def test_in_waves_with_a_way_back(self, fleet, playbook):
        simulator, inventory = fleet(c3={"install": InstallPlan(seconds=30, bad_versions=["1.1.70"])})
        inventory["all"]["vars"]["azureml_version"] = "1.1.60"
        deployed = playbook("azureml.arc.deploy", inventory)
        assert deployed.status == 0, deployed.output
        inventory["all"]["vars"] |= {"azureml_version": "1.1.70", "azureml_rollback": True}
        simulator.clear_journal()

        stopped = playbook("azureml.arc.upgrade", inventory, *WAVES)

        assert stopped.status == 2
        patches = requests_to(simulator, "PATCH", "/extensions/azureml")
        assert [(one["path"].split("/")[8], one["body"]["properties"]["version"]) for one in patches] == [
            ("c1", "1.1.70"),
            ("c2", "1.1.70"),
            ("c3", "1.1.70"),
        ] or {one["path"].split("/")[8] for one in patches} == {"c1", "c2", "c3"}
        (back,) = requests_to(simulator, "PUT", "c3/providers/Microsoft.KubernetesConfiguration/extensions/azureml")
        assert back["body"]["properties"]["version"] == "1.1.60"
        message = stopped.result("Fail where the cluster has failed", "c3")["msg"]
        assert "version 1.1.70 failed: " in message
        assert "chart of version 1.1.70 cannot be rendered" in message
        assert "Version 1.1.60 is installed again." in message

    def test_only_the_version(self, fleet, playbook):
        simulator, inventory = fleet()
        playbook("azureml.arc.deploy", inventory, "--limit", "c1")
        inventory["all"]["vars"] |= {"azureml_version": "1.1.70", "azureml_settings": {"a.b": "c"}}
        simulator.clear_journal()

        run = playbook("azureml.arc.upgrade", inventory, "--limit", "c1,c2", "-e", "azureml_max_failures=2")

        assert run.status == 2
        assert writes(simulator) == []
        assert "the version is not all that would change: it differs from the desired state (a.b)" in run.output
        assert "the version is not all that would change: the extension does not exist" in run.output
