# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The API versions of each resource provider: a part of the real ones.

Each version is in the recording of a client (az 2.30 with k8s-extension 1.0.0, az 2.91 with k8s-extension 1.7.0,
azure-ai-ml 1.35, this collection), or a stable one of https://github.com/Azure/azure-rest-api-specs.
"""

from __future__ import annotations

API_VERSIONS = {
    "microsoft.kubernetes": {"2021-03-01", "2021-10-01", "2024-01-01"},
    "microsoft.containerservice": {"2021-10-01", "2024-09-01"},
    "microsoft.kubernetesconfiguration": {"2021-09-01", "2022-03-01", "2022-11-01", "2023-05-01", "2025-03-01"},
    "microsoft.machinelearningservices": {"2023-04-01", "2023-08-01-preview", "2024-04-01", "2024-10-01"},
    "microsoft.relay": {"2017-04-01", "2021-11-01"},
    "microsoft.servicebus": {"2017-04-01", "2018-01-01-preview", "2021-11-01"},
    "microsoft.operationalinsights": {"2020-08-01", "2020-10-01", "2021-12-01-preview", "2022-10-01"},
    "microsoft.resourcegraph": {"2021-03-01", "2022-10-01"},
    "microsoft.resources": {"2021-04-01", "2022-09-01"},
}


def versions_of(resource_type: str) -> set[str]:
    """Return the API versions of a resource type."""
    return API_VERSIONS[resource_type.partition("/")[0].lower()]
