# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of the extension, and facts of a cluster, for tests."""

from __future__ import annotations

from ansible_collections.azureml.arc.plugins.module_utils._azure.cluster_reference import ClusterFacts

ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Kubernetes/connectedClusters/c"
TRAINING = {"workload_profile": "training", "settings_generation": "current"}
INFERENCE = {
    "workload_profile": "inference",
    "settings_generation": "current",
    "inference_service": "load_balancer",
    "allow_insecure_connections": True,
}
FIRST_INFERENCE = {**INFERENCE, "settings_generation": "2021", "version": "1.0.67"}


def cluster(**fields) -> ClusterFacts:
    return ClusterFacts(
        **{"id": ID, "name": "c", "type": "connected_cluster", "location": "West Europe", "node_count": 3, **fields}
    )
