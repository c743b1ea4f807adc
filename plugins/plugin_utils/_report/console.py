# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the console shows of a cluster that failed: the cause first, then one finding a line. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ansible_collections.azureml.arc.plugins.plugin_utils._report.causes import cause_of
from ansible_collections.azureml.arc.plugins.plugin_utils._report.results import innermost, read_cluster
from ansible_collections.azureml.arc.plugins.plugin_utils._report.rollout import named

INDENT = " " * 8
MOST_LINES = 12  # of a cluster; the report and the result of its host have everything


def failure_lines(result: Mapping) -> str:
    """The failure of a cluster as lines, those after the first indented.

    :param result: as module C(cluster) returns it.
    """
    found = read_cluster(result)
    failure = found.failure
    cause = cause_of(failure, found.readiness)
    lines = [f"{cause['kind']}: {cause['detail']}"]
    lines += [line for line in _details(failure, found.readiness) if line not in cause["detail"]]
    if len(lines) > MOST_LINES:
        lines[MOST_LINES:] = [f"and {len(lines) - MOST_LINES} more"]
    reference = ", ".join(filter(None, (failure["code"], _correlation(failure))))
    lines += [f"({reference})"] if reference else []
    lines += [result["rollback"]] if result.get("rollback") else []
    fix = cause["fix"] or failure["hint"]
    lines += [f"fix: {fix}"] if fix else []
    return f"\n{INDENT}".join(lines)


def interrupted_lines(steps: Mapping[str, str]) -> str:
    """What an interrupted run leaves under way, as lines.

    :param steps: the last step of each cluster that has begun and not ended.
    """
    clusters: dict[str, list[str]] = {}
    for name, step in steps.items():
        clusters.setdefault(step, []).append(name)
    lines = [f"interrupted: {step}: {named(names)}" for step, names in clusters.items()]
    lines += ["Azure continues what has begun. Run the playbook again to resume."] if steps else []
    return "".join(f"{line}\n" for line in lines)


def _details(failure: Mapping, readiness: Mapping | None) -> Iterator[str]:
    message = innermost(failure["message"])
    if message:
        yield f"{failure['task']}: {message}" if failure["task"] else message
    for finding in failure["findings"]:
        yield finding["message"]
    for row in (readiness or {}).get("not_ready", ()):
        yield ": ".join(filter(None, (f"{row['kind']} {row['name']}", row["reason"], row["message"])))


def _correlation(failure: Mapping) -> str:
    return f"correlation id {failure['correlation_id']}" if failure["correlation_id"] else ""
