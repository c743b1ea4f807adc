# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory plugin C(clusters) with more clusters than one page of Azure Resource Graph has."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Sequence

import pytest
import yaml
from ansible_collections.azureml.arc.plugins.modules.extension import SPEC as EXTENSION

import simulated
from simulator.scenario import SUBSCRIPTION, ClusterPlan, InstallPlan, Scenario

OTHER_SUBSCRIPTION = "66666666-7777-8888-9999-000000000000"
COUNT = 1100
HOSTILE = "{{ lookup('ansible.builtin.env', 'HOME') }}"
FAILS = InstallPlan(seconds=1, error="Helm installation failed : timed out waiting for the condition")


@pytest.fixture(scope="module")
def fleet(tmp_path_factory):
    """A simulator of many clusters, some of which differ, with a quota of one query per window."""
    clusters = [ClusterPlan(f"shop-{index:04}", install=InstallPlan(1)) for index in range(COUNT)]
    clusters += [
        ClusterPlan(
            "plant", distribution="openshift", location="northeurope", resource_group="rg-plant", install=FAILS
        ),
        ClusterPlan("west", type="managedClusters", tags={"environment": "Production", "azureml-wave": "1"}),
        ClusterPlan("west", tags={"environment": "production", "note": HOSTILE}, connectivity="Offline"),
        ClusterPlan("far", subscription=OTHER_SUBSCRIPTION),
    ]
    scenario = Scenario(clusters=clusters, time_scale=60, graph_quota=1)
    with simulated.running(scenario, tmp_path_factory.mktemp("fleet")) as running:
        yield running


@pytest.fixture
def listed(fleet, sign_in_to, tmp_path):
    """Return a function that runs C(ansible-inventory --list) with a configuration, and returns the output or error."""
    sign_in_to(fleet)

    def run(*arguments: str, program: Sequence[str] = ("ansible-inventory", "--list"), **options):
        path = tmp_path / "azureml_clusters.yml"
        path.write_text(yaml.safe_dump({"plugin": "azureml.arc.clusters", **options}), encoding="utf-8")
        finished = subprocess.run(
            [*program, "-i", str(path), *arguments],
            env={**os.environ, "ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED": "true"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        if finished.returncode:
            return " ".join(finished.stderr.split())
        is_json = finished.stdout.startswith("{")
        return json.loads(finished.stdout, object_hook=_unmarked) if is_json else finished.stdout

    return run


def _unmarked(value: dict) -> object:
    """Return a value without the wrapper with which ansible-core 2.19 and later mark unsafe strings."""
    return value.get("__ansible_unsafe", value)


def hosts_of(inventory: dict) -> dict:
    return inventory["_meta"]["hostvars"]


def queries(fleet) -> list[dict]:
    return [one for one in fleet.journal() if one["path"].endswith("Microsoft.ResourceGraph/resources")]


def test_all_pages_are_read_within_the_quota(listed, fleet, monkeypatch):
    monkeypatch.delenv("AZURE_SUBSCRIPTION_ID")

    inventory = listed()

    assert len(hosts_of(inventory)) == COUNT + 4
    assert len(inventory["distribution_k3s"]["hosts"]) == COUNT + 2
    assert [name.rpartition("_")[0] for name in inventory["distribution_openshift"]["hosts"]] == ["plant"]
    assert [name.rpartition("_")[0] for name in inventory["connectivity_offline"]["hosts"]] == ["west"]
    assert sum(len(inventory[f"wave_{number}"]["hosts"]) for number in (1, 2, 3)) == COUNT + 4
    sent = queries(fleet)
    assert len([one for one in sent if one["status"] == 200]) == 3  # two pages, and the extensions
    assert len(sent) <= 4  # the first response does not show that the next query exceeds the quota


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"resource_groups": ["RG-Plant"]}, ["plant"]),
        ({"locations": ["northeurope"]}, ["plant"]),
        ({"distributions": ["aks", "openshift"]}, ["plant", "west"]),
        ({"cluster_types": ["managed_cluster"]}, ["west"]),
        ({"tags": {"Environment": "production"}}, ["west", "west"]),
        ({"tags": {"environment": ["test", "production"], "note": None}}, ["west"]),
        ({"subscription_ids": [OTHER_SUBSCRIPTION]}, ["far"]),
        ({"subscription_ids": [SUBSCRIPTION, OTHER_SUBSCRIPTION], "tags": {"note": None}}, ["west"]),
        ({"tags": {"environment": "') or type =~ ('"}}, []),
    ],
)
def test_filter_selects_clusters(listed, options, found):
    names = sorted(name.rpartition("_")[0] for name in hosts_of(listed(**options)))

    assert names == found


@pytest.mark.parametrize(
    ("options", "warned"),
    [
        ({"distributions": ["k3"], "tags": {"environment": "produktion"}}, True),
        ({"distributions": ["openshift"]}, False),
    ],
)
def test_inventory_without_a_cluster_warns_with_its_filters(listed, options, warned):
    output = listed(program=("bash", "-c", 'ansible-inventory --graph "$@" 2>&1', "bash"), **options)

    warning = 'no cluster matches distributions ["k3"], tags {"environment": "produktion"}; check these filters'
    assert (warning in " ".join(output.split())) is warned


def test_hosts_have_variables_of_the_role_and_constructed_groups(listed):
    inventory = listed(
        tags={"environment": "production"},
        compose={"azureml_kubernetes": "dict(kubeconfig='/kube/' ~ inventory_hostname)"},
        groups={"small": "azureml_cluster.node_count < 4"},
        keyed_groups=[{"key": "azureml_cluster.tags.environment", "prefix": "environment"}],
    )

    (aks,) = inventory["distribution_aks"]["hosts"]
    variables = hosts_of(inventory)[aks]
    assert {name: variables[name] for name in variables if name != "azureml_cluster"} == {
        "azureml_cluster_name": "west",
        "azureml_cluster_type": "managed_cluster",
        "azureml_kubernetes": {"kubeconfig": f"/kube/{aks}"},
        "azureml_resource_group": "rg-edge",
        "azureml_subscription_id": SUBSCRIPTION,
        "azureml_wave": 1,
    }
    assert variables["azureml_cluster"]["node_count"] == 3
    assert inventory["environment_Production"]["hosts"] == [aks]
    assert len(inventory["small"]["hosts"]) == 2


def test_incomplete_response_is_an_error(listed, fleet):
    page = {"totalRecords": 3, "count": 0, "data": [], "resultTruncated": "false"}
    fleet.add_fault(path="Microsoft.ResourceGraph", status=200, body=json.dumps(page), content_type="application/json")

    try:
        error = listed(locations=["northeurope"])
    finally:
        fleet.clear_faults()

    assert "the response of Azure Resource Graph is incomplete: it has 0 of 3 rows (code IncompleteResponse" in error


def test_invalid_wave_tag_does_not_fail_the_inventory(listed, fleet):
    fleet.change_plan("plant", tags={"azureml-wave": "first"})

    inventory = listed(locations=["northeurope"], plain_host_names=True)

    assert inventory["wave_3"]["hosts"] == ["plant"]


def test_templates_in_tags_are_not_evaluated(listed):
    (variables,) = hosts_of(listed(tags={"note": None}, compose={"note": "azureml_cluster.tags.note"})).values()

    assert variables["note"] == HOSTILE


def test_strict_makes_errors_in_compose_fail(listed):
    options = {"tags": {"note": None}, "compose": {"broken": "azureml_cluster.nonsense.more"}}

    assert len(hosts_of(listed(**options))) == 1
    assert "broken" in listed(strict=True, **options)


def test_cache_is_used_until_it_is_flushed(listed, fleet, tmp_path):
    options = {
        "tags": {"environment": "production"},
        "cache": True,
        "cache_plugin": "ansible.builtin.jsonfile",
        "cache_connection": str(tmp_path / "cache"),
    }
    first = listed(**options)
    fleet.clear_journal()

    assert listed(**options) == first
    assert fleet.journal() == []
    (tmp_path / "all.yml").write_text("- hosts: all", encoding="utf-8")
    # ansible-inventory supports --flush-cache only since ansible-core 2.19.
    flush = ("ansible-playbook", str(tmp_path / "all.yml"), "--list-hosts", "--flush-cache")
    flushed = listed(program=flush, **options)
    assert f"hosts ({len(hosts_of(first))})" in flushed
    assert set(hosts_of(first)) <= set(flushed.split())
    assert len(queries(fleet)) >= 2


def test_hosts_are_grouped_by_state_and_version_of_the_extension(listed, run_module):
    for cluster, group in (("shop-0001", "rg-edge"), ("plant", "rg-plant")):
        run_module(
            EXTENSION, resource_group=group, cluster_name=cluster, workload_profile="training", name="aml", wait=False
        )
    run_module(EXTENSION, resource_group="rg-edge", cluster_name="shop-0001", workload_profile="training", name="aml")

    inventory = listed(plain_host_names=True, cluster_types=["connected_cluster"])

    assert inventory["extension_succeeded"]["hosts"] == ["shop-0001"]
    assert inventory["extension_version_1_1_61"]["hosts"] == ["shop-0001"]
    assert inventory["extension_failed"]["hosts"] == ["plant"]
    assert len(inventory["extension_not_installed"]["hosts"]) == COUNT
    assert hosts_of(inventory)["plant"]["azureml_extension_name"] == "aml"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"plain_host_names": True}, "two clusters would have the host name 'west'.*plain_host_names"),
        ({"wave_percentages": [5, 50]}, "wave_percentages must be increasing numbers up to 100"),
        ({"subscription_ids": ["mine"]}, "subscription_ids 'mine' is not a subscription id"),
        ({"distribution": ["k3s"]}, "unknown option distribution"),
        ({"cluster_types": ["provisioned_cluster"]}, "provisioned_cluster.*connected_cluster, managed_cluster"),
        ({"secret": "wrong"}, "Could not sign in to Azure.*AADSTS7000215"),
    ],
)
def test_invalid_options_are_reported_with_the_fix(listed, options, message):
    error = listed(**options)

    assert isinstance(error, str), "it succeeded"
    assert re.search(message, error), error


def test_auth_source_in_the_environment_is_used(listed, tmp_path, monkeypatch):
    az = tmp_path / "az"
    az.write_text("#!/bin/sh\nexec sleep 30\n", encoding="utf-8")
    az.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    monkeypatch.setenv("ANSIBLE_AZURE_AUTH_SOURCE", "cli")
    monkeypatch.setenv("ANSIBLE_AZURE_CLI_TIMEOUT", "1")

    error = listed()

    assert "Could not sign in to Azure with the Azure CLI: 'az' did not respond within 1 seconds" in error


def test_clusters_without_read_permission_are_missing(listed, fleet):
    fleet.allow(["Microsoft.ContainerService/managedClusters/read"])
    try:
        inventory = listed()
    finally:
        fleet.allow(None)

    assert [name.rpartition("_")[0] for name in hosts_of(inventory)] == ["west"]
