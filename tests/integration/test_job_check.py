# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M(azureml.arc.job_check) with the simulator: completed jobs, failed jobs, and their causes."""

from __future__ import annotations

import functools
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.azureml.arc.plugins.modules.compute import SPEC as COMPUTE
from ansible_collections.azureml.arc.plugins.modules.extension import SPEC as EXTENSION
from ansible_collections.azureml.arc.plugins.modules.job_check import SPEC
from objects import WORKSPACE
from support import ModuleFailedError, requests_to, wait_for, writes

WORKSPACE_ID = "/resourceGroups/rg-ml/providers/Microsoft.MachineLearningServices/workspaces/ws"
TYPES = ("amlarc.azureml.com/v1alpha1", "InstanceType")


@pytest.fixture
def attach(run_module, simulator, arc):
    """Return a function that installs the extension, and attaches the cluster as a compute with its name."""

    def run(compute=None, **extension) -> None:
        cluster = {"resource_group": "rg-edge", "cluster_name": arc}
        run_module(EXTENSION, **{"workload_profile": "training", **extension}, **cluster)
        run_module(COMPUTE, name=arc, workspace=WORKSPACE, **cluster, **(compute or {}))
        simulator.clear_journal()

    return run


@pytest.fixture
def check(run_module, simulator, arc):
    """Return a function that runs the module for the compute of the cluster."""
    connection = {"kubeconfig": simulator.kubeconfigs[arc]}
    return functools.partial(run_module, SPEC, compute=arc, workspace=WORKSPACE, **connection)


@pytest.fixture
def failing(check, simulator, arc, attach):
    """Return a function that runs the module on a cluster with failing jobs, and returns the result."""

    def run(failure: str, **options) -> dict:
        attach()
        simulator.change_plan(arc, jobs={"failures": {"*": failure}})
        with pytest.raises(ModuleFailedError) as failed:
            check(**options)
        return failed.value.result

    return run


def test_completed_job_proves_the_compute(check, simulator, arc, attach):
    attach()

    result = check()

    (job,) = result["jobs"]
    assert (result["changed"], result["succeeded"], result["warnings"]) == (True, True, [])
    assert (job["status"], job["succeeded"], job["reused"], job["cause"]) == ("Completed", True, False, None)
    assert re.fullmatch(rf"arc-check-{arc}-\d{{8}}-[0-9a-f]{{10}}", job["name"])
    assert (job["compute"], job["instance_type"], job["node"]) == (arc, None, "node-0")
    assert 5 <= job["seconds"] <= 60
    assert 7 <= job["queue_seconds"] <= 60
    assert job["studio_url"].startswith(f"https://ml.azure.com/runs/{job['name']}?wsid=/subscriptions/")
    ((path, body),) = [(one["path"], one["body"]) for one in requests_to(simulator, "PUT", "/jobs/")]
    assert path.endswith(f"{WORKSPACE_ID}/jobs/{job['name']}")
    assert body == job["request"]
    properties = body["properties"]
    assert properties["computeId"].endswith(f"{WORKSPACE_ID}/computes/{arc}")
    assert properties["resources"] == {"instanceCount": 1}
    assert properties["tags"] == {"azureml_arc_job_check": arc}


def test_completed_job_of_the_same_day_is_reused(check, simulator, attach):
    attach()
    first = check()
    simulator.clear_journal()

    second = check()

    assert (second["changed"], second["succeeded"]) == (False, True)
    assert second["jobs"] == [{**first["jobs"][0], "reused": True, "request": None, "node": "", "pods": []}]
    assert writes(simulator) == []


@pytest.mark.parametrize("options", [{"revision": "1.1.62"}, {"command": "true"}, {"instance_types": ["small"]}])
def test_job_with_other_content_is_not_reused(check, create, arc, attach, options):
    attach()
    create(arc, *TYPES, "small", spec={"resources": {"requests": {"cpu": "1"}}})
    first = check()

    second = check(**options)

    assert second["changed"]
    assert second["jobs"][0]["name"] != first["jobs"][0]["name"]


def test_job_in_progress_is_joined(check, simulator, arc, attach):
    attach()
    simulator.change_plan(arc, jobs={"queue_seconds": 90})
    with ThreadPoolExecutor(1) as other:
        first = other.submit(check)
        wait_for(lambda: requests_to(simulator, "PUT", "/jobs/"))

        second = check()

        assert (first.result()["changed"], second["changed"], second["succeeded"]) == (True, False, True)
        assert second["jobs"][0]["name"] == first.result()["jobs"][0]["name"]
    assert second["jobs"][0]["reused"]


def test_failed_job_is_not_reused(check, simulator, arc, failing):
    failed = failing("command")["jobs"][0]
    simulator.change_plan(arc, jobs={})

    result = check()

    assert result["jobs"][0]["name"] == f"{failed['name']}-2"
    assert (result["changed"], result["succeeded"]) == (True, True)
    assert not check()["changed"]


def test_given_instance_types_are_checked_one_after_another(check, simulator, create, arc, attach):
    attach()
    create(arc, *TYPES, "small", spec={"resources": {"requests": {"cpu": "1", "memory": "1Gi"}}})
    create(arc, *TYPES, "large", spec={"resources": {"requests": {"cpu": "64", "memory": "1Gi"}}})

    with pytest.raises(ModuleFailedError, match="does not run jobs: job '[^']*' with instance type 'large' is Failed"):
        check(instance_types=["large", "small"])
    bodies = [one["body"] for one in requests_to(simulator, "PUT", "/jobs/")]

    assert [one["properties"]["resources"]["instanceType"] for one in bodies] == ["large", "small"]


def test_each_instance_type_of_the_compute_is_checked_on_request(check, create, arc, attach):
    attach(compute={"instance_types": {"small": {}, "large": {}}, "default_instance_type": "small"})
    for name in ("small", "large"):
        create(arc, *TYPES, name, spec={"resources": {"requests": {"cpu": "1"}}})

    result = check(each_instance_type=True)

    assert [one["instance_type"] for one in result["jobs"]] == ["small", "large"]
    assert len({one["name"] for one in result["jobs"]}) == 2
    assert result["succeeded"]


@pytest.mark.parametrize(
    ("failure", "code", "message", "fix"),
    [
        ("identity", "JobIdentity", "Give either an account key or SAS token", "with a managed identity"),
        ("proxy", "JobProxy", "training-identity-sidecar", "Add 127.0.0.1 and localhost to the proxy-skip-range"),
        ("network", "JobNetwork", "token service", "private endpoint"),
        ("command", "JobCommand", "failed with exit code 1", "its command failed"),
        ("silent", "JobPods", "-worker-0: Error", "Read the log of the pod"),
    ],
)
def test_failed_job_has_cause_and_fix(failing, failure, code, message, fix):
    result = failing(failure)

    cause = result["jobs"][0]["cause"]
    assert (cause["code"], result["error"]["code"]) == (code, code)
    assert message in cause["message"]
    assert fix in result["error"]["hint"]
    assert cause["message"].rstrip(".") in result["msg"]


def test_disabled_training_is_the_cause(check, attach):
    attach(workload_profile="inference", inference_service="node_port", allow_insecure_connections=True)

    with pytest.raises(
        ModuleFailedError, match="E45004.*with workload_profile training or training_inference"
    ) as failed:
        check()
    assert failed.value.result["error"]["code"] == "JobTrainingDisabled"


def test_instance_type_larger_than_any_node_is_the_cause(check, create, arc, attach):
    attach()
    create(arc, *TYPES, "gpu", spec={"resources": {"limits": {"nvidia.com/gpu": "1"}}})

    with pytest.raises(ModuleFailedError, match="Invalid instance type.*amloperator.skipResourceValidation"):
        check(instance_types=["gpu"])


@pytest.mark.parametrize(
    ("failure", "code", "message", "fix"),
    [
        ("ImagePullBackOff", "JobIdentity", "ImagePullBackOff: .*unauthorized: authentication required", "AcrPull"),
        ("Unschedulable", "JobUnschedulable", r"Unschedulable: 0/3 nodes are available: 3 Insufficient cpu", "smaller"),
        ("no pod", "JobTimeout", "it has no pod in the cluster", "gang scheduling"),
    ],
)
def test_hanging_job_is_canceled_with_the_cause_from_its_pods(failing, simulator, failure, code, message, fix):
    result = failing(failure, wait_timeout=40)

    (job,) = result["jobs"]
    assert (job["status"], job["canceled"], job["cause"]["code"]) == ("Queued", True, code)
    assert re.search(message, job["cause"]["message"])
    assert fix in job["cause"]["fix"]
    assert "was Queued after 40 seconds" in result["msg"]
    assert [one["path"].endswith(f"/{job['name']}/cancel") for one in requests_to(simulator, "POST", "/jobs/")] == [
        True
    ]


def test_missing_labels_of_nodes_are_the_cause(check, create, arc, attach):
    attach()
    create(arc, *TYPES, "gpu", spec={"nodeSelector": {"pool": "gpu"}, "resources": {"requests": {"cpu": "1"}}})

    with pytest.raises(ModuleFailedError, match="didn't match Pod's node affinity/selector.*Label nodes"):
        check(instance_types=["gpu"], wait_timeout=40)


def test_unreachable_cluster_is_a_warning(run_module, arc, attach):
    attach()
    options = {"compute": arc, "workspace": WORKSPACE, "host": "https://localhost:1", "api_key": "none"}

    result = run_module(SPEC, **options)

    assert (result["succeeded"], result["jobs"][0]["node"]) == (True, "")
    assert [one.startswith("The diagnosis does not include the pods") for one in result["warnings"]] == [True]


def test_pods_are_not_read_without_inspect_pods(check, simulator, attach):
    attach()

    result = check(inspect_pods=False)

    assert (result["succeeded"], result["jobs"][0]["pods"]) == (True, [])
    assert requests_to(simulator, "GET", "/kubernetes/") == []


def test_cause_comes_from_the_pods_if_the_run_history_denies_access(failing, simulator):
    simulator.add_fault(method="GET", path="^/history/", status=403)

    result = failing("identity")

    assert result["jobs"][0]["cause"]["code"] == "JobPods"
    assert [one.startswith("The diagnosis does not include the error") for one in result["warnings"]] == [True]


def test_check_mode_returns_the_request_and_sends_nothing(check, simulator, attach):
    attach()

    planned = check(check_mode=True, diff=True)
    assert (planned["changed"], planned["succeeded"]) == (True, False)
    assert writes(simulator) == []
    done = check()

    (job,) = planned["jobs"]
    assert (job["status"], job["name"]) == ("NotSubmitted", done["jobs"][0]["name"])
    assert planned["diff"] == {"before": {}, "after": {job["name"]: done["jobs"][0]["request"]}}
    again = check(check_mode=True)
    assert (again["changed"], again["succeeded"]) == (False, True)


def test_missing_environment_is_reported(check, attach):
    attach()
    environment = "azureml://registries/azureml/environments/none/versions/46"

    with pytest.raises(
        ModuleFailedError, match="No environment exists for name: none, version: 46.*Give an environment"
    ):
        check(environment=environment)


def test_missing_compute_is_reported_before_any_request(check, simulator, arc):
    with pytest.raises(ModuleFailedError, match=rf"compute '{arc}' of workspace 'ws' .* does not exist"):
        check()
    assert writes(simulator) == []


def test_only_old_ended_jobs_of_the_compute_are_deleted(simulator, check, arc, attach):
    attach()
    check(command="true")

    def job(name: str, days: int, status: str = "Completed", **tags: str) -> dict:
        created = (datetime.now(UTC) - timedelta(days=days)).isoformat()
        properties = {"jobType": "Command", "status": status, "tags": tags}
        return {"name": name, "properties": properties, "systemData": {"createdAt": created}}

    ours = {"azureml_arc_job_check": arc}
    jobs = [
        job("old", 8, **ours),
        job("running", 8, status="Running", **ours),
        job("young", 6, **ours),
        job("neighbour", 8, azureml_arc_job_check="another"),
        job("other", 8, owner="another-team"),
    ]
    simulator.change_workspace("ws", jobs=jobs)
    try:
        planned = check(check_mode=True)
        result = check()
    finally:
        simulator.change_workspace("ws", jobs=[])

    assert (planned["removed_jobs"], result["removed_jobs"]) == (["old"], ["old"])
    assert [one["path"].rpartition("/")[2] for one in requests_to(simulator, "DELETE", "/jobs/")] == ["old"]


def test_lost_response_to_the_submission_does_not_create_a_second_job(check, simulator, attach):
    attach()
    simulator.add_fault(method="PUT", path="/jobs/", cut="reset", acts=True, times=1)

    result = check()

    assert result["succeeded"]
    assert len({one["path"] for one in requests_to(simulator, "PUT", "/jobs/")}) == 1
