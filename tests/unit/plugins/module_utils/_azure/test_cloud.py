# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clouds by name and by address."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._azure import cloud as _cloud
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError

STACK = {"authentication": {"loginEndpoint": "https://login.local/", "audiences": ["https://rm.local/"]}}


def test_built_in_cloud_needs_no_request():
    cloud = _cloud.resolve("AzureUSGovernment", pytest.fail)
    assert cloud.scope == "https://management.usgovcloudapi.net/.default"


def test_private_cloud_is_read_from_its_address():
    requested = []
    cloud = _cloud.resolve("https://rm.local/", lambda url: requested.append(url) or STACK)
    assert requested == ["https://rm.local/metadata/endpoints?api-version=2022-09-01"]
    assert (cloud.resource_manager, cloud.authority) == ("https://rm.local", "https://login.local")
    assert cloud.scope == "https://rm.local/.default"


@pytest.mark.parametrize("document", [[], {}, {"authentication": {}}, {"authentication": {"loginEndpoint": 1}}, None])
def test_invalid_metadata_is_rejected(document):
    with pytest.raises(AzureMLError, match="cloud_environment: .* did not return the metadata of a cloud"):
        _cloud.from_metadata("https://rm.local", document)


@pytest.mark.parametrize("name", ["http://rm.local", "AzureMoon", ""])
def test_unknown_cloud_is_rejected(name):
    with pytest.raises(AzureMLError, match="cloud_environment must be one of"):
        _cloud.resolve(name, pytest.fail)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://management.azure.com/subscriptions", True),
        ("https://management.azure.com:443/subscriptions?x=a@b", True),
        ("HTTPS://Management.Azure.COM/subscriptions", True),
        ("https://management.azure.com:444/subscriptions", False),
        ("http://management.azure.com/subscriptions", False),
        ("http://management.azure.com:443/subscriptions", False),
        ("https://management.azure.com.example.com/subscriptions", False),
        ("https://management.azure.com@example.com/subscriptions", False),
        ("https://management.azure.com:443@example.com/subscriptions", False),
        ("https://example.com\\@management.azure.com/subscriptions", False),
        ("https://management.azure.com:x/subscriptions", False),
        ("https://[management.azure.com/subscriptions", False),
        ("subscriptions", False),
        ("", False),
    ],
)
def test_endpoint_is_compared_by_scheme_host_and_effective_port(url, expected):
    assert _cloud.CLOUDS["AzureCloud"].is_endpoint(url) is expected


def test_endpoint_of_a_private_cloud_keeps_its_port():
    cloud = _cloud.from_metadata("https://rm.local:8443", STACK)
    assert cloud.is_endpoint("https://rm.local:8443/subscriptions")
    assert not cloud.is_endpoint("https://rm.local/subscriptions")


@pytest.mark.parametrize(
    ("cloud", "url", "trusted"),
    [
        ("AzureCloud", "https://northeurope.api.azureml.ms/discovery", True),
        ("AzureCloud", "https://northeurope.api.azureml.ms:443/discovery", True),
        ("AzureCloud", "https://northeurope.api.ml.azure.us/discovery", False),
        ("AzureCloud", "http://northeurope.api.azureml.ms/discovery", False),
        ("AzureCloud", "https://northeurope.api.azureml.ms:8443/discovery", False),
        ("AzureCloud", "https://api.azureml.ms.example.com/", False),
        ("AzureCloud", "https://evilapi.azureml.ms/", False),
        ("AzureCloud", "https://example.com\\.api.azureml.ms/", False),
        ("AzureCloud", "https://example.com/@northeurope.api.azureml.ms/", False),
        ("AzureCloud", "https://management.azure.com/", False),
        ("AzureCloud", "", False),
        ("AzureUSGovernment", "https://usgovvirginia.api.ml.azure.us/discovery", True),
        ("https://rm.local", "https://rm.local/discovery", True),
        ("https://rm.local", "https://northeurope.api.azureml.ms/discovery", False),
    ],
)
def test_only_regional_services_of_the_same_cloud_are_trusted_with_a_token(cloud, url, trusted):
    assert _cloud.resolve(cloud, lambda _url: STACK).is_machine_learning(url) is trusted
