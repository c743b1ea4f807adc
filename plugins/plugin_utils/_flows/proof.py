# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prove at the end of a flow that the computes of a cluster run jobs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Waiting
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.flow import Flow
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.steps import StepFailedError

STEP = "Prove that jobs run"
NOT_KEPT = ("request",)  # of a job; the diff contains it


def prove_jobs(flow: Flow) -> Waiting[None]:
    """Run a job on each compute if the variables require it; the flow keeps the jobs.

    In check mode, computes that are not attached yet are skipped.

    :raises StepFailedError: if a job does not complete.
    """
    if not flow.proves_jobs:
        return
    flow.jobs = []
    for number, attachment in enumerate(flow.options.attachments):
        compute = flow.computes[number] if number < len(flow.computes) else {}
        if flow.steps.check_mode and (compute.get("plan") or {}).get("action", "none") != "none":
            continue
        given = flow.options.job_check(attachment, revision=_revision(flow.extension, compute))
        try:
            found = yield from flow.steps.prove(STEP, "job_check", given)
        except StepFailedError as failure:
            flow.jobs += _kept(failure.result)
            raise
        flow.jobs += _kept(found)


def _kept(result: Mapping) -> list[dict]:
    return [{name: value for name, value in job.items() if name not in NOT_KEPT} for job in result.get("jobs") or ()]


def _revision(extension: Mapping, compute: Mapping) -> str:
    """Return what a proof is valid for: the version and settings of the extension, and how the compute runs jobs.

    After a change of any of these, a job of the same day proves nothing.
    """
    present = extension.get("extension") or {}
    attached = compute.get("compute") or {}
    parts = [present.get("settings"), attached.get("namespace"), attached.get("identity")]
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:8]
    return f"{present.get('current_version')} {digest}"


def results(flow: Flow) -> list[str]:
    """Return the results of the jobs, for the message of a cluster; nothing if none was needed."""
    if not flow.jobs:
        return []
    run = [job for job in flow.jobs if job["succeeded"]]
    reused = sum(bool(job.get("reused")) for job in run)
    counts = {
        "completed": len(run) - reused,
        "of today reused (completed)": reused,
        "would be submitted": len(flow.jobs) - len(run),
    }
    return [f"{f'{count} jobs' if count > 1 else 'a job'} {outcome}" for outcome, count in counts.items() if count]
