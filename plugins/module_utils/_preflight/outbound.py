# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The addresses that nodes must reach for AzureML. Pure.

For public Azure. Sources:
https://learn.microsoft.com/azure/machine-learning/how-to-access-azureml-behind-firewall, on Kubernetes compute, and
https://learn.microsoft.com/azure/azure-arc/network-requirements-consolidated
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ALL = ("training", "inference", "training_inference")
TRAINING = ("training", "training_inference")


@dataclass(frozen=True)
class OutboundAddress:
    """A host that must be reachable.

    :param host: its name, with options of M(azureml.arc.node_preflight) in braces. A name with a wildcard cannot be
        checked.
    """

    host: str
    purpose: str
    profiles: tuple[str, ...] = ALL
    scheme: str = "https"
    connected_only: bool = False


OUTBOUND_ADDRESSES = (
    OutboundAddress("login.microsoftonline.com", "sign-in"),
    OutboundAddress("management.azure.com", "Azure Resource Manager"),
    OutboundAddress("mcr.microsoft.com", "images of the extension"),
    OutboundAddress("*.data.mcr.microsoft.com", "images of the extension"),
    OutboundAddress("{region}.api.azureml.ms", "Azure Machine Learning"),
    OutboundAddress("{region}.experiments.azureml.net", "Azure Machine Learning"),
    OutboundAddress("{workspace_id}.workspace.{region}.api.azureml.ms", "Azure Machine Learning"),
    OutboundAddress("{container_registry}.azurecr.io", "images of jobs and endpoints"),
    OutboundAddress("{container_registry}.{region}.data.azurecr.io", "images of jobs and endpoints"),
    OutboundAddress("{storage_account}.blob.core.windows.net", "data, models and logs"),
    OutboundAddress("*.kusto.windows.net", "logs of the extension"),
    OutboundAddress("*.table.core.windows.net", "logs of the extension"),
    OutboundAddress("*.queue.core.windows.net", "logs of the extension"),
    OutboundAddress("pypi.org", "packages of training jobs", TRAINING),
    OutboundAddress("archive.ubuntu.com", "security patches of training jobs", TRAINING, "http"),
    OutboundAddress("security.ubuntu.com", "security patches of training jobs", TRAINING, "http"),
    OutboundAddress("ppa.launchpad.net", "security patches of training jobs", TRAINING, "http"),
    OutboundAddress(
        "{region}.dp.kubernetesconfiguration.azure.com", "extensions on connected clusters", ALL, "https", True
    ),
    OutboundAddress("gbl.his.arc.azure.com", "Azure Arc", ALL, "https", True),
    OutboundAddress("guestnotificationservice.azure.com", "Azure Arc", ALL, "https", True),
    OutboundAddress("*.servicebus.windows.net", "the relay of connected clusters", ALL, "https", True),
)


def addresses(options: Mapping) -> dict[str, str]:
    """Return the addresses to check, with their purposes.

    :param options: C(workload_profile), C(cluster_type), and the options in the names. Hosts with unset options or
        wildcards are omitted.
    """
    known = {name: options[name] for name in ("region", "workspace_id", "container_registry", "storage_account")}
    found = {}
    for one in OUTBOUND_ADDRESSES:
        if options["workload_profile"] not in one.profiles or one.host.startswith("*"):
            continue
        if one.connected_only and options["cluster_type"] != "connected_cluster":
            continue
        if any(f"{{{name}}}" in one.host for name, value in known.items() if not value):
            continue
        found[f"{one.scheme}://{one.host.format(**known)}"] = one.purpose
    for address in options["outbound_addresses"]:
        found[address if "://" in address else f"https://{address}"] = "from outbound_addresses"
    return found
