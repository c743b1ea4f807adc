# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide which change brings a compute to its desired state, and build its request. Pure.

Source: https://learn.microsoft.com/azure/machine-learning/how-to-attach-kubernetes-to-workspace and the 2024-04-01
specification of Microsoft.MachineLearningServices.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.azureml.arc.plugins.module_utils._azure.states import is_being_deleted, is_moving, state_of
from ansible_collections.azureml.arc.plugins.module_utils._compute.configuration import (
    DEFAULT_NAMESPACE,
    ComputeConfiguration,
)
from ansible_collections.azureml.arc.plugins.module_utils._compute.instance_type_spec import (
    DEFAULT_INSTANCE_TYPE,
    as_options,
    same,
)
from ansible_collections.azureml.arc.plugins.module_utils._core.changes import before_and_after
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError

COMPUTE_TYPE = "Kubernetes"


@dataclass(frozen=True)
class Identity:
    """The managed identity of a compute: system-assigned or user-assigned."""

    type: str
    user_assigned: tuple[str, ...] = ()

    def body(self) -> dict:
        if not self.user_assigned:
            return {"type": self.type}
        return {"type": self.type, "userAssignedIdentities": {one: {} for one in self.user_assigned}}

    def same(self, other: Identity) -> bool:
        """Return whether both are equal; ids compare without case."""
        return self.type.lower() == other.type.lower() and {one.lower() for one in self.user_assigned} == {
            one.lower() for one in other.user_assigned
        }

    def __str__(self) -> str:
        return " ".join([self.type, *self.user_assigned])


@dataclass(frozen=True)
class WantedCompute:
    """The desired state. C(None) leaves a property unchanged.

    :param purge: whether to remove instance types that the options do not name.
    :param force_reattach: whether to detach first if a change in place is not possible.
    """

    cluster_id: str
    configuration: ComputeConfiguration = field(default_factory=ComputeConfiguration)
    description: str | None = None
    identity: Identity | None = None
    purge: bool = False
    force_reattach: bool = False


@dataclass(frozen=True)
class Plan:
    """The change to make, and the differences as name: (before, after).

    :param action: C(none), C(create), C(update), C(replace), C(delete), C(adopt) or C(refuse).
    :param allowed_by: the option that allows a refused change, C(None) if there is none.
    """

    action: str
    reason: str = ""
    changes: Mapping = field(default_factory=dict)
    allowed_by: str | None = None

    def as_result(self) -> dict:
        """Return the plan as a module returns it."""
        return {
            "action": self.action,
            "reason": self.reason,
            "changes": before_and_after(self.changes),
            **({"allowed_by": self.allowed_by} if self.action == "refuse" else {}),
        }


def plan(wanted: WantedCompute, body: Mapping | None) -> Plan:
    """Return the change from the present to the desired state."""
    if body is None:
        return Plan("create", "the compute does not exist", _fixed(wanted, {}) | _changeable(wanted, {}))
    if not is_kubernetes(body):
        return Plan("refuse", f"a compute of type {body['properties'].get('computeType')} already has this name")
    if is_being_deleted(body):
        return Plan("adopt", "its removal is in progress")
    fixed, changes = _fixed(wanted, body), _changeable(wanted, body)
    if fixed and not wanted.force_reattach:
        return Plan("refuse", _why_fixed(fixed), fixed | changes, allowed_by="force_reattach")
    if is_moving(body):
        return Plan("adopt", f"another operation is in progress: {state_of(body)}", fixed | changes)
    if fixed:
        return Plan("replace", f"{_why_fixed(fixed)}; it is detached first", fixed | changes)
    return _in_place(state_of(body), changes)


def _in_place(state: str, changes: Mapping) -> Plan:
    if state.lower() != "succeeded":
        return Plan("create", f"the last operation ended as {state}", changes)
    if changes:
        return Plan("update", "it differs from the desired state", changes)
    return Plan("none", "it is in sync")


def _why_fixed(fixed: Mapping) -> str:
    if "cluster_id" in fixed:
        return f"the name is taken by another cluster, {fixed['cluster_id'][0]}"
    return f"it is attached with namespace '{fixed['namespace'][0]}', which cannot be changed in place"


def _fixed(wanted: WantedCompute, body: Mapping) -> dict:
    """Return the changes that no request can make in place."""
    present = view(body) if body else {}
    changes = {}
    if (present.get("cluster_id") or "").lower() != wanted.cluster_id.lower():
        changes["cluster_id"] = (present.get("cluster_id"), wanted.cluster_id)
    if present.get("namespace") != wanted.configuration.namespace:
        changes["namespace"] = (present.get("namespace"), wanted.configuration.namespace)
    return changes


def _changeable(wanted: WantedCompute, body: Mapping) -> dict:
    """Return the changes that can be made in place."""
    properties = body.get("properties") or {}
    kubernetes = properties.get("properties") or {}
    changes = {}
    for name, present, value in (
        ("description", properties.get("description"), wanted.description),
        ("default_instance_type", kubernetes.get("defaultInstanceType"), wanted.configuration.default_instance_type),
    ):
        if value is not None and (present or "") != value:
            changes[name] = (present, value)
    present = identity_of(body)
    if wanted.identity and not (present and wanted.identity.same(present)):
        changes["identity"] = (str(present) if present else None, str(wanted.identity))
    return changes | _changed_types(wanted, kubernetes.get("instanceTypes") or {})


def _changed_types(wanted: WantedCompute, present: Mapping) -> dict:
    if wanted.configuration.instance_types is None:
        return {}
    changes = {}
    for one in wanted.configuration.instance_types:
        before = present.get(one.name)
        if before is None or not same(one, before):
            changes[f"instance_types.{one.name}"] = (
                None if before is None else as_options(before),
                as_options(one.attachment()),
            )
    for name in set(present) - {one.name for one in wanted.configuration.instance_types} - {DEFAULT_INSTANCE_TYPE}:
        if wanted.purge:
            changes[f"instance_types.{name}"] = (as_options(present[name]), None)
    return changes


def attach_body(wanted: WantedCompute, location: str, body: Mapping | None = None) -> dict:
    """Build the body of the PUT that attaches a cluster or changes its attachment.

    :param location: the region of the workspace.
    :param body: the present compute; unset properties are kept.
    """
    properties = (body or {}).get("properties") or {}
    kubernetes = properties.get("properties") or {}
    configuration = wanted.configuration
    types = {
        name: one
        for name, one in (kubernetes.get("instanceTypes") or {}).items()
        if not wanted.purge or name == DEFAULT_INSTANCE_TYPE
    }
    if configuration.instance_types is None:
        types = kubernetes.get("instanceTypes")
    else:
        types.update({one.name: one.attachment() for one in configuration.instance_types})
    offered = {
        "namespace": configuration.namespace,
        "defaultInstanceType": configuration.default_instance_type or kubernetes.get("defaultInstanceType"),
        "instanceTypes": types,
    }
    description = properties.get("description") if wanted.description is None else wanted.description
    return {
        "location": location,
        "identity": (wanted.identity or identity_of(body or {}) or Identity("SystemAssigned")).body(),
        "properties": {
            "computeType": COMPUTE_TYPE,
            "resourceId": wanted.cluster_id,
            **({} if description is None else {"description": description}),
            "properties": {name: value for name, value in offered.items() if value},
        },
    }


def wanted_identity(given: Mapping | None, prefix: str = "") -> Identity | None:
    """Return the identity in the options, C(None) if it is unset.

    :param prefix: the prefix of the options' names in errors.
    :raises AzureMLError: naming the option.
    """
    if given is None:
        return None
    ids = given.get("user_assigned_identities") or []
    option = f"{prefix}identity.user_assigned_identities"
    if (given["type"] == "UserAssigned") != bool(ids):
        raise AzureMLError(f"{option} must be set if identity.type is UserAssigned, and only then")
    for one in ids:
        if "/providers/microsoft.managedidentity/userassignedidentities/" not in one.lower():
            raise AzureMLError(f"{option}: '{one}' is not the ARM id of a managed identity")
    return Identity(given["type"], tuple(ids))


def identity_of(body: Mapping) -> Identity | None:
    """Return the identity of a compute, C(None) if it has none."""
    identity = body.get("identity") or {}
    if (identity.get("type") or "None").lower() == "none":
        return None
    return Identity(identity["type"], tuple(sorted(identity.get("userAssignedIdentities") or ())))


def is_kubernetes(body: Mapping) -> bool:
    """Return whether a compute of a workspace is a Kubernetes cluster."""
    return (body["properties"].get("computeType") or "").lower() == COMPUTE_TYPE.lower()


def error_of(body: Mapping) -> dict:
    """Return the errors of a compute's last operation as one."""
    errors = [one.get("error") or {} for one in body["properties"].get("provisioningErrors") or ()]
    return {
        "code": next((error.get("code") for error in errors), None),
        "message": "; ".join(error["message"] for error in errors if error.get("message")),
    }


def view(body: Mapping) -> dict:
    """Return a compute as the modules return it."""
    properties = body["properties"]
    kubernetes = properties.get("properties") or {}
    identity = identity_of(body)
    return {
        "id": body.get("id"),
        "name": body.get("name"),
        "location": body.get("location"),
        "provisioning_state": state_of(body),
        "cluster_id": properties.get("resourceId"),
        "namespace": kubernetes.get("namespace") or DEFAULT_NAMESPACE,
        "description": properties.get("description"),
        "created_on": properties.get("createdOn"),
        "default_instance_type": kubernetes.get("defaultInstanceType"),
        "instance_types": {name: as_options(one) for name, one in (kubernetes.get("instanceTypes") or {}).items()},
        "extension_principal_id": kubernetes.get("extensionPrincipalId"),
        "extension_release_train": kubernetes.get("extensionInstanceReleaseTrain"),
        "identity": {
            "type": identity.type if identity else "None",
            "user_assigned_identities": list(identity.user_assigned) if identity else [],
        },
        "principal_id": (body.get("identity") or {}).get("principalId"),
        "errors": [one.get("error") for one in properties.get("provisioningErrors") or ()],
    }
