# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run over a fleet as data: the result of each cluster, the cause of its failure, and its timeline. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone

from ansible_collections.azureml.arc.plugins.module_utils._core.text import printable
from ansible_collections.azureml.arc.plugins.plugin_utils._report.causes import cause_of, grouped, most_telling_first
from ansible_collections.azureml.arc.plugins.plugin_utils._report.headline import headline
from ansible_collections.azureml.arc.plugins.plugin_utils._report.results import (
    MOST_ROWS,
    ClusterResult,
    phase_of,
    read_cluster,
    read_module,
)

SCHEMA_VERSION = 1  # increased if a reader of the former version would break
OUTCOMES = ("ok", "changed", "failed", "unreachable", "not_started")
NO_MESSAGE = {
    "task": "",
    "message": "it failed without a message",
    "code": "",
    "correlation_id": "",
    "hint": "",
    "findings": [],
}
LONGEST_COMPARED = 200  # characters; longer messages may be cut


@dataclass(frozen=True)
class Run:
    """The start of a run.

    :param playbook: the file name of the playbook.
    :param started: seconds since 1970.
    :param inventory: the inventory sources, as given on the command line.
    :param limit: the option C(--limit), empty for none.
    """

    playbook: str = ""
    started: float = 0
    inventory: str = ""
    limit: str = ""
    check_mode: bool = False


@dataclass(frozen=True)
class Ended:
    """A task that ended on a host.

    :param action: its full name, C(azureml.arc.extension).
    :param task: its name in the playbook.
    :param status: C(ok), C(failed) or C(unreachable).
    :param start: seconds since 1970, as C(end).
    """

    action: str
    task: str
    status: str
    start: float
    end: float


@dataclass(eq=False)
class _Wave:
    """A play, or a batch of one with C(serial), compared by identity."""

    allowed_failures: int | None = None
    stopped: bool = False


@dataclass
class _Cluster:
    """The facts about one host, from all results so far."""

    wave: _Wave
    phases: list[dict] = field(default_factory=list)
    extension: dict | None = None
    readiness: dict | None = None
    endpoint: dict | None = None
    computes: dict = field(default_factory=dict)
    jobs: list[dict] = field(default_factory=list)
    failures: list[dict] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    changed: bool = False
    unreachable: bool = False

    def add(self, result: ClusterResult) -> None:
        """Merge the facts of a result."""
        self.changed |= result.changed
        self.readiness = result.readiness or self.readiness
        self.endpoint = result.endpoint or self.endpoint
        self.jobs = result.jobs or self.jobs
        self.warnings = list(dict.fromkeys([*self.warnings, *result.warnings]))[:MOST_ROWS]
        for one in result.phases:
            self.add_phase(one["name"], one["start"], one["end"])
        if result.extension:
            self.extension = _merged(self.extension, result.extension, ("action", "reason", "changes"))
        for one in result.computes:
            self.computes[one["name"]] = _merged(self.computes.get(one["name"]), one, ("action",))
        if result.failure and not (self.failures and _passes_on(self.failures[-1], result.failure)):
            self.failures.append(result.failure)

    def add_phase(self, name: str, start: float, end: float) -> None:
        """Continue the phase, if it is the last one, or begin it."""
        if self.phases and self.phases[-1]["name"] == name:
            self.phases[-1]["end"] = end
        else:
            self.phases.append({"name": name, "start": start, "end": end})


def _merged(before: Mapping | None, after: dict, kept: Iterable[str]) -> dict:
    """Return the newer facts. A later task that finds nothing left to do does not undo what was done."""
    if before and after["action"] == "none":
        return {**after, **{name: before[name] for name in kept}}
    return after


def _passes_on(before: Mapping, failure: Mapping) -> bool:
    """Return whether a failure repeats the one before it, like tasks that fail again after a rescue."""
    text = before["message"] or next((one["message"] for one in before["findings"]), "")
    return bool(text) and text[:LONGEST_COMPARED] in failure["message"]


class FleetReport:
    """Collects the results of a run as they arrive."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._wave = _Wave()
        self._clusters: dict[str, _Cluster] = {}
        self._not_started: list[str] = []

    def begin_play(self) -> None:
        """Begin a play, or a batch of one with C(serial)."""
        self._wave = _Wave()

    def end_wave(self, result: Mapping) -> None:
        """Add the result of a batch of hosts, as module C(fleet) returns it."""
        self._wave.allowed_failures = result.get("allowed_failures")
        self._wave.stopped = bool(result.get("stopped"))
        self._not_started = list(result.get("not_started") or ())

    def add_cluster(self, host: str, result: Mapping) -> None:
        """Add the result of a cluster as a whole."""
        self._cluster(host).add(read_cluster(result))

    def add_task(self, host: str, ended: Ended, result: Mapping) -> None:
        """Add the result of any task, as callbacks get it: without values that C(no_log) hides."""
        phase = phase_of(ended.action)
        if not phase and ended.status == "ok":
            return  # not about a cluster
        cluster = self._cluster(host)
        if phase:
            cluster.add_phase(phase, ended.start, ended.end)
        cluster.unreachable |= ended.status == "unreachable"
        items = [one for one in result.get("results") or () if isinstance(one, Mapping)]
        for one in items or [result]:
            failed = ended.status != "ok" and (not items or bool(one.get("failed")))
            cluster.add(read_module(ended.action, ended.task, one, failed))

    def _cluster(self, host: str) -> _Cluster:
        return self._clusters.setdefault(host, _Cluster(self._wave))

    def as_dict(self, failed: Collection[str], ended: float) -> dict:
        """Return the report; docs/fleet-report.schema.json describes it.

        :param failed: the hosts that count as failed at the end; rescued failures do not.
        :param ended: seconds since 1970.
        """
        # Plays at the end of a run may have no clusters.
        waves = list(dict.fromkeys(one.wave for one in self._clusters.values()))
        clusters = [
            self._row(name, one, waves.index(one.wave) + 1, name in failed) for name, one in self._clusters.items()
        ]
        clusters += [
            self._row(name, _Cluster(_Wave()), None, False) for name in self._not_started if name not in self._clusters
        ]
        outcomes = [one["outcome"] for one in clusters]
        totals = {name: outcomes.count(name) for name in OUTCOMES}
        run = self._run
        return {
            "schema_version": SCHEMA_VERSION,
            "headline": headline(run.playbook, totals, run.check_mode),
            "playbook": run.playbook,
            "inventory": printable(run.inventory),
            "limit": printable(run.limit),
            "check_mode": run.check_mode,
            "started": datetime.fromtimestamp(run.started, timezone.utc).isoformat(timespec="seconds"),
            "seconds": round(ended - run.started, 3),
            "totals": totals,
            "causes": grouped(clusters),
            "waves": [
                {"number": number, "allowed_failures": one.allowed_failures, "stopped": one.stopped}
                for number, one in enumerate(waves, 1)
            ],
            "clusters": clusters,
        }

    def _row(self, name: str, cluster: _Cluster, wave: int | None, failed: bool) -> dict:
        outcome = "changed" if cluster.changed else "ok"
        if failed:
            outcome = "unreachable" if cluster.unreachable else "failed"
        if wave is None:
            outcome = "not_started"
        failures = (cluster.failures or [NO_MESSAGE]) if failed else []
        return {
            "name": printable(name),
            "wave": wave,
            "outcome": outcome,
            "cause": _cause(outcome, failures[-1], cluster.readiness) if failures else None,
            "phases": [
                {
                    "name": one["name"],
                    "start": round(one["start"] - self._run.started, 3),
                    "end": round(one["end"] - self._run.started, 3),
                }
                for one in cluster.phases
            ],
            "extension": cluster.extension,
            "readiness": _readiness(cluster.readiness),
            "endpoint": cluster.endpoint,
            "computes": list(cluster.computes.values()),
            "jobs": cluster.jobs,
            "failures": failures,
            "warnings": cluster.warnings,
        }


def _cause(outcome: str, failure: Mapping, readiness: Mapping | None) -> dict:
    cause = cause_of(failure, readiness)
    return {**cause, "kind": "node unreachable"} if outcome == "unreachable" else cause


def _readiness(found: Mapping | None) -> dict | None:
    """Return a readiness in the order of the console: what explains a failure first."""
    return {**found, "not_ready": most_telling_first(found["not_ready"])} if found else None
