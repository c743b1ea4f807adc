# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The actions C(fleet) and C(cluster) in plays of users."""

from __future__ import annotations

import json

import pytest
from fleets import AFTER, DEPLOY, HEALTHY, RESULT, VERIFY, shown
from playbooks import play
from support import about


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (play({**VERIFY, "when": "inventory_hostname != 'shop'"}), "cannot have a condition"),
        (play({"block": [VERIFY], "when": "inventory_hostname != 'shop'"}), "cannot have a condition"),
    ],
)
def test_condition_that_would_skip_hosts_is_rejected(playbook, fleet, content, message):
    simulator, inventory = fleet

    run = playbook(content, inventory, "--limit", "shop,cloud")

    assert run.status != 0
    assert message in run.output
    assert "Use role azureml.arc.azureml instead" in run.output
    assert simulator.journal() == []


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("-e", "azureml_hosts=none"), 0, "no hosts matched"),
        (("--limit", "none"), 1, "leaves us with no hosts to target"),
    ],
)
def test_selection_without_a_cluster_ends_as_with_any_playbook(playbook, arguments, status, message):
    run = playbook("azureml.arc.deploy", {"all": {"hosts": {"shop": {}}}}, *arguments)

    assert run.status == status
    assert message in run.output


def test_strategy_free_is_rejected_by_ansible(playbook, fleet):
    simulator, inventory = fleet

    run = playbook(play(VERIFY, RESULT, strategy="free"), inventory, "--limit", "shop,cloud")

    assert run.status != 0
    assert "bypasses the host loop, which is currently not supported in the free strategy" in run.output
    assert simulator.journal() == []


def test_condition_on_an_imported_playbook_is_rejected(playbook, fleet):
    simulator, inventory = fleet
    content = [{"import_playbook": "azureml.arc.deploy", "when": "inventory_hostname != 'shop'"}]

    run = playbook(content, inventory, "--limit", "shop,cloud")

    assert run.status != 0
    assert "cannot have a condition (inventory_hostname != 'shop')" in run.output
    assert simulator.journal() == []


def test_dynamic_include_is_rejected(playbook, fleet, tmp_path):
    simulator, inventory = fleet
    (tmp_path / "tasks.yml").write_text(json.dumps([VERIFY]), encoding="utf-8")
    content = play({"name": "Include", "ansible.builtin.include_tasks": str(tmp_path / "tasks.yml")})

    run = playbook(content, inventory, "--limit", "shop,cloud")

    assert run.status != 0
    assert "must be imported" in run.output
    assert simulator.journal() == []


def test_rescue_runs_for_failed_hosts_and_the_play_continues_with_all(playbook, fleet):
    _simulator, inventory = fleet
    inventory["all"]["hosts"]["cloud"]["azureml_profile"] = "serving"
    rescue = {"name": "Rescue", "ansible.builtin.debug": {"msg": "{{ ansible_failed_result.failed_step }}"}}

    run = playbook(play({"block": [DEPLOY, RESULT], "rescue": [rescue]}, AFTER), inventory)

    assert run.status == 0, run.output
    rescued = {one["host"]: one["result"]["msg"] for one in run.results if one["task"] == "Rescue"}
    assert rescued == {"cloud": "Check variables", "broken": "Wait until the extension is installed"}
    assert sorted(one["host"] for one in run.results if one["task"] == "After") == sorted((*HEALTHY, "broken"))
    assert {host: one["rescued"] for host, one in run.recap().items()} == {
        "shop": 0,
        "plant": 0,
        "cloud": 1,
        "broken": 1,
    }


def test_registered_result_of_a_failed_host_has_the_failed_step(playbook, fleet):
    _simulator, inventory = fleet
    inventory["all"]["hosts"]["cloud"]["azureml_profile"] = "serving"
    result = {**RESULT, "register": "found", "ignore_errors": True}
    step = {"name": "Step", "ansible.builtin.debug": {"msg": "{{ found.failed_step }}"}}

    run = playbook(play(DEPLOY, result, step), inventory, "--limit", "cloud")

    assert run.status == 0, run.output
    assert run.result("Step", "cloud")["msg"] == "Check variables"
    assert run.recap()["cloud"]["ignored"] == 1


def test_failed_when_decides_whether_a_failed_cluster_fails_its_host(playbook, fleet):
    _simulator, inventory = fleet
    for name in ("cloud", "plant"):
        inventory["all"]["hosts"][name]["azureml_profile"] = "serving"
    result = {**RESULT, "register": "found", "failed_when": "found.failed and inventory_hostname != 'cloud'"}

    run = playbook(play(DEPLOY, result, AFTER), inventory, "--limit", "cloud,plant")

    assert run.status == 2
    assert {host: one["failed"] for host, one in run.recap().items()} == {"cloud": 0, "plant": 1}
    assert "Origin:" not in run.output


def test_unreachable_host_stays_unreachable_for_the_task_that_waits(playbook):
    """Ansible would end the play for a host that failed."""
    machine = {"ansible_connection": "ssh", "ansible_port": 1, "azureml_selinux_mode": "permissive"}
    tasks = [{"azureml.arc.fleet": {"flow": "machine"}}, {"azureml.arc.cluster": {"wait": False}}, RESULT, AFTER]

    run = playbook(play(*tasks, ignore_unreachable=True), {"all": {"hosts": {"127.0.0.1": machine}}})

    assert run.status == 0, run.output
    assert run.recap()["127.0.0.1"]["ignored"] == 2
    assert run.output.count("1 machine: 1 unreachable") == 1
    # Each task shows its message once, without lines of the play.
    assert run.output.count("Connection refused") == 2
    assert "Origin:" not in run.output


def test_failure_of_a_task_that_does_not_wait_is_shown_before_its_result(playbook, fleet):
    simulator, inventory = fleet
    simulator.change_plan("shop", connectivity="Offline")
    start = {"name": "Start", "azureml.arc.cluster": {"wait": False}}

    run = playbook(play(DEPLOY, start, RESULT), inventory, "--limit", "shop", "-e", "azureml_arc_in_process=false")

    assert run.status == 2
    failure, result = (run.output.index(text) for text in ("failed: [shop] not connected", "failed, see above"))
    assert failure < result
    assert run.output.count("1 cluster: 1 failed; retry with --limit shop\n") == 1
    assert run.output.count("connectivity status Offline") == 1


def test_serial_runs_one_batch_after_another(playbook, fleet):
    simulator, inventory = fleet

    run = playbook(play(DEPLOY, RESULT, serial=2), inventory, "--limit", "shop,plant,cloud")

    assert run.status == 0, run.output
    assert shown(run) == sorted(HEALTHY)
    paths = [(one["method"], one["path"]) for one in simulator.journal()]
    first_of = {
        name: min(index for index, (_method, path) in enumerate(paths) if f"/{name}" in path) for name in HEALTHY
    }
    last_of = {
        name: max(index for index, (_method, path) in enumerate(paths) if f"/{name}" in path) for name in HEALTHY
    }
    assert max(last_of["cloud"], last_of["plant"]) < first_of["shop"]


def test_any_errors_fatal_ends_the_play_after_all_results(playbook, fleet):
    _simulator, inventory = fleet

    run = playbook(play(DEPLOY, RESULT, AFTER, any_errors_fatal=True), inventory)

    assert run.status == 2
    assert shown(run) == sorted((*HEALTHY, "broken"))
    assert [one for one in run.results if one["task"] == "After"] == []
    assert all(run.outcome(host)["msg"].endswith("compute attached") for host in HEALTHY)


@pytest.mark.parametrize(("percentage", "continues"), [(24, False), (25, True)])
def test_max_fail_percentage_ends_the_play_after_all_results(playbook, fleet, percentage, continues):
    """One of four clusters fails."""
    _simulator, inventory = fleet

    run = playbook(play(DEPLOY, RESULT, AFTER, max_fail_percentage=percentage), inventory)

    assert run.status == 2
    assert len(shown(run)) == 4
    assert bool([one for one in run.results if one["task"] == "After"]) is continues


def test_hosts_that_failed_in_an_earlier_task_are_skipped(playbook, fleet):
    """Also if the first host of the play is one of them."""
    simulator, inventory = fleet
    fail = {"name": "Fail", "ansible.builtin.fail": None, "when": "inventory_hostname in ['cloud', 'plant']"}

    run = playbook(play(fail, DEPLOY, RESULT), inventory, "--limit", "shop,plant,cloud")

    assert run.status == 2
    assert about(simulator, "cloud", "plant") == []
    assert shown(run) == ["shop"]
    assert run.outcome("shop")["msg"].endswith("compute attached")
    assert [one["name"] for one in run.wave("shop")["clusters"]] == ["shop"]


def test_hosts_that_ended_in_an_earlier_task_are_skipped(playbook, fleet):
    simulator, inventory = fleet
    end = {
        "name": "End",
        "ansible.builtin.meta": "end_host",
        "when": "inventory_hostname == 'cloud'",
    }

    run = playbook(play(end, DEPLOY, RESULT), inventory, "--limit", "shop,cloud")

    assert run.status == 0, run.output
    assert about(simulator, "cloud") == []
    assert shown(run) == ["shop"]


def test_cluster_without_flow_and_fleet_is_an_error(playbook, fleet):
    simulator, inventory = fleet

    run = playbook(play(RESULT), inventory, "--limit", "shop")

    assert "azureml.arc.fleet has not run for this host" in run.output
    assert simulator.journal() == []
