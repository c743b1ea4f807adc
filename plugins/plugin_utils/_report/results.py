# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the result of a task for one cluster. Only this file of the report depends on the fields of results. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ansible_collections.azureml.arc.plugins.module_utils._core.text import printable

COLLECTION = "azureml.arc."
# The phases of modules. Other tasks are not about clusters.
PHASES = {
    "preflight": "checks",
    "cluster_identity": "checks",
    "node_preflight": "checks",
    "namespace": "setup",
    "node": "setup",
    "openshift_scc": "setup",
    "supporting_resources": "extension",
    "tls_secret": "setup",
    "extension": "extension",
    "pod_readiness": "readiness",
    "compute": "attachment",
    "instance_type": "attachment",
    "endpoint_check": "proof",
    "job_check": "proof",
}
# Fields about the end of a task, which any result has.
OWN_FIELDS = ("changed", "msg", "error", "findings", "problems", "warnings")
# The data of each cluster is limited, so that the page of a fleet opens at once.
MOST_ROWS = 20  # components and pods that are not ready, findings, warnings
LONGEST_MESSAGE = 400  # characters of the message of a component or a pod
# In a message, findings start with their level.
LISTED_FINDING = re.compile(r"\[(?:error|warning|info)\] ")
# Azure wraps the message that explains a failure, sometimes twice: "...: Error: [ InnerError: [ ... ]]".
INNERMOST_ERROR = re.compile(r"InnerError: \[\s*(?!.*InnerError: \[)(.*?)\s*\]", re.DOTALL)


@dataclass(frozen=True)
class ClusterResult:
    """The facts about a cluster that one result holds. A missing fact is C(None) or empty."""

    changed: bool = False
    extension: dict | None = None
    readiness: dict | None = None
    endpoint: dict | None = None
    computes: list[dict] = field(default_factory=list)
    jobs: list[dict] = field(default_factory=list)
    failure: dict | None = None
    warnings: list[str] = field(default_factory=list)
    phases: list[dict] = field(default_factory=list)


def phase_of(module: str) -> str | None:
    """Return the phase of a module's work, by its short or full name; C(None) for other modules."""
    return PHASES.get(module.removeprefix(COLLECTION))


def read_module(action: str, task: str, result: Mapping, failed: bool) -> ClusterResult:
    """Read the result of a module, or of one item of its loop.

    :param action: its full name, C(azureml.arc.extension).
    :param task: the name of the task.
    """
    module = action.removeprefix(COLLECTION) if action.startswith(COLLECTION) else ""
    fields = {name: result[name] for name in OWN_FIELDS if name in result}
    if module == "pod_readiness":
        fields["pod_readiness"] = result
    elif module == "endpoint_check":
        fields["endpoint"] = result
    elif module == "compute":
        fields["computes"] = [result]
    elif module == "job_check":
        fields["jobs"] = result.get("jobs") or []
    elif module:
        fields = result
    return read_cluster({**fields, "failed": failed, "failed_step": task})


def read_cluster(result: Mapping) -> ClusterResult:
    """Read the result of a cluster as a whole, as the modules that deploy or verify whole clusters return it."""
    failed = bool(result.get("failed"))
    # A failed wait for pods has its fields at the top level.
    pods = result.get("pod_readiness") or result
    readiness = _readiness(pods) if "components" in pods else None
    return ClusterResult(
        changed=bool(result.get("changed")) and not failed,
        extension=_extension(result),
        readiness=readiness,
        endpoint=_endpoint(result.get("endpoint")),
        computes=[_compute(one) for one in result.get("computes") or () if _is_mapping(one.get("plan"))],
        jobs=[_job(one) for one in result.get("jobs") or () if _is_mapping(one) and "status" in one],
        failure=_failure(result, readiness) if failed else None,
        warnings=[printable(one) for one in (result.get("warnings") or ())[:MOST_ROWS]],
        phases=[
            {"name": phase, "start": step["start"], "end": step["end"]}
            for step in result.get("steps") or ()
            for phase in ["checks" if step.get("check") else phase_of(step.get("module", ""))]
            if phase and "end" in step
        ],
    )


def _is_mapping(value: object) -> bool:
    return isinstance(value, Mapping)


def _extension(result: Mapping) -> dict | None:
    plan = result.get("plan")
    if not _is_mapping(plan):
        return None
    present = result.get("extension") or {}
    # All settings of a new extension differ, which is irrelevant.
    differing = (
        {} if plan.get("action") == "create" else {**(plan.get("properties") or {}), **(plan.get("settings") or {})}
    )
    return {
        "action": printable(plan.get("action")),
        "reason": printable(plan.get("reason")),
        "version": printable(present.get("current_version")),
        "provisioning_state": printable(present.get("provisioning_state")),
        "changes": {
            printable(key): {name: printable(one.get(name)) for name in ("before", "after")}
            for key, one in differing.items()
            if _is_mapping(one)
        },
    }


def _readiness(result: Mapping) -> dict:
    components = list(result.get("components") or ())
    pods = [{**one, "kind": "Pod"} for one in result.get("pods") or ()]
    return {
        "ready": bool(result.get("ready")),
        "summary": printable(result.get("summary")),
        "components": len(components),
        "components_ready": sum(bool(one.get("ready")) for one in components),
        "not_ready": [
            {name: printable(row.get(name), LONGEST_MESSAGE) for name in ("kind", "name", "reason", "message")}
            for row in [*pods, *components]  # pods explain their components
            if not row.get("ready")
        ][:MOST_ROWS],
        "health_check": [
            {
                "code": printable(one.get("code")),
                "name": printable(one.get("check")),
                "message": printable(one.get("message")),
                "hint": printable(one.get("hint")),
            }
            for one in (result.get("health_check") or ())[:MOST_ROWS]
        ],
    }


def _endpoint(result: object) -> dict | None:
    if not _is_mapping(result) or "outcome" not in result:
        return None
    certificate = result.get("certificate") or {}
    return {
        "outcome": printable(result["outcome"]),
        "summary": printable(result.get("summary"), LONGEST_MESSAGE),
        "checked_from": printable(result.get("checked_from")),
        "not_after": printable(certificate.get("not_after")),
        "days_left": certificate.get("days_left"),
    }


def _compute(result: Mapping) -> dict:
    compute = result.get("compute") or {}
    return {
        "name": printable(compute.get("name")),
        "action": printable(result["plan"].get("action")),
        "provisioning_state": printable(compute.get("provisioning_state")),
    }


def _job(result: Mapping) -> dict:
    page = printable(result.get("studio_url"))
    found = {
        "name": printable(result.get("name")),
        "compute": printable(result.get("compute")),
        "instance_type": printable(result.get("instance_type")),
        "status": printable(result["status"]),
        "succeeded": bool(result.get("succeeded")),
        "reused": bool(result.get("reused")),
        "queue_seconds": result.get("queue_seconds"),
        "seconds": result.get("seconds"),
        "node": printable(result.get("node")),
        "studio_url": page if page.startswith("https://") else "",
    }
    return {**found, "summary": _summary_of_job(found)}


def _summary_of_job(job: Mapping) -> str:
    """Return the result of a job in a line: edge: Completed on node-0, queued for 12 s, ran for 4 s."""
    kind = f" ({job['instance_type']})" if job["instance_type"] else ""
    parts = [
        f"{job['compute']}{kind}: {job['status']}" + (f" on {job['node']}" if job["node"] else ""),
        f"queued for {job['queue_seconds']:.0f} s" if job["queue_seconds"] is not None else "",
        f"ran for {job['seconds']:.0f} s" if job["seconds"] is not None else "",
        "of an earlier run" if job["reused"] else "",
    ]
    return ", ".join(filter(None, parts))


def _failure(result: Mapping, readiness: Mapping | None) -> dict:
    error = result.get("error") if _is_mapping(result.get("error")) else {}
    step = printable(result.get("failed_step"))
    # The message of the error has no code, correlation id and hint, which have their own fields.
    message = printable(error.get("message") or result.get("msg")).removeprefix(f"{step}: ")
    findings = list(_findings(result.get("findings") or ()))
    # Those of pods are rows of the readiness.
    problems = (result.get("problems") or ()) if "components" in result else ()
    listed = [*(one["message"] for one in findings), *problems]
    pods = [f"{one['name']}: {one['reason']}" for one in (readiness or {}).get("not_ready", ())]
    return {
        "task": step,
        "message": _without_list(message, listed),
        "code": printable(error.get("code")),
        "correlation_id": printable(error.get("correlation_id")),
        "hint": printable(error.get("hint")),
        # The readiness of the cluster contains the findings of a verification about pods, too.
        "findings": [one for one in findings if not any(pod in one["message"] for pod in pods)][:MOST_ROWS],
    }


def _findings(found: Iterable) -> Iterator[dict]:
    """Yield the findings of a preflight (mappings) or of a verification (lines); errors only, if there are any."""
    rows = [one if _is_mapping(one) else {"level": "error", "message": one} for one in found]
    serious = [one for one in rows if one.get("level") == "error"]
    for one in serious or rows:
        yield {
            "check": printable(one.get("check")),
            "message": printable(one.get("message")),
            "hint": printable(one.get("fix")),
        }


def _without_list(message: str, listed: Iterable[str]) -> str:
    """Return a message without the findings at its end, which are shown as a list."""
    starts = [message.find(one) for one in listed if one and one in message]
    if not starts:
        return message
    lead = LISTED_FINDING.split(message[: min(starts)])[0]
    return lead.rstrip(" :;")


def innermost(message: str) -> str:
    """Return the part of Azure's error message that explains the failure."""
    found = INNERMOST_ERROR.search(message)
    return found[1] if found else message
