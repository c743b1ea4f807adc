# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run over a fleet as data: what became of each cluster, when, and why. Pure."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone

from ansible_collections.azureml.arc.plugins.module_utils._core.text import printable

SCHEMA_VERSION = 1  # raised where a reader of the former one would break
# What a task is about, by its action; others are no work on a cluster.
PHASES = {
    "preflight": "preflight",
    "extension": "extension",
    "drift": "extension",
    "pod_readiness": "readiness",
    "compute": "attach",
    "instance_type": "cluster",
    "namespace": "cluster",
    "node": "cluster",
    "openshift_scc": "cluster",
    "tls_secret": "cluster",
}
COLLECTION = "azureml.arc."
# What one look at a whole cluster has of later phases.
PARTS = {"pod_readiness": "readiness", "computes": "attach"}
# What the report calls the fields of a finding of the extension's own checks.
HEALTH_CHECK = {"code": "code", "name": "check", "message": "message", "hint": "hint"}
MOST_ROWS = 50  # components and pods of one cluster that are not ready, warnings
# Characters that XML 1.0 cannot carry, see https://www.w3.org/TR/xml/#charsets
NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def phase_of(action: str) -> str | None:
    """The phase that a task of this action belongs to, C(None) for none."""
    return PHASES.get(action.removeprefix(COLLECTION)) if action.startswith(COLLECTION) else None


@dataclass
class _Cluster:
    """What is known of one host."""

    wave: int
    phases: dict = field(default_factory=dict)
    extension: dict | None = None
    readiness: dict | None = None
    computes: dict = field(default_factory=dict)
    failures: list = field(default_factory=list)
    warnings: list = field(default_factory=list)
    changed: bool = False
    unreachable: bool = False

    def note_phase(self, phase: str, start: float, end: float) -> None:
        """Let a phase last from its first task to its last."""
        first, _last = self.phases.get(phase, (start, end))
        self.phases[phase] = (first, end)


@dataclass(frozen=True)
class Ended:
    """A task that has ended on a host.

    :param action: its full name, C(azureml.arc.extension).
    :param task: what the playbook calls it.
    :param how: C(ok), C(failed) or C(unreachable).
    :param start: seconds since 1970, as C(end).
    """

    action: str
    task: str
    how: str
    start: float
    end: float


class FleetReport:
    """Takes the results of a run as they come.

    :param playbook: the name of the playbook.
    :param started: seconds since 1970.
    """

    def __init__(self, playbook: str, started: float) -> None:
        self._playbook = playbook
        self._started = started
        self._wave = 0
        self._clusters: dict[str, _Cluster] = {}

    def begin_play(self) -> None:
        """A play, or a wave of one, begins."""
        self._wave += 1

    def add(self, host: str, ended: Ended, result: Mapping) -> None:
        """The result of a task on a host, as callbacks get it: without what C(no_log) hides."""
        cluster = self._clusters.setdefault(host, _Cluster(self._wave))
        phase = phase_of(ended.action)
        if phase:
            cluster.note_phase(phase, ended.start, ended.end)
        cluster.unreachable |= ended.how == "unreachable"
        items = [one for one in result.get("results") or () if isinstance(one, Mapping)]
        for one in items or [result]:
            failed = ended.how != "ok" and (not items or bool(one.get("failed")))
            self._note(cluster, phase, ended.task, one, failed)

    def add_converged(self, outcomes: Mapping) -> None:
        """What has become of clusters that were deployed in one task, by host; module converge documents it."""
        for host, outcome in outcomes.items():
            cluster = self._clusters.setdefault(host, _Cluster(self._wave))
            for step in outcome["steps"]:
                cluster.note_phase(PHASES[step["module"]], step["start"], step["end"])
            step = outcome.get("failed_step", "")
            told = {**outcome, "msg": outcome["msg"].removeprefix(f"{step}: ")}
            self._note(cluster, "extension", step, told, bool(outcome.get("failed")))

    def _note(self, cluster: _Cluster, phase: str | None, task: str, result: Mapping, failed: bool) -> None:
        cluster.changed |= bool(result.get("changed")) and not failed
        room = MOST_ROWS - len(cluster.warnings)
        cluster.warnings += [printable(one) for one in (result.get("warnings") or ())[:room]]
        if failed:
            failure = _failure(task, result)
            # A task that only passes on what has failed before tells nothing new.
            if not cluster.failures or not failure["message"].endswith(cluster.failures[-1]["message"] or "?"):
                cluster.failures.append(failure)
        if phase == "extension" and isinstance(result.get("plan"), Mapping):
            cluster.extension = _extension(result, cluster.extension)
        elif phase == "readiness" and "components" in result:
            cluster.readiness = _readiness(result)
        elif phase == "attach" and isinstance(result.get("plan"), Mapping):
            compute = result.get("compute") or {}
            before = cluster.computes.get(compute.get("name"))
            cluster.computes[compute.get("name")] = {
                "name": printable(compute.get("name")),
                "action": _kept_action(result["plan"], before),
                "provisioning_state": printable(compute.get("provisioning_state")),
            }
        for name, kind in PARTS.items() if phase == "extension" else ():
            parts = result.get(name) or ()
            for part in [parts] if isinstance(parts, Mapping) else parts:
                self._note(cluster, kind, task, part, False)

    def as_dict(self, failed: Collection[str], ended: float) -> dict:
        """The report; docs/fleet-report.schema.json describes it.

        :param failed: the hosts that count as failed at the end; what was rescued does not.
        :param ended: seconds since 1970.
        """
        clusters = [self._row(name, one, name in failed) for name, one in self._clusters.items()]
        outcomes = [one["outcome"] for one in clusters]
        return {
            "schema_version": SCHEMA_VERSION,
            "playbook": self._playbook,
            "started": datetime.fromtimestamp(self._started, timezone.utc).isoformat(timespec="seconds"),
            "seconds": round(ended - self._started, 3),
            "totals": {name: outcomes.count(name) for name in ("ok", "changed", "failed", "unreachable")},
            "clusters": clusters,
        }

    def _row(self, name: str, cluster: _Cluster, failed: bool) -> dict:
        outcome = "changed" if cluster.changed else "ok"
        if failed:
            outcome = "unreachable" if cluster.unreachable else "failed"
        return {
            "name": name,
            "wave": cluster.wave,
            "outcome": outcome,
            "phases": [
                {"name": phase, "start": round(start - self._started, 3), "end": round(end - self._started, 3)}
                for phase, (start, end) in cluster.phases.items()
            ],
            "extension": cluster.extension,
            "readiness": cluster.readiness,
            "computes": list(cluster.computes.values()),
            "failures": cluster.failures if failed else [],
            "warnings": cluster.warnings,
        }


def _failure(task: str, result: Mapping) -> dict:
    error = result.get("error") if isinstance(result.get("error"), Mapping) else {}
    return {
        "task": task,
        "message": printable(result.get("msg")),
        "code": printable(error.get("code")),
        "correlation_id": printable(error.get("correlation_id")),
        "hint": printable(error.get("hint")),
    }


def _kept_action(plan: Mapping, before: Mapping | None) -> str:
    """What was done: a later look that finds nothing left to do does not undo it."""
    action = printable(plan.get("action"))
    return before["action"] if before and action == "none" else action


def _extension(result: Mapping, before: Mapping | None) -> dict:
    present = result.get("extension") or {}
    plan = result["plan"]
    # All settings of a new extension would differ; the table of a fleet has better uses for its space.
    changes = (
        {**(plan.get("properties") or {}), **(plan.get("settings") or {})} if plan.get("action") != "create" else {}
    )
    return {
        "action": _kept_action(plan, before),
        "reason": before["reason"] if before and plan.get("action") == "none" else printable(plan.get("reason")),
        "version": printable(present.get("current_version")),
        "provisioning_state": printable(present.get("provisioning_state")),
        "changes": {
            printable(key): {name: printable(one.get(name)) for name in ("before", "after")}
            for key, one in changes.items()
        }
        or (before["changes"] if before else {}),
    }


def _readiness(result: Mapping) -> dict:
    rows = [*(result.get("components") or ()), *({**one, "kind": "Pod"} for one in result.get("pods") or ())]
    return {
        "ready": bool(result.get("ready")),
        "summary": printable(result.get("summary")),
        "not_ready": [
            {name: printable(row.get(name)) for name in ("kind", "name", "reason", "message")}
            for row in rows
            if not row.get("ready")
        ][:MOST_ROWS],
        "health_check": [
            {name: printable(one.get(key)) for name, key in HEALTH_CHECK.items()}
            for one in result.get("health_check") or ()
        ][:MOST_ROWS],
    }


def as_junit(report: Mapping) -> str:
    """The report as JUnit XML: a test case a cluster, for what shows test results."""
    totals = report["totals"]
    suite = ET.Element(
        "testsuite",
        name=report["playbook"],
        tests=str(len(report["clusters"])),
        failures=str(totals["failed"]),
        errors=str(totals["unreachable"]),
        time=str(report["seconds"]),
        timestamp=report["started"],
    )
    for one in report["clusters"]:
        spans = one["phases"] or [{"start": 0, "end": 0}]
        seconds = max(span["end"] for span in spans) - min(span["start"] for span in spans)
        case = ET.SubElement(
            suite, "testcase", classname=f"wave {one['wave']}", name=_in_xml(one["name"]), time=f"{seconds:.3f}"
        )
        if one["outcome"] in ("failed", "unreachable"):
            kind = "failure" if one["outcome"] == "failed" else "error"
            failures = one["failures"] or [{"task": "", "message": "it failed without a message", "code": ""}]
            last = failures[-1]
            element = ET.SubElement(case, kind, message=_in_xml(last["message"]), type=_in_xml(last["code"] or kind))
            element.text = _in_xml("\n".join(f"{failure['task']}: {failure['message']}" for failure in failures))
    return ET.tostring(suite, encoding="unicode", xml_declaration=True)


def _in_xml(value: str) -> str:
    return NOT_IN_XML.sub("\ufffd", value)
