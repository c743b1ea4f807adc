# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The console output for clusters."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.plugin_utils._report.console import (
    failure_lines,
    interrupted_lines,
    result_lines,
)

BROKEN = {
    "failed": True,
    "failed_step": "Wait until the extension is installed",
    "msg": "Wait until the extension is installed: it failed. Not ready: Pod relay-1: ImagePullBackOff: no image",
    "error": {
        "code": "ExtensionOperationFailed",
        "message": "The extension operation failed: Error: [ InnerError: [timed out]] occurred",
        "correlation_id": "c-1",
        "hint": None,
    },
    "pod_readiness": {
        "ready": False,
        "components": [{"kind": "Deployment", "name": "relay", "ready": False, "reason": "Unavailable", "message": ""}],
        "pods": [{"name": "relay-1", "ready": False, "reason": "ImagePullBackOff", "message": "no image"}],
    },
}


def test_interrupted_run_lists_the_clusters_of_each_step():
    steps = {"a": "Submit the extension", "b": "Wait until the pods are ready", "c": "Submit the extension"}

    assert interrupted_lines({name: (step, name != "a") for name, step in steps.items()}).splitlines() == [
        "interrupted: Submit the extension: 2 (a, c)",
        "interrupted: Wait until the pods are ready: 1 (b)",
        "Operations in progress continue in Azure. Run the playbook again to resume.",
    ]
    assert interrupted_lines({}) == ""


def test_interrupted_run_that_sent_nothing_to_azure_leaves_no_operation():
    assert interrupted_lines({"a": ("Check the pods", False)}).splitlines() == [
        "interrupted: Check the pods: 1 (a)",
        "No operation is in progress in Azure. Run the playbook again.",
    ]


def test_failure_begins_with_the_cause_and_ends_with_the_fix():
    lines = failure_lines(BROKEN).splitlines()

    assert lines[0] == "image pull: Pod relay-1: ImagePullBackOff: no image"
    assert [line.strip() for line in lines[1:-1]] == [
        "Wait until the extension is installed: timed out (ExtensionOperationFailed, correlation id c-1)",
    ]
    assert lines[-1].strip().startswith("fix: Check that the nodes reach the registry")


def test_component_is_shown_only_if_none_of_its_pods_is():
    components = [
        {"kind": "Deployment", "name": name, "ready": False, "reason": "Unavailable", "message": "0 of 1"}
        for name in ("relay", "gateway")
    ]
    result = {**BROKEN, "pod_readiness": {**BROKEN["pod_readiness"], "components": components}}

    assert failure_lines(result).splitlines()[1].strip() == "Deployment gateway: Unavailable: 0 of 1"
    assert "Deployment relay" not in failure_lines(result)


@pytest.mark.parametrize(
    ("result", "lines"),
    [
        ({"msg": "no workspace"}, "unknown: no workspace"),
        (
            {"msg": "denied", "error": {"code": "AuthorizationFailed", "message": "denied", "correlation_id": "c-1"}},
            "missing permission: denied (AuthorizationFailed, correlation id c-1)",
        ),
        (
            {
                "msg": "it cannot take it: it is offline",
                "findings": [{"level": "error", "check": "connectivity", "message": "it is offline", "fix": ""}],
                "error": {"code": "PreflightFailed", "message": "it cannot take it: it is offline"},
            },
            "not connected: it is offline",
        ),
        ({"msg": "x" * 400}, f"unknown: {'x' * 400}"),
    ],
    ids=["message", "code", "finding", "long message in full"],
)
def test_failure_without_pods_is_one_line(result, lines):
    assert failure_lines({"failed": True, **result}) == lines


@pytest.mark.parametrize(
    ("result", "shown"),
    [
        ({"changed": True, "msg": "extension installed"}, ("changed", "[shop] extension installed")),
        ({"changed": False, "msg": "extension unchanged"}, ("ok", "[shop] extension unchanged")),
        ({"failed": True, "changed": True, "msg": "no"}, ("failed", "[shop] unknown: no")),
    ],
)
def test_finished_cluster_is_shown_with_outcome_and_message(result, shown):
    assert result_lines("shop", result) == shown


def test_rollback_is_shown_after_the_failure():
    result = {"failed": True, "msg": "no such version", "rollback": "Rolled back to version 1.1.61."}

    assert failure_lines(result).splitlines()[-1].strip() == "Rolled back to version 1.1.61."


def test_findings_about_pods_alone_end_without_an_empty_line():
    pods = [{"name": "relay", "ready": False, "reason": "Strange", "message": ""}]
    readiness = {"ready": False, "components": [], "pods": pods}
    result = {
        "failed": True,
        "msg": "pods: Pod relay: Strange",
        "findings": ["pods: Pod relay: Strange"],
        "pod_readiness": readiness,
    }

    assert failure_lines(result).splitlines() == ["pods not ready: Pod relay: Strange"]


def test_each_finding_of_a_verification_is_one_line():
    findings = ["extension: it differs (a.b)", "compute edge: it does not exist"]
    result = {"failed": True, "msg": "; ".join(findings), "findings": findings}

    assert [line.strip() for line in failure_lines(result).splitlines()] == [
        "drift: extension: it differs (a.b)",
        "compute edge: it does not exist",
    ]


def test_long_finding_is_shown_once_and_in_full():
    finding = f"extension: it differs ({'x' * 400}), which azureml_allow_disruption allows"
    result = {"failed": True, "msg": finding, "findings": [finding, "compute edge: it does not exist"]}

    assert [line.strip() for line in failure_lines(result).splitlines()] == [
        f"drift: {finding}",
        "compute edge: it does not exist",
    ]


def test_lines_beyond_the_limit_are_counted():
    rows = [{"name": f"p{number}", "ready": False, "reason": "Pending", "message": ""} for number in range(40)]
    result = {**BROKEN, "pod_readiness": {"ready": False, "components": [], "pods": rows}}

    lines = failure_lines(result).splitlines()

    assert len(lines) == 14
    assert lines[12].strip() == "and 8 more"
    assert "correlation id c-1" in lines[13]
