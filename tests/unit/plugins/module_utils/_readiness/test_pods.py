# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The readiness of pods, and the reasons if they are not ready."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._readiness.pods import pod_row
from workloads import pod


def waiting(reason, message="", **fields):
    return {"name": "main", "state": {"waiting": {"reason": reason, "message": message}}, **fields}


@pytest.mark.parametrize(
    ("body", "ready", "reason", "message"),
    [
        (pod(ready=True), True, "", ""),
        (pod(phase="Succeeded"), True, "Completed", ""),
        (pod(phase="Pending"), False, "Pending", ""),
        (
            pod(phase="Pending", containers=[waiting("ImagePullBackOff", "Back-off pulling image")]),
            False,
            "ImagePullBackOff",
            "container main: Back-off pulling image",
        ),
        (
            pod(
                phase="Running",
                ready=False,
                containers=[
                    waiting(
                        "CrashLoopBackOff",
                        "back-off",
                        lastState={"terminated": {"exitCode": 1, "message": "no config"}},
                    )
                ],
            ),
            False,
            "CrashLoopBackOff",
            "container main: back-off (last: exit code 1, no config)",
        ),
        (
            pod(
                phase="Pending",
                conditions=[
                    {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no nodes"}
                ],
            ),
            False,
            "Unschedulable",
            "no nodes",
        ),
        (
            pod(
                phase="Pending",
                containers=[waiting("PodInitializing")],
                initContainerStatuses=[{**waiting("ErrImagePull"), "name": "init"}],
            ),
            False,
            "ErrImagePull",
            "container init",
        ),
        (
            pod(
                phase="Running",
                ready=False,
                conditions=[{"type": "Initialized", "status": "True"}],
                containers=[{"name": "main", "state": {"running": {}}}],
            ),
            False,
            "ContainersNotReady",
            "not all containers are ready",
        ),
        (pod(metadata={"deletionTimestamp": "2026-01-01T00:00:00Z"}), False, "Terminating", "the pod is being removed"),
        (pod(phase="Failed", owner=("Job", "j")), False, "Failed", ""),
        (pod(phase="Failed", reason="Evicted", message="disk", owner=("ReplicaSet", "r")), True, "Evicted", "disk"),
        (
            pod(
                phase="Failed", containers=[{"name": "m", "state": {"terminated": {"exitCode": 2, "reason": "Error"}}}]
            ),
            False,
            "Error",
            "",
        ),
        ({"metadata": {"name": "bare"}}, False, "Unknown", ""),
    ],
)
def test_status_determines_readiness_and_reason(body, ready, reason, message):
    row = pod_row(body)
    assert (row["ready"], row["reason"], row["message"]) == (ready, reason, message)


def test_restarts_of_all_containers_are_added():
    assert pod_row(pod(ready=True, containers=[{"restartCount": 2}, {"restartCount": 3}, {}]))["restarts"] == 5
