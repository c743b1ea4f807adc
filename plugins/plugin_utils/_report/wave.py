# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a wave of a rollout has come to, from the variables of its hosts. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.text import printable

# A plan's action in a person's words, done and in check mode.
DONE = {
    "none": "as it was",
    "create": "installed",
    "update": "updated",
    "replace": "replaced",
    "adopt": "taken up",
}
PLANNED = {
    "none": "nothing to do",
    "create": "install",
    "update": "update",
    "replace": "replace",
    "adopt": "take up what is under way",
}
LONGEST_ERROR = 160  # characters; the whole error stands where it happened, and in the report
NAMES_SHOWN = 10


@dataclass(frozen=True)
class Cluster:
    """What a wave has made of one cluster.

    :param outcome: C(ok), C(changed), C(failed) or C(unreachable).
    :param extension: what was done with the extension, or would be.
    :param pods: how many components and pods are ready.
    :param error: why it failed.
    """

    name: str
    outcome: str
    extension: str = ""
    pods: str = ""
    error: str = ""


def cluster(name: str, variables: Mapping, converged: Mapping, reachable: bool, check_mode: bool) -> Cluster:
    """One cluster by what the role has left with its host.

    :param variables: the variables of the host.
    :param converged: what module converge has returned for it, if it was deployed with others.
    """
    extension = converged or _mapping(variables.get("azureml_extension"))
    plan = _mapping(extension.get("plan"))
    error = variables.get("azureml_failure") or ""
    if not reachable:
        outcome, error = "unreachable", error or "the machine that reaches it did not answer"
    elif error:
        outcome = "failed"
    else:
        outcome = "changed" if converged.get("changed") or _has_changed(variables, plan) else "ok"
    return Cluster(
        name,
        outcome,
        _step(plan, check_mode),
        # Where nothing differed, the comparison has looked at the pods, too.
        str(_mapping(variables.get("azureml_readiness") or extension.get("pod_readiness")).get("summary") or ""),
        str(error),
    )


def _mapping(value: object) -> Mapping:
    return value if isinstance(value, Mapping) else {}


def _has_changed(variables: Mapping, plan: Mapping) -> bool:
    attached = _mapping(variables.get("azureml_attached"))
    return plan.get("action", "none") != "none" or bool(attached.get("changed"))


def _step(plan: Mapping, check_mode: bool) -> str:
    action = plan.get("action")
    if action is None:
        return ""
    words = (PLANNED if check_mode else DONE).get(action, str(action))
    if action != "update":
        return words
    keys = [*_mapping(plan.get("properties")), *_mapping(plan.get("settings")), *(plan.get("protected_settings") or ())]
    return f"{words} {', '.join(sorted(keys))}"


def allowed_failures(budget: str, fleet: int) -> int:
    """How many clusters of a fleet may fail.

    :param budget: a number of clusters, or a percentage of the fleet.
    :raises AzureMLError: where it is neither.
    """
    text = str(budget).strip()
    number = text.removesuffix("%").strip()
    if not number.isdigit() or (text.endswith("%") and int(number) > 100):
        raise AzureMLError(
            f"azureml_max_failures must be a number of clusters or a percentage of them, like 5 or 10%, not '{budget}'"
        )
    return int(number) * fleet // 100 if text.endswith("%") else int(number)


@dataclass(frozen=True)
class Wave:
    """A wave that has come to its end.

    :param clusters: those of this wave.
    :param failed: the names of all clusters that have failed in this rollout.
    :param not_started: the names of those that are still to come.
    :param allowed: how many failures the rollout bears.
    """

    clusters: Sequence[Cluster]
    failed: Sequence[str]
    not_started: Sequence[str]
    allowed: int

    @property
    def exceeded(self) -> bool:
        return len(self.failed) > self.allowed

    def table(self) -> str:
        """The clusters as a table with the sum below it."""
        rows = [("cluster", "outcome", "extension", "pods", "why")]
        rows += [(one.name, one.outcome, one.extension, one.pods, _short(one.error)) for one in self.clusters]
        used = [index for index in range(len(rows[0])) if any(row[index] for row in rows[1:])]
        widths = {index: max(len(row[index]) for row in rows) for index in used}
        lines = ["  ".join(row[index].ljust(widths[index]) for index in used).rstrip() for row in rows]
        return "\n".join([*lines, self.summary()])

    def summary(self) -> str:
        """How the rollout stands, and what follows from it."""
        counts = {
            outcome: sum(one.outcome == outcome for one in self.clusters)
            for outcome in ("ok", "changed", "failed", "unreachable")
        }
        text = ", ".join(f"{count} {outcome}" for outcome, count in counts.items() if count)
        text = f"{text}; failed so far: {_names(self.failed)}; still to come: {_names(self.not_started)}"
        if self.exceeded:
            text += f"; the rollout stops, azureml_max_failures allows {self.allowed}"
        return text

    def stats(self) -> dict:
        """How the rollout stands, as data, with why clusters of this wave have failed."""
        return {
            "summary": self.summary(),
            "failed_clusters": list(self.failed),
            "not_started": list(self.not_started),
            "exceeded": self.exceeded,
            "errors": {one.name: _short(one.error) for one in self.clusters if one.error},
        }


def _short(error: str) -> str:
    line = printable(" ".join(error.split()))
    return line if len(line) <= LONGEST_ERROR else line[: LONGEST_ERROR - 3] + "..."


def _names(names: Sequence[str]) -> str:
    if not names:
        return "none"
    more = f" and {len(names) - NAMES_SHOWN} more" if len(names) > NAMES_SHOWN else ""
    return f"{len(names)} ({', '.join(names[:NAMES_SHOWN])}{more})"
