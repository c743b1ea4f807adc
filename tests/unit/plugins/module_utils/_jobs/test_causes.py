# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cause of a job that did not complete."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._jobs.causes import ERRORS, explain

PREFIX = "Azure Machine Learning Kubernetes job failed. "


def pod(reason="", message="", phase="Pending") -> dict:
    return {"name": "w-0", "reason": reason, "message": message, "phase": phase}


PULL = pod("ImagePullBackOff", "container c: Back-off pulling image")
RUNNING = pod(phase="Running")


@pytest.mark.parametrize(
    ("error", "code", "fix"),
    [
        (f'{PREFIX}137:PodPattern matched: {{"name":"training-identity-sidecar"}}', "JobProxy", "127.0.0.1"),
        (f'{PREFIX}E45004:"Training feature is not enabled"', "JobTrainingDisabled", "workload_profile training"),
        ("Cluster does not support job type RegularJob", "JobTrainingDisabled", "workload_profile training"),
        (f'{PREFIX}9:{{"Msg":"Invalid instance type."}}', "JobInstanceType", "amloperator.skipResourceValidation"),
        (f'{PREFIX}400:{{"Msg":"... Azure Machine Learning token service"}}', "JobNetwork", "private endpoint"),
        ("Failed to acquire CSI storage account credentials: HTTP 403: AuthorizationFailed", "JobIdentity", "Storage"),
        ("Failed to acquire CSI storage account credentials: timeout", "JobNetwork", "its storage account"),
        ("Unable to mount. Give either an account key or SAS token", "JobIdentity", "managed identity"),
        ("ScriptExecution.StreamAccess.Authentication: permission denied", "JobIdentity", "Storage Blob Data"),
        ("Unable to upload project files to working directory", "JobStorage", "trusted Azure services"),
        ("AcrRefreshTokenRetrievalError: Unable to retrieve", "JobIdentity", "AcrPull"),
        ("err=no volume plugin matched", "JobVolume", "mount mode"),
        ("The compute is not accessible. (ComputeNotAccessible)", "JobIdentity", "AKS cluster"),
        ("Failed with exit code 1", "JobCommand", "its command failed"),
        ("The moon is full", "JobFailed", "logs of the job in studio"),
    ],
)
def test_error_of_the_run_determines_cause_and_fix(error, code, fix):
    cause = explain("Failed", error, [RUNNING])
    assert (cause.code, cause.message) == (code, error)
    assert fix in cause.fix


@pytest.mark.parametrize(
    ("one", "code", "fix"),
    [
        (PULL, "JobImagePull", "nodes reach the registry"),
        (pod("ErrImagePull", "unauthorized: authentication required"), "JobIdentity", "AcrPull"),
        (pod("ErrImagePull", "unexpected status 403 Forbidden"), "JobIdentity", "AcrPull"),
        (pod("ErrImagePull", "x509: certificate signed by unknown authority"), "JobImagePull", "trust the CA"),
        (pod("ErrImagePull", "manifest unknown"), "JobImagePull", "name and version of the environment"),
        (pod("Unschedulable", "3 Insufficient nvidia.com/gpu"), "JobUnschedulable", "device plugin"),
        (pod("Unschedulable", "3 Insufficient memory"), "JobUnschedulable", "smaller instance type"),
        (pod("Unschedulable", "1 node(s) had untolerated taint {a: b}"), "JobUnschedulable", "taint"),
        (pod("Unschedulable", "didn't match Pod's node affinity/selector"), "JobUnschedulable", "node selector"),
        (pod("Unschedulable", "3 Too many pods"), "JobUnschedulable", "number of pods"),
        (pod("Unschedulable"), "JobUnschedulable", "another instance type"),
        (pod("OOMKilled", phase="Failed"), "JobMemory", "memory of the instance type"),
        (pod("CrashLoopBackOff", "container c: back-off (last: OOMKilled, exit code 137)"), "JobMemory", "memory"),
        (pod("CrashLoopBackOff", "container c: back-off"), "JobPods", "--previous"),
        (pod("Error", phase="Failed"), "JobPods", "kubectl logs"),
    ],
)
def test_pods_determine_the_cause_if_the_run_has_no_error(one, code, fix):
    cause = explain("Queued", "", [RUNNING, one])
    assert cause.code == code
    assert cause.message.startswith("pod w-0: ")
    assert fix in cause.fix


@pytest.mark.parametrize(
    ("error", "pods", "code"),
    [
        ("Give either an account key or SAS token", [PULL], "JobIdentity"),
        ("failed with exit code 137", [pod("OOMKilled", phase="Failed")], "JobMemory"),
        ("failed with exit code 1", [pod("Error", phase="Failed")], "JobCommand"),
        ("it took too long", [PULL], "JobImagePull"),
    ],
)
def test_more_specific_of_error_and_pods_is_the_cause(error, pods, code):
    assert explain("Failed", error, pods).code == code


@pytest.mark.parametrize(
    ("status", "pods", "code", "message"),
    [
        ("Failed", [], "JobFailed", "its run gives no error"),
        ("Canceled", [], "JobCanceled", "it was canceled"),
        ("Queued", [], "JobTimeout", "it has no pod in the cluster"),
        ("Queued", None, "JobTimeout", "it is still Queued"),
        ("Running", [RUNNING], "JobTimeout", "it is still Running"),
    ],
)
def test_status_is_the_cause_if_nothing_else_is_known(status, pods, code, message):
    cause = explain(status, "", pods)
    assert cause.code == code
    assert message in cause.message


def test_long_error_is_cut():
    assert len(explain("Failed", "x" * 100000, None).message) < 700


def test_no_known_error_is_hidden_by_an_earlier_one():
    for one in ERRORS:
        assert explain("Failed", " ".join(one.parts), None).fix == one.fix
