# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Name the cause of a failure in a few words, so that equal failures of many clusters form a group. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ansible_collections.azureml.arc.plugins.module_utils._readiness.pods import IMAGE_PULL
from ansible_collections.azureml.arc.plugins.plugin_utils._report.results import innermost


@dataclass(frozen=True)
class PodCause:
    """A cause that is visible in pods.

    :param reasons: the reasons that Kubernetes gives for a container or a pod.
    :param fix: the next step.
    """

    kind: str
    reasons: tuple[str, ...]
    fix: str


# The most significant first: a pod that cannot pull its image explains others that wait for it. The reasons are those
# of kubelet (pkg/kubelet/images/types.go, kuberuntime_container.go) and of the pod condition PodScheduled.
PODS = (
    PodCause(
        "image pull",
        IMAGE_PULL,
        "Check that the nodes reach the registry of the image, through their proxy if they have one.",
    ),
    PodCause(
        "container configuration",
        ("CreateContainerConfigError", "CreateContainerError", "RunContainerError"),
        "Check that the secrets and config maps of the pod exist: kubectl describe pod.",
    ),
    PodCause("out of memory", ("OOMKilled",), "Raise the memory of the nodes or the limits of the component."),
    PodCause("crash loop", ("CrashLoopBackOff",), "Read the last log of the pod: kubectl logs --previous."),
    PodCause("unschedulable pods", ("Unschedulable",), "Free or add resources, or change the node selector."),
)
# Codes that are less specific than pods or the extension's health checks.
OUTER_CODES = ("", "ExtensionOperationFailed", "NotReady", "Timeout")
CODES = {
    "AuthenticationFailed": "sign-in failed",
    "AuthorizationFailed": "missing permission",
    "Forbidden": "missing permission",
    "ClusterNotConnected": "not connected",
    "ClusterNotRunning": "not running",
    "ExtensionOperationFailed": "extension failed",
    "NoResponse": "no response",
    "NotReady": "pods not ready",
    "Timeout": "timed out",
    "Unreachable": "no response",
}
# Checks of a preflight whose names are less clear than their outcome.
CHECKS = {"connectivity": "not connected", "kubernetes_api": "no response"}
LONGEST_DETAIL = 240  # characters; the row of a cluster shows it
PODS_NAMED = 2


def cause_of(failure: Mapping, readiness: Mapping | None) -> dict:
    """Return the cause of a failure as C(full_cause_of), with a C(detail) that fits into a row.

    :param failure: a failure of the report.
    :param readiness: the readiness of the cluster, if it is known.
    """
    cause = full_cause_of(failure, readiness)
    return {**cause, "detail": short(cause["detail"])}


def full_cause_of(failure: Mapping, readiness: Mapping | None) -> dict:
    """Return the cause of a failure: C(kind), which clusters share, C(detail), in one line, and C(fix).

    :param failure: a failure of the report.
    :param readiness: the readiness of the cluster, if it is known.
    """
    if failure["code"] in OUTER_CODES and readiness and not readiness["ready"]:
        found = _from_health_check(readiness["health_check"]) or _from_pods(readiness["not_ready"])
        # Missing components alone are a consequence of other differences.
        if found and not (failure["findings"] and found["kind"] == CODES["NotReady"]):
            return found
    findings = failure["findings"]
    detail = findings[0]["message"] if findings else innermost(failure["message"])
    hints = [failure["hint"], *(one["hint"] for one in findings)]
    return {"kind": _kind(failure), "detail": one_line(detail), "fix": next(filter(None, hints), "")}


def _kind(failure: Mapping) -> str:
    checks = [one["check"] for one in failure["findings"] if one["check"]]
    if checks:
        return CHECKS.get(checks[0], f"check '{checks[0]}'")
    if failure["code"]:
        return CODES.get(failure["code"], _words(failure["code"]))
    if failure["findings"]:
        return "drift"
    return failure["task"] or "unknown"


def _words(code: str) -> str:
    """Return a code of a service as words: C(ParentResourceNotFound) is parent resource not found."""
    return " ".join(re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", code)).lower() or code


def _from_health_check(found: Iterable[Mapping]) -> dict | None:
    for one in found:
        detail = one_line(f"{one['name']}: {one['message']}")
        return {"kind": f"health check {one['code']}", "detail": detail, "fix": one["hint"]}
    return None


def _from_pods(rows: Iterable[Mapping]) -> dict | None:
    """Return the cause by pods, or by components if no pod has one."""
    rows = most_telling_first(rows)
    if not rows:
        return None
    rank = _rank(rows[0]["reason"])
    kind, fix = (PODS[rank].kind, PODS[rank].fix) if rank < len(PODS) else (CODES["NotReady"], "")
    pods = [row for row in rows if row["kind"] == "Pod"] or rows
    named = [f"{row['name']}: {row['reason']}" for row in pods[:PODS_NAMED]]
    more = [f"{len(pods) - PODS_NAMED} more"] if len(pods) > PODS_NAMED else []
    return {"kind": kind, "detail": one_line(", ".join([*named, *more])), "fix": fix}


def most_telling_first(rows: Iterable[Mapping]) -> list[Mapping]:
    """Return the pods and components that are not ready, in the order in which they explain a failure."""
    return sorted(rows, key=lambda row: (_rank(row["reason"]), row["kind"] != "Pod"))


def _rank(reason: str) -> int:
    return next((rank for rank, cause in enumerate(PODS) if reason in cause.reasons), len(PODS))


def one_line(text: str) -> str:
    """Return a text without line breaks and repeated spaces."""
    return " ".join(text.split())


def short(text: str, longest: int = LONGEST_DETAIL) -> str:
    """Return a text in one line of no more than C(longest) characters."""
    line = one_line(text)
    return line if len(line) <= longest else f"{line[: longest - 3]}..."


def grouped(clusters: Iterable[Mapping]) -> list[dict]:
    """Return the causes of all clusters that have one, the most frequent first."""
    groups: dict[str, list[str]] = {}
    for one in clusters:
        if one["cause"]:
            groups.setdefault(one["cause"]["kind"], []).append(one["name"])
    return [{"kind": kind, "clusters": names} for kind, names in sorted(groups.items(), key=lambda item: -len(item[1]))]
