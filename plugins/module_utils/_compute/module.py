# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Kubernetes cluster as a compute target of an Azure Machine Learning workspace: attach, detach, wait.

No stable SDK knows this compute type, so its requests use the ARM pipeline directly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace

from ansible_collections.azureml.arc.plugins.module_utils._azure import cluster_reference
from ansible_collections.azureml.arc.plugins.module_utils._azure import workspace as _workspace
from ansible_collections.azureml.arc.plugins.module_utils._azure.client import AzureSession, open_session
from ansible_collections.azureml.arc.plugins.module_utils._azure.resource import ArmResource, list_all
from ansible_collections.azureml.arc.plugins.module_utils._azure.states import is_being_deleted
from ansible_collections.azureml.arc.plugins.module_utils._azure.workspace import API_VERSION, WorkspaceReference
from ansible_collections.azureml.arc.plugins.module_utils._compute import configuration as _compute_configuration
from ansible_collections.azureml.arc.plugins.module_utils._compute.configuration import (
    DEFAULT_NAMESPACE,
    ComputeConfiguration,
)
from ansible_collections.azureml.arc.plugins.module_utils._compute.plan import (
    Plan,
    WantedCompute,
    attach_body,
    error_of,
    is_kubernetes,
    plan,
    view,
    wanted_identity,
)
from ansible_collections.azureml.arc.plugins.module_utils._compute.usage import users_of
from ansible_collections.azureml.arc.plugins.module_utils._core.changes import as_diff
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Deadline, Waiting
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall, require
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes import client as kubernetes_client
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes import namespace

DETACH = {"underlyingResourceAction": "Detach"}


def run(call: ModuleCall) -> Waiting[dict]:
    """M(azureml.arc.compute)."""
    params = call.params
    configuration = _compute_configuration.read(params, lambda path: call.read_file("config_file", path))
    for_cluster = configuration.for_cluster()
    session = open_session(call)
    workspace = _workspace.reference(params, session.subscription_id)
    compute = _resource(session, workspace, params, call.deadline(params["wait_timeout"]))
    task = _Task(call, session, workspace, compute, for_cluster)
    return (yield from (task.absent() if params["state"] == "absent" else task.present(configuration)))


def run_info(call: ModuleCall) -> dict:
    """M(azureml.arc.compute_info)."""
    params = call.params
    session = open_session(call)
    workspace = _workspace.reference(params, session.subscription_id)
    cluster = cluster_reference.reference(params, session.subscription_id) if params["cluster_name"] else None
    if params["name"]:
        found = [_resource(session, workspace, params, call.deadline(0)).read()]
    else:
        found = _list(session, workspace)
    if not any(found):
        _workspace.read(session, workspace)
    computes = [view(body) for body in found if body and is_kubernetes(body)]
    return {"computes": [one for one in computes if cluster is None or _is_of(one, cluster)]}


def _list(session: AzureSession, workspace: WorkspaceReference) -> list[dict]:
    """Return the computes of a workspace; if it does not exist, the error says so."""
    try:
        return list_all(session, f"{workspace.id}/computes", API_VERSION, f"computes of {workspace}")
    except AzureMLError as error:
        if error.status == 404:
            _workspace.read(session, workspace)
        raise


def read_workspace(call: ModuleCall) -> dict:
    """Read the workspace of M(azureml.arc.compute_info), which fails if it does not exist.

    A fleet does this once for all clusters before the first installation.
    """
    session = open_session(call)
    workspace = _workspace.reference(call.params, session.subscription_id)
    return {"changed": False, "id": workspace.id, **asdict(_workspace.read(session, workspace))}


def _is_of(compute: Mapping, cluster: cluster_reference.ClusterReference) -> bool:
    return (compute["cluster_id"] or "").lower() == cluster.id.lower()


def _resource(session: AzureSession, workspace: WorkspaceReference, params: Mapping, deadline: Deadline) -> ArmResource:
    name = cluster_reference.check_name("name", params["name"])
    what = f"compute '{name}' of {workspace}"
    return ArmResource(session, f"{workspace.id}/computes/{name}", API_VERSION, what, deadline, error_of)


class _Task:
    """One compute, to be attached or detached."""

    def __init__(
        self,
        call: ModuleCall,
        session: AzureSession,
        workspace: WorkspaceReference,
        compute: ArmResource,
        for_cluster: list[dict],
    ) -> None:
        self._call = call
        self._params = call.params
        self._session = session
        self._workspace = workspace
        self._compute = compute
        self._for_cluster = for_cluster  # its instance types as objects in the cluster
        self._created_namespace = False  # at any attempt

    def present(self, configuration: ComputeConfiguration) -> Waiting[dict]:
        """Attach the cluster, or change its attachment."""
        return (yield from self._compute.decide(lambda: self._attach(configuration)))

    def absent(self) -> Waiting[dict]:
        """Detach the cluster."""
        return (yield from self._compute.decide(self._detach))

    def _attach(self, configuration: ComputeConfiguration) -> Waiting[dict]:
        wait, check_mode = self._params["wait"], self._call.check_mode
        wanted = self._wanted(configuration)
        body = self._compute.read_once()
        if body and not self._params["retry_failed"]:
            self._compute.raise_if_failed(body)
        step = plan(wanted, body)
        if step.action == "adopt" and wait and not check_mode:
            body = yield from self._compute.settle(body)
            step = plan(wanted, body)
        if step.action == "refuse":
            raise AzureMLError(
                f"{self._compute} cannot be attached: {step.reason}",
                code="Refused",
                hint=_hint_for(step),
                **self._result(step, body),
            )
        if step.action == "replace":
            self._require_unused(replace(step, action="refuse", allowed_by="allow_disruption"), body)
        if step.action in ("create", "replace"):
            self._created_namespace |= self._prepare_namespace(configuration.namespace)
        if step.action in ("create", "update", "replace"):
            location = body["location"] if body else _workspace.read(self._session, self._workspace).location
            if not check_mode:
                request = attach_body(wanted, location, body)
                if step.action == "replace":
                    body = yield from self._compute.replace(wait, body, request, DETACH, shown=request)
                else:
                    body = yield from self._compute.submit("PUT", wait, present=body, body=request)
        return {**self._result(step, body), "created_namespace": self._created_namespace}

    def _detach(self) -> Waiting[dict]:
        wait, check_mode = self._params["wait"], self._call.check_mode
        body = self._compute.read()
        if body is None:
            # Detaching from a missing workspace must not look like success.
            _workspace.read(self._session, self._workspace)
            return self._result(Plan("none", "the compute does not exist"), None)
        if not is_kubernetes(body):
            kind = body["properties"].get("computeType")
            raise AzureMLError(
                f"{self._compute} cannot be detached: it is of type {kind}, not Kubernetes",
                code="Refused",
                hint="Check the names of the compute and of the workspace.",
            )
        self._require_own(body)
        if is_being_deleted(body):
            if wait and not check_mode:
                yield from self._compute.settle(body)
            return self._result(Plan("adopt", "its removal is already in progress"), body)
        changes = {name: (value, None) for name, value in view(body).items()}
        step = Plan("delete", "it exists", changes)
        self._require_unused(replace(step, action="refuse", allowed_by="allow_disruption"), body)
        if not check_mode:
            yield from self._compute.submit("DELETE", wait, present=body, params=DETACH)
        return self._result(step, body)

    def _wanted(self, configuration: ComputeConfiguration) -> WantedCompute:
        params = self._params
        cluster = cluster_reference.reference(params, self._session.subscription_id)
        if (
            cluster.type == "managed_cluster"
            and cluster.subscription_id.lower() != self._workspace.subscription_id.lower()
        ):
            raise AzureMLError(
                "workspace.subscription_id must be the subscription of the AKS cluster",
                hint="To attach a cluster of another subscription, connect it to Azure Arc, and set cluster_type to"
                " connected_cluster.",
            )
        return WantedCompute(
            cluster.id,
            configuration,
            params["description"],
            wanted_identity(params["identity"]),
            params["purge_instance_types"],
            params["force_reattach"],
        )

    def _require_own(self, body: Mapping) -> None:
        """Refuse to detach another cluster than the one in the options, if they name one."""
        if not self._params["cluster_name"]:
            return
        cluster = cluster_reference.reference(self._params, self._session.subscription_id)
        present = view(body)
        if not _is_of(present, cluster):
            raise AzureMLError(
                f"{self._compute} cannot be detached: it belongs to another cluster, {present['cluster_id']}",
                code="Refused",
                hint="Check the name of the compute, cluster_name, cluster_type and resource_group, or omit those"
                " of the cluster.",
            )

    def _require_unused(self, refused: Plan, body: Mapping) -> None:
        """Refuse to detach a compute in use.

        :param refused: the plan of the result then.
        """
        if self._params["allow_disruption"]:
            return
        users = users_of(self._session, self._workspace.id, self._compute.id, str(self._compute))
        if users:
            raise AzureMLError(
                f"{self._compute} cannot be detached: it is in use by {', '.join(users)}",
                code="InUse",
                hint="Cancel the jobs and delete the endpoints, or set allow_disruption to true.",
                used_by=users,
                **self._result(refused, body),
            )

    def _prepare_namespace(self, name: str) -> bool:
        """Check for the namespace, if the options require it; return whether it had to be created."""
        create = self._params["create_namespace"]
        if create is None or name == DEFAULT_NAMESPACE:
            return False
        require(kubernetes_client.LIBRARIES)
        with kubernetes_client.open_session(self._call) as cluster:
            return namespace.ensure(cluster, name, create, self._call.check_mode)

    def _result(self, step: Plan, body: Mapping | None) -> dict:
        changed = step.action in ("create", "update", "replace", "delete")
        result = {
            "changed": changed,
            "plan": step.as_result(),
            "compute": view(body) if body else None,
            "cluster_instance_types": self._for_cluster,
        }
        if self._call.diff:
            result["diff"] = as_diff(step.changes)
        return result


def _hint_for(step: Plan) -> str:
    """Return the next step after a refused attachment."""
    if "cluster_id" in step.changes:
        return "Choose another name, or set force_reattach to true to replace it."
    if "namespace" in step.changes:
        return "Set force_reattach to true to detach it and attach it again."
    return "Choose another name."
