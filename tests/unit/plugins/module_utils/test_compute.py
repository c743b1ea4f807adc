# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The step that attaches a cluster, as a table."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._compute import WantedCompute, plan

ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Kubernetes/connectedClusters/c"
WANTED = WantedCompute(ID, "ml")


def present(state="Succeeded", kind="Kubernetes", cluster=ID, namespace="ml"):
    return {
        "properties": {
            "computeType": kind,
            "provisioningState": state,
            "resourceId": cluster,
            "properties": {"namespace": namespace},
        }
    }


@pytest.mark.parametrize(
    ("body", "action"),
    [
        (None, "create"),
        (present(), "none"),
        (present(cluster=ID.upper()), "none"),
        (present("Creating"), "adopt"),
        (present("Deleting"), "adopt"),
        (present("Failed"), "create"),
        (present(kind="AmlCompute"), "refuse"),
        (present(cluster=ID + "2"), "refuse"),
        (present("Creating", cluster=ID + "2"), "refuse"),
        (present(namespace="default"), "refuse"),
    ],
)
def test_action(body, action):
    assert plan(WANTED, body).action == action


def test_missing_namespace_is_default():
    body = present()
    del body["properties"]["properties"]
    assert plan(WantedCompute(ID, "default"), body).action == "none"
