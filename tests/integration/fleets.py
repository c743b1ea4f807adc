# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet, and plays over it: three clusters that are deployed, and one that fails."""

from __future__ import annotations

from playbooks import PlaybookRun

from simulator.scenario import ClusterPlan, InstallPlan

INSTALL = InstallPlan(seconds=30)
CLUSTERS = [
    ClusterPlan("shop", nodes=1, install=INSTALL, attach_seconds=6),
    ClusterPlan("plant", distribution="openshift", install=INSTALL, attach_seconds=6),
    ClusterPlan("cloud", type="managedClusters", install=INSTALL, attach_seconds=6),
    ClusterPlan("broken", install=InstallPlan(30, error="timed out", pods={"relayserver": "ImagePullBackOff"})),
]
HEALTHY = ("shop", "plant", "cloud")
SHOW = "Show the result of each cluster"
# Tasks of plays of users.
VERIFY = {"name": "Run", "azureml.arc.fleet": {"flow": "verify"}}
DEPLOY = {"name": "Run", "azureml.arc.fleet": {"flow": "deploy"}}
RESULT = {"name": SHOW, "azureml.arc.cluster": {}}
AFTER = {"name": "After", "ansible.builtin.debug": {"msg": "here"}}


def shown(run: PlaybookRun) -> list[str]:
    """Return the hosts that have their own result."""
    return sorted(one["host"] for one in run.results if one["task"].endswith(SHOW))
