# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Short causes of failures."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.plugin_utils._report.causes import cause_of, grouped

FAILURE = {"task": "a task", "message": "it broke", "code": "", "correlation_id": "", "hint": "", "findings": []}
OFFLINE = {"check": "connectivity", "message": "it is Offline.", "hint": "Start it."}


def failure(**fields):
    return {**FAILURE, **fields}


def readiness(*reasons, health_check=()):
    rows = [{"kind": "Pod", "name": f"pod-{index}", "reason": reason} for index, reason in enumerate(reasons)]
    return {"ready": False, "not_ready": rows, "health_check": list(health_check)}


CASES = {
    "pods are the cause of a failed extension, the most specific reason first": (
        failure(code="ExtensionOperationFailed", hint="see the pods"),
        readiness("Unschedulable", "Unavailable", "ImagePullBackOff"),
        ("image pull", "pod-2: ImagePullBackOff, pod-0: Unschedulable, 1 more", "reach the registry"),
    ),
    "pods are the cause of a timeout": (
        failure(code="Timeout"),
        readiness("CrashLoopBackOff"),
        ("crash loop", "pod-0: CrashLoopBackOff", "kubectl logs"),
    ),
    "pods with an unknown reason": (
        failure(code="NotReady"),
        readiness("Strange"),
        ("pods not ready", "pod-0: Strange", ""),
    ),
    "the health check takes precedence over pods": (
        failure(code="ExtensionOperationFailed"),
        readiness("Pending", health_check=[{"code": "E40002", "name": "nodes", "message": "one", "hint": "add"}]),
        ("health check E40002", "nodes: one", "add"),
    ),
    "pods are not the cause of a missing permission": (
        failure(code="AuthorizationFailed", hint="Give a role."),
        readiness("ImagePullBackOff"),
        ("missing permission", "it broke", "Give a role."),
    ),
    "a check with its own kind": (
        failure(findings=[OFFLINE]),
        None,
        ("not connected", "it is Offline.", "Start it."),
    ),
    "any other check": (
        failure(code="PreflightFailed", findings=[{**OFFLINE, "check": "taints"}]),
        None,
        ("check 'taints'", "it is Offline.", "Start it."),
    ),
    "a finding of a verification": (
        failure(message="", findings=[{"check": "", "message": "extension: it differs", "hint": ""}]),
        None,
        ("drift", "extension: it differs", ""),
    ),
    "missing components are a consequence of drift": (
        failure(message="", findings=[{"check": "", "message": "extension: it differs", "hint": ""}]),
        readiness("NotFound"),
        ("drift", "extension: it differs", ""),
    ),
    "an unknown code": (failure(code="ParentResourceNotFound"), None, ("parent resource not found", "it broke", "")),
    "a numeric code": (failure(code="409"), None, ("409", "it broke", "")),
    "no code": (failure(task="Check variables"), None, ("Check variables", "it broke", "")),
    "no information": (failure(task="", message=""), None, ("unknown", "", "")),
    "a long message": (failure(message="x" * 400, code="Conflict"), None, ("conflict", f"{'x' * 237}...", "")),
}


@pytest.mark.parametrize(("failed", "pods", "expected"), CASES.values(), ids=CASES)
def test_failure_has_kind_detail_and_fix(failed, pods, expected):
    found = cause_of(failed, pods)

    assert (found["kind"], found["detail"]) == expected[:2]
    assert expected[2] in found["fix"]
    assert bool(expected[2]) == bool(found["fix"])


def test_causes_are_grouped_with_the_most_frequent_first():
    kinds = {"a": "image pull", "b": None, "c": "not connected", "d": "not connected"}
    clusters = [{"name": name, "cause": kind and {"kind": kind}} for name, kind in kinds.items()]

    assert grouped(clusters) == [
        {"kind": "not connected", "clusters": ["c", "d"]},
        {"kind": "image pull", "clusters": ["a"]},
    ]
