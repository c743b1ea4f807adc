# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Rollouts and upgrades of fleets in waves: failure budget, soak, check mode and rollback."""

from __future__ import annotations

import json

import pytest
from playbooks import ROOT, play
from support import requests_to, writes

import simulated
from simulator.scenario import ClusterPlan, InstallPlan

INSTALL = InstallPlan(seconds=30, bad_versions=["9.9.9"])
BROKEN = InstallPlan(
    seconds=30,
    error="Helm installation failed : timed out waiting for the condition",
    pods={"relayserver": "ImagePullBackOff"},
)
WAVES = ("-e", '{"azureml_waves": [1, 2, "100%"]}')


def plans(**exceptions) -> list[ClusterPlan]:
    """Return the plans of six healthy clusters; the arguments override the plans of clusters by name."""
    return [
        ClusterPlan(name, **{"install": INSTALL, "attach_seconds": 5, **exceptions.get(name, {})})
        for name in ("c1", "c2", "c3", "c4", "c5", "c6")
    ]


@pytest.fixture
def fleet(start_fleet):
    """Start a fleet; the arguments override the plans of clusters by name. Return its simulator and inventory."""
    return lambda **exceptions: start_fleet(plans(**exceptions))


def contacted(simulator) -> set[str]:
    """Return the clusters whose extension was read."""
    return {one["path"].split("/")[8] for one in requests_to(simulator, "GET", "/extensions/azureml")}


def test_rollout_stops_after_a_failed_wave_and_resumes_once_fixed(fleet, playbook):
    simulator, inventory = fleet(c3={"install": BROKEN})

    stopped = playbook("azureml.arc.rollout", inventory, *WAVES)

    assert stopped.status == 2
    assert contacted(simulator) == {"c1", "c2", "c3"}
    end = stopped.wave("c2")
    assert [(one["name"], one["outcome"]) for one in end["clusters"]] == [("c2", "changed"), ("c3", "failed")]
    assert (end["failed_clusters"], end["not_started"], end["stopped"]) == (["c3"], ["c4", "c5", "c6"], True)
    assert "failed: [c3] image pull: Pod relayserver" in stopped.output
    assert "failed so far: 1 (c3); still to come: 3 (c4, c5, c6); the rollout stops" in stopped.output
    recap = stopped.recap()
    assert "c2" in recap
    assert [host for host, figures in recap.items() if figures["failed"]] == ["c3"]
    # Clusters of later waves are skipped with a reason; the last summary names all of them.
    for name in ("c4", "c5", "c6"):
        skipped = stopped.result("Show the result of each cluster", name)
        assert skipped["skipped"]
        assert skipped["msg"].startswith("not started: wave 2 ")
    last = stopped.wave("c4")
    assert (last["failed_clusters"], last["not_started"], last["stopped"]) == (["c3"], ["c4", "c5", "c6"], True)
    assert "retry with --limit c3,c4,c5,c6" in last["summary"]

    simulator.change_plan("c3", install={"seconds": 30})
    simulator.clear_journal()
    resumed = playbook("azureml.arc.rollout", inventory, *WAVES)

    assert resumed.status == 0, resumed.output
    assert resumed.changed("c1") == resumed.changed("c2") == 0
    assert len(requests_to(simulator, "PUT", "/extensions/azureml")) == 4
    assert "3 changed; failed so far: none)\n" in resumed.output


@pytest.mark.parametrize("budget", ["1", "20%"])
def test_rollout_continues_within_the_budget_and_stops_beyond_it(fleet, playbook, budget):
    simulator, inventory = fleet(c1={"connectivity": "Offline"}, c3={"install": BROKEN})
    waves = ("-e", '{"azureml_waves": [2, 2, "100%"]}')

    # The budget is one failure: one cluster of the first wave fails, and another of the second.
    run = playbook("azureml.arc.rollout", inventory, *waves, "-e", f"azureml_max_failures={budget}")

    assert run.status == 2
    assert contacted(simulator) == {"c1", "c2", "c3", "c4"}
    first, second = run.wave("c1"), run.wave("c3")
    assert (first["failed_clusters"], first["stopped"]) == (["c1"], False)
    assert (second["failed_clusters"], second["stopped"]) == (["c1", "c3"], True)
    assert "Offline" in run.output


def test_wave_in_which_every_cluster_fails_is_the_last_even_within_the_budget(fleet, playbook):
    """Ansible ends a play if all hosts of a batch fail."""
    simulator, inventory = fleet(c1={"connectivity": "Offline"})

    run = playbook("azureml.arc.rollout", inventory, *WAVES, "-e", "azureml_max_failures=3")

    assert run.status == 2
    assert contacted(simulator) == {"c1"}
    end = run.wave("c1")
    assert (end["failed_clusters"], end["stopped"]) == (["c1"], True)
    assert end["not_started"] == ["c2", "c3", "c4", "c5", "c6"]
    assert "the rollout stops, because every cluster of the wave failed" in end["summary"]


def test_cluster_missing_in_azure_does_not_count_as_failed(fleet, playbook):
    simulator, inventory = fleet(c2={"gone": True})

    run = playbook("azureml.arc.rollout", inventory, *WAVES)

    assert run.status == 2
    assert contacted(simulator) == {"c1", "c3", "c4", "c5", "c6"}
    message = "connected cluster 'c2' does not exist in resource group 'rg-edge'"
    assert f"failed: [c2] resource not found: {message}" in run.output
    assert "HTTP 404" not in run.output
    assert "1 changed, 1 gone; failed so far: none" in run.output
    assert run.wave("c4")["failed_clusters"] == []


def test_cluster_with_invalid_variables_counts_as_failed(fleet, playbook):
    simulator, inventory = fleet()
    inventory["all"]["hosts"]["c2"]["azureml_profile"] = "serving"

    refused = playbook("azureml.arc.rollout", inventory, *WAVES)
    assert refused.status == 2
    assert "failed: [c2] azureml_profile must be one of" in refused.output
    message = "the variables of 1 cluster are invalid, but azureml_max_failures allows 0; nothing was sent"
    assert message in refused.output
    assert simulator.journal() == []

    run = playbook("azureml.arc.rollout", inventory, *WAVES, "-e", "azureml_max_failures=1")

    assert run.status == 2
    assert contacted(simulator) == {"c1", "c3", "c4", "c5", "c6"}
    (row,) = [one for one in run.wave("c2")["clusters"] if one["name"] == "c2"]
    assert "azureml_profile must be one of" in row["cause"]
    assert row["outcome"] == "failed"


def test_invalid_budget_is_rejected(fleet, playbook):
    _simulator, inventory = fleet()

    run = playbook("azureml.arc.rollout", inventory, "--limit", "c1", "-e", "azureml_max_failures=few")

    message = "azureml_max_failures must be a number of clusters or a percentage like 5 or 10%, not 'few'"
    assert f'"msg": "{message}; nothing was sent"' in run.output
    assert run.status == 2


def test_hosts_with_different_budgets_end_a_rollout_before_any_request(simulator, playbook):
    inventory = simulated.inventory(simulator.directory, plans())
    inventory["all"]["hosts"]["c2"]["azureml_max_failures"] = "100%"

    run = playbook("azureml.arc.rollout", inventory)

    assert run.status == 2
    message = "azureml_max_failures applies to the whole rollout, but differs between hosts c1 and c2; nothing was sent"
    assert message in run.output
    assert simulator.journal() == []


INVALID_WAVES = [0, "x", "150%", [1, "0%"], False, -1, 1.5, "1,,3", [[1]], {"a": 1}]
WAVES_ERROR = "azureml_waves must be numbers of clusters or percentages"


@pytest.fixture
def evaluated(playbook):
    """Evaluate values of azureml_waves in one run, each on its own host; return the error and the waves of each."""

    def run(values: list, *arguments: str) -> list[tuple[str, list[str]]]:
        hosts = {f"c{number}": {"azureml_waves": value} for number, value in enumerate(values)}
        content = play(
            {
                "name": "Show",
                "ansible.builtin.debug": {"msg": ["{{ __azureml_waves_error }}", "{{ __azureml_serial }}"]},
            },
            vars_files=[str(ROOT / "playbooks/vars/waves.yml")],
        )
        finished = playbook(content, {"all": {"hosts": hosts}}, *arguments)
        return [tuple(finished.result("Show", host)["msg"]) for host in hosts]

    return run


@pytest.mark.parametrize("mode", [(), ("--check",)], ids=["run", "check mode"])
class TestInvalidWaves:
    def test_invalid_value_is_an_error_and_gives_one_wave(self, evaluated, mode):
        for error, waves in evaluated(INVALID_WAVES, *mode):
            assert WAVES_ERROR in error
            assert waves == ["100%"]

    def test_rollout_ends_before_any_request(self, simulator, playbook, mode):
        inventory = simulated.inventory(simulator.directory, plans())

        run = playbook("azureml.arc.rollout", inventory, *mode, "-e", json.dumps({"azureml_waves": [1, "0%"]}))

        assert WAVES_ERROR in run.output
        assert simulator.journal() == []


class TestEmptyWaves:
    def test_empty_value_is_replaced_by_the_default(self, evaluated):
        assert evaluated([None, "", []]) == [("", ["1", "25%", "100%"])] * 3

    def test_rollout_uses_the_default(self, fleet, playbook):
        _simulator, inventory = fleet()

        run = playbook("azureml.arc.rollout", inventory, "--limit", "c1", "-e", json.dumps({"azureml_waves": []}))

        assert run.status == 0, run.output


def test_unreachable_node_counts_as_a_failed_cluster(fleet, playbook):
    simulator, inventory = fleet()
    inventory["all"]["hosts"]["c2"] |= {
        "azureml_kubernetes_via": "node",
        "ansible_connection": "ssh",
        "ansible_host": "127.0.0.1",
        "ansible_port": 9,  # discard: no service listens
        "azureml_kubernetes": {},
    }

    run = playbook("azureml.arc.rollout", inventory, *WAVES)

    assert run.status == 4
    end = run.wave("c3")
    assert [(one["name"], one["outcome"]) for one in end["clusters"]] == [("c2", "unreachable"), ("c3", "changed")]
    assert (end["failed_clusters"], end["stopped"]) == (["c2"], True)
    assert contacted(simulator) == {"c1", "c2", "c3"}


def test_cluster_that_breaks_during_the_soak_counts_as_failed(fleet, playbook):
    simulator, inventory = fleet(c1={"crash_once_attached": "gateway"})

    run = playbook("azureml.arc.rollout", inventory, *WAVES, "-e", "azureml_soak=1")

    assert run.status == 2
    assert contacted(simulator) == {"c1"}
    found = run.outcome("c1")
    assert found["failed_step"] == "Check the pods after the soak"
    # The cluster was ready before.
    assert "Wait until the pods are ready" in [one["name"] for one in found["steps"]]
    end = run.wave("c1")
    assert end["failed_clusters"] == ["c1"]
    assert "CrashLoopBackOff" in end["clusters"][0]["cause"]
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
    steps = {one["name"]: one["extension"] for one in plan.wave("c1")["clusters"]}
    assert steps == {
        "c1": "in sync",
        "c2": "would be updated: amloperator.custom_ip_interface",
        **dict.fromkeys(("c3", "c4", "c5", "c6"), "would be installed"),
    }


@pytest.mark.parametrize(
    ("tags", "installed", "checked"),
    [("--tags=extension", 1, 0), ("--skip-tags=attach", 1, 1), ("--tags=readiness", 0, 1)],
)
def test_tags_skip_steps(fleet, playbook, tags, installed, checked):
    simulator, inventory = fleet()
    if not installed:
        playbook("azureml.arc.deploy", inventory, "--limit", "c1", "--skip-tags", "attach")
    simulator.clear_journal()

    run = playbook("azureml.arc.rollout", inventory, "--limit", "c1", tags)

    assert run.status == 0, run.output
    assert len(requests_to(simulator, "PUT", "/extensions/azureml")) == installed
    steps = [one["name"] for one in run.outcome("c1")["steps"]]
    assert ("Wait until the pods are ready" in steps) == bool(checked)
    assert requests_to(simulator, "PUT", "/computes/") == []
    assert "failed so far: none)\n" in run.output


def test_progress_interval_zero_hides_progress(fleet, playbook):
    _simulator, inventory = fleet(c1={"install": InstallPlan(seconds=300)}, c2={"install": InstallPlan(seconds=300)})

    shown = playbook("azureml.arc.rollout", inventory, "--limit", "c1", "-e", "azureml_progress_interval=1")
    quiet = playbook("azureml.arc.rollout", inventory, "--limit", "c2", "-e", "azureml_progress_interval=0")

    assert (shown.status, quiet.status) == (0, 0), shown.output + quiet.output
    lines = [line for line in shown.output.splitlines() if line.startswith("waiting: ")]
    assert any("[c1] extension 'azureml' on connected cluster 'c1': Creating (since " in line for line in lines)
    assert "waiting: " not in quiet.output
    assert "still to come" not in quiet.output


def test_all_waves_run_without_report_hosts(fleet, playbook):
    simulator, inventory = fleet()

    run = playbook("azureml.arc.rollout", inventory, *WAVES, "-e", "azureml_report_hosts=false")

    assert run.status == 0, run.output
    assert contacted(simulator) == {"c1", "c2", "c3", "c4", "c5", "c6"}
    assert "wave 3 " in run.output


class TestUpgrade:
    def test_failed_upgrade_is_rolled_back_and_stops_the_rollout(self, fleet, playbook):
        simulator, inventory = fleet(c3={"install": InstallPlan(seconds=150, bad_versions=["1.1.70"])})
        inventory["all"]["vars"]["azureml_version"] = "1.1.60"
        deployed = playbook("azureml.arc.deploy", inventory)
        assert deployed.status == 0, deployed.output
        inventory["all"]["vars"] |= {"azureml_version": "1.1.70", "azureml_rollback": True}
        simulator.clear_journal()

        options = ("-e", "azureml_soak=1", "-e", "azureml_progress_interval=0.01")
        stopped = playbook("azureml.arc.upgrade", inventory, *WAVES, *options)

        assert stopped.status == 2
        assert stopped.outcome("c1")["steps"][-1]["name"] == "Check the pods after the soak"
        assert "waiting: [c3] extension 'azureml' on connected cluster 'c3': Updating (since" in stopped.output
        back = "waiting: [c3] version 1.1.70 failed, rolling back to version 1.1.60: extension 'azureml' on"
        assert back in stopped.output
        patches = requests_to(simulator, "PATCH", "/extensions/azureml")
        versions = sorted((one["path"].split("/")[8], one["body"]["properties"]["version"]) for one in patches)
        assert versions == [("c1", "1.1.70"), ("c2", "1.1.70"), ("c3", "1.1.70")]
        (back,) = requests_to(simulator, "PUT", "c3/providers/Microsoft.KubernetesConfiguration/extensions/azureml")
        assert back["body"]["properties"]["version"] == "1.1.60"
        message = stopped.outcome("c3")["msg"]
        assert "version 1.1.70 failed: " in message
        assert "chart of version 1.1.70 cannot be rendered" in message
        assert "Rolled back to version 1.1.60." in message

    def test_change_other_than_the_version_is_rejected(self, fleet, playbook):
        simulator, inventory = fleet()
        playbook("azureml.arc.deploy", inventory, "--limit", "c1")
        inventory["all"]["vars"] |= {"azureml_version": "1.1.70", "azureml_settings": {"a.b": "c"}}
        simulator.clear_journal()

        run = playbook("azureml.arc.upgrade", inventory, "--limit", "c1,c2", "-e", "azureml_waves=100%")

        assert run.status == 2
        assert writes(simulator) == []
        assert "more than the version would change: it differs from the desired state (a.b)" in run.output
        assert "more than the version would change: the extension does not exist" in run.output
