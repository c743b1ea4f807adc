# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait until the workloads of the AzureML extension run, and report problems."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Deadline, Intervals, Waiting
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall
from ansible_collections.azureml.arc.plugins.module_utils._core.text import printable
from ansible_collections.azureml.arc.plugins.module_utils._extension.options import INSTALL_SWITCHES
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.client import KubeSession, open_session
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.resources import is_being_removed
from ansible_collections.azureml.arc.plugins.module_utils._readiness import health_check as _health_check
from ansible_collections.azureml.arc.plugins.module_utils._readiness.components import Component, expected_components
from ansible_collections.azureml.arc.plugins.module_utils._readiness.evaluate import (
    Verdict,
    evaluate,
    not_ready,
)
from ansible_collections.azureml.arc.plugins.module_utils._readiness.events import latest_warnings
from ansible_collections.azureml.arc.plugins.module_utils._readiness.pods import PodContext, may_be_lost, pod_row

KEPT_METADATA = ("name", "deletionTimestamp", "ownerReferences")
SHORT_WATCH = 1  # seconds; a watch that ends earlier is broken, so the next one starts after a pause
RESYNC = 20  # seconds after which everything is read again, whatever the watch reported
# If only this component is missing, the version of the extension does not contain it.
MISSING_COMPONENT_PATIENCE = 60  # seconds


def run(call: ModuleCall) -> Waiting[dict]:
    """M(azureml.arc.pod_readiness)."""
    params = call.params
    expected = _expected(params)
    waits = params["wait"] and not call.check_mode
    with open_session(call) as session:
        namespace = _Namespace(session, params["namespace"], expected, call)
        verdict = namespace.read()
        if waits and not verdict.ready:
            verdict = yield from _wait(namespace, verdict, call.deadline(params["wait_timeout"]), call.can_block)
        for warning in verdict.warnings():
            call.warn(warning)
        if verdict.ready:
            return _result(params, verdict)
        _explain_by_events(namespace, verdict)
        result = _result(params, verdict, namespace.health_check())
    if waits:
        raise _not_ready(params, verdict, result)
    if params["wait"]:
        problems = "; ".join(result["problems"])
        call.warn(f"namespace '{params['namespace']}' is not ready yet: {verdict.summary()}; {problems}")
    return result


def _explain_by_events(namespace: _Namespace, verdict: Verdict) -> None:
    """Add the latest warning event to pods without a message."""
    warnings = namespace.warnings_of_pods()
    for row in verdict.pods:
        if not row["ready"] and not row["message"]:
            row["message"] = warnings.get(row["name"], "")


def _expected(params: dict) -> list[Component]:
    if params["components"] is not None:
        return [Component(one["kind"], one["name"], one["required"]) for one in params["components"]]
    return expected_components(
        params["workload_profile"],
        params["cluster_type"],
        params["extension_name"],
        {name: params[name] for name in INSTALL_SWITCHES},
        params["settings_generation"],
    )


class _Namespace:
    """The objects of a namespace, kept up to date by a watch."""

    def __init__(self, session: KubeSession, name: str, expected: list[Component], call: ModuleCall) -> None:
        self._session = session
        self._call = call
        self._name = name
        self._expected = expected
        # Optional workloads are not read: their pods are checked like all others.
        self._kinds = sorted({component.kind for component in expected if component.required})
        self._pods: dict = {}
        # Pods that are not ready: those that may become ready, those that have failed, and those that are being
        # removed. Tracked separately, so that a change of one pod does not require a pass over thousands.
        self._pending: set = set()
        self._failed: set = set()
        self._leaving: set = set()
        self._version = "0"
        self._had_pods = False
        self._down_nodes: frozenset = frozenset()
        self._nodes_hidden = False

    def read(self) -> Verdict:
        """Read everything again, workloads first: their ready pods are then among the pods.

        :raises AzureMLError: if the namespace is being removed, or gone with the pods that it had.
        """
        workloads = {
            (kind, workload["metadata"]["name"]): workload
            for kind in self._kinds
            for workload in self._session.list(kind, self._name)[0]
        }
        pods, self._version = self._session.list("Pod", self._name, keep=_essence)
        for kept in (self._pods, self._pending, self._failed, self._leaving):
            kept.clear()
        self._down_nodes = self._read_down_nodes() if any(map(may_be_lost, pods)) else frozenset()
        for pod in pods:
            self._record(pod)
        if not pods or all(pod["metadata"].get("deletionTimestamp") for pod in pods):
            self._refuse_removal()
        self._had_pods = self._had_pods or bool(pods)
        return evaluate(self._expected, workloads, self._pods.values(), self._down_nodes)

    def _read_down_nodes(self) -> frozenset:
        try:
            return not_ready(self._session.list("Node", keep=_node_essence)[0])
        except AzureMLError as error:
            if error.status != 403:
                raise
            if not self._nodes_hidden:
                self._call.warn(f"The readiness of nodes was not checked: {error}")
            self._nodes_hidden = True
            return frozenset()

    def pods_ready(self) -> bool:
        """Return whether all current pods are ready or being removed, whatever the status of their workloads is."""
        if self._pending or not self._pods:
            return False
        # A failed pod may belong to a Job that has succeeded since.
        return (
            not self._failed
            or evaluate((), {}, [pod for name, pod in self._pods.items() if name not in self._leaving]).ready
        )

    def _record(self, pod: Mapping) -> None:
        """Record the current state of a pod."""
        name = pod["metadata"]["name"]
        self._forget(name)
        self._pods[name] = pod
        row = pod_row(pod, PodContext(down_nodes=self._down_nodes))
        if row["reason"] == "Terminating":
            self._leaving.add(name)
        elif not row["ready"]:
            (self._failed if row["phase"] == "Failed" else self._pending).add(name)

    def _forget(self, name: str) -> None:
        self._pods.pop(name, None)
        for kept in (self._pending, self._failed, self._leaving):
            kept.discard(name)

    def watch(self, seconds: float) -> bool:
        """Watch the pods until all are ready; C(False) if time passed or the watch ended first."""
        for event in self._session.watch("Pod", self._name, self._version, math.ceil(seconds)):
            pod = event["object"]
            if event["type"] == "DELETED":
                self._forget(pod["metadata"]["name"])
            elif event["type"] in ("ADDED", "MODIFIED"):
                self._record(_essence(pod))
            if self.pods_ready():
                return True
        return False

    def warnings_of_pods(self) -> dict[str, str]:
        """Return the latest warning event of each pod, as reason and message."""
        return {
            pod: printable(f"{event.get('reason')}: {event.get('message')}")
            for pod, event in latest_warnings(self._call, self._session, self._name).items()
        }

    def health_check(self) -> list[dict]:
        """Return the failed health checks of the extension."""
        try:
            config_map = self._session.get("ConfigMap", _health_check.CONFIG_MAP, self._name)
        except AzureMLError as error:
            self._call.warn(f"The extension's health check is missing from the diagnosis: {error}")
            return []
        return _health_check.findings((config_map or {}).get("data") or {})

    def _refuse_removal(self) -> None:
        found = self._session.get("Namespace", self._name)
        if is_being_removed(found):
            raise AzureMLError(
                f"namespace '{self._name}' is being removed",
                code="NamespaceTerminating",
                hint="Wait until it is gone, then install the extension again.",
            )
        if found is None and self._had_pods:
            raise AzureMLError(
                f"namespace '{self._name}' was removed while this task waited for its pods",
                code="RemovedMeanwhile",
                hint="Find out who removes the extension, then install it again.",
            )


def _essence(pod: Mapping) -> dict:
    """Return the parts of a pod that the verdict needs, a fifth of it."""
    metadata = {key: pod["metadata"][key] for key in KEPT_METADATA if key in pod["metadata"]}
    spec = {"nodeName": (pod.get("spec") or {}).get("nodeName")}
    return {"metadata": metadata, "spec": spec, "status": pod.get("status")}


def _node_essence(node: Mapping) -> dict:
    """Return the parts of a node that the verdict needs."""
    return {"metadata": {"name": node["metadata"]["name"]}, "status": node.get("status")}


def _wait(namespace: _Namespace, verdict: Verdict, deadline: Deadline, can_block: bool) -> Waiting[Verdict]:
    """Follow the namespace until it is ready or time is up, and return the last verdict.

    :param can_block: whether to use a watch, which blocks a thread; otherwise it is read at intervals.
    """
    pause = Intervals(first=0.2, longest=RESYNC)
    missing_since = None
    while not verdict.ready and not deadline.passed:
        deadline.report(verdict.summary())
        if verdict.only_missing_components:
            missing_since = missing_since if missing_since is not None else deadline.remaining
            if missing_since - deadline.remaining >= MISSING_COMPONENT_PATIENCE:
                return verdict
        else:
            missing_since = None
        if namespace.pods_ready() or not can_block:
            # The pods run, but the status of their workloads lags behind, or a workload is missing.
            yield from deadline.pause(pause.next())
            verdict = namespace.read()
        else:
            started = deadline.remaining
            followed = namespace.watch(min(RESYNC, deadline.remaining))
            if followed or started - deadline.remaining > SHORT_WATCH:
                pause = Intervals(first=0.2, longest=RESYNC)
            else:
                yield from deadline.pause(pause.next())
            verdict = namespace.read()
    return verdict


def _result(params: dict, verdict: Verdict, health_check: Sequence = ()) -> dict:
    return {
        "changed": False,
        "ready": verdict.ready,
        "summary": verdict.summary(),
        "problems": [_health_check.as_line(row) for row in health_check] + verdict.problems(),
        "health_check": list(health_check),
        "components": verdict.components,
        "pods": verdict.pods,
        "component_table": "components option" if params["components"] is not None else params["settings_generation"],
    }


def _not_ready(params: dict, verdict: Verdict, result: dict) -> AzureMLError:
    hint = None
    if verdict.only_missing_components:
        hint = (
            "All other pods are ready. If the version of the extension does not contain these components, set"
            " components to those that it contains."
        )
    return AzureMLError(
        f"namespace '{params['namespace']}' is not ready (waited at most {params['wait_timeout']} seconds):"
        f" {verdict.summary()}; {'; '.join(result['problems'])}",
        code="NotReady",
        hint=hint,
        **{key: value for key, value in result.items() if key != "changed"},
    )
