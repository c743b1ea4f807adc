# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All clusters of a play in one task: the same as each by tasks of its own, and what only a fleet has."""

from __future__ import annotations

import json
import re

import pytest
from support import writes

import certificates
import simulated
from simulator.scenario import ClusterPlan, InstallPlan, Scenario

INSTALL = InstallPlan(seconds=30)
CLUSTERS = [
    ClusterPlan("shop", nodes=1, install=INSTALL, attach_seconds=6),
    ClusterPlan("plant", distribution="openshift", install=INSTALL, attach_seconds=6),
    ClusterPlan("cloud", type="managedClusters", install=INSTALL, attach_seconds=6),
    ClusterPlan("broken", install=InstallPlan(30, error="timed out", pods={"relayserver": "ImagePullBackOff"})),
]
HEALTHY = ("shop", "plant", "cloud")
ROLE = [{"hosts": "all", "gather_facts": False, "roles": ["azureml.arc.azureml"]}]
# What differs from one simulation to the next.
VOLATILE = re.compile(r"SharedAccessKey=[^;\"]*|[0-9a-f]{8}-[0-9a-f-]{27}|\?.*$")


@pytest.fixture
def fleet(tmp_path, environment, monkeypatch):
    """The clusters in a simulator that has just begun, and their inventory."""
    with simulated.running(Scenario(clusters=CLUSTERS, time_scale=60), tmp_path / "simulator") as simulator:
        for name, value in simulator.environment.items():
            monkeypatch.setenv(name, value)
        yield simulator, simulated.inventory(simulator.directory, CLUSTERS)


def everything(inventory: dict, pair: tuple[bytes, bytes]) -> None:
    """Have clusters use all that a deployment can do."""
    certificate, key = (part.decode() for part in pair)
    types = {"small": {"resources": {"limits": {"cpu": "1", "memory": "2Gi"}}}}
    inventory["all"]["vars"] |= {
        "azureml_profile": "training_inference",
        "azureml_inference_service": "node_port",
        "azureml_tls": {"secret_name": "ml-tls", "cname": "ml.example.com"},
        "azureml_tls_secret": {"certificate_content": certificate, "private_key_content": key},
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
    """The writes by cluster in their order, and everything that was read."""
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


def test_it_sends_what_the_role_sends_for_one_cluster_after_the_other(playbook, tmp_path, monkeypatch):
    """A first deployment with one that fails, a second without a change, and a change, both ways."""
    pair = certificates.make()
    seen = {}
    for way, content in (("role", ROLE), ("fleet", "azureml.arc.deploy")):
        with simulated.running(Scenario(clusters=CLUSTERS, time_scale=60), tmp_path / way) as simulator:
            inventory = simulated.inventory(simulator.directory, CLUSTERS)
            everything(inventory, pair)
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
        assert read == other_read


def test_it_finds_what_the_role_finds(playbook, fleet):
    """Deployed, then asked for something else by the variables, both ways of verifying."""
    simulator, inventory = fleet
    everything(inventory, certificates.make())
    playbook("azureml.arc.deploy", inventory)
    types = inventory["all"]["vars"]["azureml_compute"]["instance_types"]
    inventory["all"]["vars"] |= {"azureml_install_volcano": False}
    types["small"]["resources"]["limits"]["cpu"] = "2"
    inventory["all"]["hosts"]["plant"]["azureml_resource_group"] = "rg-none"
    role = {"ansible.builtin.include_role": {"name": "azureml.arc.azureml", "tasks_from": "verify"}}
    simulator.clear_journal()

    alone = playbook([{"hosts": "all", "gather_facts": False, "tasks": [{"name": "Verify", **role}]}], inventory)
    _written, read = sent(simulator)
    simulator.clear_journal()
    together = playbook("azureml.arc.verify", inventory)

    assert (alone.status, together.status, writes(simulator)) == (2, 2, [])
    for host in ("shop", "cloud", "broken"):
        assert together.outcome(host)["msg"] == alone.result("Report the findings", host)["msg"]
    assert together.outcome("shop")["findings"] == [
        "extension: it differs from the desired state (installVolcano)",
        "compute: it differs from the desired state",
        "instance types not as wanted: small, defaultinstancetype",
    ]
    failed = together.outcome("plant")
    assert failed["failed_step"] == "Compare the extension"
    message = alone.result("Compare the extension", "plant")["msg"]
    assert VOLATILE.sub("*", failed["msg"]) == VOLATILE.sub("*", f"Compare the extension: {message}")
    assert sent(simulator)[1] == read


def test_what_is_wrong_with_one_cluster_is_not_wrong_with_the_others(playbook, fleet):
    simulator, inventory = fleet
    hosts = inventory["all"]["hosts"]
    hosts["shop"]["azureml_cluster_type"] = "openstack"
    hosts["plant"]["azureml_version"] = "{{ no_such_variable }}"
    hosts["broken"]["azureml_compute"] = {"name": "broken", "config_file": "none.json"}

    run = playbook("azureml.arc.deploy", inventory)

    assert run.status == 2
    assert "value of azureml_cluster_type must be one of" in run.outcome("shop")["msg"]
    assert "no_such_variable" in run.outcome("plant")["msg"]
    assert run.outcome("broken")["msg"].startswith("Check variables: config_file none.json: ")
    assert run.result("Show the outcome", "shop")["failed_step"] == "Check variables"
    assert run.outcome("cloud")["msg"].endswith("compute created")
    refused = ("/shop", "/plant", "/broken")
    assert not [one for one in simulator.journal() if any(name in one["path"] for name in refused)]


def test_a_failure_is_told_without_all_that_is_known(playbook, fleet):
    """Ansible shows the whole result of a task that fails."""
    _simulator, inventory = fleet

    run = playbook("azureml.arc.deploy", inventory, "--limit", "broken")

    told = run.result("Show the outcome", "broken")
    assert told["failed_step"] == "Wait until the extension is installed"
    assert told["error"]["code"] == "ExtensionOperationFailed"
    assert not {"extension", "steps", "pod_readiness"} & told.keys()
    assert {"extension", "steps", "pod_readiness"} <= run.outcome("broken").keys()


def test_a_large_fleet_that_is_as_wanted_is_told_once(playbook, fleet):
    """Without a task for each host, but for AWX, which counts hosts by them; whatever the strategy is set to."""
    _simulator, inventory = fleet
    del inventory["all"]["hosts"]["broken"]
    deployed = playbook("azureml.arc.deploy", inventory, "--forks", "2", ANSIBLE_STRATEGY="free")

    settled = playbook("azureml.arc.deploy", inventory, "--forks", "2")
    in_awx = playbook("azureml.arc.deploy", inventory, "--forks", "2", "-e", "awx_job_id=1")

    assert [run.status for run in (deployed, settled, in_awx)] == [0, 0, 0]
    told = [
        sorted(one["host"] for one in run.results if "Show the outcome" in one["task"]) for run in (settled, in_awx)
    ]
    assert told == [[], sorted(HEALTHY)]
    for host in HEALTHY:
        assert f"ok: [{host}] extension as it was, " in settled.output
    quiet = playbook("azureml.arc.deploy", inventory, "--forks", "2", "-e", "azureml_progress_interval=0")
    assert "extension as it was" not in quiet.output


@pytest.mark.parametrize("name", ["deploy", "rollout"])
def test_clusters_that_are_reached_from_a_node_come_along(playbook, fleet, name):
    simulator, inventory = fleet
    hosts = inventory["all"]["hosts"]
    del hosts["broken"]
    hosts["shop"] = {
        "azureml_kube_from": "{{ place }}",
        "place": "node",
        "ansible_connection": "local",
        "ansible_python_interpreter": "{{ ansible_playbook_python }}",
    }

    first = playbook(f"azureml.arc.{name}", inventory, "-e", "azureml_waves=100%")
    simulator.clear_journal()
    second = playbook(f"azureml.arc.{name}", inventory, "-e", "azureml_waves=100%")

    assert (first.status, second.status) == (0, 0), first.output + second.output
    verified = playbook("azureml.arc.verify" if name == "deploy" else "azureml.arc.report", inventory)
    assert verified.status == 0, verified.output
    assert verified.outcome("cloud")["as_wanted"]
    assert verified.result("Report the findings", "shop")["msg"].endswith("compute attached")
    assert first.result("Wait until the pods are ready", "shop")["ready"]
    assert first.outcome("cloud")["changed"]
    assert second.changed("shop") == 0
    assert writes(simulator) == []


def test_options_of_modules_for_a_playbook_of_ones_own(playbook, fleet):
    _simulator, inventory = fleet
    inventory["all"]["hosts"] = {"shop": {"azureml_version": "{{ '1.1' ~ '.61' }}", "azureml_openshift": "{{ omit }}"}}
    tasks = [
        {"name": term, "ansible.builtin.debug": {"msg": f"{{{{ lookup('azureml.arc.cluster_options', '{term}') }}}}"}}
        for term in ("extension", "compute", "colour")
    ]

    run = playbook([{"hosts": "all", "gather_facts": False, "tasks": tasks}], inventory)

    assert run.result("extension", "shop")["msg"] == {
        "resource_group": "rg-edge",
        "version": "1.1.61",
        "workload_profile": "training",
    }
    assert run.result("compute", "shop")["msg"]["workspace"] == {"name": "ws", "resource_group": "rg-ml"}
    assert "there is no 'colour', only drift, preflight" in run.output


def test_differences_are_those_of_the_host(playbook, fleet):
    _simulator, inventory = fleet

    run = playbook("azureml.arc.deploy", inventory, "--check", "--diff", "--limit", "shop,plant")

    assert run.status == 0, run.output
    shop, plant = (json.dumps(run.result("Show the outcome", host)["diff"]) for host in ("shop", "plant"))
    assert "settings.openshift" in plant
    assert "settings.openshift" not in shop
