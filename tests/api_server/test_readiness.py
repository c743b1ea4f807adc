# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M(azureml.arc.pod_readiness) with a real API server and real controllers, which create the pods of workloads."""

from __future__ import annotations

import json
import os
import threading
import time

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.client import open_session
from ansible_collections.azureml.arc.plugins.module_utils._readiness import module as _pod_readiness
from ansible_collections.azureml.arc.plugins.modules.pod_readiness import SPEC
from support import ModuleFailedError, wait_for


def template(app: str, restart: str = "Always", **container) -> dict:
    return {
        "metadata": {"labels": {"app": app}},
        "spec": {
            "containers": [{"name": app, "image": "none", **container}],
            "restartPolicy": restart,
            "terminationGracePeriodSeconds": 0,
        },
    }


@pytest.fixture(autouse=True)
def plan(nodes):
    """Clear the planned states of pods after each test."""
    yield
    nodes.plan.clear()


@pytest.fixture
def workload(create, namespace):
    """Return a function that creates a workload. Its pods have the label C(app) with its name."""

    def run(kind: str, name: str, container: dict | None = None, **spec):
        body = {"selector": {"matchLabels": {"app": name}}, "template": template(name, **(container or {})), **spec}
        if kind == "StatefulSet":
            body["serviceName"] = name
        return create("apps/v1", kind, name, namespace, spec=body)

    return run


@pytest.fixture
def check(as_administrator, namespace):
    """Return a function that checks the test's namespace for components, given as (kind, name)."""

    def run(*components: tuple[str, str], **options):
        listed = [{"kind": kind, "name": name} for kind, name in components]
        return as_administrator(SPEC, namespace=namespace, components=listed, **options)

    return run


def rows(result) -> dict[str, str]:
    """Return the reasons of workloads and pods that are not ready, by the name of the workload."""
    found = {row["name"]: row["reason"] for row in result["components"] if not row["ready"]}
    return found | {row["name"].split("-")[0]: row["reason"] for row in result["pods"] if not row["ready"]}


def test_workloads_are_ready_after_their_rollout(workload, check):
    workload("Deployment", "web", replicas=3)
    workload("StatefulSet", "store", replicas=2)
    workload("DaemonSet", "agent")

    result = check(("Deployment", "web"), ("StatefulSet", "store"), ("DaemonSet", "agent"), wait_timeout=60)

    assert result["summary"] == "3 of 3 components and 8 of 8 pods are ready"
    assert {row["name"]: row["desired_replicas"] for row in result["components"]} == {"web": 3, "store": 2, "agent": 3}


def test_pods_that_do_not_start_are_reported_with_their_reason(workload, check, nodes):
    nodes.plan |= {"image": "ImagePullBackOff", "crash": "CrashLoopBackOff", "slow": "ContainerCreating"}
    for name in ("image", "crash", "slow"):
        workload("Deployment", name)
    workload("Deployment", "large", container={"resources": {"requests": {"cpu": "100"}}})

    with pytest.raises(ModuleFailedError) as failure:
        check(("Deployment", "image"), wait_timeout=5)

    assert rows(failure.value.result) == {
        "image": "ImagePullBackOff",
        "crash": "CrashLoopBackOff",
        "slow": "ContainerCreating",
        "large": "Unschedulable",
    }
    assert "0/3 nodes are available: 3 Insufficient cpu" in failure.value.result["msg"]


def test_pod_without_container_states_is_pending(workload, check, nodes):
    nodes.plan["late"] = "Pending"
    workload("Deployment", "late")
    with pytest.raises(ModuleFailedError) as failure:
        check(("Deployment", "late"), wait_timeout=3)
    assert rows(failure.value.result) == {"late": "Pending"}


def test_stalled_rollout_is_reported(workload, check, nodes):
    nodes.plan["web"] = "ContainerCreating"
    workload("Deployment", "web", progressDeadlineSeconds=1)
    with pytest.raises(ModuleFailedError, match="Deployment web: ProgressDeadlineExceeded") as failure:
        check(("Deployment", "web"), wait_timeout=6)
    assert failure.value.result["components"][0]["reason"] == "ProgressDeadlineExceeded"


def test_new_rollout_is_not_ready_until_its_own_pods_are(workload, check, nodes, api, namespace):
    workload("Deployment", "web", replicas=2)
    check(("Deployment", "web"), wait_timeout=30)
    nodes.plan["web"] = "ContainerCreating"
    deployments = api.resources.get(api_version="apps/v1", kind="Deployment")
    change = {"spec": {"template": {"spec": {"containers": [{"name": "web", "image": "newer"}]}}}}
    deployments.patch(name="web", namespace=namespace, body=change)

    # The pods of the old generation are ready and must not count.
    assert not check(("Deployment", "web"), wait=False)["ready"]
    with pytest.raises(ModuleFailedError):
        check(("Deployment", "web"), wait_timeout=3)

    nodes.plan["web"] = "Running"
    deployments.patch(name="web", namespace=namespace, body={"spec": {"template": template("web", env=[])}})
    change["spec"]["template"]["spec"]["containers"][0]["image"] = "newest"
    deployments.patch(name="web", namespace=namespace, body=change)
    assert check(("Deployment", "web"), wait_timeout=60)["ready"]


@pytest.mark.parametrize(("outcome", "ready"), [("Completed", True), ("Error", False)])
def test_completed_job_is_ready_and_failed_job_is_not(create, workload, check, nodes, namespace, outcome, ready):
    workload("Deployment", "web")
    nodes.plan["job"] = outcome
    spec = {"template": template("job", restart="Never"), "backoffLimit": 0}
    create("batch/v1", "Job", "job", namespace, spec=spec)
    if ready:
        assert check(("Deployment", "web"), wait_timeout=30)["ready"]
        return
    with pytest.raises(ModuleFailedError) as failure:
        check(("Deployment", "web"), wait_timeout=5)
    assert rows(failure.value.result) == {"job": "Error"}


def test_evicted_pods_that_were_replaced_are_ignored(workload, check, nodes, api, namespace):
    workload("Deployment", "web")
    check(("Deployment", "web"), wait_timeout=30)
    pods = api.resources.get(api_version="v1", kind="Pod")
    (pod,) = pods.get(namespace=namespace).items
    nodes.settle(namespace, pod.metadata.name, "Evicted")
    wait_for(lambda: len(pods.get(namespace=namespace).items) == 2)  # until then, the Deployment counts as ready

    result = check(("Deployment", "web"), wait_timeout=30)

    reasons = {row["reason"] for row in result["pods"]}
    assert reasons == {"", "Evicted"}


def test_node_that_goes_down_is_a_warning(workload, check, nodes, api, namespace):
    """The old pod of the Deployment stays Terminating, and the pod of the DaemonSet stays Running but not ready."""
    pods = api.resources.get(api_version="v1", kind="Pod")
    body = template("web")
    taints = ("node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready")
    tolerations = [{"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 1} for key in taints]
    body["spec"] |= {"tolerations": tolerations, "terminationGracePeriodSeconds": 30}
    workload("Deployment", "web", template=body)
    workload("DaemonSet", "agent")
    components = (("Deployment", "web"), ("DaemonSet", "agent"))
    assert check(*components, wait_timeout=60)["warnings"] == []
    (web,) = pods.get(namespace=namespace, label_selector="app=web").items
    node, name = web.spec.nodeName, web.metadata.name
    nodes.fail(node)
    try:
        wait_for(lambda: pods.get(name=name, namespace=namespace).metadata.deletionTimestamp, seconds=60)
        result = check(*components, wait_timeout=60)
    finally:
        nodes.recover(node)
    reasons = {row["name"]: row["reason"] for row in result["pods"] if row["reason"]}
    (agent,) = set(reasons) - {name}
    assert reasons == {name: "Terminating", agent: "NodeNotReady"}
    assert result["warnings"] == [f"node '{node}' is not ready; pods of its DaemonSets are ignored: {agent}"]
    wait_for(lambda: check(*components, wait=False)["warnings"] == [], seconds=60)


def test_terminating_namespace_is_an_error(as_administrator, create, api, nodes):
    create("v1", "Namespace", "hanging")
    create("v1", "ConfigMap", "held", "hanging", metadata={"finalizers": ["example.com/hold"]})
    api.resources.get(api_version="v1", kind="Namespace").delete(name="hanging")
    with pytest.raises(ModuleFailedError, match="namespace 'hanging' is being removed.*Wait until it is gone"):
        as_administrator(SPEC, namespace="hanging", components=[])
    maps = api.resources.get(api_version="v1", kind="ConfigMap")
    maps.patch(name="held", namespace="hanging", body={"metadata": {"finalizers": None}})


def test_watch_reports_readiness_before_the_next_full_read(workload, check, nodes, api, namespace):
    nodes.plan["web"] = "ContainerCreating"
    workload("Deployment", "web", replicas=2)
    pods = api.resources.get(api_version="v1", kind="Pod")

    def finish():
        time.sleep(4)
        for pod in pods.get(namespace=namespace).items:
            nodes.settle(namespace, pod.metadata.name, "Running")

    thread = threading.Thread(target=finish)
    started = time.monotonic()
    thread.start()
    result = check(("Deployment", "web"), wait_timeout=60)
    thread.join()

    assert result["ready"]
    assert time.monotonic() - started < _pod_readiness.RESYNC / 2


def test_wait_continues_after_the_server_ends_the_watch(workload, check, nodes, namespace, api, monkeypatch):
    """The watch ends every second, after which all objects are read again."""
    monkeypatch.setattr(_pod_readiness, "RESYNC", 1)
    nodes.plan["web"] = "ContainerCreating"
    workload("Deployment", "web")

    def finish():
        time.sleep(5)
        (pod,) = api.resources.get(api_version="v1", kind="Pod").get(namespace=namespace).items
        nodes.settle(namespace, pod.metadata.name, "Running")

    thread = threading.Thread(target=finish)
    thread.start()
    assert check(("Deployment", "web"), wait_timeout=60)["ready"]
    thread.join()


def test_watch_from_an_expired_version_ends(plane, api, create, namespace, tmp_path):
    """The server answers 410 for an expired version. The session returns this as the end of the watch."""
    maps = api.resources.get(api_version="v1", kind="ConfigMap")
    version = create("v1", "ConfigMap", "one", namespace).metadata.resourceVersion

    def has_expired() -> bool:
        create("v1", "ConfigMap", f"later-{os.urandom(3).hex()}", namespace)
        answer = maps.get(namespace=namespace, serialize=False, resource_version=version, watch=True, timeout_seconds=1)
        return b'"code":410' in answer.read().replace(b" ", b"")

    wait_for(has_expired)
    call = ModuleCall({"kubeconfig": json.dumps(plane.kubeconfig())}, tmpdir=str(tmp_path))
    with open_session(call) as session:
        assert list(session.watch("ConfigMap", namespace, version, seconds=5)) == []


@pytest.mark.parametrize(
    ("resource", "verb"), [("statefulsets", "list"), ("deployments", "list"), ("pods", "list"), ("pods", "watch")]
)
def test_missing_permission_is_named(run_module, account, workload, nodes, namespace, resource, verb):
    nodes.plan["web"] = "ContainerCreating"
    workload("Deployment", "web")
    rules = [
        {"apiGroups": ["", "apps"], "resources": [one], "verbs": [right]}
        for one in ("namespaces", "pods", "deployments", "statefulsets", "events", "configmaps")
        for right in ("get", "list", "watch")
        if (one, right) != (resource, verb)
    ]
    components = [{"kind": "Deployment", "name": "web"}, {"kind": "StatefulSet", "name": "store"}]
    kubeconfig = account({namespace: rules})
    with pytest.raises(ModuleFailedError, match=f"HTTP 403: .*The account may not {verb} {resource}: give it a Role"):
        run_module(SPEC, kubeconfig=kubeconfig, namespace=namespace, components=components, wait_timeout=5)
