# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The readiness of workloads."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._readiness.workloads import component_row
from workloads import deployment


@pytest.mark.parametrize(
    ("workload", "reason"),
    [
        (deployment(), ""),
        (deployment(spec={}), ""),
        (deployment(generation=2, observedGeneration=1), "NotObserved"),
        (deployment(replicas=3, updatedReplicas=1), "RollingOut"),
        (deployment(replicas=2, availableReplicas=1), "Unavailable"),
        (deployment(replicas=0), "ScaledToZero"),
        (
            deployment(conditions=[{"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded"}]),
            "ProgressDeadlineExceeded",
        ),
        (
            deployment(
                conditions=[{"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": "quota"}]
            ),
            "FailedCreate",
        ),
        (deployment(conditions=[{"type": "ReplicaFailure", "status": "False", "reason": "x"}]), ""),
    ],
)
def test_deployment_is_ready_with_all_replicas(workload, reason):
    row = component_row("Deployment", workload)
    assert (row["reason"], row["ready"]) == (reason, reason == "")


def test_deployment_with_old_replicas_is_rolling_out():
    workload = deployment()
    workload["status"]["replicas"] = 2
    assert component_row("Deployment", workload)["message"] == "1 old replicas still exist"


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({"desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 3}, ""),
        ({"desiredNumberScheduled": 3, "updatedNumberScheduled": 1, "numberAvailable": 3}, "RollingOut"),
        ({"desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 2}, "Unavailable"),
        ({"desiredNumberScheduled": 0}, ""),
    ],
)
def test_daemon_set_is_ready_with_a_pod_on_each_node(status, reason):
    assert component_row("DaemonSet", {"metadata": {"name": "d"}, "spec": {}, "status": status})["reason"] == reason


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ({"readyReplicas": 1, "updatedReplicas": 1}, ""),
        ({"readyReplicas": 0, "updatedReplicas": 1}, "Unavailable"),
        ({"readyReplicas": 1, "updatedReplicas": 0}, "RollingOut"),
        ({}, "RollingOut"),
    ],
)
def test_stateful_set_is_ready_with_all_replicas(status, reason):
    assert component_row("StatefulSet", {"metadata": {"name": "s"}, "spec": {}, "status": status})["reason"] == reason
