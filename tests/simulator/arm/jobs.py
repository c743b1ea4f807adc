# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The jobs of a workspace: command jobs on Kubernetes computes, their pods, and the errors of their runs.

Sources: C(Jobs_*), C(CommandJob) and C(JobStatus) of the 2024-04-01 specification of Microsoft.MachineLearningServices;
the answer to a PUT from New-AzMLWorkspaceJob.md of https://github.com/Azure/azure-powershell; C(StartTimeUtc),
C(EndTimeUtc) and the address in studio from azure_rm_ml_job_info of https://github.com/ansible-collections/azure;
C(RunDetails) of azure-ai-ml 1.35. The sources of error messages are at C(FAILURES).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from simulator.arm.extensions import Extensions
from simulator.arm.protocol import ArmError, ArmRequest, method_not_allowed, not_found, one_a_page
from simulator.clock import Clock
from simulator.cluster import SimulatedCluster
from simulator.kubernetes.job_pods import JobPods
from simulator.kubernetes.workloads import is_on
from simulator.scenario import WorkspacePlan
from simulator.sign_in import SignIn
from simulator.tasks import Tasks

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-_]{0,254}")  # parameter id of Jobs_CreateOrUpdate
ENDED = ("Completed", "Failed", "Canceled")
# One environment of the public registry. Source of the error for others:
# https://github.com/Azure/azure-sdk-for-python/issues/38594
REGISTRY = re.compile(
    r"azureml://registries/azureml/environments/(?P<name>[^/]+)/(versions/(?P<version>.+)|labels/(?P<label>.+))"
)
REGISTERED = ("sklearn-1.5",)
# The part of the queue time in which the environment is prepared. A guess.
PREPARING_SHARE = 0.3
# How long the pods of an ended job exist. A guess: aml-operator logs a StaleJobCleaner every 10 minutes
# (https://github.com/Azure/AML-Kubernetes/issues/124).
PODS_STAY_SECONDS = 600.0
PREFIX = "Azure Machine Learning Kubernetes job failed. "
# Errors of runs. Sources: the training guide of how-to-troubleshoot-kubernetes-compute.md in
# https://github.com/MicrosoftDocs/azure-ai-docs; for code 9, docs/training/azureml-training.md of
# https://github.com/microsoft/physical-ai-toolchain; for the exit code, the issue getindata/kedro-azureml#6.
TRAINING_DISABLED = 'E45004:"Training feature is not enabled, please enable it when install the extension."'
TOO_LARGE = (
    '9:{"Msg":"Invalid instance type. The instance type defined resource requirement has exceeded the node size",'
    '"Code":9}'
)
FAILURES = {
    "identity": "Unable to mount data store workspaceblobstore. Give either an account key or SAS token",
    "proxy": (
        f'{PREFIX}137:PodPattern matched: {{"containers":[{{"name":"training-identity-sidecar","message":"Updating'
        ' certificates in /etc/ssl/certs...","code":137}]}'
    ),
    "network": (
        f'{PREFIX}400:{{"Msg":"Encountered an error when attempting to connect to the Azure Machine Learning token'
        ' service","Code":400}'
    ),
    "command": "Docker container `execution-wrapper` failed with exit code 1",
    "silent": "",
}
# Faults with which a job stays queued. A guess: operators report jobs that hang, see
# https://github.com/Azure/AML-Kubernetes/issues/26
HANGING = ("ImagePullBackOff", "Unschedulable", "no pod")


@dataclass
class Job:
    """A job as the service stores it."""

    id: str
    name: str
    properties: dict[str, Any]
    created: str
    cluster: SimulatedCluster
    error: str = ""
    pods: JobPods | None = None

    @property
    def status(self) -> str:
        return self.properties["status"]

    def body(self) -> dict[str, Any]:
        stamp = {"createdAt": self.created, "createdBy": "simulated", "createdByType": "Application"}
        return {
            "id": self.id,
            "name": self.name,
            "type": "Microsoft.MachineLearningServices/workspaces/jobs",
            "properties": self.properties,
            "systemData": stamp,
        }


class Jobs:
    """The jobs of all workspaces.

    :param compute_of: returns body and cluster of the compute with an ARM id, C(None) if it does not exist.
    """

    def __init__(
        self,
        compute_of: Callable[[str], tuple[dict[str, Any], SimulatedCluster] | None],
        extensions: Extensions,
        clock: Clock,
        tasks: Tasks,
        sign_in: SignIn,
    ) -> None:
        self._compute_of = compute_of
        self._extensions = extensions
        self._clock = clock
        self._tasks = tasks
        self._sign_in = sign_in
        self._jobs: dict[str, Job] = {}

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the run history service, which is at the address of C(discoveryUrl)."""
        path = "/history/v1.0/{workspace:subscriptions/.*}/runs/{run}/details"
        return [web.get(path, self._details)]

    async def handle(self, request: ArmRequest, workspace: WorkspacePlan) -> web.Response:
        if not request.address.name:
            return self._list(request, workspace)
        if request.address.action == "cancel" and request.method == "POST":
            return await self._cancel(request)
        handler = {"GET": self._get, "PUT": self._put, "DELETE": self._delete}.get(request.method)
        if handler is None or request.address.action:
            raise method_not_allowed(request)
        return handler(request)

    def _list(self, request: ArmRequest, workspace: WorkspacePlan) -> web.Response:
        if request.method != "GET":
            raise method_not_allowed(request)
        found = [one for one in self._all(request, workspace) if _is_listed(one["properties"], request.query)]
        return one_a_page(request, found)

    def _all(self, request: ArmRequest, workspace: WorkspacePlan) -> Iterator[dict[str, Any]]:
        yield from workspace.jobs
        prefix = f"{request.address.key}/"
        yield from (job.body() for key, job in self._jobs.items() if key.startswith(prefix))

    def _find(self, request: ArmRequest) -> Job:
        job = self._jobs.get(request.address.key)
        if job is None:
            raise not_found(f"jobs/{request.address.name}")
        return job

    def _get(self, request: ArmRequest) -> web.Response:
        return web.json_response(self._find(request).body())

    def _put(self, request: ArmRequest) -> web.Response:
        properties = request.require("properties")
        present = self._jobs.get(request.address.key)
        if present:
            # "For update case, the Tags in the definition passed in will replace Tags in the existing job."
            present.properties["tags"] = properties.get("tags") or {}
            return web.json_response(present.body())
        if not NAME.fullmatch(request.address.name):
            raise ArmError(400, "UserError", f"The name {request.address.name} is not valid.")
        if request.text("properties", "jobType") != "command":
            raise ArmError(400, "UserError", "Only command jobs are simulated.")
        request.require("properties", "command")
        environment = request.require("properties", "environmentId")
        if not re.match(r"(azureml://registries/|/subscriptions/)", environment):
            raise ArmError(400, "UserError", f"The environment {environment} is not valid.")
        named = REGISTRY.match(environment)
        if named and named["name"] not in REGISTERED:
            version = f"version: {named['version'] or ''}, label: {named['label'] or ''}"
            raise ArmError(400, "UserError", f"No environment exists for name: {named['name']}, {version}")
        found = self._compute_of(request.require("properties", "computeId"))
        if found is None:
            raise ArmError(400, "UserError", f"The compute {properties['computeId']} was not found.")
        compute, cluster = found
        job = Job(request.address.id, request.address.name, _started(request, properties), self._now(), cluster)
        self._jobs[request.address.key] = job
        request.created = True
        self._tasks.start_on(request.address.key, self._work(job, compute))
        return web.json_response(job.body(), status=201)

    def _now(self) -> str:
        return datetime.fromtimestamp(self._clock.now(), UTC).isoformat()

    def _delete(self, request: ArmRequest) -> web.Response:
        job = self._jobs.get(request.address.key)
        if job is None:
            return web.Response(status=204)
        if job.status not in ENDED:
            raise ArmError(409, "Conflict", f"Job {job.name} has not ended.")  # a guess
        del self._jobs[request.address.key]
        return web.Response(status=202)

    async def _cancel(self, request: ArmRequest) -> web.Response:
        job = self._find(request)
        if job.status in ENDED:
            raise ArmError(400, "UserError", f"Job {job.name} has ended.")  # a guess
        job.properties["status"] = "CancelRequested"
        self._tasks.start_on(request.address.key, self._end_canceled(job))
        return web.Response(status=202)

    async def _end_canceled(self, job: Job) -> None:
        await self._clock.sleep(2)
        if job.pods:
            await job.pods.remove()
        job.properties["status"] = "Canceled"

    async def _work(self, job: Job, compute: dict[str, Any]) -> None:
        """Run a job from its submission to its end."""
        plan = job.cluster.plan.jobs
        kind = (job.properties.get("resources") or {}).get("instanceType") or ""
        failure = plan.failures.get(kind, plan.failures.get("*", ""))
        job.pods = JobPods(job.cluster, compute, job.name, kind)
        await self._clock.sleep(plan.queue_seconds * PREPARING_SHARE)
        refusal = self._refusal(job)
        if refusal:
            self._fail(job, f"{PREFIX}{refusal}")
            return
        job.properties["status"] = "Queued"
        pod_failure = failure if failure in HANGING else job.pods.failure()
        if pod_failure == "no pod":
            return
        await job.pods.start(pod_failure)
        if pod_failure:
            return
        await self._clock.sleep(plan.queue_seconds * (1 - PREPARING_SHARE))
        job.properties["status"] = "Running"
        job.properties["properties"]["StartTimeUtc"] = self._now()[:19].replace("T", " ")
        await job.pods.run()
        await self._clock.sleep(plan.run_seconds)
        job.properties["status"] = "Finalizing"
        job.properties["properties"]["EndTimeUtc"] = self._now()[:19].replace("T", " ")
        await job.pods.end(failed=failure in FAILURES)
        if failure in FAILURES:
            self._fail(job, FAILURES[failure])
        else:
            job.properties["status"] = "Completed"
        await self._clock.sleep(PODS_STAY_SECONDS)
        await job.pods.remove()

    def _refusal(self, job: Job) -> str:
        """Return the error with which aml-operator rejects a job, empty if it accepts it."""
        extension = self._extensions.azureml_of(job.cluster)
        settings = (extension.properties.get("configurationSettings") if extension else None) or {}
        if not is_on(settings, "enableTraining"):
            return TRAINING_DISABLED
        skips = is_on(settings, "amloperator.skipResourceValidation")
        return TOO_LARGE if not skips and job.pods.exceeds_nodes() else ""

    def _fail(self, job: Job, error: str) -> None:
        job.error = error
        job.properties["status"] = "Failed"

    async def _details(self, request: web.Request) -> web.Response:
        """Return the details of a run.

        That this requires the permission to read jobs is a guess from how-to-assign-roles.md.
        """
        token = self._sign_in.token(request.headers.get("Authorization", ""))
        if token is None or token.audience != f"https://{request.host}":
            return web.json_response({"error": {"code": "UserError", "message": "Bearer token not valid."}}, status=401)
        job = self._jobs.get(f"/{request.match_info['workspace']}/jobs/{request.match_info['run']}".lower())
        if job is None:
            return web.json_response({"error": {"code": "UserError", "message": "Run not found."}}, status=404)
        error = {"error": {"code": "UserError", "message": job.error, "details": []}} if job.error else None
        return web.json_response({"runId": job.name, "status": job.status, "error": error})


def _started(request: ArmRequest, properties: dict[str, Any]) -> dict[str, Any]:
    """Return the properties of an accepted job."""
    workspace = request.address.id.rpartition("/jobs/")[0]
    where = re.sub(r"/providers/Microsoft\.MachineLearningServices", "", workspace, flags=re.IGNORECASE)
    page = f"https://ml.azure.com/runs/{request.address.name}?wsid={where}"
    services = {"Studio": {"jobServiceType": "Studio", "endpoint": page}, "Tracking": {"jobServiceType": "Tracking"}}
    tracked = {"_azureml.ComputeTargetType": "kubernetes"}
    return {**properties, "status": "Starting", "isArchived": False, "services": services, "properties": tracked}


def _is_listed(properties: dict[str, Any], query: dict[str, str]) -> bool:
    """Return whether a list contains a job, by C(jobType), C(tag) (a key) and C(listViewType) (archived jobs)."""
    kind, tag = query.get("jobtype", "").lower(), query.get("tag")
    is_active = query.get("listviewtype", "ActiveOnly").lower() == "all" or not properties.get("isArchived")
    is_kind = not kind or (properties.get("jobType") or "").lower() == kind
    return is_active and is_kind and (tag is None or tag in (properties.get("tags") or {}))
