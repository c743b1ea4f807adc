# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the options that name a cluster."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  resource_group:
    description: Resource group of the cluster.
    type: str
    required: true
  cluster_name:
    description: Name of the cluster's resource in Azure.
    type: str
    required: true
  cluster_type:
    description:
      - V(connected_cluster) for a cluster that is connected to Azure Arc.
      - V(managed_cluster) for an AKS cluster.
    type: str
    choices: [connected_cluster, managed_cluster]
    default: connected_cluster
"""

    OPTIONAL = r"""
options:
  resource_group:
    description: Resource group of the cluster.
    type: str
  cluster_name:
    description: Name of the cluster's resource in Azure. The cluster does not need to exist any more.
    type: str
  cluster_type:
    description:
      - V(connected_cluster) for a cluster that is connected to Azure Arc.
      - V(managed_cluster) for an AKS cluster.
    type: str
    choices: [connected_cluster, managed_cluster]
    default: connected_cluster
"""
