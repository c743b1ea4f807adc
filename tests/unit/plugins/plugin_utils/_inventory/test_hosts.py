# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Queries for a fleet, and the hosts for their rows."""

from __future__ import annotations

from collections import Counter
from datetime import date

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._azure.resource_graph import (
    incomplete,
    quota_pause,
    quoted,
)
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.plugin_utils._inventory.hosts import Filters, Waves, cluster_query, hosts

WAVES = Waves("azureml-wave", [1, 25, 100])
GROUP = "/subscriptions/s/resourceGroups/rg"


def connected(name, **fields):
    return {
        "id": f"{GROUP}/providers/Microsoft.Kubernetes/connectedClusters/{name}",
        "name": name,
        "type": "microsoft.kubernetes/connectedclusters",
        "resourceGroup": "rg",
        "subscriptionId": "s",
        "location": "westeurope",
        "tags": None,
        "provisioningState": "Succeeded",
        "distribution": "k3s",
        "infrastructure": "generic",
        "connectivityStatus": "Connected",
        "lastConnectivityTime": None,
        "agentVersion": "1.21",
        "kubernetesVersion": "1.31",
        "totalNodeCount": 2,
        "agentPoolProfiles": None,
        "powerState": None,
        **fields,
    }


def aks(name, **fields):
    return connected(
        name,
        id=f"{GROUP}/providers/Microsoft.ContainerService/managedClusters/{name}",
        type="microsoft.containerservice/managedclusters",
        distribution=None,
        connectivityStatus=None,
        totalNodeCount=None,
        agentPoolProfiles=[{"count": 2}, {"count": 3}],
        powerState="Running",
        **fields,
    )


def extension(cluster, **properties):
    # Resource Graph capitalizes the last type, and keeps the case of the resource group.
    name = cluster["id"].replace("resourceGroups", "resourcegroups")
    row_id = f"{name}/providers/Microsoft.KubernetesConfiguration/Extensions/aml"
    return {"id": row_id, "name": "aml", "properties": properties}


def test_filters_become_part_of_the_query():
    filters = Filters(
        cluster_types=["connected_cluster", "managed_cluster"],
        resource_groups=["rg-1", "rg-2"],
        locations=["westeurope"],
        distributions=["k3s", "aks"],
        tags={"it's": "a", 'with "quotes"': None},
    )

    lines = cluster_query(filters).splitlines()

    assert lines[:6] == [
        "resources",
        "| where type in~ ('microsoft.kubernetes/connectedclusters', 'microsoft.containerservice/managedclusters')",
        "| where resourceGroup in~ ('rg-1', 'rg-2')",
        "| where location in~ ('westeurope')",
        "| where tostring(properties.distribution) in~ ('k3s', 'aks')"
        " or type =~ 'Microsoft.ContainerService/managedClusters'",
        "| where tostring(tags) contains 'it\\'s'",
    ]
    assert lines[-1] == "| order by id asc"


@pytest.mark.parametrize(
    ("wanted", "tags", "expected"),
    [
        ({}, None, True),
        ({"environment": "production"}, {"Environment": "Production"}, True),
        ({"Environment": "production"}, {"environment": "test"}, False),
        ({"environment": ["test", "PRODUCTION"]}, {"ENVIRONMENT": "production"}, True),
        ({"environment": None}, {"Environment": ""}, True),
        ({"environment": None}, {"other": "environment"}, False),
        ({"environment": None}, None, False),
        ({"floor": 3}, {"floor": "3"}, True),
        ({"a": "1", "b": "2"}, {"a": "1"}, False),
    ],
)
def test_tags_match_in_any_case(wanted, tags, expected):
    assert Filters(tags=wanted).match_tags(tags) is expected


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), "no cluster was found; check"),
        (Filters(cluster_types=["connected_cluster", "managed_cluster"]), "no cluster was found; check"),
        (Filters(distributions=["k3"]), 'no cluster matches distributions ["k3"]; check these filters,'),
        (
            Filters(locations=["westeurope"], tags={"since": date(2026, 1, 1)}),
            'no cluster matches locations ["westeurope"], tags {"since": "2026-01-01"}; check these filters,',
        ),
    ],
)
def test_no_cluster_found_is_a_warning_with_the_filters(filters, expected):
    assert filters.nothing_found() == f"{expected} the subscription and the permissions of the identity"


@pytest.mark.parametrize(
    ("last_page", "received", "reason"),
    [
        ({"totalRecords": 2, "resultTruncated": "false"}, 2, None),
        ({"totalRecords": 3}, 2, "it has 2 of 3 rows"),
        ({"totalRecords": 2, "resultTruncated": "true"}, 2, "it is truncated"),
        ({"totalRecords": 2, "resultTruncated": True}, 2, "it is truncated"),
        ({}, 2, None),
        ({"totalRecords": 1}, 2, None),
    ],
)
def test_response_with_missing_rows_is_incomplete(last_page, received, reason):
    assert incomplete(last_page, received) == reason


@pytest.mark.parametrize(
    ("text", "literal"), [("a", "'a'"), ("') | x", "'\\') | x'"), ("\\", "'\\\\'"), ("a\nb", "'a\\nb'")]
)
def test_value_is_quoted_as_one_literal(text, literal):
    assert quoted(text) == literal


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 0),
        ({"x-ms-user-quota-remaining": "3", "x-ms-user-quota-resets-after": "00:00:05"}, 0),
        ({"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": "00:00:05"}, 5),
        ({"x-ms-user-quota-remaining": "0", "x-ms-user-quota-resets-after": "00:01:02"}, 62),
        ({"x-ms-user-quota-remaining": "0"}, 0),
    ],
)
def test_pause_lasts_until_an_exhausted_quota_resets(headers, seconds):
    assert quota_pause(headers) == seconds


def test_connected_cluster_becomes_a_host_with_variables_and_groups():
    cluster = connected("Shop", tags={"Azureml-Wave": "2"})
    others = extension(aks("west"), ProvisioningState="Failed")

    (host,) = hosts(
        [cluster],
        [extension(cluster, ProvisioningState="Succeeded", Version="1.1.61"), others],
        WAVES,
        False,
        pytest.fail,
    )

    assert host.name.startswith("Shop_")
    assert host.variables["azureml_cluster_name"] == "Shop"
    assert host.variables["azureml_cluster_type"] == "connected_cluster"
    assert host.variables["azureml_extension_name"] == "aml"
    assert host.variables["azureml_cluster"]["extension"]["version"] == "1.1.61"
    assert host.variables["azureml_wave"] == 2
    assert host.groups == [
        "distribution_k3s",
        "location_westeurope",
        "connectivity_connected",
        "wave_2",
        "extension_succeeded",
        "extension_version_1.1.61",
    ]


def test_aks_cluster_becomes_a_host_with_variables_and_groups():
    (host,) = hosts([aks("west", tags={"azureml-wave": "1"})], [], WAVES, False, pytest.fail)

    assert host.variables["azureml_cluster"]["node_count"] == 5
    assert "azureml_extension_name" not in host.variables
    assert host.groups == [
        "distribution_aks",
        "location_westeurope",
        "connectivity_connected",
        "wave_1",
        "extension_not_installed",
    ]


def test_names_stay_unique_when_clusters_are_added_and_removed():
    both = [host.name for host in hosts([aks("west"), connected("west")], [], WAVES, False, pytest.fail)]

    assert len(set(both)) == 2
    assert [host.name for host in hosts([connected("west")], [], WAVES, False, pytest.fail)] == both[1:]
    with pytest.raises(AzureMLError, match="two clusters would .* host name 'west'.*managedClusters.*plain_host_names"):
        list(hosts([aks("west"), connected("west")], [], WAVES, True, pytest.fail))


def test_waves_have_their_percentage_and_are_stable():
    waves = [WAVES.of(f"{GROUP}/clusters/{index}", {}) for index in range(5000)]

    counted = Counter(waves)
    assert 25 <= counted[1] <= 80
    assert 1050 <= counted[2] <= 1350
    assert counted[1] + counted[2] + counted[3] == 5000
    assert waves == [WAVES.of(f"{GROUP.upper()}/CLUSTERS/{index}", {}) for index in range(5000)]


@pytest.mark.parametrize("percentages", [[], [1, 25], [25, 1, 100], [0, 100], [50, 150], [100, 100]])
def test_percentages_that_do_not_increase_to_a_hundred_are_rejected(percentages):
    with pytest.raises(AzureMLError, match="wave_percentages must be increasing numbers up to 100"):
        Waves("wave", percentages).check()


@pytest.mark.parametrize("value", ["", "0", "-1", "first", "\u00b2"])
def test_invalid_wave_tag_is_a_warning_and_does_not_affect_other_clusters(value):
    warnings = []
    rows = [connected("Shop", tags={"azureml-wave": value}), connected("Plant", tags={"azureml-wave": "2"})]

    found = list(hosts(rows, [], WAVES, True, warnings.append))

    assert [host.variables["azureml_wave"] for host in found] == [3, 2]
    (warning,) = warnings
    assert "Shop must be the number of a wave" in warning
    assert warning.endswith("The cluster is put into the last wave, 3.")
