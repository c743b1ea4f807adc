# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M(azureml.arc.node) with a real API server: nodes that other clients label and taint, and that run pods."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.modules.node import SPEC
from support import ModuleFailedError, wait_for

RESERVED = {"key": "ml.azure.com/compute", "value": "edge-01", "effect": "NoSchedule"}
EVICTING = {"key": "ml.azure.com/amlarc-workload", "effect": "NoExecute"}
OTHERS = {"key": "example.com/keep", "value": "this", "effect": "NoSchedule"}


@pytest.fixture
def machines(api, create):
    """Create nodes gpu-1, gpu-2 and cpu-1 with a label and a taint of others; return a function that reads a node."""
    resource = api.resources.get(api_version="v1", kind="Node")
    names = ("gpu-1", "gpu-2", "cpu-1")
    for name in names:
        metadata = {"labels": {"example.com/rack": "7", "kind": name[:3]}, "annotations": {"example.com/note": "x"}}
        create("v1", "Node", name, metadata=metadata, spec={"taints": [OTHERS]})

    def read(name):
        return resource.get(name=name).to_dict()

    yield read
    for name in names:
        resource.delete(name=name)


def taints_of(node):
    """Return the taints of a node, except those that controllers set on a node without a kubelet."""
    return [
        {key: one[key] for key in ("key", "value", "effect")}
        for one in node["spec"].get("taints", ())
        if not one["key"].startswith("node.kubernetes.io/")
    ]


def test_only_the_given_labels_and_taints_are_changed_and_removed(as_administrator, machines):
    wanted = {"names": ["gpu-*"], "labels": {"accelerator": "k80"}, "taints": [RESERVED]}

    planned = as_administrator(SPEC, check_mode=True, diff=True, **wanted)
    assert "accelerator" not in machines("gpu-1")["metadata"]["labels"]
    first = as_administrator(SPEC, diff=True, **wanted)
    second = as_administrator(SPEC, **wanted)

    assert planned["changed_nodes"] == first["changed_nodes"] == ["gpu-1", "gpu-2"]
    assert planned["diff"]["before"]["gpu-1"]["labels"] == {}
    assert RESERVED in first["diff"]["after"]["gpu-1"]["taints"]
    assert not second["changed"]
    found = machines("gpu-2")
    assert (found["metadata"]["labels"]["accelerator"], found["metadata"]["labels"]["example.com/rack"]) == ("k80", "7")
    assert found["metadata"]["annotations"]["example.com/note"] == "x"
    assert taints_of(found) == [OTHERS, RESERVED]
    assert taints_of(machines("cpu-1")) == [OTHERS]

    removed = as_administrator(SPEC, **wanted, state="absent")
    assert removed["changed_nodes"] == ["gpu-1", "gpu-2"]
    assert not as_administrator(SPEC, **wanted, state="absent")["changed"]
    assert taints_of(machines("gpu-1")) == [OTHERS]
    assert "accelerator" not in machines("gpu-1")["metadata"]["labels"]


def test_names_and_label_selectors_select_nodes(as_administrator, machines):
    def selected(**options):
        return as_administrator(SPEC, labels={"pool": "ml"}, check_mode=True, **options)

    assert selected(label_selectors=["kind=gpu"])["nodes"] == ["gpu-1", "gpu-2"]
    assert selected(label_selectors=["kind=gpu", "example.com/rack"], names=["*-1"])["nodes"] == ["gpu-1"]
    assert selected(names=["cpu-1", "gpu-2"])["nodes"] == ["cpu-1", "gpu-2"]
    assert selected(names=["tpu-*", "gpu-1"])["warnings"] == ["names: no node matches 'tpu-*'"]
    with pytest.raises(ModuleFailedError, match=r"no node matches names tpu-\* "):
        selected(names=["tpu-*"])
    with pytest.raises(ModuleFailedError, match=r"no node matches names cpu-\* and label_selectors kind=gpu"):
        selected(names=["cpu-*"], label_selectors=["kind=gpu"])
    with pytest.raises(ModuleFailedError, match="no node matches label_selectors kind=tpu"):
        selected(label_selectors=["kind=tpu"])
    removed = selected(label_selectors=["kind=tpu"], state="absent")
    assert (removed["nodes"], removed["warnings"]) == ([], ["no node matches label_selectors kind=tpu"])
    with pytest.raises(ModuleFailedError, match="names: no node has the name gpu-9"):
        selected(names=["gpu-9", "gpu-1"])
    with pytest.raises(ModuleFailedError, match="one of the following is required: names, label_selectors"):
        selected()


def test_failure_after_the_first_change_names_the_changed_nodes(run_module, account, machines):
    rules = [
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list"]},
        {"apiGroups": [""], "resources": ["nodes"], "verbs": ["patch"], "resourceNames": ["gpu-1"]},
    ]

    with pytest.raises(ModuleFailedError, match=r"forbidden.*; nodes already changed: 1 \(gpu-1\) \(code") as failure:
        run_module(SPEC, kubeconfig=account({"": rules}), names=["gpu-*"], labels={"pool": "ml"})

    assert (failure.value.result["changed"], failure.value.result["changed_nodes"]) == (True, ["gpu-1"])
    assert machines("gpu-1")["metadata"]["labels"]["pool"] == "ml"


def test_taints_that_evict_pods_are_rejected_unless_allowed(as_administrator, machines, create, api, namespace):
    tolerant = {"key": EVICTING["key"], "operator": "Exists"}
    everything = {"operator": "Exists", "key": "node.kubernetes.io/unreachable", "effect": "NoExecute"}
    container = {"name": "c", "image": "none"}
    for name, tolerations in (("web", [everything]), ("job", [everything, tolerant])):
        spec = {"nodeName": "gpu-1", "containers": [container], "tolerations": tolerations}
        create("v1", "Pod", name, namespace, spec=spec)
    options = {"names": ["gpu-*"], "taints": [EVICTING]}

    with pytest.raises(ModuleFailedError) as failure:
        as_administrator(SPEC, **options)
    assert f"NoExecute would evict pods: 1 ({namespace}/web on gpu-1)" in failure.value.result["msg"]
    assert failure.value.result["error"]["code"] == "WouldEvict"
    assert taints_of(machines("gpu-2")) == [OTHERS]

    assert as_administrator(SPEC, allow_disruption=True, **options)["changed_nodes"] == ["gpu-1", "gpu-2"]
    assert not as_administrator(SPEC, **options)["changed"]
    # The taint controller evicts the pod that the error named.
    pods = api.resources.get(api_version="v1", kind="Pod")
    wait_for(lambda: pods.get(name="web", namespace=namespace).metadata.deletionTimestamp)
    assert not pods.get(name="job", namespace=namespace).metadata.deletionTimestamp
