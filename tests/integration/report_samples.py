# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fleet reports of invented runs, from results in the form of the modules."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.azureml.arc.plugins.plugin_utils._report.fleet_report import FleetReport, Run

STARTED = 1_795_647_661.0  # 2026-11-25T23:01:01Z
CORRELATION_ID = "52d3c8bc-f56b-4b76-bf4a-daaba92dacf3"
HELM = (
    "The extension operation failed with the following error: Error: [ InnerError: [Helm installation failed :"
    " timed out waiting for the condition]] occurred while doing the operation : [Create] on the config"
)
COMPONENTS = ("relayserver", "gateway", "aml-operator", "metrics-controller-manager", "volcano-admission")
HOSTILE = "<img src=x onerror='window.hacked=1'></script><script>window.hacked=1</script>"


def _steps(start: float, *modules: tuple[str, float]) -> list[dict]:
    steps = []
    for module, seconds in modules:
        steps.append({"name": module, "module": module, "start": STARTED + start, "end": STARTED + start + seconds})
        start += seconds
    return steps


def _pods(**broken: tuple[str, str]) -> dict:
    """Return a result of module C(pod_readiness), with reason and message of each component that is not ready."""
    rows = [
        {
            "kind": "Deployment",
            "name": name,
            "ready": name.replace("-", "_") not in broken,
            "reason": "Unavailable" if name.replace("-", "_") in broken else "",
            "message": "0 of 1 available" if name.replace("-", "_") in broken else "",
        }
        for name in COMPONENTS
    ]
    pods = [
        {"name": f"{name.replace('_', '-')}-8d1ee11e2-142a3", "ready": False, "reason": reason, "message": message}
        for name, (reason, message) in broken.items()
    ]
    good = len(rows) - len(pods)
    summary = f"{good} of {len(rows)} components and {good} of {len(rows)} pods are ready"
    return {"ready": not pods, "summary": summary, "components": rows, "pods": pods, "health_check": []}


def deployed(name: str, start: float, seconds: float = 60, action: str = "create") -> dict:
    """Return the result of a cluster that was deployed, or that was already in sync."""
    done = action != "none"
    work = (("extension", seconds), ("pod_readiness", seconds / 4), ("compute", seconds / 5)) if done else ()
    return {
        "changed": done,
        "plan": {"action": action, "reason": "the extension does not exist", "settings": {}, "properties": {}},
        "extension": {"current_version": "1.1.61", "provisioning_state": "Succeeded"},
        "pod_readiness": _pods(),
        "computes": [{"plan": {"action": action}, "compute": {"name": name, "provisioning_state": "Succeeded"}}],
        "steps": _steps(start, ("preflight", 2), *work),
    }


def updated(name: str, start: float) -> dict:
    """Return the result of a cluster whose extension was updated, and on which a job ran."""
    differing = {"version": {"before": "1.1.61", "after": "1.1.70"}}
    plan = {"action": "update", "reason": "it differs", "properties": differing, "settings": {}}
    found = deployed(name, start)
    page = f"https://ml.azure.com/runs/arc-check-{name}?wsid=/subscriptions/11111111-2222-3333-4444-555555555555"
    job = {"compute": name, "status": "Completed", "succeeded": True, "node": "node-0", "studio_url": page}
    return {
        **found,
        "steps": [*found["steps"], *_steps(found["steps"][-1]["end"] - STARTED, ("job_check", 20))],
        "jobs": [{**job, "name": f"arc-check-{name}", "queue_seconds": 12.0, "seconds": 4.0}],
        "plan": plan,
        "extension": {"current_version": "1.1.70", "provisioning_state": "Succeeded"},
    }


def image_pull(name: str, start: float, message: str = 'Back-off pulling image "relayserver:1.1.61"') -> dict:
    """Return the result of a cluster on which the extension failed because two pods do not run."""
    return {
        "failed": True,
        "failed_step": "Wait until the extension is installed",
        "changed": False,
        "msg": f"Wait until the extension is installed: {HELM} (code ExtensionOperationFailed).",
        "error": {
            "code": "ExtensionOperationFailed",
            "message": f"extension 'azureml' on connected cluster '{name}' failed: {HELM}",
            "correlation_id": CORRELATION_ID,
            "hint": "The pods did not become ready in time.",
        },
        "plan": {"action": "create", "reason": "the extension does not exist", "settings": {}, "properties": {}},
        "extension": {"current_version": None, "provisioning_state": "Creating"},
        "pod_readiness": _pods(
            aml_operator=("Unschedulable", "0/1 nodes are available: 1 Insufficient cpu."),
            relayserver=("ImagePullBackOff", message),
        ),
        "computes": [{"plan": {"action": "create"}, "compute": None}],
        "steps": _steps(start, ("preflight", 2), ("extension", 45)),
    }


def not_connected(name: str, start: float) -> dict:
    """Return the result of a cluster whose agents are offline."""
    found = "the cluster has connectivity status Offline since 2026-11-25T20:10:45Z."
    return {
        "failed": True,
        "failed_step": "Check that the extension can be installed",
        "changed": False,
        "error": {
            "code": "PreflightFailed",
            "message": f"cluster '{name}' is not ready for the extension: [error] connectivity: {found}",
        },
        "findings": [
            {
                "check": "connectivity",
                "level": "error",
                "message": found,
                "fix": "Repair its Arc agents (namespace 'azure-arc').",
            }
        ],
        "steps": _steps(start, ("preflight", 3)),
    }


def report(waves: list[Mapping[str, dict]], seconds: float, ends: tuple[dict, ...] = (), **run: object) -> dict:
    """Return a report of waves, each with the results of its clusters by name.

    :param ends: the result of each wave.
    :param run: fields of C(Run).
    """
    run = {"playbook": "rollout.yml", "inventory": "clusters.yml", "limit": "edge", **run}
    content = FleetReport(Run(started=STARTED, **run))
    failed = set()
    for index, wave in enumerate(waves):
        content.begin_play()
        for name, result in wave.items():
            content.add_cluster(name, result)
            failed |= {name} if result.get("failed") else set()
        if ends:
            content.end_wave(ends[index])
    return content.as_dict(failed, STARTED + seconds)


def rollout() -> dict:
    """Return a report of six clusters in three waves, two of which failed."""
    return report(
        [
            {"f1": deployed("f1", 3)},
            {"f2": updated("f2", 100), "f3": image_pull("f3", 100)},
            {"f4": deployed("f4", 205, 80), "f5": not_connected("f5", 204), "f6": deployed("f6", 206, action="none")},
        ],
        seconds=330,
        ends=tuple({"allowed_failures": 5, "not_started": [], "stopped": False} for _wave in range(3)),
    )


def stopped_rollout() -> dict:
    """Return a report of a rollout that stopped after the second wave."""
    ends = (
        {"allowed_failures": 0, "not_started": ["f3", "f4"], "stopped": False},
        {"allowed_failures": 0, "not_started": ["f3", "f4"], "stopped": True},
    )
    return report([{"f1": deployed("f1", 3)}, {"f2": image_pull("f2", 100, HOSTILE)}], 200, ends)


def fleet(count: int) -> dict:
    """Return a report of many clusters in three waves, every tenth of which failed."""
    waves: list[dict[str, dict]] = [{}, {}, {}]
    for index in range(count):
        name, wave = f"shop-{index:04}", (index >= count // 20) + (index >= count // 4)
        start = 700 * wave + index % 90
        if index % 10:
            waves[wave][name] = deployed(name, start, 200 + index % 170)
        else:
            waves[wave][name] = not_connected(name, start) if index % 20 else image_pull(name, start)
    ends = tuple({"allowed_failures": count // 5, "not_started": [], "stopped": False} for _wave in waves)
    return report(waves, seconds=2400, ends=ends)
