# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A fleet of three clusters that can be deployed and one that fails, and tasks of plays for it."""

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
# Tasks as in plays of users.
VERIFY = {"name": "Run", "azureml.arc.fleet": {"flow": "verify"}}
DEPLOY = {"name": "Run", "azureml.arc.fleet": {"flow": "deploy"}}
RESULT = {"name": SHOW, "azureml.arc.cluster": {}}
AFTER = {"name": "After", "ansible.builtin.debug": {"msg": "here"}}


def shown(run: PlaybookRun) -> list[str]:
    """Return the hosts whose result is shown separately."""
    return sorted(one["host"] for one in run.results if one["task"].endswith(SHOW))
