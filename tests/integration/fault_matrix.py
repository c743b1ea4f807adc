# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The operations that faults can affect, and the expected outcome of each operation under each fault."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.azureml.arc.plugins.modules.compute import SPEC as COMPUTE
from ansible_collections.azureml.arc.plugins.modules.extension import SPEC as EXTENSION
from ansible_collections.azureml.arc.plugins.modules.job_check import SPEC as JOB_CHECK
from ansible_collections.azureml.arc.plugins.modules.namespace import SPEC as NAMESPACE
from ansible_collections.azureml.arc.plugins.modules.node import SPEC as NODE
from ansible_collections.azureml.arc.plugins.modules.pod_readiness import SPEC as READINESS
from objects import WORKSPACE

from simulator.faults import KINDS

CLUSTER = {"resource_group": "rg-edge"}
MARKER = "marker-of-a-protected-setting"

INSTALLED = (EXTENSION, {**CLUSTER, "workload_profile": "training", "protected_settings": {"proxy.password": MARKER}})
CHANGED = (EXTENSION, {**INSTALLED[1], "settings": {"amloperator.custom_ip_interface": "eth1"}})
ATTACHED = (COMPUTE, {**CLUSTER, "workspace": WORKSPACE})
# Tasks: a module and its options, without those that name the cluster.
TASKS = {
    "install": INSTALLED,
    "install without wait": (EXTENSION, {**INSTALLED[1], "wait": False}),
    "change": CHANGED,
    "remove": (EXTENSION, {**CLUSTER, "state": "absent"}),
    "attach": ATTACHED,
    "detach": (COMPUTE, {**CLUSTER, "workspace": WORKSPACE, "state": "absent"}),
    "run a job": (JOB_CHECK, {"workspace": WORKSPACE}),
    "check pods": (READINESS, {"workload_profile": "training"}),
    "create a namespace": (NAMESPACE, {"name": "ml"}),
    "label a node": (NODE, {"names": ["node-0"], "labels": {"azureml": "true"}}),
}
# The tasks that run before a task.
BEFORE = {
    "change": ("install",),
    "remove": ("install",),
    "attach": ("install",),
    "detach": ("install", "attach"),
    "run a job": ("install", "attach"),
    "check pods": ("install without wait",),
}


@dataclass(frozen=True)
class Operation:
    """One kind of request of a task.

    :param task: the name of a task in C(TASKS), or C(list clusters).
    :param path: a part of its path, in which C({cluster}) and C({plain}) are replaced by the name of the cluster.
    :param names: the resource that an error must name, as a regular expression.
    :param writes: whether it changes a resource.
    """

    name: str
    task: str
    method: str
    path: str
    names: str
    writes: bool = False
    query: str = ""
    without: str = ""

    @property
    def is_arm(self) -> bool:
        return not self.is_kubernetes and self.name != "token"

    @property
    def is_kubernetes(self) -> bool:
        return "/kubernetes/" in self.path

    def fault(self, cluster: str, kind: Mapping, times: int | None) -> dict:
        """Return a fault that affects this operation."""
        path = self.path.format(cluster=re.escape(cluster), plain=re.escape(cluster.replace("-", "")))
        where = {"method": self.method, "path": path, "query": self.query, "without": self.without}
        return {**where, "times": times, **kind}


_WHAT_EXTENSION = "extension 'azureml' on connected cluster '{cluster}'"
_WHAT_COMPUTE = "compute '{cluster}' of workspace 'ws'"
_WHAT_JOB = "job 'arc-check-{cluster}-"
_EXTENSION = "connectedClusters/{cluster}/.*extensions/azureml"
_RELAY = "Microsoft.Relay/namespaces/{plain}[a-z0-9]*"
_NAMESPACES = "/kubernetes/{cluster}/api/v1/namespaces$"
_POD = "/kubernetes/{cluster}/api/v1/namespaces/azureml/pods$"

OPERATIONS = (
    Operation("token", "install", "POST", "/oauth2/v2.0/token", "sign in to Azure at https://localhost"),
    Operation("cluster GET", "install", "GET", "connectedClusters/{cluster}$", "connected cluster '{cluster}'"),
    Operation("relay namespace PUT", "install", "PUT", f"{_RELAY}$", "relay resource .*Relay/namespaces/", True),
    Operation(
        "relay connection PUT", "install", "PUT", f"{_RELAY}/hybridConnections/[^/]+$", "hybridConnections/", True
    ),
    Operation("relay rule PUT", "install", "PUT", f"{_RELAY}/.*/authorizationRules/\\w+$", "authorizationRules/", True),
    Operation("relay keys", "install", "POST", f"{_RELAY}/.*/listKeys$", "keys of relay"),
    Operation("extension GET", "install", "GET", f"{_EXTENSION}$", _WHAT_EXTENSION),
    Operation("extension PUT", "install", "PUT", f"{_EXTENSION}$", _WHAT_EXTENSION, True),
    Operation("extension poll", "install", "GET", f"{_EXTENSION}/operations/", _WHAT_EXTENSION),
    Operation("extension PATCH", "change", "PATCH", f"{_EXTENSION}$", _WHAT_EXTENSION, True),
    Operation("extension DELETE", "remove", "DELETE", f"{_EXTENSION}$", _WHAT_EXTENSION, True),
    Operation("compute GET", "attach", "GET", "computes/{cluster}$", _WHAT_COMPUTE),
    Operation("compute PUT", "attach", "PUT", "computes/{cluster}$", _WHAT_COMPUTE, True),
    Operation("compute poll", "attach", "GET", "computeOperationsStatus", _WHAT_COMPUTE),
    Operation("compute DELETE", "detach", "DELETE", "computes/{cluster}$", _WHAT_COMPUTE, True),
    Operation("job GET", "run a job", "GET", "/jobs/arc-check-{cluster}-[^/]+$", _WHAT_JOB),
    Operation("job PUT", "run a job", "PUT", "/jobs/arc-check-{cluster}-[^/]+$", _WHAT_JOB, True),
    Operation("Resource Graph", "list clusters", "POST", "Microsoft.ResourceGraph/resources", "POST clusters"),
    Operation("Kubernetes list", "check pods", "GET", _POD, "Pods in namespace 'azureml'", without="watch"),
    Operation("Kubernetes watch", "check pods", "GET", _POD, "Pods in namespace 'azureml'", query="watch"),
    Operation("Kubernetes create", "create a namespace", "POST", _NAMESPACES, "Namespace 'ml'", True),
    Operation("Kubernetes patch", "label a node", "PATCH", "/kubernetes/{cluster}/api/v1/nodes/", "'node-0'", True),
)

# Faults that a retry cannot fix, so they are reported immediately.
_NO_ANSWER = frozenset({"not JSON", "HTML"})
_REFUSALS = frozenset({"401", "409", "412"})


def survives(operation: Operation, kind: str, once: bool) -> bool:
    """Return whether a task succeeds despite a fault of this kind.

    :param once: whether the fault affects only one request, instead of all.
    """
    if operation.name == "Kubernetes watch":
        return kind != "401"  # after any other end of a watch, the module reads again
    if not once:
        # If only responses are lost, reading the resource shows that the change was made.
        return operation.is_arm and operation.writes and KINDS[kind].get("acts", False)
    if kind in _NO_ANSWER:
        return False
    if kind not in _REFUSALS:
        return True
    if operation.is_kubernetes:
        return operation.name == "Kubernetes patch" and kind == "409"  # the module reads the node and decides again
    if kind == "401":
        return operation.is_arm
    return operation.writes


def writes_of(journal: list[dict]) -> list[tuple]:
    """Return the requests that took effect, whether their responses arrived or not."""
    found = []
    for one in journal:
        kubernetes = one["path"].startswith("/kubernetes/")
        changes = one["method"] in ("PUT", "PATCH", "DELETE") or (kubernetes and one["method"] == "POST")
        if changes and 200 <= one["effect"] < 300:
            # A second merge patch with the same body changes nothing (RFC 7396), so it does not count as a repetition.
            found.append((one["method"], one["path"], str(one["body"]) if kubernetes else ""))
    return found


def table(cells: list[tuple[str, str, str]]) -> str:
    """Return the outcomes of all operations under all kinds of faults as a table.

    :param cells: the name of the operation, the kind of fault, and C(survived) or C(failed).
    """
    outcomes = {(operation, kind): outcome for operation, kind, outcome in cells}
    seen = {kind for _operation, kind in outcomes}
    kinds = [kind for kind in (*KINDS, *(f"{one}, lasting" for one in KINDS)) if kind in seen]
    lines = [f"{number:>2} {kind}" for number, kind in enumerate(kinds, start=1)]
    lines.append(f"{'':22}" + "".join(f"{number:>3}" for number in range(1, len(kinds) + 1)))
    for operation in (one.name for one in OPERATIONS):
        row = "".join(f"{SIGNS[outcomes.get((operation, kind), '')]:>3}" for kind in kinds)
        lines.append(f"{operation:22}{row}")
    survived = sum(outcome == "survived" for outcome in outcomes.values())
    lines.append(
        f"{len(outcomes)} cells: {survived} survived (s), {len(outcomes) - survived} failed with their cause (f)"
    )
    return "\n".join(lines)


SIGNS = {"survived": "s", "failed": "f", "": "."}
