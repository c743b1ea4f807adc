# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prove that a compute runs jobs: submit a small one, wait for its end, and report why it did not complete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta, timezone

from ansible_collections.azureml.arc.plugins.module_utils._azure import cluster_reference
from ansible_collections.azureml.arc.plugins.module_utils._azure import workspace as _workspace
from ansible_collections.azureml.arc.plugins.module_utils._azure.client import AzureSession, open_session
from ansible_collections.azureml.arc.plugins.module_utils._azure.consistency import VISIBLE_WITHIN
from ansible_collections.azureml.arc.plugins.module_utils._azure.resource import ArmResource, iterate
from ansible_collections.azureml.arc.plugins.module_utils._azure.states import state_of
from ansible_collections.azureml.arc.plugins.module_utils._azure.workspace import API_VERSION, WorkspaceReference
from ansible_collections.azureml.arc.plugins.module_utils._compute.plan import is_kubernetes
from ansible_collections.azureml.arc.plugins.module_utils._compute.plan import view as view_of_compute
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Intervals, Waiting
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall
from ansible_collections.azureml.arc.plugins.module_utils._jobs import run_history
from ansible_collections.azureml.arc.plugins.module_utils._jobs.body import TAG, WantedJob, is_own, proven_compute
from ansible_collections.azureml.arc.plugins.module_utils._jobs.causes import Cause, explain
from ansible_collections.azureml.arc.plugins.module_utils._jobs.pods import JobPods
from ansible_collections.azureml.arc.plugins.module_utils._jobs.state import (
    created_at,
    has_completed,
    has_ended,
    status_of,
    view,
)

FIRST_PAUSE = 2.0  # seconds
LISTED_FOR = 600.0  # seconds for which a run reuses the list of old jobs of a workspace
MOST_ATTEMPTS = 50  # jobs with the same content on the same day
NOT_SUBMITTED = "NotSubmitted"  # status of a job in check mode
MISSES = 3  # consecutive reads that may not find a job before it counts as deleted


def run(call: ModuleCall) -> Waiting[dict]:
    """M(azureml.arc.job_check)."""
    session = open_session(call)
    workspace = _workspace.reference(call.params, session.subscription_id)
    compute = _read_compute(session, workspace, call.params["compute"])
    removed = _remove_old(call, session, workspace)
    jobs, submitted = [], {}
    for instance_type in _instance_types(call.params, compute):
        # One session per job, so that the timeout of each job limits the retries of its requests.
        check = _Check(call, open_session(call), workspace, compute, instance_type)
        row, request = yield from check.run()
        jobs.append(row)
        if request:
            submitted[row["name"]] = request
    result = {
        "changed": bool(submitted or removed),
        "succeeded": all(one["succeeded"] for one in jobs),
        "jobs": jobs,
        "removed_jobs": removed,
    }
    if call.diff:
        result["diff"] = {"before": {}, "after": submitted}
    failed = [one for one in jobs if one["cause"]]
    if failed:
        raise _failure(call.params, failed, result)
    return result


def _failure(params: Mapping, failed: Sequence[Mapping], result: Mapping) -> AzureMLError:
    """Return one error for all jobs that did not complete, with the code of the first cause."""
    parts = [f"{_described(one, params)}: {one['cause']['message'].rstrip('.')}" for one in failed]
    fixes = list(dict.fromkeys(one["cause"]["fix"] for one in failed if one["cause"]["fix"]))
    return AzureMLError(
        f"compute '{params['compute']}' does not run jobs: {'; '.join(parts)}",
        code=failed[0]["cause"]["code"],
        hint=" ".join(fixes) or None,
        **{name: value for name, value in result.items() if name not in ("changed", "diff")},
    )


def _described(job: Mapping, params: Mapping) -> str:
    kind = f" with instance type '{job['instance_type']}'" if job["instance_type"] else ""
    state = f"was {job['status']} after {params['wait_timeout']} seconds" if job["canceled"] else f"is {job['status']}"
    return f"job '{job['name']}'{kind} {state}"


def _read_compute(session: AzureSession, workspace: WorkspaceReference, name: str) -> dict:
    """Read the compute.

    :raises AzureMLError: if there is no such compute, or it is not ready.
    """
    cluster_reference.check_name("compute", name)
    what, compute_id = f"compute '{name}' of {workspace}", f"{workspace.id}/computes/{name}"
    body = session.get(compute_id, API_VERSION, what)
    if body is None:
        raise AzureMLError(
            f"{what} does not exist",
            code="ComputeNotFound",
            hint="Attach the cluster first, or check the name of the compute.",
        )
    if not is_kubernetes(body):
        kind = body["properties"].get("computeType")
        raise AzureMLError(
            f"{what} is of type {kind}, not Kubernetes", code="Refused", hint="Check the name of the compute."
        )
    if state_of(body).lower() != "succeeded":
        raise AzureMLError(
            f"{what} is in state {state_of(body)}: nothing was submitted",
            code="ComputeNotReady",
            hint="Attach the cluster with azureml.arc.compute, which waits until it is ready and reports its errors.",
        )
    return {**view_of_compute(body), "id": compute_id}


def _instance_types(params: Mapping, compute: Mapping) -> list[str | None]:
    """Return the instance types to check, C(None) for the default one of the compute."""
    given = list(compute["instance_types"]) if params["each_instance_type"] else params["instance_types"]
    return list(dict.fromkeys(given or [None]))


def _today() -> date:
    """Return the day in UTC, which is the same for all controllers."""
    return datetime.now(timezone.utc).date()


class _Check:
    """The job that checks one instance type."""

    _job: ArmResource  # set by _find

    def __init__(
        self,
        call: ModuleCall,
        session: AzureSession,
        workspace: WorkspaceReference,
        compute: Mapping,
        instance_type: str | None,
    ) -> None:
        params = call.params
        self._call = call
        self._session = session
        self._namespace = compute["namespace"]
        self._workspace = workspace
        self._deadline = call.deadline(params["wait_timeout"])
        self._wanted = WantedJob(
            compute["id"], params["environment"], params["command"], instance_type, params["revision"]
        )

    def run(self) -> Waiting[tuple[dict, dict | None]]:
        """Reuse the job of today, or submit one, and wait for its end.

        :returns: the job as the module returns it, and the request that submitted it or would submit it, C(None) if
            it was reused.
        """
        body, request = self._find(), None
        if body is None:
            request = self._wanted.body()
            body = yield from self._submit(request)
        with JobPods(self._call, self._namespace) as pods:
            cause = None
            if not self._call.check_mode:
                body = yield from self._wait(body, pods)
                cause = None if has_completed(body) else self._explain(body, pods)
            return self._row(body, request, pods, cause), request

    def _find(self) -> dict | None:
        """Return the job of today that has completed or is in progress, C(None) if there is none.

        Sets C(_job) to the job that was found, or to the first name that is not in use. A failed job is not reused:
        its cause may have been fixed.
        """
        today = _today()
        for attempt in range(1, MOST_ATTEMPTS + 1):
            self._job = self._resource(self._wanted.name(today, attempt))
            body = self._job.read()
            if body is None:
                return None
            if is_own(body, self._wanted.compute) and (has_completed(body) or not has_ended(body)):
                return body
        raise AzureMLError(
            f"{MOST_ATTEMPTS} jobs for this check have failed today, the last of them '{self._name}'",
            code="JobFailed",
            hint="Read their logs in studio.",
        )

    def _resource(self, name: str) -> ArmResource:
        what = f"job '{name}' of {self._workspace}"
        return ArmResource(self._session, f"{self._workspace.id}/jobs/{name}", API_VERSION, what, self._deadline)

    @property
    def _name(self) -> str:
        return self._job.id.rpartition("/")[2]

    def _submit(self, request: dict) -> Waiting[dict]:
        """Submit the job once, even if the response is lost."""
        if self._call.check_mode:
            return {"name": self._name, "id": self._job.id, "properties": {"status": NOT_SUBMITTED}}
        body = yield from self._job.decide(lambda: self._job.submit("PUT", False, None, request))
        return body or {"name": self._name, "id": self._job.id, "properties": {}}

    def _wait(self, body: dict, pods: JobPods) -> Waiting[dict]:
        """Wait until the job ends or the time is up; return the job as it was read last."""
        pause, patience, misses = Intervals(first=FIRST_PAUSE), self._deadline.within(VISIBLE_WITHIN), 0
        while not has_ended(body):
            pods.read(self._name)
            if self._deadline.passed:
                return body
            self._deadline.report(", ".join(filter(None, (f"{self._job}: {status_of(body)}", pods.summary()))))
            yield from self._deadline.pause(pause.next())
            found = self._job.read()
            misses = 0 if found else misses + 1  # a new job may not be readable for some seconds
            if misses > MISSES and patience.passed:
                raise AzureMLError(
                    f"{self._job} was deleted while this task was waiting for it",
                    code="RemovedMeanwhile",
                    hint="Find out who deletes jobs of the workspace, then run again.",
                )
            body = found or body
        return body

    def _explain(self, body: Mapping, pods: JobPods) -> Cause:
        """Return why the job did not complete. Cancels a job that has not ended, after its pods were read."""
        error = ""
        if has_ended(body):
            pods.read(self._name)
            error = self._run_error()
        pods.explain()
        if not has_ended(body):
            self._cancel()
        return explain(status_of(body), error, pods.rows)

    def _cancel(self) -> None:
        try:
            self._session.send("POST", f"{self._job.id}/cancel", API_VERSION, str(self._job))
        except AzureMLError as error:
            self._call.warn(f"{self._job} could not be canceled and may still run: {error}")

    def _run_error(self) -> str:
        try:
            found = _workspace.read(self._session, self._workspace)
            return run_history.error_of(self._session, found.discovery_url, self._workspace.id, self._name)
        except AzureMLError as error:
            self._call.warn(f"The diagnosis does not include the error of the run: {error}")
            return ""

    def _row(self, body: Mapping, request: dict | None, pods: JobPods, cause: Cause | None) -> dict:
        return {
            **view(body),
            "compute": self._wanted.compute,
            "instance_type": self._wanted.instance_type,
            "succeeded": has_completed(body),
            "reused": request is None,
            "canceled": cause is not None and not has_ended(body),
            "node": pods.node,
            "pods": pods.rows or [],
            "cause": cause.as_result() if cause else None,
            "request": request,
        }


def _remove_old(call: ModuleCall, session: AzureSession, workspace: WorkspaceReference) -> list[str]:
    """Delete old, ended jobs that this module has submitted to the compute; return their names.

    An error is a warning: it does not affect the check.
    """
    end = datetime.now(timezone.utc) - timedelta(days=call.params["keep_days"])
    removed = []
    try:
        ended = session.shared(f"{workspace.id.lower()} ended jobs", lambda: _own(session, workspace), LISTED_FOR)
        for compute, name, created in ended:
            if compute.lower() == call.params["compute"].lower() and datetime.fromisoformat(created) < end:
                if not call.check_mode:
                    session.send(
                        "DELETE", f"{workspace.id}/jobs/{name}", API_VERSION, f"old job '{name}' of {workspace}"
                    )
                removed.append(name)
    except AzureMLError as error:
        call.warn(f"Old jobs were not removed: {error}")
    return removed


def _own(session: AzureSession, workspace: WorkspaceReference) -> list[list[str]]:
    """Return compute, name and time of each ended job in a workspace that this module has submitted.

    All clusters of a run share the list, because a workspace may have many jobs.
    """
    what = f"jobs of {workspace} that check computes"
    params = {"tag": TAG, "jobType": "Command", "listViewType": "All"}
    found = iterate(session, f"{workspace.id}/jobs", API_VERSION, what, params)
    return [
        [proven_compute(body), body["name"], created_at(body).isoformat()]
        for body in found
        if proven_compute(body) and has_ended(body) and created_at(body)
    ]
