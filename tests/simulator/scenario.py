# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The scenario of a simulation, from a file, from the command line, or from a test."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
TENANT = "99999999-8888-7777-6666-555555555555"


@dataclass
class InstallPlan:
    """The installation of the extension on one cluster.

    :param seconds: simulated seconds until the operation ends.
    :param error: the message of a failed operation, C(None) for success.
    :param error_code: the code of a failed operation.
    :param pods: the fault of the pods of a component, by the name of the component: C(ImagePullBackOff),
        C(CrashLoopBackOff) or C(Unschedulable).
    :param health_check: the report of failed checks before the installation; if there is one, nothing is installed.
    :param bad_versions: versions that cannot be installed.
    """

    seconds: float = 60
    error: str | None = None
    error_code: str = "ExtensionOperationFailed"
    pods: dict[str, str] = field(default_factory=dict)
    health_check: str = ""
    bad_versions: list[str] = field(default_factory=list)


@dataclass
class JobPlan:
    """The jobs on one cluster.

    :param queue_seconds: simulated seconds from the submission of a job to its start.
    :param run_seconds: simulated seconds from the start of a job to its end.
    :param failures: the fault by instance type. The empty string is for jobs without an instance type, C(*) for all
        others. For the values see C(FAILURES) and C(HANGING) of C(simulator.arm.jobs).
    """

    queue_seconds: float = 10
    run_seconds: float = 5
    failures: dict[str, str] = field(default_factory=dict)


# The parts of a cluster's plan that are plans themselves.
PARTS = {"install": InstallPlan, "jobs": JobPlan}


@dataclass
class ClusterPlan:
    """A cluster, and the course of operations on it."""

    name: str
    type: str = "connectedClusters"  # or managedClusters
    resource_group: str = "rg-edge"
    subscription: str = SUBSCRIPTION
    location: str = "westeurope"
    tags: dict[str, str] = field(default_factory=dict)
    distribution: str = "k3s"
    managed_openshift: bool = False  # a webhook protects the default SecurityContextConstraints
    nodes: int = 3
    node_cpu: str = "4"
    node_memory: str = "16Gi"
    connectivity: str = "Connected"
    agent_version: str = "1.21.10"
    install: InstallPlan = field(default_factory=InstallPlan)
    jobs: JobPlan = field(default_factory=JobPlan)
    attach_seconds: float = 20
    attach_error: str | None = None
    crash_once_attached: str = ""  # the component whose pods crash as soon as the cluster is attached
    removal_seconds: float = 30
    router: str = ""  # fault of the router, see C(simulator.router); C(closed) for a port without a listener
    forbidden: list[str] = field(default_factory=list)  # Kubernetes resources that the account may not read
    other_extensions: bool = False  # an AKS cluster has extensions of others, and with them its ConfigMap
    namespace_terminating: bool = False  # the removal of namespace azureml hangs
    gone: bool = False  # deleted from Azure; resources that refer to it are kept


@dataclass
class WorkspacePlan:
    """An Azure Machine Learning workspace, with the jobs and online endpoints in its lists.

    :param detach_seconds: simulated seconds that it takes to detach a compute.
    """

    name: str = "ws"
    resource_group: str = "rg-ml"
    subscription: str = SUBSCRIPTION
    location: str = "northeurope"
    detach_seconds: float = 5.0
    jobs: list[dict[str, Any]] = field(default_factory=list)
    online_endpoints: list[dict[str, Any]] = field(default_factory=list)


@dataclass
class Principal:
    """The service principal that may sign in.

    :param actions: the actions that its role allows, as in an Azure role definition; C(None) for all.
    :param token_seconds: simulated seconds for which its tokens are valid, regardless of C(expires_in).
    """

    client_id: str = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
    secret: str = "simulated-client-secret"
    tenant: str = TENANT
    actions: list[str] | None = None
    token_seconds: float = 3599

    def may(self, action: str) -> bool:
        return self.actions is None or action.lower() in {one.lower() for one in self.actions}


@dataclass
class Scenario:
    """The whole scenario. For the C(fault*) fields see C(simulator.faults)."""

    clusters: list[ClusterPlan] = field(default_factory=list)
    workspaces: list[WorkspacePlan] = field(default_factory=lambda: [WorkspacePlan()])
    principal: Principal = field(default_factory=Principal)
    time_scale: float = 1.0
    graph_quota: int = 15  # queries of Resource Graph in each window
    unregistered: list[str] = field(default_factory=list)  # resource providers
    keep_alive: float = 75  # real seconds after which an idle connection is closed; the default of aiohttp
    eventual_consistency: str = "caller"  # the clients whose first reads of a new resource return 404; see Consistency
    faults: list[dict[str, Any]] = field(default_factory=list)
    fault_share: float = 0
    fault_seed: int = 0


def load(path: Path) -> Scenario:
    """Read a scenario from a JSON file; unknown fields are an error."""
    return from_dict(json.loads(path.read_text(encoding="utf-8")))


def from_dict(content: dict[str, Any]) -> Scenario:
    """Return the scenario that a JSON document describes."""
    values = _known(Scenario, content)
    if "clusters" in values:
        values["clusters"] = [_cluster(one) for one in values["clusters"]]
    if "workspaces" in values:
        values["workspaces"] = [WorkspacePlan(**_known(WorkspacePlan, one)) for one in values["workspaces"]]
    if "principal" in values:
        values["principal"] = Principal(**_known(Principal, values["principal"]))
    return Scenario(**values)


def many(count: int, install_seconds: float = 60) -> list[ClusterPlan]:
    """Return a number of connected clusters."""
    return [ClusterPlan(f"cluster-{index:04}", install=InstallPlan(install_seconds)) for index in range(count)]


def _cluster(content: dict[str, Any]) -> ClusterPlan:
    values = _known(ClusterPlan, content)
    values |= {name: kind(**_known(kind, values[name])) for name, kind in PARTS.items() if name in values}
    return ClusterPlan(**values)


def _known(kind: type, content: dict[str, Any]) -> dict[str, Any]:
    unknown = set(content) - {one.name for one in fields(kind)}
    if unknown:
        raise ValueError(f"{kind.__name__} has no {', '.join(sorted(unknown))}")
    return dict(content)
