# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The addresses that nodes must reach, in the check and in the guide."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.azureml.arc.plugins.module_utils._preflight.outbound import (
    OUTBOUND_ADDRESSES,
    TRAINING,
    addresses,
)

GUIDE = Path(__file__).resolve().parents[5] / "docs" / "nodes.md"
OPTIONS = {
    "workload_profile": "inference",
    "cluster_type": "managed_cluster",
    "region": None,
    "workspace_id": None,
    "container_registry": None,
    "storage_account": None,
    "outbound_addresses": [],
}


def test_guide_lists_all_addresses():
    rows = [
        f"| `{one.scheme}://{one.host.replace('{', '<').replace('}', '>')}` | {one.purpose}"
        f" | {'training' if one.profiles == TRAINING else 'all'} | {'connected' if one.connected_only else 'all'} |"
        for one in OUTBOUND_ADDRESSES
    ]
    listed = [line for line in GUIDE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert listed == rows


def test_without_a_region_only_global_addresses_are_checked():
    assert list(addresses(OPTIONS)) == [
        "https://login.microsoftonline.com",
        "https://management.azure.com",
        "https://mcr.microsoft.com",
    ]


def test_profile_cluster_type_and_options_determine_the_addresses():
    tried = addresses({**OPTIONS, "workload_profile": "training", "region": "westeurope", "storage_account": "mlstore"})
    assert "https://mlstore.blob.core.windows.net" in tried
    assert "https://westeurope.experiments.azureml.net" in tried
    assert "http://archive.ubuntu.com" in tried
    assert not [one for one in tried if "arc.azure.com" in one or "azurecr.io" in one or "{" in one or "*" in one]
    tried = addresses(
        {**OPTIONS, "cluster_type": "connected_cluster", "outbound_addresses": ["a.example.com", "http://b"]}
    )
    assert "https://gbl.his.arc.azure.com" in tried
    assert "https://pypi.org" not in tried
    assert list(tried)[-2:] == ["https://a.example.com", "http://b"]
