# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Describe clusters on the console: failures with the cause first and one finding per line. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ansible_collections.azureml.arc.plugins.module_utils._core.text import named
from ansible_collections.azureml.arc.plugins.plugin_utils._report.causes import (
    full_cause_of,
    most_telling_first,
    one_line,
)
from ansible_collections.azureml.arc.plugins.plugin_utils._report.results import innermost, read_cluster

INDENT = " " * 8
MOST_LINES = 12  # per cluster; the report and the result of its host contain everything


def result_lines(name: str, result: Mapping) -> tuple[str, str]:
    """Return the outcome of a cluster, and the text after it on the console.

    :param name: its host.
    :param result: as module C(cluster) returns it.
    """
    if result.get("failed"):
        return "failed", f"[{name}] {failure_lines(result)}"
    return "changed" if result["changed"] else "ok", f"[{name}] {result['msg']}"


def failure_lines(result: Mapping) -> str:
    """Return the failure of a cluster as lines, those after the first indented.

    :param result: as module C(cluster) returns it.
    """
    found = read_cluster(result)
    failure = found.failure
    cause = full_cause_of(failure, found.readiness)
    message = one_line(innermost(failure["message"]))
    codes = ", ".join(filter(None, (failure["code"], _correlation(failure))))
    reference = f" ({codes})" if codes else ""
    rows = _without_explained(most_telling_first((found.readiness or {}).get("not_ready", ())))
    lines = [_row_line(one) for one in rows]
    if not (rows and cause["detail"].startswith(f"{rows[0]['name']}: {rows[0]['reason']}")):
        lines.insert(0, cause["detail"])
    lines += [one_line(one["message"]) for one in failure["findings"]]
    lines = [f"{cause['kind']}: {lines[0]}", *(one for one in lines[1:] if one not in lines[0])]
    if len(lines) > MOST_LINES:
        lines[MOST_LINES:] = [f"and {len(lines) - MOST_LINES} more"]
    if lines[0] == f"{cause['kind']}: {message}":
        lines[0] += reference
    elif not failure["findings"] and (message or reference):  # otherwise the message only introduces the findings
        lines.append(": ".join(filter(None, (failure["task"], message))) + reference)
    lines += [result["rollback"]] if result.get("rollback") else []
    fix = cause["fix"] or failure["hint"]
    lines += [f"fix: {fix}"] if fix else []
    return f"\n{INDENT}".join(lines)


def interrupted_lines(steps: Mapping[str, tuple[str, bool]]) -> str:
    """Return the operations in progress of an interrupted run, as lines.

    :param steps: the last step of each cluster that has begun and not ended, and whether it may have started an
        operation in Azure.
    """
    clusters: dict[str, list[str]] = {}
    for name, (step, _sent) in steps.items():
        clusters.setdefault(step, []).append(name)
    lines = [f"interrupted: {step}: {named(names)}" for step, names in clusters.items()]
    if any(sent for _step, sent in steps.values()):
        lines.append("Operations in progress continue in Azure. Run the playbook again to resume.")
    elif steps:
        lines.append("No operation is in progress in Azure. Run the playbook again.")
    return "".join(f"{line}\n" for line in lines)


def _without_explained(rows: Sequence[Mapping]) -> list[Mapping]:
    """Return the rows without components whose problem a row of one of their pods explains."""
    pods = [one["name"] for one in rows if one["kind"] == "Pod"]
    return [one for one in rows if one["kind"] == "Pod" or not any(name.startswith(f"{one['name']}-") for name in pods)]


def _row_line(row: Mapping) -> str:
    return ": ".join(filter(None, (f"{row['kind']} {row['name']}", row["reason"], row["message"])))


def _correlation(failure: Mapping) -> str:
    return f"correlation id {failure['correlation_id']}" if failure["correlation_id"] else ""
