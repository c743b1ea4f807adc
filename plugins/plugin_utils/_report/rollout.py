# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result of a wave of a rollout, by the results of its clusters. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.text import counted, named, printable
from ansible_collections.azureml.arc.plugins.plugin_utils._report.actions import EXTENSION, in_words
from ansible_collections.azureml.arc.plugins.plugin_utils._report.causes import cause_of, short
from ansible_collections.azureml.arc.plugins.plugin_utils._report.results import read_cluster

OUTCOMES = ("ok", "changed", "failed", "unreachable", "gone", "pending", "not started")
NO_RESULT = "no result: the host did not respond"
STILL_PENDING = "no result so far: the cluster has its own task"
LONGEST_CAUSE = 160  # characters; the line of the cluster and the report have the whole error


@dataclass(frozen=True)
class Row:
    """A cluster of a wave.

    :param outcome: one of C(OUTCOMES).
    :param extension: the change of the extension.
    :param pods: the number of components and pods that are ready.
    :param cause: why it failed.
    """

    name: str
    outcome: str
    extension: str = ""
    pods: str = ""
    cause: str = ""

    @property
    def counts_as_failed(self) -> bool:
        """Whether the failure budget counts the cluster, which it does not if the cluster is gone."""
        return self.outcome in ("failed", "unreachable")


def row(name: str, result: Mapping | None, check_mode: bool, ended: bool = True) -> Row:
    """Return a cluster by its result.

    :param result: as module C(cluster) returns it, C(None) if there is none.
    :param ended: whether all clusters of the wave should have a result.
    """
    if result is None:
        return Row(name, "unreachable", cause=NO_RESULT) if ended else Row(name, "pending", cause=STILL_PENDING)
    if result.get("unreachable"):
        return Row(name, "unreachable", cause=printable(str(result.get("msg") or NO_RESULT)))
    if result.get("skipped"):
        return Row(name, "not started")
    failed = bool(result.get("failed"))
    # Resource Graph may list a cluster in inventories for hours after its deletion.
    failure = "gone" if result.get("gone") else "failed"
    outcome = failure if failed else "changed" if result.get("changed") else "ok"
    return Row(
        name,
        outcome,
        _extension(result, check_mode),
        str((result.get("pod_readiness") or {}).get("summary") or ""),
        _cause(result) if failed else "",
    )


def _cause(result: Mapping) -> str:
    found = read_cluster(result)
    cause = cause_of(found.failure, found.readiness)
    return printable(f"{cause['kind']}: {cause['detail']}")


def _extension(result: Mapping, check_mode: bool) -> str:
    plan = result.get("plan") or {}
    action = plan.get("action")
    if action is None:
        return ""
    state = ((result.get("extension") or {}).get("provisioning_state") or "").lower()
    if result.get("failed") and not check_mode and state != "succeeded" and action != "none":
        return "failed"
    # A verification finds differences, and changes nothing either.
    text = in_words(action, EXTENSION, planned=check_mode or "findings" in result)
    if action != "update":
        return text
    version = (plan.get("properties") or {}).get("version") or {}
    if version.get("before") and version.get("after"):
        return f"{version['before']} -> {version['after']}"
    keys = [*(plan.get("properties") or {}), *(plan.get("settings") or {}), *(plan.get("protected_settings") or ())]
    return f"{text}: {', '.join(sorted(keys))}"


def allowed_failures(budget: str, fleet: int) -> int:
    """Return the number of clusters that may fail.

    :param budget: a number of clusters, or a percentage of the fleet, which is rounded down.
    :raises AzureMLError: if it is neither.
    """
    text = str(budget).strip()
    number = text.removesuffix("%").strip()
    if not number.isdecimal() or (text.endswith("%") and int(number) > 100):
        raise AzureMLError(
            f"azureml_max_failures must be a number of clusters or a percentage like 5 or 10%, not '{budget}'"
        )
    return int(number) * fleet // 100 if text.endswith("%") else int(number)


def count_waves(sizes: Sequence[object], hosts: int) -> int:
    """Return the number of batches into which Ansible divides the hosts of a play.

    :param sizes: the keyword C(serial): numbers of hosts, or percentages, rounded down to at least 1; the last one
        applies to all following batches. See pct_to_int in ansible.utils.helpers.
    """
    left, count = hosts, 0
    while left > 0:
        size = str(sizes[min(count, len(sizes) - 1)]) if sizes else str(hosts)
        number = int(int(size[:-1]) / 100 * hosts) or 1 if size.endswith("%") else int(size)
        left -= number if number > 0 else left
        count += 1
    return count


@dataclass(frozen=True)
class Wave:
    """A wave that has ended, or all clusters of a playbook without waves.

    :param rows: its clusters.
    :param failed: the names of all clusters that have failed so far, in this wave or before it.
    :param not_started: the names of the clusters of later waves.
    :param allowed: the number of clusters that may fail; C(None) if there is no budget.
    :param number: of the wave, from 1 on.
    :param elapsed: seconds since the first wave began.
    :param waves: the number of waves; 0 if unknown.
    :param stopped_by: the summary of the former wave that was the last to start; empty for a wave that starts.
    :param noun: the kind of the hosts, C(cluster) or C(machine).
    """

    rows: Sequence[Row]
    failed: Sequence[str] = ()
    not_started: Sequence[str] = ()
    allowed: int | None = None
    number: int = 1
    elapsed: float = 0.0
    waves: int = 0
    stopped_by: str = ""
    noun: str = "cluster"

    @property
    def pending(self) -> list[str]:
        """The clusters whose results are still to come."""
        return [one.name for one in self.rows if one.outcome == "pending"]

    @property
    def stopped(self) -> bool:
        """Whether no further wave starts."""
        if self.stopped_by:
            return True
        if self.allowed is None:
            return False
        return len(self.failed) > self.allowed or bool(self.not_started and self._none_is_left)

    @property
    def _none_is_left(self) -> bool:
        """Whether Ansible ends the play because every host of the batch failed; a missing cluster counts, too."""
        return bool(self.rows) and all(one.counts_as_failed or one.outcome == "gone" for one in self.rows)

    def table(self) -> str:
        """Return the clusters as a table, the failed ones first.

        Causes are in a few words: the line of the cluster has the rest.
        """
        rows = [("cluster", "outcome", "extension", "pods", "cause")]
        ordered = sorted(self.rows, key=lambda one: one.outcome not in ("failed", "unreachable", "gone"))
        rows += [(one.name, one.outcome, one.extension, one.pods, one.cause.partition(": ")[0]) for one in ordered]
        used = [index for index in range(len(rows[0])) if any(one[index] for one in rows[1:])]
        widths = {index: max(len(one[index]) for one in rows) for index in used}
        return "\n".join("  ".join(one[index].ljust(widths[index]) for index in used).rstrip() for one in rows)

    def summary(self) -> str:
        """Return the result in a line, with the next step."""
        if self.stopped_by:
            return f"{self._title}: not started; {self.stopped_by}"
        counts = {outcome: sum(one.outcome == outcome for one in self.rows) for outcome in OUTCOMES}
        text = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
        if self.allowed is None:
            text = ": ".join(filter(None, (self._title, text)))
        else:
            text = f"{self._title} ({self.elapsed:.0f} s): {text}; failed so far: {named(self.failed)}"
            if self.not_started:
                text += f"; still to come: {named(self.not_started)}{self._stop}"
        left = [*self.failed, *self.not_started]
        if left and not self.pending and (self.allowed is None or self.stopped or not self.not_started):
            text += f"; retry with --limit {','.join(left)}"
        return text

    @property
    def _stop(self) -> str:
        """Why the clusters that have not started will not; empty if they will."""
        if not self.stopped:
            return ""
        if len(self.failed) > self.allowed:
            return f"; the rollout stops, because azureml_max_failures allows {self.allowed}"
        gone = " or is gone" if any(one.outcome == "gone" for one in self.rows) else ""
        return f"; the rollout stops, because every cluster of the wave failed{gone}"

    @property
    def _title(self) -> str:
        if self.allowed is None:
            return counted(len(self.rows), self.noun)
        return f"wave {self.number} of {self.waves}" if self.waves else f"wave {self.number}"

    def stats(self) -> dict:
        """Return the result as data, with the causes of failures. A pending cluster counts as failed."""
        failed = [*self.failed, *self.pending]
        return {
            "summary": self.summary(),
            "failed_clusters": failed,
            "not_started": list(self.not_started),
            "exceeded": replace(self, failed=failed).stopped,
            "clusters": {one.name: one.outcome for one in self.rows},
            "errors": {one.name: short(one.cause, LONGEST_CAUSE) for one in self.rows if one.cause},
        }
