# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses of certificates in Azure Key Vault: which are valid, and which are trusted with a token."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._azure.cloud import CLOUDS, Cloud
from ansible_collections.azureml.arc.plugins.module_utils._azure.key_vault_address import parse
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError

VAULT = "https://v.vault.azure.net"


@pytest.mark.parametrize(
    ("address", "name", "version"),
    [
        (f"{VAULT}/certificates/edge", "edge", ""),
        (f"{VAULT}/certificates/edge/", "edge", ""),
        (f"{VAULT}/certificates/Edge-1/0f1e2d3c4b5a69788796a5b4c3d2e1f0", "Edge-1", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"),
    ],
)
def test_valid_address_is_parsed(address, name, version):
    found = parse("tls.key_vault", address)
    assert (found.vault, found.name, found.version) == (VAULT, name, version)
    assert str(found) == f"certificate '{name}' in key vault 'v.vault.azure.net'"


@pytest.mark.parametrize(
    "address",
    [
        "edge",
        "http://v.vault.azure.net/certificates/edge",
        f"{VAULT}/secrets/edge",
        f"{VAULT}/certificates",
        f"{VAULT}/certificates/../secrets/edge",
        f"{VAULT}/certificates/edge/1/2",
        f"{VAULT}/certificates/edge?x=1",
        f"{VAULT}/certificates/edge#1",
        "https:///certificates/edge",
        "https://[/certificates/edge",
    ],
)
def test_invalid_address_is_rejected_with_an_example(address):
    with pytest.raises(AzureMLError, match="tls.key_vault must be the address of a certificate like https://v.vault"):
        parse("tls.key_vault", address)


@pytest.mark.parametrize(
    ("cloud", "address", "trusted"),
    [
        ("AzureCloud", VAULT, True),
        ("AzureCloud", "https://v.vault.azure.net:443", True),
        ("AzureCloud", "https://v.vault.azure.net:8443", False),
        ("AzureCloud", "https://v.vault.azure.net.example.com", False),
        ("AzureCloud", "https://vault.azure.net@example.com", False),
        ("AzureCloud", "https://v.vault.azure.cn", False),
        ("AzureUSGovernment", "https://v.vault.usgovcloudapi.net", True),
        ("AzureChinaCloud", "https://v.vault.azure.cn", True),
    ],
)
def test_only_vaults_of_the_same_cloud_are_trusted_with_a_token(cloud, address, trusted):
    assert CLOUDS[cloud].is_key_vault(address) is trusted


def test_audience_of_a_vault_depends_on_the_cloud():
    assert CLOUDS["AzureCloud"].key_vault == "https://vault.azure.net"
    private = Cloud("https://arm.local", "https://login.local", "https://audience.local")
    assert (private.key_vault, private.is_key_vault("https://arm.local/x")) == ("https://audience.local", True)
    assert not private.is_key_vault("https://elsewhere.local/x")
