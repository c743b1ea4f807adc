# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Least privilege: the roles of docs/permissions are sufficient, and an error names each missing permission."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from ansible_collections.azureml.arc.plugins.module_utils._core import options as shared_options
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall, ModuleSpec
from ansible_collections.azureml.arc.plugins.module_utils._jobs.pods import RUN_ID, JobPods
from ansible_collections.azureml.arc.plugins.modules.cluster_identity import SPEC as CLUSTER_IDENTITY
from ansible_collections.azureml.arc.plugins.modules.endpoint_check import SPEC as ENDPOINT
from ansible_collections.azureml.arc.plugins.modules.instance_type import SPEC as INSTANCE_TYPE
from ansible_collections.azureml.arc.plugins.modules.namespace import SPEC as NAMESPACE
from ansible_collections.azureml.arc.plugins.modules.node import SPEC as NODE
from ansible_collections.azureml.arc.plugins.modules.openshift_scc import SPEC as OPENSHIFT_SCC
from ansible_collections.azureml.arc.plugins.modules.pod_readiness import SPEC as READINESS
from ansible_collections.azureml.arc.plugins.modules.preflight import SPEC as PREFLIGHT
from ansible_collections.azureml.arc.plugins.modules.tls_secret import SPEC as TLS_SECRET
from objects import add_router
from support import ModuleFailedError, wait_for

import certificates
from simulator.scenario import SUBSCRIPTION

DOCS = Path(__file__).resolve().parents[2] / "docs/permissions"
ROLES = [
    role
    for name in (
        *("kubernetes-verify.yml", "kubernetes-deploy.yml", "kubernetes-nodes.yml"),
        "kubernetes-prove.yml",
    )
    for role in yaml.safe_load((DOCS / name).read_text(encoding="utf-8"))["items"]
]


@dataclass(frozen=True)
class Right:
    """One verb on one resource, in one namespace or in the whole cluster."""

    namespace: str
    group: str
    resource: str
    verb: str
    names: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.verb}-{self.resource}-{self.namespace or 'everywhere'}"

    def rule(self) -> dict:
        rule = {"apiGroups": [self.group], "resources": [self.resource], "verbs": [self.verb]}
        return {**rule, "resourceNames": list(self.names)} if self.names else rule


def rights() -> Iterator[Right]:
    for role in ROLES:
        for rule in role["rules"]:
            for resource in rule["resources"]:
                for verb in rule["verbs"]:
                    yield Right(
                        role["metadata"].get("namespace", ""),
                        rule["apiGroups"][0],
                        resource,
                        verb,
                        tuple(rule.get("resourceNames", ())),
                    )


RIGHTS = list(rights())
EVERYWHERE = [right for right in RIGHTS if not right.namespace]
IN_NAMESPACE = [right for right in RIGHTS if right.namespace]


@pytest.fixture(scope="module")
def azureml(api, create_namespace, nodes, tls_server):
    """Create namespace azureml with a Deployment that does not become ready, and an inference router."""
    nodes.plan["web"] = "ContainerCreating"
    create_namespace("azureml")
    pod = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "none"}]}}
    spec = {"selector": {"matchLabels": {"app": "web"}}, "template": pod, "replicas": 1}
    deployments = api.resources.get(api_version="apps/v1", kind="Deployment")
    deployments.create(body={"metadata": {"name": "web"}, "spec": spec}, namespace="azureml")
    add_router(api, "azureml", tls_server)
    pods = api.resources.get(api_version="v1", kind="Pod")
    wait_for(lambda: pods.get(namespace="azureml").items)
    yield
    nodes.plan.clear()
    namespaces = api.resources.get(api_version="v1", kind="Namespace")
    namespaces.delete(name="azureml")
    wait_for(lambda: "azureml" not in [one.metadata.name for one in namespaces.get().items])


def rules(granted: list[Right]) -> dict[str, list[dict]]:
    return {
        namespace: [right.rule() for right in granted if right.namespace == namespace]
        for namespace in {right.namespace for right in granted}
    }


@pytest.fixture
def attempt(run_module, account):
    """Return a function that runs modules as an account with these permissions, and returns their results as text."""

    def run(granted: list[Right], *calls: tuple) -> str:
        kubeconfig, results = account(rules(granted)), []
        for spec, options in calls:
            try:
                results.append(run_module(spec, kubeconfig=kubeconfig, **options))
            except ModuleFailedError as failure:
                results.append(failure.result)
        return json.dumps(results)

    return run


@pytest.fixture
def in_the_namespace(attempt, azureml, api):
    """Return a function that runs all modules that use namespace azureml."""
    components = [{"kind": kind, "name": "web"} for kind in ("Deployment", "StatefulSet", "DaemonSet")]

    def run(granted: list[Right]) -> str:
        return attempt(
            granted,
            (READINESS, {"components": components, "wait_timeout": 1}),
            (TLS_SECRET, {"name": "ml-tls", **certificates.as_options()}),
            (TLS_SECRET, {"name": "ml-tls", **certificates.as_options()}),
            (TLS_SECRET, {"name": "ml-tls", "state": "absent"}),
            (ENDPOINT, {"cname": "ml.example.com", "timeout": 1, "wait": False}),
        )

    yield run
    secrets = api.resources.get(api_version="v1", kind="Secret")
    if any(secret.metadata.name == "ml-tls" for secret in secrets.get(namespace="azureml").items):
        secrets.delete(name="ml-tls", namespace="azureml")


@pytest.fixture
def outdated_openshift(openshift, create):
    """Add an account of the extension to the object, and create the collection's ClusterRole without rules."""
    users = {"users": ["system:admin", "system:serviceaccount:azureml:default"]}
    openshift.patch(name="privileged", body=users, content_type="application/merge-patch+json")
    create("rbac.authorization.k8s.io/v1", "ClusterRole", "azureml-arc-scc-privileged", rules=[])


def read_job_pods(call: ModuleCall) -> dict:
    """Send the requests of module job_check to the cluster."""
    with JobPods(call, "default") as pods:
        pods.read("smoke")
        pods.explain()
        return {"pods": pods.rows}


JOB_PODS = ModuleSpec(read_job_pods, {**shared_options.KUBERNETES, "inspect_pods": {"type": "bool"}})


@pytest.fixture(scope="module")
def job_pod(api, nodes):
    """Create a pod of job smoke that does not become ready."""
    nodes.plan["smoke"] = "ContainerCreating"
    pods = api.resources.get(api_version="v1", kind="Pod")
    metadata = {"name": "smoke", "labels": {RUN_ID: "smoke"}}
    spec = {"containers": [{"name": "c", "image": "none"}]}
    wait_for(lambda: pods.create(body={"metadata": metadata, "spec": spec}, namespace="default"))
    yield
    pods.delete(name="smoke", namespace="default", body={"gracePeriodSeconds": 0})


@pytest.fixture
def in_the_cluster(attempt, outdated_openshift, define_instance_types, job_pod):
    """Return a function that runs all modules that use other parts of the cluster."""
    options = {
        "resource_group": "rg",
        "cluster_name": "c",
        "workload_profile": "training_inference",
        "inference_service": "load_balancer",
        "sides": ["kubernetes"],
        "fail_on": "never",
    }
    define_instance_types()
    small = {"name": "small", "resources": {"limits": {"cpu": "1"}}}
    cluster = {"subscription_id": SUBSCRIPTION, "resource_group": "rg", "cluster_name": "c"}
    return lambda granted: attempt(
        granted,
        (CLUSTER_IDENTITY, cluster),
        (CLUSTER_IDENTITY, {**cluster, "cluster_type": "managed_cluster"}),
        (PREFLIGHT, options),
        (OPENSHIFT_SCC, {}),
        (OPENSHIFT_SCC, {"compute_namespaces": ["ml"]}),
        (OPENSHIFT_SCC, {"state": "absent"}),
        (OPENSHIFT_SCC, {}),
        (INSTANCE_TYPE, {"instance_types": [{"name": "small"}, {"name": "large"}]}),
        (INSTANCE_TYPE, {"instance_types": [small], "purge": True}),
        (NAMESPACE, {"name": f"created-{os.urandom(3).hex()}"}),
        (NODE, {"names": ["*"], "labels": {"pool": os.urandom(3).hex()}}),
        (JOB_PODS, {"inspect_pods": True}),
    )


def test_roles_are_sufficient(in_the_namespace, in_the_cluster):
    assert "The account may not" not in in_the_namespace([*IN_NAMESPACE, EVERYWHERE[0]])
    assert "The account may not" not in in_the_cluster(EVERYWHERE)


@pytest.mark.parametrize("missing", IN_NAMESPACE, ids=str)
def test_missing_permission_in_the_namespace_is_named(in_the_namespace, missing):
    granted = [right for right in [*IN_NAMESPACE, EVERYWHERE[0]] if right != missing]
    assert f"The account may not {missing.verb} {missing.resource}: give it" in in_the_namespace(granted)


@pytest.mark.parametrize("missing", EVERYWHERE, ids=str)
def test_missing_permission_in_the_cluster_is_named(in_the_cluster, missing):
    granted = [right for right in EVERYWHERE if right != missing]
    assert f"The account may not {missing.verb} {missing.resource}: give it" in in_the_cluster(granted)
