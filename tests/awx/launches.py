# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Launches of job templates and workflows, and the progress of workflows.

No job runs here: C(awx.jobs.Job) runs jobs. The outcome of a job is that of its template in C(Store.outcomes), success
by default.
"""

from __future__ import annotations

import copy

from awx import surveys
from awx.rules import InvalidError, Item, template_variables
from awx.schema import PROMPTS
from awx.store import Store

FIELDS = ("limit", "job_type", "diff_mode", "job_slice_count")
NODES = "workflow_job_template_nodes"


def launch_job(store: Store, template: Item, given: dict, hosts: int) -> tuple[list[Item], dict]:
    """Launch a job template.

    :param hosts: number of hosts in its inventory. A slice has at least one (C(get_effective_slice_ct)).
    :returns: its jobs, one per slice, and the ignored fields, for which it does not prompt.
    """
    if not template["inventory"] and not given.get("inventory"):
        message = "Job Template inventory is missing or undefined."
        raise InvalidError({"resources_needed_to_start": [message]})
    survey = store.surveys.get(template["id"], {}) if template["survey_enabled"] else {}
    answers = given.get("extra_vars") or {}
    if problems := surveys.answer_problems(survey, answers, required=True):
        raise InvalidError({"variables_needed_to_start": problems})
    accepted = {name: given[name] for name in FIELDS if given.get(name) and template[PROMPTS[name]]}
    variables = surveys.variables(survey)
    job = {
        "name": template["name"],
        "status": "pending",
        "job_template": template["id"],
        "artifacts": {},
        **{name: accepted.get(name, template[name]) for name in FIELDS},
        "extra_vars": {
            **template_variables(template),
            **{one["variable"]: one["default"] for one in survey.get("spec", ()) if one.get("default") is not None},
            **{name: value for name, value in answers.items() if name in variables},
        },
    }
    job["job_slice_count"] = count = max(1, min(job["job_slice_count"], hosts))
    jobs = [
        store.insert("jobs", {**copy.deepcopy(job), "job_slice_number": number if count > 1 else 0})
        for number in range(1, count + 1)
    ]
    unknown = {name: value for name, value in answers.items() if name not in variables}
    ignored = {name: value for name, value in given.items() if name != "extra_vars" and name not in accepted}
    return jobs, {**ignored, **({"extra_vars": unknown} if unknown else {})}


def launch_workflow(store: Store, workflow: Item, given: dict) -> Item:
    """Launch a workflow. It runs until it waits for an approval.

    :raises InvalidError: if a field is given for which it does not prompt.
    """
    for name in ("limit", "inventory", "scm_branch"):
        if given.get(name) and not workflow[PROMPTS[name]]:
            raise InvalidError({name: ["Field is not configured to prompt on launch."]})
    own = [one for one in store.items[NODES].values() if one["workflow_job_template"] == workflow["id"]]
    job = {
        "name": workflow["name"],
        "status": "running",
        "limit": given.get("limit"),
        "workflow_job_template": workflow["id"],
        "job_template": None,
        "is_sliced_job": False,
        "nodes": {one["id"]: "" for one in own},
        "approvals": {},
    }
    store.insert("workflow_jobs", job)
    advance(store, job)
    return job


def decide(store: Store, approval: Item, status: str) -> None:
    """Set the status of an approval, and continue its workflow."""
    approval["status"] = status
    for job in store.items["workflow_jobs"].values():
        if approval["id"] in job.get("approvals", {}):
            job["nodes"][job["approvals"][approval["id"]]] = status
            advance(store, job)


def advance(store: Store, job: Item) -> None:
    """Run all nodes that can run: their parents have ended, and the outcome of one of them leads to the node."""
    nodes = job["nodes"]
    progress = True
    while progress:
        progress = False
        for number in sorted(nodes):
            if nodes[number] == "" and (decided := _decide(store, nodes, number)):
                nodes[number], progress = decided, True
                if decided == "running":
                    nodes[number] = _run(store, job, number)
    if not {"", "running"}.intersection(nodes.values()):
        # C(WorkflowDAG.has_workflow_failed): a failed node without a failure path fails the workflow.
        unhandled = [
            one
            for one, status in nodes.items()
            if status == "failed" and not _after(store, one, "failure") | _after(store, one, "always")
        ]
        job["status"] = "failed" if unhandled else "successful"


def _decide(store: Store, nodes: dict[int, str], number: int) -> str:
    parents = {
        parent: outcome
        for parent in nodes
        for outcome in ("success", "failure", "always")
        if number in _after(store, parent, outcome)
    }
    if any(nodes[parent] in ("", "running") for parent in parents):
        return ""
    leading = {"success": ("successful",), "failure": ("failed",), "always": ("successful", "failed")}
    leads = [nodes[parent] in leading[outcome] for parent, outcome in parents.items()]
    return "running" if not parents or any(leads) else "not run"


def _after(store: Store, number: int, outcome: str) -> set[int]:
    return set(store.associated.get((NODES, number, f"{outcome}_nodes"), ()))


def _run(store: Store, workflow_job: Item, number: int) -> str:
    node = store.items[NODES][number]
    endpoint = store.endpoint_of(node["unified_job_template"])
    template = store.items[endpoint][node["unified_job_template"]]
    if endpoint == "workflow_approval_templates":
        approval = store.insert("workflow_approvals", {"name": template["name"], "status": "pending"})
        workflow_job["approvals"][approval["id"]] = number
        return "running"
    prompts = {name: node[name] for name in FIELDS if node[name] is not None}
    # C(WorkflowJobNode.get_job_kwargs): fields of the workflow take precedence over those of its nodes.
    prompts.update({"limit": workflow_job["limit"]} if workflow_job["limit"] else {})
    (job, *_others), _ignored = launch_job(store, template, prompts, hosts=1)
    job["status"] = store.outcomes.get(template["name"], "successful")
    return job["status"]
