# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Kubernetes cluster as a compute target of an Azure Machine Learning workspace: attach, detach, wait.

No stable SDK knows this compute type, so its requests go through the ARM pipeline as they are. Source:
https://learn.microsoft.com/azure/machine-learning/how-to-attach-kubernetes-to-workspace and the 2024-04-01
specification of Microsoft.MachineLearningServices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.azureml.arc.plugins.module_utils import _cluster
from ansible_collections.azureml.arc.plugins.module_utils._arm_resource import ArmResource, list_all
from ansible_collections.azureml.arc.plugins.module_utils._arm_states import is_moving, state_of
from ansible_collections.azureml.arc.plugins.module_utils._azure_session import AzureSession, open_session
from ansible_collections.azureml.arc.plugins.module_utils._errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._polling import Deadline
from ansible_collections.azureml.arc.plugins.module_utils._runner import ModuleCall

API_VERSION = "2024-04-01"
COMPUTE_TYPE = "Kubernetes"


@dataclass(frozen=True)
class WorkspaceReference:
    """Which Azure Machine Learning workspace."""

    subscription_id: str
    resource_group: str
    name: str

    @property
    def id(self) -> str:
        group = _cluster.resource_group_id(self.subscription_id, self.resource_group)
        return f"{group}/providers/Microsoft.MachineLearningServices/workspaces/{self.name}"

    def __str__(self) -> str:
        return f"workspace '{self.name}' in resource group '{self.resource_group}'"


@dataclass(frozen=True)
class WantedCompute:
    """What the user asks for."""

    cluster_id: str
    namespace: str
    description: str | None = None


@dataclass(frozen=True)
class Plan:
    """The step to take: C(none), C(create), C(adopt) or C(refuse), and what differs as name: (before, after)."""

    action: str
    reason: str = ""
    changes: Mapping = field(default_factory=dict)

    def as_result(self) -> dict:
        """The plan as a module returns it."""
        changes = {name: {"before": old, "after": new} for name, (old, new) in sorted(self.changes.items())}
        return {"action": self.action, "reason": self.reason, "changes": changes}


def plan(wanted: WantedCompute, body: Mapping | None) -> Plan:
    """The step from what is there to what is wanted. Pure."""
    if body is None:
        changes = {"cluster_id": (None, wanted.cluster_id), "namespace": (None, wanted.namespace)}
        if wanted.description is not None:
            changes["description"] = (None, wanted.description)
        return Plan("create", "the compute does not exist", changes)
    properties = body["properties"]
    if (properties.get("computeType") or "").lower() != COMPUTE_TYPE.lower():
        return Plan("refuse", f"a compute of type {properties.get('computeType')} has this name already")
    cluster_id = properties.get("resourceId") or ""
    if cluster_id.lower() != wanted.cluster_id.lower():
        return Plan("refuse", f"the name is taken by another cluster, {cluster_id}; choose another name")
    state = state_of(body)
    if is_moving(body):
        return Plan("adopt", f"an operation is under way already: {state}")
    if state.lower() != "succeeded":
        return Plan("create", f"the last operation ended as {state}")
    namespace = (properties.get("properties") or {}).get("namespace") or "default"
    if namespace != wanted.namespace:
        return Plan(
            "refuse",
            f"it is attached with namespace '{namespace}', which cannot be changed in place; detach it first",
            {"namespace": (namespace, wanted.namespace)},
        )
    return Plan("none", "it is as wanted")


def _resource(session: AzureSession, workspace: WorkspaceReference, params: Mapping, seconds: float) -> ArmResource:
    name = _cluster.check_name("name", params["name"])
    what = f"compute '{name}' of {workspace}"
    return ArmResource(session, f"{workspace.id}/computes/{name}", API_VERSION, what, Deadline(seconds), _error_of)


def run(call: ModuleCall) -> dict:
    """M(azureml.arc.compute)."""
    params = call.params
    with open_session(call) as session:
        workspace = _workspace(params, session.subscription_id)
        compute = _resource(session, workspace, params, params["wait_timeout"])
        if params["state"] == "absent":
            return _absent(call, session, workspace, compute)
        return _present(call, session, workspace, compute)


def run_info(call: ModuleCall) -> dict:
    """M(azureml.arc.compute_info)."""
    params = call.params
    with open_session(call) as session:
        workspace = _workspace(params, session.subscription_id)
        if params["name"]:
            found = [_resource(session, workspace, params, seconds=0).read()]
        else:
            found = list_all(session, f"{workspace.id}/computes", API_VERSION, f"computes of {workspace}")
        if not any(found):
            _read_workspace(session, workspace)
    return {"computes": [view(body) for body in found if body and _is_kubernetes(body)]}


def _workspace(params: Mapping, subscription_id: str) -> WorkspaceReference:
    given = params["workspace"]
    return WorkspaceReference(
        _cluster.check_subscription("workspace.subscription_id", given["subscription_id"] or subscription_id),
        _cluster.check_name("workspace.resource_group", given["resource_group"]),
        _cluster.check_name("workspace.name", given["name"]),
    )


def _read_workspace(session: AzureSession, workspace: WorkspaceReference) -> dict:
    body = session.get(workspace.id, API_VERSION, str(workspace))
    if body is None:
        raise AzureMLError(
            f"{workspace} of subscription {workspace.subscription_id} does not exist",
            code="ResourceNotFound",
            hint="Check workspace.name, workspace.resource_group and workspace.subscription_id.",
        )
    return body


def _present(call: ModuleCall, session: AzureSession, workspace: WorkspaceReference, compute: ArmResource) -> dict:
    params = call.params
    cluster = _cluster.reference(params, session.subscription_id)
    if cluster.type == "managed_cluster" and cluster.subscription_id.lower() != workspace.subscription_id.lower():
        raise AzureMLError(
            "workspace.subscription_id must be the subscription of the AKS cluster: a cluster elsewhere is attached"
            " as a connected cluster"
        )
    wanted = WantedCompute(cluster.id, params["namespace"], params["description"])
    body = compute.read()
    step = plan(wanted, body)
    if step.action == "adopt" and params["wait"] and not call.check_mode:
        body = compute.settle()
        step = plan(wanted, body)
    if step.action == "refuse":
        raise AzureMLError(f"{compute} cannot be attached: {step.reason}", code="Refused")
    if step.action == "create":
        location = _read_workspace(session, workspace)["location"]
        if not call.check_mode:
            body = compute.submit("PUT", params["wait"], body=attach_body(wanted, location))
    return _result(call, step, body)


def attach_body(wanted: WantedCompute, location: str) -> dict:
    """The body of the PUT that attaches a cluster."""
    properties = {
        "computeType": COMPUTE_TYPE,
        "resourceId": wanted.cluster_id,
        "properties": {"namespace": wanted.namespace},
    }
    if wanted.description is not None:
        properties["description"] = wanted.description
    return {"location": location, "identity": {"type": "SystemAssigned"}, "properties": properties}


def _absent(call: ModuleCall, session: AzureSession, workspace: WorkspaceReference, compute: ArmResource) -> dict:
    wait = call.params["wait"]
    body = compute.read()
    if body is None:
        _read_workspace(session, workspace)  # detaching from a workspace that is not there must not look like success
        return _result(call, Plan("none", "the compute does not exist"), None)
    if not _is_kubernetes(body):
        kind = body["properties"].get("computeType")
        raise AzureMLError(f"{compute} cannot be detached: it is of type {kind}", code="Refused")
    if state_of(body).lower() == "deleting":
        if wait and not call.check_mode:
            compute.settle()
        return _result(call, Plan("adopt", "its removal is under way already"), body)
    if not call.check_mode:
        compute.submit("DELETE", wait, params={"underlyingResourceAction": "Detach"})
    return _result(call, Plan("delete", "it exists"), body)


def _error_of(body: Mapping) -> Mapping:
    errors = [one.get("error") or {} for one in body["properties"].get("provisioningErrors") or ()]
    return {
        "code": next((error.get("code") for error in errors), None),
        "message": "; ".join(error["message"] for error in errors if error.get("message")),
    }


def _result(call: ModuleCall, step: Plan, body: Mapping | None) -> dict:
    changed = step.action in ("create", "delete")
    result = {"changed": changed, "plan": step.as_result(), "compute": view(body) if body else None}
    if call.diff:
        before = {name: old for name, (old, new) in step.changes.items() if old is not None}
        after = {name: new for name, (old, new) in step.changes.items()}
        if step.action == "delete":
            before = view(body)
        result["diff"] = {"before": before, "after": after}
    return result


def view(body: Mapping) -> dict:
    """A compute as the modules return it."""
    properties = body["properties"]
    kubernetes = properties.get("properties") or {}
    return {
        "id": body.get("id"),
        "name": body.get("name"),
        "location": body.get("location"),
        "provisioning_state": state_of(body),
        "cluster_id": properties.get("resourceId"),
        "namespace": kubernetes.get("namespace") or "default",
        "description": properties.get("description"),
        "created_on": properties.get("createdOn"),
        "default_instance_type": kubernetes.get("defaultInstanceType"),
        "extension_principal_id": kubernetes.get("extensionPrincipalId"),
        "principal_id": (body.get("identity") or {}).get("principalId"),
        "errors": [one.get("error") for one in properties.get("provisioningErrors") or ()],
    }


def _is_kubernetes(body: Mapping) -> bool:
    return (body["properties"].get("computeType") or "").lower() == COMPUTE_TYPE.lower()
