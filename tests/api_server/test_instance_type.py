# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M(azureml.arc.instance_type) with a real API server, which validates objects against the schema."""

from __future__ import annotations

import threading
import time

import pytest
from ansible_collections.azureml.arc.plugins.modules.instance_type import SPEC
from objects import INSTANCE_TYPE_GROUP
from support import ModuleFailedError

KIND = "InstanceType"
SMALL = {
    "name": "small",
    "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": 2, "memory": "2Gi"}},
}
LARGE = {
    "name": "large",
    "node_selector": {"kubernetes.io/os": "linux"},
    "resources": {"requests": {"nvidia.com/gpu": "1"}, "limits": {"memory": "64Gi", "nvidia.com/gpu": "1"}},
}


@pytest.fixture
def in_cluster(api):
    """Return a function that reads the instance types in the cluster, by name."""

    def read() -> dict:
        api.resources.invalidate_cache()
        found = api.resources.get(api_version=f"{INSTANCE_TYPE_GROUP}/v1alpha1", kind=KIND).get()
        return {one.metadata.name: one.to_dict().get("spec") for one in found.items}

    return read


def test_instance_types_are_created_changed_purged_and_removed(
    as_administrator, define_instance_types, in_cluster, nodes
):
    define_instance_types()
    planned = as_administrator(SPEC, instance_types=[SMALL, LARGE], check_mode=True)
    created = as_administrator(SPEC, instance_types=[SMALL, LARGE], diff=True)
    again = as_administrator(SPEC, instance_types=[SMALL, LARGE])

    assert planned["created"] == created["created"] == ["small", "large"]
    assert created["diff"]["before"] == {}
    assert not again["changed"]
    assert in_cluster()["large"] == {
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "resources": {"limits": {"memory": "64Gi", "nvidia.com/gpu": 1}},
    }
    warning = "instance type 'large': no node with the labels of its node selector has 1 nvidia.com/gpu"
    assert created["warnings"] == [warning]

    changed = as_administrator(SPEC, name="large", resources={"limits": {"memory": "65536Mi"}})
    assert (changed["updated"], in_cluster()["large"]) == (["large"], {"resources": {"limits": {"memory": "65536Mi"}}})
    assert not as_administrator(SPEC, name="large", resources={"limits": {"memory": "64Gi"}})["changed"]

    assert as_administrator(SPEC, instance_types=[SMALL], purge=True)["removed"] == ["large"]
    assert as_administrator(SPEC, name="small", state="absent", diff=True)["removed"] == ["small"]
    assert not as_administrator(SPEC, name="small", state="absent")["changed"]
    assert in_cluster() == {}


def test_purge_keeps_the_default_instance_type_of_the_extension(
    as_administrator, define_instance_types, in_cluster, nodes
):
    define_instance_types()
    as_administrator(SPEC, instance_types=[{"name": "defaultinstancetype"}, LARGE])
    result = as_administrator(SPEC, instance_types=[SMALL], purge=True)
    assert result["removed"] == ["large"]
    assert set(in_cluster()) == {"small", "defaultinstancetype"}
    assert not as_administrator(SPEC, instance_types=[SMALL], purge=True)["changed"]
    assert as_administrator(SPEC, name="defaultinstancetype", state="absent")["removed"] == ["defaultinstancetype"]


def test_node_selector_without_a_matching_node_is_a_warning(as_administrator, define_instance_types, nodes):
    define_instance_types()
    result = as_administrator(SPEC, name="k80", node_selector={"accelerator": "k80"})
    assert result["warnings"] == ["instance type 'k80': no node has the labels of its node selector"]


def test_task_waits_until_the_extension_defines_instance_types(as_administrator, define_instance_types, in_cluster):
    def later():
        time.sleep(2)
        define_instance_types()

    thread = threading.Thread(target=later)
    thread.start()
    assert as_administrator(SPEC, instance_types=[SMALL], wait_timeout=30)["created"] == ["small"]
    thread.join()


def test_cluster_without_the_extension_is_an_error(as_administrator):
    with pytest.raises(ModuleFailedError, match="instance types are not defined.*install it with a workload_profile"):
        as_administrator(SPEC, instance_types=[SMALL], wait=False)
    assert as_administrator(SPEC, instance_types=[SMALL], wait=False, check_mode=True)["created"] == ["small"]
    assert not as_administrator(SPEC, name="small", state="absent")["changed"]


def test_duplicate_name_is_rejected(as_administrator):
    with pytest.raises(ModuleFailedError, match="instance_types: duplicate name small"):
        as_administrator(SPEC, instance_types=[SMALL, SMALL])


@pytest.mark.parametrize("verb", ["list", "create", "patch", "delete"])
def test_missing_permission_is_named(run_module, as_administrator, account, define_instance_types, verb):
    define_instance_types()
    as_administrator(SPEC, instance_types=[SMALL, LARGE])
    rules = [
        {"apiGroups": ["apiextensions.k8s.io"], "resources": ["customresourcedefinitions"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]},
        {
            "apiGroups": [INSTANCE_TYPE_GROUP],
            "resources": ["instancetypes"],
            "verbs": [one for one in ("list", "create", "patch", "delete") if one != verb],
        },
    ]
    wanted = [{**SMALL, "resources": {}}, {"name": "new"}]
    kubeconfig = account({"": rules})
    with pytest.raises(ModuleFailedError, match=f"The account may not {verb} instancetypes: give it a ClusterRole"):
        run_module(SPEC, kubeconfig=kubeconfig, instance_types=wanted, purge=True)


def test_failure_after_the_first_change_names_the_changed_instance_types(
    run_module, as_administrator, account, define_instance_types, nodes
):
    define_instance_types()
    as_administrator(SPEC, instance_types=[SMALL, LARGE])
    cluster_wide = {
        "customresourcedefinitions": ("apiextensions.k8s.io", ["get"]),
        "nodes": ("", ["list"]),
        "instancetypes": (INSTANCE_TYPE_GROUP, ["list"]),
    }
    rules = [{"apiGroups": [group], "resources": [name], "verbs": one} for name, (group, one) in cluster_wide.items()]
    patch = {"apiGroups": [INSTANCE_TYPE_GROUP], "resources": ["instancetypes"], "verbs": ["patch"]}
    limits = {"limits": {"memory": "4Gi"}}
    wanted = [{"name": one["name"], "resources": limits} for one in (SMALL, LARGE)]

    with pytest.raises(ModuleFailedError, match=r"forbidden.*; instance types already changed: 1 \(small\)") as failure:
        run_module(
            SPEC, kubeconfig=account({"": [*rules, {**patch, "resourceNames": ["small"]}]}), instance_types=wanted
        )

    assert failure.value.result["changed"]
