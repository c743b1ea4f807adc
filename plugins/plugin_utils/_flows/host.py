# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create the flow of a host."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from ansible_collections.azureml.arc.plugins.module_utils._compute.module import read_workspace
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleSpec
from ansible_collections.azureml.arc.plugins.module_utils._extension.module import begin_supporting_resources
from ansible_collections.azureml.arc.plugins.modules import (
    cluster_identity,
    compute,
    compute_info,
    endpoint_check,
    extension,
    instance_type,
    job_check,
    namespace,
    node,
    node_preflight,
    openshift_scc,
    pod_readiness,
    preflight,
    tls_secret,
)
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.handover import Handover
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.deploy import Deploy
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.flow import PARTS, REQUIRED, Flow
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.nodes import Machine, Nodes
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.removal import Detach, Remove
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.single_change import RotateTls, Upgrade
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.steps import Executor, Steps
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.verify import Verify
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.checks import nothing_sent
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.options import ClusterOptions
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.reading import HostVariables
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.specs import MACHINE

FLOWS = {
    "deploy": Deploy,
    "detach": Detach,
    "machine": Machine,
    "nodes": Nodes,
    "remove": Remove,
    "rotate_tls": RotateTls,
    "upgrade": Upgrade,
    "verify": Verify,
}
# The result of a task if the tags of the run select no part.
NOTHING_SELECTED = {
    "skipped": True,
    "changed": False,
    "msg": f"the tags of this run select none of {', '.join(PARTS)}; nothing was sent",
}
MODULES: Mapping[str, ModuleSpec] = {
    "cluster_identity": cluster_identity.SPEC,
    "compute": compute.SPEC,
    "endpoint_check": endpoint_check.SPEC,
    "extension": extension.SPEC,
    "instance_type": instance_type.SPEC,
    "job_check": job_check.SPEC,
    "namespace": namespace.SPEC,
    "node": node.SPEC,
    "node_preflight": node_preflight.SPEC,
    "openshift_scc": openshift_scc.SPEC,
    "pod_readiness": pod_readiness.SPEC,
    "preflight": preflight.SPEC,
    "supporting_resources": replace(extension.SPEC, run=begin_supporting_resources),
    "tls_secret": tls_secret.SPEC,
    "workspace": replace(compute_info.SPEC, run=read_workspace),
}


@dataclass(frozen=True)
class Assignment:
    """The work of a flow.

    :param flow: a key of C(FLOWS).
    :param parts: of the flow, by tags.
    :param soak: the seconds that a changed cluster must stay ready.
    :param begun: whether an earlier task has started it.
    :param first_wave: whether its cluster is in the first wave of the play, or there are none.
    """

    flow: str
    parts: tuple[str, ...] = PARTS
    soak: float = 0.0
    begun: bool = False
    first_wave: bool = True

    @property
    def flow_class(self) -> type[Flow]:
        """Return the class of the flow, which declares what it needs."""
        return FLOWS[self.flow]

    @property
    def noun(self) -> str:
        """Return the kind of the hosts for messages, C(cluster) or C(machine)."""
        return "machine" if self.flow_class.kind == MACHINE else "cluster"

    def errors_of(self, options: ClusterOptions | None) -> list[str]:
        """Return the errors in variables that only this flow needs; none if the variables cannot be read."""
        return self.flow_class.errors_of(options) if options else []

    def connects(self, host: HostVariables) -> bool:
        """Return whether the flow connects to the cluster of a host from the controller."""
        return host.options is not None and not host.via_node and self.flow_class.connects(host.options)


def parts_by_tags(own_tags: Collection[str], task_vars: Mapping) -> tuple[str, ...]:
    """Return the parts of a flow that the tags of the run select; empty if they select others only.

    Tasks with parts have tag C(always), because Ansible would skip a task with tag C(attach) for C(--skip-tags attach).
    So Ansible runs them whatever the tags are, and here those decide.

    :param own_tags: of the task, those of its role, block and play included.
    """
    wanted, skipped = task_vars["ansible_run_tags"], task_vars["ansible_skip_tags"]
    selected = [part for part in PARTS if part in wanted]
    if not selected and not {"all", "tagged", *own_tags}.isdisjoint(wanted):
        selected = PARTS
    return tuple(part for part in selected if part not in skipped)


def flow_of(host: HostVariables, assignment: Assignment, runs: Executor, check_mode: bool, handover: Handover) -> Flow:
    """Return the flow of a host with valid variables."""
    steps = Steps(host.name, runs, check_mode)
    flow = FLOWS[assignment.flow](
        host.options, steps, assignment.parts, lambda address: handover.claim(f"address {address}", host.name)
    )
    flow.first_wave, flow.soak = assignment.first_wave, assignment.soak
    if isinstance(flow, Deploy):
        flow.begun = assignment.begun
    return flow


def refused(errors: list[str]) -> dict:
    """Return the result of a host with invalid variables."""
    return without_flow(REQUIRED, nothing_sent(errors))


def without_flow(step: str, message: str) -> dict:
    """Return the result of a host whose flow did not run, or did not end.

    :param step: the step that failed; empty if the failure belongs to none.
    """
    return {
        "failed": True,
        **({"failed_step": step} if step else {}),
        "changed": False,
        "in_sync": False,
        "msg": message,
        "pod_readiness": None,
        "endpoint": None,
        "computes": [],
        "jobs": [],
        "steps": [],
    }
