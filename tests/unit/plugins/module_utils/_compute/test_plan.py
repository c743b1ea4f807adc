# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan for attaching a cluster or changing its attachment, and the request."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._compute.configuration import (
    ComputeConfiguration,
    from_options,
)
from ansible_collections.azureml.arc.plugins.module_utils._compute.plan import (
    Identity,
    WantedCompute,
    attach_body,
    plan,
    view,
)

ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Kubernetes/connectedClusters/c"
ML = ComputeConfiguration("ml")
CPU = {"nodeSelector": None, "resources": {"limits": {"cpu": "1", "nvidia.com/gpu": "0"}}}
USER = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/"


def typed(purge=False, **types):
    types = {name: {"resources": {"limits": {"cpu": cpu}}} for name, cpu in types.items()}
    given = {"namespace": "ml", "instance_types": types, "default_instance_type": next(iter(types), None)}
    return WantedCompute(ID, from_options(given), purge=purge)


def present(state="Succeeded", kind="Kubernetes", cluster=ID, namespace="ml", identity=None, **properties):
    kubernetes = {
        "namespace": namespace,
        "defaultInstanceType": "small",
        "instanceTypes": {"small": CPU},
        "extensionPrincipalId": "p",
    }
    return {
        "location": "northeurope",
        "identity": identity or {"type": "SystemAssigned", "principalId": "p"},
        "properties": {
            "computeType": kind,
            "provisioningState": state,
            "resourceId": cluster,
            "description": "shop",
            "properties": kubernetes,
            **properties,
        },
    }


@pytest.mark.parametrize(
    ("body", "action"),
    [
        (None, "create"),
        (present(), "none"),
        (present(cluster=ID.upper()), "none"),
        (present("Creating"), "adopt"),
        (present("Deleting"), "adopt"),
        (present("Deleting", cluster=ID + "2"), "adopt"),
        (present("Failed"), "create"),
        (present("Canceled"), "create"),
        (present(kind="AmlCompute"), "refuse"),
        (present(cluster=ID + "2"), "refuse"),
        (present("Creating", cluster=ID + "2"), "refuse"),
        (present("Failed", namespace="default"), "refuse"),
        (present(namespace="default"), "refuse"),
    ],
)
def test_present_compute_determines_the_action(body, action):
    assert plan(WantedCompute(ID, ML), body).action == action


@pytest.mark.parametrize(
    ("body", "action"),
    [
        (present(), "none"),
        (present(namespace="default"), "replace"),
        (present("Creating", namespace="default"), "adopt"),
        (present(cluster=ID + "2"), "replace"),
        (present(kind="AmlCompute"), "refuse"),
    ],
)
def test_force_reattach_replaces_a_different_attachment(body, action):
    assert plan(WantedCompute(ID, ML, force_reattach=True), body).action == action


@pytest.mark.parametrize(
    ("wanted", "changes"),
    [
        (WantedCompute(ID, ML), set()),
        (WantedCompute(ID, ML, "shop"), set()),
        (WantedCompute(ID, ML, "plant"), {"description"}),
        (WantedCompute(ID, ML, identity=Identity("systemassigned")), set()),
        (WantedCompute(ID, ML, identity=Identity("UserAssigned", (USER + "a",))), {"identity"}),
        (typed(small="1"), set()),
        (typed(small="1000m"), set()),
        (typed(small="2"), {"instance_types.small"}),
        (typed(large="2"), {"default_instance_type", "instance_types.large"}),
        (typed(purge=True, large="2"), {"default_instance_type", "instance_types.large", "instance_types.small"}),
    ],
)
def test_only_differing_options_are_changed_in_place(wanted, changes):
    step = plan(wanted, present())
    assert set(step.changes) == changes
    assert step.action == ("update" if changes else "none")


def test_case_and_order_of_identities_are_ignored():
    assigned = {"type": "UserAssigned", "userAssignedIdentities": {USER + "A": {}, USER + "b": {}}}
    wanted = WantedCompute(ID, ML, identity=Identity("UserAssigned", (USER + "b", USER + "a")))
    assert plan(wanted, present(identity=assigned)).action == "none"


def test_compute_without_a_namespace_is_in_namespace_default():
    body = present(properties=None)
    assert plan(WantedCompute(ID), body).action == "none"


def test_unset_options_are_left_unchanged():
    body = attach_body(WantedCompute(ID, ML, "plant"), "northeurope", present())
    assert body["identity"] == {"type": "SystemAssigned"}
    assert body["properties"] == {
        "computeType": "Kubernetes",
        "resourceId": ID,
        "description": "plant",
        "properties": {"namespace": "ml", "defaultInstanceType": "small", "instanceTypes": {"small": CPU}},
    }
    types = attach_body(typed(large="2"), "northeurope", present())["properties"]["properties"]["instanceTypes"]
    assert set(types) == {"small", "large"}
    types = attach_body(typed(purge=True, large="2"), "northeurope", present())["properties"]["properties"]
    assert set(types["instanceTypes"]) == {"large"}


def test_first_attachment_contains_only_options_that_are_set():
    assert attach_body(WantedCompute(ID), "northeurope") == {
        "location": "northeurope",
        "identity": {"type": "SystemAssigned"},
        "properties": {"computeType": "Kubernetes", "resourceId": ID, "properties": {"namespace": "default"}},
    }


def test_view_names_fields_as_the_options_do():
    found = view(present())
    assert found["instance_types"] == {
        "small": {"node_selector": {}, "resources": {"requests": {}, "limits": {"cpu": "1", "nvidia.com/gpu": "0"}}}
    }
    assert found["identity"] == {"type": "SystemAssigned", "user_assigned_identities": []}


def test_purge_keeps_the_default_instance_type_of_the_extension():
    offered = {"small": CPU, "defaultinstancetype": CPU, "large": CPU}
    body = present(properties={"namespace": "ml", "defaultInstanceType": "small", "instanceTypes": offered})
    wanted = typed(purge=True, small="1")
    assert set(plan(wanted, body).changes) == {"instance_types.large"}
    kept = attach_body(wanted, "northeurope", body)["properties"]["properties"]["instanceTypes"]
    assert set(kept) == {"small", "defaultinstancetype"}
