# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Simulated nodes: they report the states of pods like a kubelet, but run no containers."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from kubernetes.client import ApiException, CoreV1Api
from kubernetes.client.api_client import ApiClient
from kubernetes.watch import Watch
from urllib3.exceptions import HTTPError

from control_plane.programs import ControlPlane

CAPACITY = {"cpu": "8", "memory": "16Gi", "pods": "10000"}


class Nodes:
    """The kubelets of a few nodes, in one thread.

    :ivar plan: the final states of pods by their label C(app), C(Running) for all others. Read when a pod is scheduled.
    """

    def __init__(self, plane: ControlPlane, count: int = 3) -> None:
        self.plan: dict[str, str] = {}
        self._names = [f"node-{index}" for index in range(count)]
        self._core = CoreV1Api(plane.client())
        self._watch = Watch()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        for name in self._names:
            self.add(name)
        # New nodes have a taint until a controller has seen that they are ready.
        while any(node.spec.taints for node in self._core.list_node().items):
            time.sleep(0.1)
        self._thread.start()

    def stop(self) -> None:
        self._stopping = True
        self._watch.stop()

    def add(self, name: str, capacity: Mapping[str, str] | None = None) -> None:
        """Add a ready node."""
        capacity = {**CAPACITY, **(capacity or {})}
        labels = {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux"}
        self._core.create_node({"metadata": {"name": name, "labels": labels}})
        status = {
            "capacity": capacity,
            "allocatable": capacity,
            "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": _now()}],
        }
        self._core.patch_node_status(name, {"status": status})

    def fail(self, name: str) -> None:
        """Let a node fail: its kubelet stops reporting.

        This sets the states that kube-controller-manager would only set after a long timeout: the node is Unknown, and
        its pods are not ready (C(MarkPodsNotReady) in kubernetes/kubernetes, pkg/controller/util/node).
        """
        self._names.remove(name)
        self._set_ready(name, "Unknown")
        not_ready = {"status": {"conditions": [{"type": "Ready", "status": "False"}]}}
        for pod in self._pods_of(name):
            self._core.patch_namespaced_pod_status(pod["metadata"]["name"], pod["metadata"]["namespace"], not_ready)

    def recover(self, name: str) -> None:
        """Let a failed node recover: it deletes terminating pods, and runs the others."""
        self._names.append(name)
        self._set_ready(name, "True")
        for pod in self._pods_of(name):
            self._see(pod)
            has_ended = pod["status"]["phase"] in ("Succeeded", "Failed")
            if not pod["metadata"].get("deletionTimestamp") and not has_ended:
                self._report(pod, "Running")

    def _pods_of(self, node: str) -> list[dict]:
        return [
            _plain(pod) for pod in self._core.list_pod_for_all_namespaces(field_selector=f"spec.nodeName={node}").items
        ]

    def _set_ready(self, name: str, status: str) -> None:
        condition = {"type": "Ready", "status": status, "reason": "Test", "lastHeartbeatTime": _now()}
        self._core.patch_node_status(name, {"status": {"conditions": [condition]}})

    def settle(self, namespace: str, name: str, outcome: str) -> None:
        """Set another final state of a pod."""
        pod = _plain(self._core.read_namespaced_pod(name, namespace))
        self._report(pod, outcome)

    def _run(self) -> None:
        while not self._stopping:
            try:
                for event in self._watch.stream(self._core.list_pod_for_all_namespaces, timeout_seconds=300):
                    self._see(event["raw_object"])
            except (ApiException, HTTPError):
                if not self._stopping:
                    self._watch = Watch()

    def _see(self, pod: Mapping) -> None:
        metadata, node = pod["metadata"], (pod.get("spec") or {}).get("nodeName")
        if node not in self._names:
            return
        try:
            if metadata.get("deletionTimestamp"):
                self._core.delete_namespaced_pod(metadata["name"], metadata["namespace"], grace_period_seconds=0)
            elif not (pod.get("status") or {}).get("containerStatuses") and pod["status"]["phase"] == "Pending":
                outcome = self.plan.get((metadata.get("labels") or {}).get("app", ""), "Running")
                if outcome != "Pending":
                    self._report(pod, "ContainerCreating")
                    self._report(pod, outcome)
        except ApiException as error:
            if error.status not in (404, 409):
                raise

    def _report(self, pod: Mapping, outcome: str) -> None:
        metadata = pod["metadata"]
        names = [container["name"] for container in pod["spec"]["containers"]]
        status = status_of(names, outcome, _condition(pod, "PodScheduled"))
        self._core.patch_namespaced_pod_status(metadata["name"], metadata["namespace"], {"status": status})


def status_of(containers: list[str], outcome: str, scheduled: Mapping | None = None) -> dict:
    """Return the status that a kubelet reports for a pod with these containers."""
    phase, ready, state = _STATES[outcome]
    conditions = [
        {"type": kind, "status": str(ready), "lastTransitionTime": _now()}
        for kind in ("Initialized", "Ready", "ContainersReady")
    ]
    status = {
        "phase": phase,
        "conditions": [*([dict(scheduled)] if scheduled else []), *conditions],
        "containerStatuses": [
            {
                "name": name,
                "image": "none",
                "imageID": "",
                "ready": ready,
                "restartCount": 5 if outcome == "CrashLoopBackOff" else 0,
                "state": state,
            }
            for name in containers
        ],
    }
    if outcome == "Evicted":
        status |= {"reason": "Evicted", "message": "The node was low on resource: memory.", "containerStatuses": []}
    return status


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# Phase, whether it is ready, and the state of its containers.
_STATES: dict[str, tuple[str, bool, dict]] = {
    "ContainerCreating": ("Pending", False, {"waiting": {"reason": "ContainerCreating"}}),
    "Running": ("Running", True, {"running": {"startedAt": _now()}}),
    "Completed": ("Succeeded", False, {"terminated": {"exitCode": 0, "reason": "Completed"}}),
    "Error": ("Failed", False, {"terminated": {"exitCode": 1, "reason": "Error"}}),
    "ImagePullBackOff": (
        "Pending",
        False,
        {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "none"'}},
    ),
    "CrashLoopBackOff": (
        "Running",
        False,
        {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s restarting failed container"}},
    ),
    "Evicted": ("Failed", False, {}),
}


def _condition(pod: Mapping, kind: str) -> Mapping | None:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return next((one for one in conditions if one["type"] == kind), None)


def _plain(body) -> dict:
    return ApiClient().sanitize_for_serialization(body)
