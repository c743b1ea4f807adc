# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The simulated clusters of C(make demo) and C(make simulator), and their inventory."""

from __future__ import annotations

from pathlib import Path

from simulator.scenario import ClusterPlan, InstallPlan, Scenario

COLLECTIONS = Path(__file__).resolve().parents[2] / "build" / "collections"
INSTALL = InstallPlan(seconds=90)
BROKEN = InstallPlan(
    seconds=60,
    error="Helm installation failed : timed out waiting for the condition",
    pods={"relayserver": "ImagePullBackOff", "aml-operator": "Unschedulable"},
)
INVENTORY = """\
edge:
  vars:
    azureml_profile: training
    azureml_resource_group: rg-edge
    azureml_workspace: {resource_group: rg-ml, name: ws}
    azureml_compute: {name: "{{ inventory_hostname }}"}
    azureml_kubernetes: {kubeconfig: "{{ inventory_dir }}/kubeconfigs/{{ inventory_hostname }}"}
  hosts:
    shop-k3s:
    plant-openshift:
    aks-west: {azureml_cluster_type: managed_cluster}
    ship-k3s:
"""


def scenario(last: InstallPlan = INSTALL) -> Scenario:
    """Return four clusters. Their installations of 90 simulated seconds take two seconds.

    :param last: the installation on cluster C(ship-k3s).
    """
    clusters = [
        ClusterPlan("shop-k3s", nodes=1, install=INSTALL),
        ClusterPlan("plant-openshift", distribution="openshift", install=INSTALL),
        ClusterPlan("aks-west", type="managedClusters", install=INSTALL, other_extensions=True),
        ClusterPlan("ship-k3s", nodes=1, install=last),
    ]
    return Scenario(clusters=clusters, time_scale=60)
