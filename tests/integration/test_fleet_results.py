# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The output of a run for all clusters: errors in variables, the result of each host, diffs."""

from __future__ import annotations

import json

import pytest
from fleets import HEALTHY, SHOW, shown
from support import about, writes


def test_invalid_variables_of_a_cluster_do_not_affect_others(playbook, fleet):
    simulator, inventory = fleet
    hosts = inventory["all"]["hosts"]
    hosts["shop"]["azureml_cluster_type"] = "openstack"
    hosts["plant"]["azureml_version"] = "{{ no_such_variable }}"
    hosts["broken"]["azureml_compute"] = {"name": "broken", "config_file": "none.json"}

    run = playbook("azureml.arc.deploy", inventory)

    assert run.status == 2
    assert "azureml_cluster_type must be one of" in run.outcome("shop")["msg"]
    assert "no_such_variable" in run.outcome("plant")["msg"]
    assert "azureml_compute.config_file: " in run.outcome("broken")["msg"]
    for host in ("shop", "plant", "broken"):
        assert run.outcome(host)["msg"].endswith("; nothing was sent")
        assert run.outcome(host)["failed_step"] == "Check variables"
    assert run.outcome("cloud")["msg"].endswith("compute attached")
    assert about(simulator, "shop", "plant", "broken") == []


def test_error_of_several_hosts_is_shown_once(playbook, fleet):
    simulator, inventory = fleet
    inventory["all"]["vars"]["azureml_profil"] = "training"

    run = playbook("azureml.arc.deploy", inventory)

    assert run.status == 2
    message = "unknown variable azureml_profil (did you mean azureml_profile?); nothing was sent"
    (line,) = [line for line in run.output.splitlines() if line.startswith("failed: ")]
    assert line == f"failed: 4 clusters (broken, cloud, plant, shop) {message}"
    assert {host: figures["failed"] for host, figures in run.recap().items()} == dict.fromkeys((*HEALTHY, "broken"), 1)
    assert simulator.journal() == []


@pytest.mark.parametrize(
    ("variables", "hosts", "message"),
    [
        (
            {"azureml_kubernetes": {"kubeconfig": "same"}},
            {},
            "hosts cloud, shop connect to the same API server by azureml_kubernetes",
        ),
        ({"azureml_kubernetes": {}}, {}, "azureml_kubernetes needs kubeconfig, context or host"),
        ({"azureml_compute": {"name": "edge"}}, {}, "hosts cloud, shop attach their clusters as the same compute edge"),
        (
            {},
            {"cloud": {"azureml_cluster_name": "SHOP", "azureml_cluster_type": "connected_cluster"}},
            "hosts cloud, shop refer to the same cluster in Azure",
        ),
    ],
)
def test_conflicting_variables_of_hosts_are_rejected(playbook, fleet, variables, hosts, message):
    simulator, inventory = fleet
    inventory["all"]["vars"] |= variables
    for name, given in hosts.items():
        inventory["all"]["hosts"][name] |= given

    run = playbook("azureml.arc.deploy", inventory, "--limit", "shop,cloud")

    assert run.status == 2
    assert run.output.count(f"failed: 2 clusters (cloud, shop) {message}") == 1
    assert simulator.journal() == []


def test_shown_result_of_a_failed_cluster_is_short(playbook, fleet):
    """Ansible prints the whole result of a failed task, so the task returns only a part."""
    _simulator, inventory = fleet

    run = playbook("azureml.arc.deploy", inventory, "--limit", "broken")

    printed = run.result(SHOW, "broken")
    assert printed["msg"] == "failed, see above"
    assert not {"error", "extension", "failed_step", "steps", "pod_readiness"} & printed.keys()
    assert run.output.count("ExtensionOperationFailed") == 1
    assert {"extension", "failed_step", "steps", "pod_readiness"} <= run.outcome("broken").keys()


@pytest.mark.parametrize("strategy", ["linear", "free"])
def test_every_host_has_its_result_in_every_run(playbook, fleet, strategy):
    """With and without changes, and with any configured strategy and number of forks."""
    _simulator, inventory = fleet
    run_options = {"ANSIBLE_STRATEGY": strategy}

    first = playbook("azureml.arc.deploy", inventory, "--forks", "2", **run_options)
    second = playbook("azureml.arc.deploy", inventory, "--forks", "50", "--limit", "!broken", **run_options)

    assert (first.status, second.status) == (2, 0)
    assert shown(first) == sorted((*HEALTHY, "broken"))
    assert shown(second) == sorted(HEALTHY)
    first_recap, second_recap = first.recap(), second.recap()
    assert {host: (one["changed"], one["failed"]) for host, one in first_recap.items()} == {
        **dict.fromkeys(HEALTHY, (1, 0)),
        "broken": (0, 1),
    }
    assert all(one["ok"] >= 1 and one["changed"] == one["failed"] == 0 for one in second_recap.values())
    assert set(second_recap) == set(HEALTHY)
    for host in HEALTHY:
        assert f"ok: [{host}] extension unchanged, " in second.output


def test_without_azureml_report_hosts_results_are_shown_only_after_a_failure(playbook, fleet):
    _simulator, inventory = fleet
    failed = playbook("azureml.arc.deploy", inventory, "-e", "azureml_report_hosts=false")
    settled = playbook("azureml.arc.verify", inventory, "--limit", "!broken", "-e", "azureml_report_hosts=false")

    assert (failed.status, settled.status) == (2, 0)
    assert shown(failed) == sorted((*HEALTHY, "broken"))
    assert shown(settled) == []
    assert "3 clusters: 3 ok" in settled.output
    assert settled.wave("cloud")["summary"] == "3 clusters: 3 ok"


def test_progress_interval_of_zero_prints_no_results_of_clusters(playbook, fleet):
    _simulator, inventory = fleet

    quiet = playbook("azureml.arc.deploy", inventory, "--limit", "shop", "-e", "azureml_progress_interval=0")

    assert quiet.status == 0, quiet.output
    assert "extension installed" not in quiet.output
    assert quiet.outcome("shop")["msg"].startswith("extension installed, ")


def test_failure_without_a_line_is_complete_in_the_result_of_its_host(playbook, fleet):
    """Progress interval 0 hides lines, for instance from a callback plugin that prints JSON."""
    _simulator, inventory = fleet
    inventory["all"]["hosts"]["cloud"]["azureml_profile"] = "serving"

    run = playbook("azureml.arc.deploy", inventory, "--limit", "cloud", "-e", "azureml_progress_interval=0")

    assert run.status == 2
    assert run.result(SHOW, "cloud")["msg"].startswith("azureml_profile must be one of")
    assert run.result(SHOW, "cloud")["failed_step"] == "Check variables"
    assert run.output.count("azureml_profile must be one of") == 1


@pytest.mark.parametrize("arguments", [("-v",), ("-e", "awx_job_id=1")])
def test_complete_result_of_a_failed_host_has_no_line_of_its_own(playbook, fleet, arguments):
    """Ansible would repeat the message, and show lines of the collection."""
    _simulator, inventory = fleet
    inventory["all"]["hosts"]["cloud"]["azureml_profile"] = "serving"

    run = playbook("azureml.arc.deploy", inventory, "--limit", "cloud", *arguments)

    assert {"msg", "failed_step", "steps", "computes"} <= run.result(SHOW, "cloud").keys()
    assert "[ERROR]" not in run.output
    assert "Origin:" not in run.output


def test_missing_library_is_shown_once(playbook, fleet, tmp_path):
    """Without the traceback of its import, as Ansible shows of unexpected errors."""
    _simulator, inventory = fleet
    (tmp_path / "hidden" / "azure").mkdir(parents=True)
    (tmp_path / "hidden" / "azure" / "__init__.py").touch()  # hides the installed packages

    run = playbook("azureml.arc.deploy", inventory, "--limit", "shop", PYTHONPATH=str(tmp_path / "hidden"))

    assert run.status == 2
    assert run.output.count("Failed to import the required Python library (azure-identity") == 1
    assert run.output.count('"msg": "failed, see above"') == 1
    for text in ("[ERROR]", "Traceback", "An exception occurred"):
        assert text not in run.output


@pytest.mark.parametrize(("arguments", "is_shown"), [((), False), (("-vvv",), True)])
def test_traceback_of_an_unexpected_error_is_shown_on_request(playbook, fleet, arguments, is_shown):
    """From ansible-core 2.19 on, Ansible itself shows none with C(-vvv)."""
    simulator, inventory = fleet
    body = json.dumps({"properties": {"connectivityStatus": 1}})
    simulator.add_fault(path="/connectedClusters/shop$", status=200, body=body, content_type="application/json")

    run = playbook("azureml.arc.deploy", inventory, "--limit", "shop", *arguments)

    assert run.status == 2
    assert "failed: [shop] Check that the extension can be installed: Unexpected KeyError: 'location'" in run.output
    assert ("KeyError: 'location'\n" in run.output) is is_shown
    assert "[ERROR]" not in run.output


def test_each_host_has_its_own_diff(playbook, fleet):
    simulator, inventory = fleet

    run = playbook("azureml.arc.deploy", inventory, "--check", "--diff", "--limit", "shop,plant")

    assert run.status == 0, run.output
    shop, plant = (json.dumps(run.result(SHOW, host)["diff"]) for host in ("shop", "plant"))
    assert "settings.openshift" in plant
    assert "settings.openshift" not in shop
    for host in ("shop", "plant"):
        assert f"--- before: {host}: extension azureml (absent)\n" in run.output
        assert f"--- before: {host}: compute {host} (absent)\n" in run.output
    assert writes(simulator) == []
