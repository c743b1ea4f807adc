# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All clusters of a play in one task: the same results as with a task per cluster, and features of fleets."""

from __future__ import annotations

import json
import re

import pytest
from fleets import CLUSTERS, HEALTHY, RESULT, VERIFY, shown
from playbooks import LOCAL, play, run_playbook
from support import requests_to, writes

import certificates
import simulated
from simulator.scenario import Scenario

ROLE = play(roles=["azureml.arc.azureml"])
# Values that differ between simulations.
VOLATILE = re.compile(r"SharedAccessKey=[^;\"]*|[0-9a-f]{8}-[0-9a-f-]{27}|\?.*$")
NODE = {**LOCAL, "azureml_kubernetes_via": "{{ place }}", "place": "node"}


def use_all_features(inventory: dict, pair: dict[str, str]) -> None:
    """Set variables that use all steps of a deployment."""
    types = {"small": {"resources": {"limits": {"cpu": "1", "memory": "2Gi"}}}}
    inventory["all"]["vars"] |= {
        "azureml_profile": "training_inference",
        "azureml_inference_service": "node_port",
        "azureml_tls": {"secret_name": "ml-tls", "cname": "ml.example.com"},
        "azureml_tls_secret": pair,
        "azureml_compute": {
            "name": "{{ inventory_hostname }}",
            "namespace": "vision",
            "create_namespace": True,
            "instance_types": types,
            "default_instance_type": "small",
        },
        "azureml_computes": [{"name": "{{ inventory_hostname }}-2"}],
    }


def sent(simulator) -> tuple[dict[str, list], set]:
    """Return the changes by cluster in their order, and all reads."""
    written: dict[str, list] = {}
    read = set()
    for one in simulator.journal():
        path = VOLATILE.sub("*", one["path"])
        if one["method"] == "GET":
            read.add((path, one["status"]))
        elif not path.endswith("/token"):
            cluster = next((name for name in (*HEALTHY, "broken") if f"/{name}" in path), "")
            body = VOLATILE.sub("*", json.dumps(one["body"], sort_keys=True))
            written.setdefault(cluster, []).append((one["method"], path, body))
    return written, read


def test_fleet_and_role_send_the_same_requests(playbook, tmp_path):
    """In a first deployment with a failed cluster, in a second one without changes, and with changed variables."""
    pair = certificates.as_options()
    seen = {}
    for way, content in (("role", ROLE), ("fleet", "azureml.arc.deploy")):
        with simulated.running(Scenario(clusters=CLUSTERS, time_scale=60), tmp_path / way) as simulator:
            inventory = simulated.inventory(simulator.directory, CLUSTERS)
            use_all_features(inventory, pair)
            runs = []
            for variables in ({}, {}, {"azureml_install_volcano": False, "azureml_purge_instance_types": True}):
                inventory["all"]["vars"] |= variables
                simulator.clear_journal()
                limit = ("--limit", "!broken") if runs else ()
                run = playbook(content, inventory, *limit, **simulator.environment)
                runs.append((run.status, *sent(simulator)))
            seen[way] = runs

    assert [status for status, _written, _read in seen["fleet"]] == [2, 0, 0]
    assert [bool(written) for _status, written, _read in seen["fleet"]] == [True, False, True]
    for (status, written, read), (other_status, other_written, other_read) in zip(*seen.values(), strict=True):
        assert status == other_status
        assert written == other_written
        # The role reads again in its second task. The fleet reads the workspace of its clusters first.
        assert {path.rpartition("/")[2] for path, _status in other_read - read} <= {"ws"}


def test_fleet_and_role_report_the_same_differences(playbook, fleet):
    simulator, inventory = fleet
    use_all_features(inventory, certificates.as_options())
    playbook("azureml.arc.deploy", inventory)
    types = inventory["all"]["vars"]["azureml_compute"]["instance_types"]
    inventory["all"]["vars"] |= {"azureml_install_volcano": False}
    types["small"]["resources"]["limits"]["cpu"] = "2"
    inventory["all"]["hosts"]["plant"]["azureml_resource_group"] = "rg-none"
    role = {"ansible.builtin.include_role": {"name": "azureml.arc.azureml", "tasks_from": "verify"}}
    simulator.clear_journal()

    alone = playbook(play({"name": "Verify", **role}), inventory)
    _written, read = sent(simulator)
    simulator.clear_journal()
    together = playbook("azureml.arc.verify", inventory)

    assert (alone.status, together.status, writes(simulator)) == (2, 2, [])
    for host in ("shop", "cloud", "broken"):
        assert together.outcome(host)["msg"] == alone.outcome(host)["msg"]
    # Nothing was changed: the comparison shows the planned update.
    rows = {one["name"]: one for one in together.wave("broken")["clusters"]}
    assert rows["shop"]["extension"] == "would be updated: installVolcano"
    assert together.outcome("shop")["findings"] == [
        "extension: it differs from the desired state (installVolcano)",
        "compute shop: it differs from the desired state",
        "instance types differ: small, defaultinstancetype",
    ]
    failed = together.outcome("plant")
    assert failed["failed_step"] == alone.outcome("plant")["failed_step"] == "Compare the extension"
    assert VOLATILE.sub("*", failed["msg"]) == VOLATILE.sub("*", alone.outcome("plant")["msg"])
    assert sent(simulator)[1] == read


@pytest.mark.parametrize("name", ["deploy", "rollout"])
def test_clusters_reached_via_a_node_are_deployed_with_the_others(playbook, fleet, name):
    simulator, inventory = fleet
    hosts = inventory["all"]["hosts"]
    del hosts["broken"]
    hosts["shop"] = NODE

    first = playbook(f"azureml.arc.{name}", inventory, "-e", "azureml_waves=100%")
    simulator.clear_journal()
    second = playbook(f"azureml.arc.{name}", inventory, "-e", "azureml_waves=100%")

    assert (first.status, second.status) == (0, 0), first.output + second.output
    assert {one["name"]: one["outcome"] for one in first.wave("cloud")["clusters"]} == dict.fromkeys(HEALTHY, "changed")
    verified = playbook("azureml.arc.verify" if name == "deploy" else "azureml.arc.report", inventory)
    assert verified.status == 0, verified.output
    assert verified.outcome("cloud")["in_sync"]
    assert verified.outcome("shop")["in_sync"]
    assert verified.outcome("shop")["msg"].endswith("compute attached")
    assert "Wait until the pods are ready" in [one["name"] for one in first.outcome("shop")["steps"]]
    assert first.outcome("shop")["pod_readiness"]["ready"]
    assert first.outcome("cloud")["changed"]
    assert second.changed("shop") == 0
    assert writes(simulator) == []


def test_environment_and_become_of_a_host_do_not_apply_to_others(playbook, fleet):
    """Hosts with their own environment or C(become) run their flow in their own task."""
    _simulator, inventory = fleet
    inventory["all"]["hosts"]["shop"] |= {"ansible_become": True, "ansible_become_exe": "/none"}
    inventory["all"]["hosts"]["cloud"] |= {"account": {"AZURE_SUBSCRIPTION_ID": "prod"}}
    content = play(VERIFY, RESULT, environment="{{ account | default({}) }}")

    inventory["all"]["hosts"] = {name: inventory["all"]["hosts"][name] for name in ("shop", "cloud")}
    run = playbook(content, inventory)

    assert "subscription_id 'prod' is not a subscription id" in run.outcome("cloud")["msg"]
    assert "extension: the extension does not exist" in run.outcome("shop")["msg"]


def test_cluster_with_ordinary_modules_has_the_same_result(playbook, fleet):
    simulator, inventory = fleet
    inventory["all"]["hosts"]["shop"]["azureml_arc_in_process"] = False

    first = playbook("azureml.arc.deploy", inventory, "--limit", "shop,cloud")
    second = playbook("azureml.arc.deploy", inventory, "--limit", "shop,cloud")

    assert (first.status, second.status) == (0, 0), first.output
    assert (first.changed("shop"), first.changed("cloud"), second.changed("shop")) == (1, 1, 0)
    names = [[one["name"] for one in first.outcome(host)["steps"] if one["changed"]] for host in ("shop", "cloud")]
    # As an ordinary module, M(azureml.arc.extension) creates the relay itself.
    assert names[0] == ["Submit the extension", "Attach the cluster"]
    assert len(requests_to(simulator, "PUT", "/extensions/azureml")) == 2


@pytest.mark.parametrize(
    ("tags", "changes", "pods", "computes"),
    [
        (("--tags", "extension"), 1, False, 0),
        (("--tags", "extension,readiness"), 1, True, 0),
        (("--skip-tags", "attach"), 1, True, 0),
        (("--tags", "extension,attach"), 1, False, 1),
        (("--tags", "readiness"), 0, True, 0),
        (("--tags", "attach"), 0, False, 1),
    ],
)
def test_tags_select_the_parts(playbook, fleet, tags, changes, pods, computes):
    simulator, inventory = fleet
    limit = ("--limit", "shop")
    if not changes:
        playbook("azureml.arc.deploy", inventory, *limit, "--skip-tags", "attach")
    simulator.clear_journal()

    run = playbook("azureml.arc.deploy", inventory, *limit, *tags)

    assert run.status == 0, run.output
    assert len(requests_to(simulator, "PUT", "/extensions/azureml")) == changes
    assert len(requests_to(simulator, "PUT", "/computes/shop")) == computes
    assert ("Wait until the pods are ready" in [one["name"] for one in run.outcome("shop")["steps"]]) is pods


@pytest.mark.parametrize(
    ("name", "warns"),
    [
        ("deploy", True),
        ("rollout", True),
        ("verify", True),
        ("report", True),
        ("upgrade", False),
        ("rotate_tls", False),
        ("detach", False),
        ("remove", False),
        ("nodes", False),
    ],
)
def test_unknown_tag_sends_nothing(playbook, fleet, name, warns):
    simulator, inventory = fleet
    simulator.clear_journal()

    run = playbook(f"azureml.arc.{name}", inventory, "--limit", "shop", "--tags", "readines")

    assert run.status == 0, run.output
    assert simulator.journal() == []
    warning = "the tags of this run select none of extension, readiness, attach, prove; "
    assert (warning in " ".join(run.output.split())) is warns  # ansible-core 2.17 breaks warnings into lines


@pytest.mark.parametrize("report_hosts", [True, False])
def test_deployment_that_skips_all_parts_sends_nothing(playbook, fleet, report_hosts):
    simulator, inventory = fleet
    simulator.clear_journal()
    variables = ("-e", f"azureml_report_hosts={report_hosts}")

    run = playbook("azureml.arc.deploy", inventory, "--skip-tags", "extension,readiness,attach,prove", *variables)

    assert run.status == 0, run.output
    assert simulator.journal() == []


def test_step_mode_runs_the_fleet_after_confirmation(fleet, tmp_path):
    """The answers confirm the first task, and then all further tasks."""
    simulator, inventory = fleet

    run = run_playbook("azureml.arc.deploy", inventory, tmp_path, ["--limit", "shop,cloud", "--step"], answers="y\nc\n")

    assert run.status == 0, run.output
    assert "Perform task" in run.output
    assert shown(run) == ["cloud", "shop"]
    assert len(requests_to(simulator, "PUT", "/extensions/azureml")) == 2


@pytest.mark.parametrize(("name", "action"), [("remove", "remove Azure Machine Learning from"), ("detach", "detach")])
def test_destructive_playbooks_require_a_limit_or_a_confirmation(playbook, fleet, name, action):
    simulator, inventory = fleet

    refused = playbook(f"azureml.arc.{name}", inventory)
    wrong = playbook(f"azureml.arc.{name}", inventory, "-e", "azureml_confirm=3")
    unlimited = playbook(f"azureml.arc.{name}", inventory, "--limit", "*")

    assert (refused.status, wrong.status, unlimited.status) == (2, 2, 2)
    assert f"this would {action} 4 clusters" in refused.output
    assert "azureml_confirm=4" in refused.output
    assert "not 3" in wrong.output
    assert simulator.journal() == []
    checked = playbook(f"azureml.arc.{name}", inventory, "--check")
    confirmed = playbook(f"azureml.arc.{name}", inventory, "-e", "azureml_confirm=4")
    limited = playbook(f"azureml.arc.{name}", inventory, "--limit", "shop")
    assert [run.status for run in (checked, confirmed, limited)] == [0, 0, 0], checked.output + confirmed.output
    assert writes(simulator) == []
