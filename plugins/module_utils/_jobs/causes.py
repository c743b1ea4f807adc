# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Derive why a job did not complete, and the fix, from the error of its run and from its pods. Pure.

Sources: the training guide of https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-kubernetes-compute
and, before it, docs/troubleshooting.md of https://github.com/Azure/AML-Kubernetes; code 9 and C(StreamAccess) from
docs/training and docs/evaluation of https://github.com/microsoft/physical-ai-toolchain. The reasons of pods are those
of Kubernetes.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ansible_collections.azureml.arc.plugins.module_utils._core.text import printable
from ansible_collections.azureml.arc.plugins.module_utils._readiness.pods import IMAGE_PULL

LONGEST_ERROR = 600  # characters of the error of a run, which may contain logs
COMMAND, FAILED = "JobCommand", "JobFailed"  # codes
READ_LOGS = "Read the logs of the job in studio."
NETWORK = "Check that pods of the compute's namespace reach the workspace, through its private endpoint if it has one"


@dataclass(frozen=True)
class Cause:
    """Why a job did not complete.

    :param code: the kind of the cause, by which reports group clusters.
    """

    code: str
    message: str
    fix: str = ""

    def as_result(self) -> dict:
        """Return the cause as the module returns it."""
        return {"code": self.code, "message": self.message, "fix": self.fix}


@dataclass(frozen=True)
class KnownError:
    """A documented error of a run.

    :param parts: lower-case texts that its message must contain, all of them, in any case.
    """

    parts: tuple[str, ...]
    code: str
    fix: str


# The first match counts.
ERRORS = (
    KnownError(
        ("training-identity-sidecar", "137"),
        "JobProxy",
        "Add 127.0.0.1 and localhost to the proxy-skip-range of 'az connectedk8s connect' or 'az connectedk8s update'.",
    ),
    KnownError(
        ("e45004",),
        "JobTrainingDisabled",
        "Install the extension with workload_profile training or training_inference.",
    ),
    KnownError(
        ("does not support job type",),
        "JobTrainingDisabled",
        "Install the extension with workload_profile training or training_inference.",
    ),
    KnownError(
        ("invalid instance type",),
        "JobInstanceType",
        "Lower the resources of the instance type to what one node has; for node pools that scale from zero, set"
        " amloperator.skipResourceValidation to true in the settings of the extension.",
    ),
    KnownError(("token service",), "JobNetwork", f"{NETWORK}."),
    KnownError(
        ("csi storage account credentials", "authorizationfailed"),
        "JobIdentity",
        "Give the identity of the compute the roles Storage Blob Data Contributor and Storage Account Contributor on"
        " the storage account of the workspace.",
    ),
    KnownError(("csi storage account credentials",), "JobNetwork", f"{NETWORK}, and its storage account."),
    KnownError(
        ("account key or sas token",),
        "JobIdentity",
        "Attach the cluster with a managed identity, and give it the role Storage Blob Data Contributor on the storage"
        " account of the workspace.",
    ),
    KnownError(
        ("streamaccess.authentication",),
        "JobIdentity",
        "Give the identity of the compute the role Storage Blob Data Contributor on the storage account of the"
        " workspace.",
    ),
    KnownError(
        ("unable to upload project files",),
        "JobStorage",
        "Let trusted Azure services and the workspace reach its storage account, and give the workspace a"
        " system-assigned identity.",
    ),
    KnownError(
        ("acrrefreshtokenretrievalerror",),
        "JobIdentity",
        "Give the identity of the compute the role AcrPull on the container registry of the workspace.",
    ),
    KnownError(("no volume plugin matched",), "JobVolume", "Use mount mode instead of download mode for input data."),
    KnownError(
        ("computenotaccessible",),
        "JobIdentity",
        "Give the identity of the workspace access to the AKS cluster.",
    ),
    KnownError(
        ("refreshextensionidentitynotset",), "JobIdentity", "Remove the extension from the AKS cluster, and install it."
    ),
    KnownError(
        ("invalidcomputenokubernetesconfiguration",),
        "JobCompute",
        "Detach the compute and attach it again, with the same name and namespace.",
    ),
    KnownError(
        ("clusternotreachable",), "JobCluster", "Start the cluster, and check that its API server is reachable."
    ),
    KnownError(
        ("genericclustererror",),
        "JobCluster",
        "Start the cluster, and check the authorized IP ranges of its API server.",
    ),
    KnownError(
        ("internalservererror",),
        "JobService",
        "A workspace or resource group whose name ends in a hyphen causes this; otherwise run again later.",
    ),
    KnownError(("exit code",), COMMAND, "The job ran, but its command failed: read its log in studio."),
)

# Errors of registries and proxies when an image is pulled: pattern, code, fix.
PULL_FIXES = (
    (
        re.compile(r"\b40[13]\b|unauthorized|denied|authentication required", re.IGNORECASE),
        "JobIdentity",
        "Give the identity of the compute the role AcrPull on the registry of the image.",
    ),
    (re.compile(r"x509|certificate"), "JobImagePull", "Let the nodes trust the CA of their proxy."),
    (
        re.compile(r"not found|manifest unknown", re.IGNORECASE),
        "JobImagePull",
        "Check the name and version of the environment.",
    ),
)
PULL_FIX = "Check that the nodes reach the registry of the image, through their proxy if they have one."
UNSCHEDULABLE_FIXES = (
    (re.compile(r"insufficient nvidia\.com/gpu", re.IGNORECASE), "Add GPU nodes, or install their device plugin."),
    (re.compile(r"insufficient", re.IGNORECASE), "Free or add resources, or choose a smaller instance type."),
    (
        re.compile(r"taint", re.IGNORECASE),
        "Remove the taint, or choose one that pods of jobs tolerate, such as ml.azure.com/amlarc.",
    ),
    (
        re.compile(r"node affinity|node selector|didn't match", re.IGNORECASE),
        "Label nodes to match the node selector of the instance type.",
    ),
    (re.compile(r"too many pods", re.IGNORECASE), "Raise the number of pods a node may have, or add nodes."),
)
UNSCHEDULABLE_FIX = "Free or add resources, or choose another instance type."
POD_FIXES = {
    "OOMKilled": ("JobMemory", "Raise the memory of the instance type."),
    "CrashLoopBackOff": ("JobPods", "Read the last log of the pod: kubectl logs --previous."),
    "CreateContainerConfigError": ("JobPods", "Check that the secrets and config maps of the pod exist."),
    "Evicted": ("JobPods", "Free disk space or memory on the node."),
}
NO_POD = "it has no pod in the cluster"
NO_POD_FIX = (
    "Check that the namespace of the compute exists, and read the logs of aml-operator and volcano-scheduler in"
    " namespace azureml; gang scheduling creates no pod before the resources are free."
)


def explain(status: str, error: str, pods: Collection[Mapping] | None) -> Cause:
    """Return why a job did not complete.

    :param status: of the job.
    :param error: the error of its run, empty if unknown.
    :param pods: rows of its pods, C(None) if they could not be read.
    """
    known = next((one for one in ERRORS if all(part in error.lower() for part in one.parts)), None)
    if known and known.code != COMMAND:
        return Cause(known.code, printable(error, LONGEST_ERROR), known.fix)
    by_pods = next(filter(None, map(_of_pod, pods or ())), None)
    if by_pods:  # for instance the reason for an exit code
        return by_pods
    if error:
        code, fix = (known.code, known.fix) if known else (FAILED, READ_LOGS)
        return Cause(code, printable(error, LONGEST_ERROR), fix)
    failed = next((pod for pod in pods or () if pod["phase"] == "Failed"), None)
    if failed:
        return Cause("JobPods", _described(failed), "Read the log of the pod: kubectl logs.")
    if status.lower() == "canceled":
        return Cause("JobCanceled", "it was canceled", "Run again.")
    if status.lower() == "failed":
        return Cause(FAILED, "it failed, and its run gives no error", READ_LOGS)
    if pods is not None and not pods:
        return Cause("JobTimeout", NO_POD, NO_POD_FIX)
    return Cause("JobTimeout", f"it is still {status}", "Raise wait_timeout, or read the job in studio.")


def _of_pod(pod: Mapping) -> Cause | None:
    """Return the cause that the state of a pod shows, C(None) if it shows none."""
    reason, message = pod["reason"], pod["message"]
    if reason in IMAGE_PULL:
        code, fix = next(
            ((code, fix) for pattern, code, fix in PULL_FIXES if pattern.search(message)), ("JobImagePull", PULL_FIX)
        )
        return Cause(code, _described(pod), fix)
    if reason == "Unschedulable":
        fix = next((fix for pattern, fix in UNSCHEDULABLE_FIXES if pattern.search(message)), UNSCHEDULABLE_FIX)
        return Cause("JobUnschedulable", _described(pod), fix)
    found = next((cause for known, cause in POD_FIXES.items() if reason == known or known in message), None)
    return Cause(found[0], _described(pod), found[1]) if found else None


def _described(pod: Mapping) -> str:
    return f"pod {pod['name']}: " + ": ".join(filter(None, (pod["reason"], pod["message"])))
