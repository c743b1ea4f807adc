# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of M(azureml.arc.preflight) in the cluster, with a real API server."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.modules.preflight import SPEC
from objects import DEFINITION, definition
from support import wait_for

pytestmark = pytest.mark.usefixtures("nodes")


@pytest.fixture
def preflight(as_administrator):
    def run(**options):
        common = {"resource_group": "rg", "cluster_name": "c", "workload_profile": "training", "sides": ["kubernetes"]}
        result = as_administrator(SPEC, fail_on="never", **{**common, **options})
        return [(finding["level"], finding["check"]) for finding in result["findings"]], result

    return run


@pytest.fixture
def put(create, api):
    """Return a function that creates a cluster-scoped object, which is deleted at the end."""
    created = []

    def run(api_version, kind, name, **fields):
        create(api_version, kind, name, **fields)
        created.append((api_version, kind, name))

    yield run
    for api_version, kind, name in created:
        api.resources.get(api_version=api_version, kind=kind).delete(name=name)


def test_suitable_cluster_has_no_findings(preflight):
    assert preflight()[0] == []


def test_node_selector_without_a_matching_node_is_an_error(preflight):
    found, result = preflight(node_selector={"pool": "ml"})
    assert found == [("error", "nodes"), ("error", "resources"), ("error", "resources")]
    assert "0 of 3 nodes" in result["findings"][0]["message"]


def test_resources_that_other_pods_request_are_not_free(preflight, create, namespace, api):
    container = {"name": "c", "image": "none", "resources": {"requests": {"cpu": "7900m", "memory": "1Gi"}}}
    pods = api.resources.get(api_version="v1", kind="Pod")
    for index in range(3):
        create("v1", "Pod", f"shop-{index}", namespace, spec={"containers": [container]})
    wait_for(lambda: all(pod.spec.nodeName for pod in pods.get(namespace=namespace).items))

    found, result = preflight()

    assert found == [("error", "resources")]
    assert "300m of cpu are free on these nodes" in result["findings"][0]["message"]
    for index in range(3):
        pods.delete(name=f"shop-{index}", namespace=namespace, body={"gracePeriodSeconds": 0})
    wait_for(lambda: not pods.get(namespace=namespace).items)


def test_existing_components_and_objects_of_old_versions_are_found(preflight, put, create, namespace):
    put(*DEFINITION, "jobs.batch.volcano.sh", spec=definition("batch.volcano.sh", "jobs", "Job"))
    put("rbac.authorization.k8s.io/v1", "ClusterRole", "azureml-fe-role", rules=[])
    labels = {"matchLabels": {"app": "fe"}}
    pod = {"metadata": {"labels": {"app": "fe"}}, "spec": {"containers": [{"name": "fe", "image": "none"}]}}
    create("apps/v1", "Deployment", "azureml-fe", namespace, spec={"selector": labels, "template": pod})

    found, result = preflight(
        workload_profile="training_inference", inference_service="load_balancer", install_components="auto"
    )

    assert found == [("error", "legacy_router"), ("warning", "load_balancer"), ("info", "volcano")]
    assert f"deployment 'azureml-fe' in namespace '{namespace}'" in result["findings"][0]["message"]
    assert result["install_options"] == {"install_volcano": False}
