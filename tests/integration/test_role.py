# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Role azureml in custom plays, with the keywords of plays, blocks and includes."""

from __future__ import annotations

import pytest
from playbooks import play
from support import about, requests_to, writes

from simulator.scenario import ClusterPlan, InstallPlan

INSTALL = InstallPlan(seconds=60)
CLUSTERS = [ClusterPlan(f"f{number}", nodes=1, install=INSTALL, attach_seconds=6) for number in (1, 2, 3)]
CLUSTERS.append(ClusterPlan("f4", install=InstallPlan(30, error="timed out", pods={"gateway": "ImagePullBackOff"})))
HEALTHY = ("f1", "f2", "f3")
ROLE = "azureml.arc.azureml"
NOT_F1 = "inventory_hostname != 'f1'"
WAIT_TASK = "Deploy Azure Machine Learning"


@pytest.fixture
def fleet(start_fleet):
    """Start a simulator with three healthy clusters and one that fails; return it and the inventory."""
    return start_fleet(CLUSTERS)


def results(run, task: str) -> dict[str, dict]:
    """Return the results of a task by host."""
    return {one["host"]: one["result"] for one in run.results if one["task"].endswith(task)}


@pytest.mark.parametrize("strategy", ["linear", "free"])
def test_all_clusters_are_submitted_before_the_first_wait(playbook, fleet, strategy):
    simulator, inventory = fleet
    content = play(roles=[ROLE], strategy=strategy)
    if strategy == "free":  # hosts are independent, so the first install must take longer than the start of the last
        for name in ("f1", "f2", "f3"):
            simulator.change_plan(name, install={"seconds": 900})

    run = playbook(content, inventory, "--limit", "f1,f2,f3", "--forks", "1" if strategy == "linear" else "3")

    assert run.status == 0, run.output
    paths = [(one["method"], one["path"]) for one in simulator.journal()]
    submitted = [index for index, (method, path) in enumerate(paths) if method == "PUT" and "/extensions/" in path]
    # The wait for a cluster ends with the extension; then the task reads the pods.
    waited = [index for index, (_method, path) in enumerate(paths) if path.endswith("/namespaces/azureml/pods")]
    assert len(submitted) == 3
    assert max(submitted) < min(waited)
    changed = [results(run, name) for name in ("Start deploying Azure Machine Learning", WAIT_TASK)]
    assert [{host: one["changed"] for host, one in found.items()} for found in changed] == [
        dict.fromkeys(HEALTHY, True),
        dict.fromkeys(HEALTHY, True),
    ]
    simulator.clear_journal()
    again = playbook(content, inventory, "--limit", "f1,f2,f3")
    assert (again.status, [again.changed(host) for host in HEALTHY], writes(simulator)) == (0, [0, 0, 0], [])
    # The extension is read once: the second task returns the result of the first.
    reads = requests_to(simulator, "GET", "/f1/providers/Microsoft.KubernetesConfiguration/extensions/azureml")
    assert len(reads) == 1


@pytest.mark.parametrize(
    "content",
    [
        play(roles=[{"role": ROLE, "when": NOT_F1}]),
        play({"ansible.builtin.import_role": {"name": ROLE}, "when": NOT_F1}),
        play({"ansible.builtin.include_role": {"name": ROLE}, "when": NOT_F1}),
        play({"block": [{"ansible.builtin.include_role": {"name": ROLE}}], "when": NOT_F1}),
        play(
            {"ansible.builtin.meta": "end_host", "when": "inventory_hostname == 'f1'"},
            {"ansible.builtin.import_role": {"name": ROLE}},
        ),
        play(pre_tasks=[{"ansible.builtin.fail": None, "when": "inventory_hostname == 'f1'"}], roles=[ROLE]),
    ],
    ids=["role", "import", "include", "block", "ended", "failed earlier"],
)
def test_excluded_hosts_send_no_requests(playbook, fleet, content):
    simulator, inventory = fleet

    run = playbook(content, inventory, "--limit", "f1,f2")

    assert about(simulator, "f1") == []
    assert run.outcome("f2")["msg"].endswith("compute attached")


def test_rescue_runs_only_for_failed_hosts(playbook, fleet):
    _simulator, inventory = fleet
    block = {
        "block": [{"ansible.builtin.include_role": {"name": ROLE}}],
        "rescue": [{"name": "Rescue", "ansible.builtin.debug": {"msg": "{{ ansible_failed_result.failed_step }}"}}],
    }

    run = playbook(play(block, {"name": "After", "ansible.builtin.debug": {"msg": "here"}}), inventory)

    assert run.status == 0, run.output
    assert {host: one["msg"] for host, one in results(run, "Rescue").items()} == {
        "f4": "Wait until the extension is installed"
    }
    assert set(results(run, "After")) == {*HEALTHY, "f4"}


def test_serial_runs_one_batch_after_another(playbook, fleet):
    simulator, inventory = fleet

    run = playbook(play(roles=[ROLE], serial=1), inventory, "--limit", "f1,f2")

    assert run.status == 0, run.output
    paths = [one["path"] for one in simulator.journal()]
    last = max(index for index, path in enumerate(paths) if "/f1" in path)
    assert last < min(index for index, path in enumerate(paths) if "/f2" in path)


@pytest.mark.parametrize(
    ("keywords", "continues"),
    [({"any_errors_fatal": True}, False), ({"max_fail_percentage": 24}, False), ({"max_fail_percentage": 25}, True)],
)
def test_one_failure_ends_the_play_after_the_task(playbook, fleet, keywords, continues):
    _simulator, inventory = fleet
    after = [{"name": "After", "ansible.builtin.debug": {"msg": "here"}}]

    run = playbook(play(roles=[ROLE], post_tasks=after, **keywords), inventory)

    assert run.status == 2
    assert {host: bool(one.get("failed")) for host, one in results(run, WAIT_TASK).items()} == {
        **dict.fromkeys(HEALTHY, False),
        "f4": True,
    }
    assert set(results(run, "After")) == (set(HEALTHY) if continues else set())


def test_check_mode_with_diff_changes_nothing(playbook, fleet):
    simulator, inventory = fleet

    run = playbook(play(roles=[ROLE]), inventory, "--check", "--diff", "--limit", "f1,f2")

    assert run.status == 0, run.output
    assert run.outcome("f1")["msg"] == "extension would be installed, pods not checked, compute would be attached"
    for host in ("f1", "f2"):
        assert f"--- before: {host}: compute {host} (absent)\n" in run.output
        # The difference is shown once, because the task that starts the deployment is skipped.
        assert run.output.count(f"+++ after: {host}: compute {host}\n") == 1
    assert all(one["skipped"] for one in results(run, "Start deploying Azure Machine Learning").values())
    assert writes(simulator) == []


@pytest.mark.parametrize(
    ("tags", "changes", "pods", "computes"),
    [
        ("extension", 1, False, 0),
        ("extension,readiness", 1, True, 0),
        ("readiness", 0, True, 0),
        ("attach", 0, False, 1),
    ],
)
def test_tags_select_steps(playbook, fleet, tags, changes, pods, computes):
    simulator, inventory = fleet
    limit = ("--limit", "f1")
    if not changes:
        playbook(play(roles=[ROLE]), inventory, *limit, "--skip-tags", "attach")
    simulator.clear_journal()

    run = playbook(play(roles=[ROLE]), inventory, *limit, "--tags", tags)

    assert run.status == 0, run.output
    assert len(requests_to(simulator, "PUT", "/extensions/azureml")) == changes
    assert len(requests_to(simulator, "PUT", "/computes/f1")) == computes
    assert ("Wait until the pods are ready" in [one["name"] for one in run.outcome("f1")["steps"]]) is pods


@pytest.mark.parametrize(("tags", "changes"), [("web", 0), ("ml", 1)])
def test_tags_of_a_play_run_the_role_only_if_it_has_them(playbook, fleet, tags, changes):
    simulator, inventory = fleet
    simulator.clear_journal()

    run = playbook(play(roles=[{"role": ROLE, "tags": "ml"}]), inventory, "--limit", "f1", "--tags", tags)

    assert run.status == 0, run.output
    assert len(requests_to(simulator, "PUT", "/extensions/azureml")) == changes
    assert len(requests_to(simulator, "PUT", "/computes/f1")) == changes
    assert bool(simulator.journal()) is bool(changes)


@pytest.mark.parametrize(("entry_point", "message"), [("remove", "nothing to remove"), ("detach", "nothing to detach")])
def test_second_removal_changes_nothing(playbook, fleet, entry_point, message):
    simulator, inventory = fleet
    limit = ("--limit", "f1,f2")
    playbook("azureml.arc.deploy", inventory, *limit)
    simulator.clear_journal()
    include = {"ansible.builtin.include_role": {"name": ROLE, "tasks_from": entry_point}}

    run = playbook(play(include), inventory, *limit, "--forks", "1")
    again = playbook(play(include), inventory, *limit)

    assert (run.status, again.status) == (0, 0), run.output + again.output
    for host in ("f1", "f2"):
        begun = next(one["result"] for one in run.results if one["host"] == host and ": Start " in one["task"])
        assert f"removed: compute {host}" in begun["msg"]
        assert again.changed(host) == 0
        assert again.outcome(host)["msg"].startswith(message)


def test_invalid_variables_of_one_host_do_not_stop_the_others(playbook, fleet):
    simulator, inventory = fleet
    inventory["all"]["hosts"]["f1"]["azureml_compute"] = {"name": "-f1"}

    run = playbook(play(roles=[ROLE]), inventory, "--limit", "f1,f2")

    assert run.status == 2
    assert run.outcome("f1")["failed_step"] == "Check variables"
    assert run.outcome("f1")["msg"].endswith("; nothing was sent")
    assert about(simulator, "f1") == []
    assert run.outcome("f2")["msg"].endswith("compute attached")


def test_detach_of_several_hosts_needs_no_connection(playbook, fleet):
    _simulator, inventory = fleet
    inventory["all"]["vars"]["azureml_kubernetes"] = None
    include = {"ansible.builtin.include_role": {"name": ROLE, "tasks_from": "detach"}}

    run = playbook(play(include), inventory, "--limit", "f1,f2")

    assert run.status == 0, run.output
    assert run.outcome("f2")["msg"].startswith("nothing to detach: workspace ")


def test_several_hosts_without_a_connection_each_are_rejected(playbook, fleet):
    """The environment variable would connect all hosts to the same cluster."""
    simulator, inventory = fleet
    inventory["all"]["vars"]["azureml_kubernetes"] = None

    run = playbook(play(roles=[ROLE]), inventory, "--limit", "f1,f2", K8S_AUTH_KUBECONFIG=simulator.kubeconfigs["f1"])

    assert run.status == 2
    for host in ("f1", "f2"):
        assert run.outcome(host)["msg"].startswith("azureml_kubernetes needs kubeconfig, context or host, because ")
    assert simulator.journal() == []


def test_failure_shows_no_source_lines_of_the_role(playbook, fleet):
    simulator, inventory = fleet
    simulator.change_plan("f1", connectivity="Offline")

    run = playbook(play(roles=[ROLE]), inventory, "--limit", "f1")

    assert run.status == 2
    assert (
        "the cluster has connectivity status Offline"
        in run.result("Start deploying Azure Machine Learning", "f1")["msg"]
    )
    assert "Origin:" not in run.output
