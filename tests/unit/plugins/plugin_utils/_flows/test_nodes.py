# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Flows nodes and machine: what they send and return."""

from __future__ import annotations

import pytest
from fake_modules import SUBSCRIPTION, FakeModules, run

NODES = [{"names": ["a", "b"], "labels": {"x": "1"}}, {"names": ["b"], "taints": []}]
UNCHANGED = {"changed": False, "changed_nodes": []}
NAMED = {"subscription_id": SUBSCRIPTION, "resource_group": "rg", "cluster_name": "c"}


@pytest.mark.parametrize(
    ("answers", "check_mode", "summary", "changed_nodes"),
    [
        ({}, False, "nodes changed: 2 (a, b)", ["a", "b"]),
        ({}, True, "nodes to change: 2 (a, b)", ["a", "b"]),
        ({"node": UNCHANGED}, False, "nodes in sync: 2 (a, b)", []),
        ({"node": [UNCHANGED, {}, UNCHANGED, {}]}, False, "nodes changed: 1 (b)", ["b"]),
    ],
)
def test_nodes_of_all_entries_are_in_one_result(answers, check_mode, summary, changed_nodes):
    result = run("nodes", FakeModules(**answers), check_mode, nodes=NODES)

    assert (result["msg"], result["nodes"], result["changed_nodes"]) == (summary, ["a", "b"], changed_nodes)
    assert result["changed"] == bool(changed_nodes)


FAILED = {"failed": True, "msg": "it is forbidden.", "error": {"message": "it is forbidden"}}


def test_invalid_entry_fails_before_the_first_change():
    fake = FakeModules(node=[{}, FAILED])

    result = run("nodes", fake, nodes=NODES)

    assert (result["msg"], result["changed_nodes"]) == ("Compare nodes b: it is forbidden.", [])
    assert fake.sent == []


@pytest.mark.parametrize(("changed", "note"), [([], "1 (a)"), (["b"], "1 (a)")])
def test_failed_entry_names_the_nodes_that_earlier_entries_changed(changed, note):
    failed = {**FAILED, "changed_nodes": changed, "nodes": []}
    nodes = [{"names": ["a"], "labels": {"x": "1"}}, {"names": ["b"]}]

    result = run("nodes", FakeModules(node=[{}, {}, {}, failed]), nodes=nodes)

    said = f"Earlier entries of azureml_nodes changed nodes: {note}"
    assert result["msg"] == f"Label and taint nodes b: it is forbidden. {said}."
    assert result["error"]["message"] == f"it is forbidden. {said}"
    assert (result["failed"], result["changed"], result["changed_nodes"]) == (True, True, ["a", *changed])


def test_entry_that_may_select_by_labels_of_an_earlier_one_is_not_compared_before_the_change():
    labelled = {"label_selectors": ["pool=ml"], "names": ["a"]}
    entries = [{**labelled}, {"names": ["a"], "labels": {"pool": "ml"}}, {**labelled}]
    fake = FakeModules()

    run("nodes", fake, nodes=entries)

    assert [check_mode for _module, _options, check_mode in fake.calls] == [True, True, False, False, False]


def test_nothing_is_sent_without_nodes():
    fake = FakeModules()

    assert run("nodes", fake, **NAMED)["msg"] == "no nodes to change, because azureml_nodes is not set"
    assert fake.calls == []


def test_options_of_nodes_are_those_of_the_variables():
    fake = FakeModules()

    run("nodes", fake, nodes=NODES[:1], allow_disruption=False)

    assert fake.calls == [("node", {"kubeconfig": "k", "allow_disruption": False, **NODES[0]}, False)]


def test_identity_of_a_named_cluster_is_checked_before_the_first_change():
    fake = FakeModules(cluster_identity={"failed": True, "msg": "another cluster"})

    result = run("nodes", fake, nodes=NODES, **NAMED)

    assert (result["failed"], fake.sent) == (True, [])
    assert fake.calls == [("cluster_identity", {"kubeconfig": "k", **NAMED}, True)]


def test_identity_is_checked_without_a_subscription():
    named = {name: value for name, value in NAMED.items() if name != "subscription_id"}
    fake = FakeModules()

    result = run("nodes", fake, nodes=NODES, **named)

    assert fake.calls[0] == ("cluster_identity", {"kubeconfig": "k", **named}, True)
    assert "warnings" not in result


def test_missing_resource_group_is_a_warning_that_the_cluster_was_not_checked():
    result = run("nodes", FakeModules(), nodes=NODES, cluster_name="c")

    assert result["warnings"] == ["the identity of the cluster was not verified: azureml_resource_group is not set"]


def test_unverified_address_of_another_host_is_rejected():
    fake = FakeModules(cluster_identity={"verified": False, "reason": "it is unknown"})

    result = run("nodes", fake, nodes=NODES, owner_of=lambda address: "other", **NAMED)

    assert "host other connects to the same API server, " in result["msg"]
    assert fake.sent == []


@pytest.mark.parametrize(
    ("answer", "variables", "change"),
    [
        ({}, {}, None),
        ({}, {"selinux_mode": "permissive"}, ("permissive", True, False)),
        ({}, {"selinux_mode": "permissive", "reboot": True}, ("permissive", True, False)),
        ({}, {"selinux_mode": "disabled", "reboot": True}, ("disabled", True, True)),
        ({"selinux": "Permissive"}, {"selinux_mode": "disabled"}, ("disabled", False, False)),
        ({"selinux": "Permissive"}, {"selinux_mode": "permissive"}, None),
        ({"selinux": "Disabled"}, {"selinux_mode": "permissive"}, None),
        ({"failed": True, "msg": "no Python", "selinux": ""}, {"selinux_mode": "permissive"}, None),
    ],
)
def test_change_of_selinux_follows_its_mode_and_the_variables(answer, variables, change):
    result = run("machine", FakeModules(node_preflight=answer), wait=False, machine_become=False, **variables)

    names = ("mode", "enforcing", "reboot", "become")
    expected = change and dict(zip(names, (*change, False), strict=True))
    assert result.get("selinux_change") == expected
    assert "failed" not in result


@pytest.mark.parametrize(
    ("current", "mode", "check_mode", "message"),
    [
        ("Enforcing", None, False, "the machine is ready"),
        ("Permissive", "permissive", False, "the machine is ready, SELinux is permissive"),
        (
            "Permissive",
            "disabled",
            False,
            "the machine is ready, SELinux is permissive until the next boot, then disabled",
        ),
        ("Disabled", "disabled", False, "the machine is ready, SELinux is disabled"),
        ("Enforcing", "permissive", True, "the machine is ready, SELinux would be set to permissive"),
    ],
)
def test_result_of_a_machine_has_the_mode_of_selinux_after_the_change(current, mode, check_mode, message):
    fake = FakeModules(node_preflight={"selinux": current})

    assert run("machine", fake, check_mode, selinux_mode=mode)["msg"] == message


def test_machine_on_which_selinux_is_still_enforcing_fails():
    result = run("machine", FakeModules(), selinux_mode="permissive")

    assert result["failed"]
    assert "SELinux is still enforcing, but azureml_selinux_mode is permissive" in result["msg"]


@pytest.mark.parametrize(
    ("level", "message"),
    [
        ("error", "the machine is not ready (disk), but azureml_fail_on is never"),
        ("warning", "the machine is ready"),
    ],
)
def test_machine_with_errors_that_do_not_fail_is_not_called_ready(level, message):
    answer = {"findings": [{"check": "disk", "level": level}] * 2}

    assert run("machine", FakeModules(node_preflight=answer), fail_on="never")["msg"] == message
