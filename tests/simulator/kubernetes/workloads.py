# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The objects of an installed extension: a namespace, workloads, and pods that start over time or fail as planned."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from typing import Any

from simulator.clock import Clock
from simulator.kubernetes.pods import FAILURES, IMAGE, creating, pending, running, warning
from simulator.kubernetes.store import Store
from simulator.scenario import InstallPlan

NAMESPACE = "azureml"
HEALTH_CHECK = "arcml-healthcheck"

INSTANCE_TYPES = {
    "name": "instancetypes.amlarc.azureml.com",
    "spec": {
        "group": "amlarc.azureml.com",
        "scope": "Cluster",
        "names": {"plural": "instancetypes", "kind": "InstanceType"},
        "versions": [{"name": "v1alpha1", "served": True, "storage": True}],
    },
}

# Components and their kinds, by the settings that install them. Source: the component table of Microsoft's deployment
# page.
EVERYWHERE = (
    ("gateway", "Deployment"),
    ("metrics-controller-manager", "Deployment"),
    ("{name}-kube-state-metrics", "Deployment"),
    ("prometheus-prom-prometheus", "StatefulSet"),
)
TRAINING = (("aml-operator", "Deployment"),)
VOLCANO = tuple((f"volcano-{part}", "Deployment") for part in ("admission", "controllers", "scheduler"))
INFERENCE = tuple(
    (name, "Deployment")
    for name in (
        "amlarc-identity-controller",
        "amlarc-identity-proxy",
        "azureml-fe-v2",
        "inference-operator-controller-manager",
    )
)


# Components of the first releases: always, with training, and with inference. Source: table "Resources created during
# deployment" of Microsoft's article of October 2021, where every cluster has the relay.
FIRST_EVERYWHERE = (
    "relayserver",
    "metrics-controller-manager",
    "cluster-status-reporter",
    "{name}-kube-state-metrics",
    "{name}-prometheus-operator",
)
FIRST = {
    "enableTraining": ("gateway", "aml-operator", "nfd-master", "csi-blob-controller"),
    "enableInference": (
        "amlarc-identity-controller",
        "amlarc-identity-proxy",
        "azureml-fe",
        "inference-operator-controller-manager",
    ),
}


def components(name: str, settings: Mapping[str, str], version: str) -> list[tuple[str, str, int]]:
    """Return the workloads of a version of the extension with these settings, as name, kind and replicas."""
    found = _first(settings) if version.startswith("1.0.") else _current(settings)
    router = 3 if is_on(settings, "inferenceRouterHA", default=True) else 1
    return [
        (component.format(name=name), kind, router if component == "azureml-fe-v2" else 1) for component, kind in found
    ]


def is_on(settings: Mapping[str, str], key: str, default: bool = False) -> bool:
    """Return whether a setting is true; its case is ignored."""
    return settings.get(key, str(default)).lower() == "true"


def _first(settings: Mapping[str, str]) -> list[tuple[str, str]]:
    chosen = [component for key, names in FIRST.items() if is_on(settings, key) for component in names]
    return [(component, "Deployment") for component in (*FIRST_EVERYWHERE, *chosen)]


def _current(settings: Mapping[str, str]) -> list[tuple[str, str]]:
    def on(key: str, default: bool = False) -> bool:
        return is_on(settings, key, default)

    found = list(EVERYWHERE)
    if on("relayserver.enabled"):
        found.append(("relayserver", "Deployment"))
    if on("installPromOp", default=True):
        found.append(("{name}-prometheus-operator", "Deployment"))
    if on("enableTraining"):
        found += TRAINING
        if on("installVolcano", default=True):
            found += VOLCANO
    if on("enableInference"):
        found += INFERENCE
        if on("nginxIngress.enabled"):
            found.append(("azureml-ingress-nginx-controller", "Deployment"))
    if on("installNvidiaDevicePlugin"):
        found.append(("nvidia-device-plugin-daemonset", "DaemonSet"))
    if on("installDcgmExporter"):
        found.append(("{name}-dcgm-exporter", "DaemonSet"))
    return found


class Workloads:
    """The extension's workloads on one cluster."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def install(self, name: str, settings: Mapping[str, str], version: str, plan: InstallPlan) -> None:
        """Start the workloads of these settings within nine tenths of the plan's time; leave ready ones unchanged."""
        await self._clock.sleep(plan.seconds * 0.1)
        await self._put("Namespace", {"name": NAMESPACE}, status={"phase": "Active"})
        if plan.health_check:
            data = {"reports-pre-install": plan.health_check}
            await self._put("ConfigMap", {"name": HEALTH_CHECK, "namespace": NAMESPACE}, data=data)
            return
        if is_on(settings, "enableTraining"):
            await self._put("CustomResourceDefinition", {"name": INSTANCE_TYPES["name"]}, spec=INSTANCE_TYPES["spec"])
        wanted = components(name, settings, version)
        await self._remove_others({component for component, kind, replicas in wanted})
        await asyncio.gather(
            *(
                self._start(
                    component, kind, replicas, plan.pods.get(component, ""), plan.seconds * 0.8 * index / len(wanted)
                )
                for index, (component, kind, replicas) in enumerate(wanted, start=1)
            )
        )

    async def remove(self) -> None:
        """Begin the removal: the workloads are deleted, and the namespace is Terminating."""
        await self._put("Namespace", {"name": NAMESPACE}, status={"phase": "Terminating"})
        await self._remove_others(set())

    async def crash(self, component: str) -> None:
        """Let the pods of a component crash, which is a Deployment with one replica."""
        await self._start(component, "Deployment", 1, "CrashLoopBackOff", 0)

    async def terminate_namespace(self) -> None:
        """Set the namespace to Terminating, as one whose removal hangs."""
        await self._put("Namespace", {"name": NAMESPACE}, status={"phase": "Terminating"})

    async def forget(self) -> None:
        """End the removal: the namespace is deleted."""
        await self._store.delete(self._store.kind("Namespace"), "", NAMESPACE)

    async def _remove_others(self, keep: set[str]) -> None:
        for kind in ("Deployment", "StatefulSet", "DaemonSet", "Pod"):
            resource = self._store.kind(kind)
            for body in list(self._store.list(resource, NAMESPACE)):
                if body["metadata"]["labels"]["app"] not in keep:
                    await self._store.delete(resource, NAMESPACE, body["metadata"]["name"])

    async def _start(self, component: str, kind: str, replicas: int, failure: str, seconds: float) -> None:
        pods = [_pod_name(component, kind, index) for index in range(replicas)]
        pod = self._store.kind("Pod")
        if all(_is_ready(self._store.get(pod, NAMESPACE, name)) for name in pods) and not failure:
            return
        await self._put_workload(component, kind, replicas, ready=0)
        for name in pods:
            await self._put_pod(component, kind, name, pending())
        await self._clock.sleep(seconds * 0.5)
        for name in pods:
            await self._put_pod(component, kind, name, creating(component))
        await self._clock.sleep(seconds * 0.5)
        for name in pods:
            status = FAILURES[failure](component) if failure else running(component)
            await self._put_pod(component, kind, name, status)
            if failure:
                await self._put_event(name, failure)
        await self._put_workload(component, kind, replicas, ready=0 if failure else replicas)

    async def _put(self, kind: str, metadata: Mapping[str, Any], **fields: Any) -> None:
        await self._store.put(self._store.kind(kind), {"metadata": dict(metadata), **fields})

    async def _put_pod(self, component: str, kind: str, name: str, status: Mapping[str, Any]) -> None:
        owner = {"apiVersion": "apps/v1", "kind": kind, "name": component, "controller": True, "uid": component}
        if kind == "Deployment":
            owner |= {"kind": "ReplicaSet", "name": name.rsplit("-", 1)[0]}
        spec: dict[str, Any] = {"containers": [{"name": component, "image": f"{IMAGE}/{component}:1.1.61"}]}
        if status["phase"] == "Running":
            spec["nodeName"] = "node-0"
        await self._put("Pod", _metadata(name, component, ownerReferences=[owner]), spec=spec, status=status)

    async def _put_workload(self, component: str, kind: str, replicas: int, ready: int) -> None:
        resource = self._store.kind(kind)
        present = self._store.get(resource, NAMESPACE, component)
        generation = present["metadata"]["generation"] if present else 1
        if kind == "DaemonSet":
            status = {
                "desiredNumberScheduled": replicas,
                "updatedNumberScheduled": replicas,
                "numberReady": ready,
                "numberAvailable": ready,
            }
        else:
            status = {
                "replicas": replicas,
                "updatedReplicas": replicas,
                "readyReplicas": ready,
                "availableReplicas": ready,
            }
        spec = {} if kind == "DaemonSet" else {"replicas": replicas}
        await self._put(
            kind, _metadata(component, component), spec=spec, status={**status, "observedGeneration": generation}
        )

    async def _put_event(self, pod: str, reason: str) -> None:
        event = warning(NAMESPACE, pod, reason, f"simulated {reason}", self._clock)
        await self._store.put(self._store.kind("Event"), event)


def _metadata(name: str, component: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "namespace": NAMESPACE, "labels": {"app": component}, **fields}


def _pod_name(component: str, kind: str, index: int) -> str:
    if kind == "StatefulSet":
        return f"{component}-{index}"
    digest = hashlib.sha256(f"{component}{index}".encode()).hexdigest()
    return f"{component}-{digest[:9]}-{digest[9:14]}" if kind == "Deployment" else f"{component}-{digest[:5]}"


def _is_ready(pod: Mapping[str, Any] | None) -> bool:
    conditions = (pod or {}).get("status", {}).get("conditions", ())
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
