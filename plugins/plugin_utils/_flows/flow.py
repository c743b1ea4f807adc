# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The base of flows. A flow is the work of a playbook on one cluster."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Waiting
from ansible_collections.azureml.arc.plugins.module_utils._preflight.azure_checks import is_lower
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.steps import NOT_KEPT, StepFailedError, Steps
from ansible_collections.azureml.arc.plugins.plugin_utils._report.actions import EXTENSION, in_words
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.options import ClusterOptions
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.reading import WITH_FILES
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.specs import CLUSTER

PARTS = ("extension", "readiness", "attach", "prove")
REQUIRED = "Check variables"
UNVERIFIED = "the identity of the cluster was not verified: {reason}"


class Flow:
    """The flow of one cluster.

    A flow does no input or output: its steps run modules, and it decides by their results.

    :param options: the options of modules for the cluster.
    :param steps: runs the steps, in check mode without changing anything.
    :param parts: the parts of C(PARTS) to run.
    :param owner_of: takes the address of an API whose cluster is unknown, and returns the host of the run that
        already connects to it, C(None) for none.
    :cvar kind: what its hosts are, as in C(specs.specification).
    :cvar with_files: the variables whose files it needs.
    :cvar attaches: whether it attaches clusters to workspaces.
    :ivar soak: the seconds that a changed cluster must stay ready.
    :ivar first_wave: whether the cluster is in the first wave of a play, or there are none.
    :ivar jobs: that prove its computes.
    """

    kind = CLUSTER
    with_files = WITH_FILES
    attaches = False

    def __init__(
        self,
        options: ClusterOptions,
        steps: Steps,
        parts: Collection[str] = PARTS,
        owner_of: Callable[[str], str | None] = lambda address: None,
    ) -> None:
        self.options = options
        self.steps = steps
        self.parts = parts
        self._owner_of = owner_of
        self._identity: dict | None = None
        self.extension: dict = {}  # the last result of module extension
        self.readiness: dict | None = None
        self.endpoint: dict | None = None
        self.computes: list[dict] = []
        self.jobs: list[dict] = []
        self.soak = 0.0
        self.first_wave = True
        self.ended = False

    @staticmethod
    def errors_of(options: ClusterOptions) -> list[str]:
        """Return the errors in variables that only this flow needs."""
        return []

    @classmethod
    def connects(cls, options: ClusterOptions) -> bool:
        """Return whether the flow connects to the cluster."""
        return "azureml_kubernetes" in cls.with_files

    def run(self, wait: bool = True) -> Waiting[dict]:
        """Run the flow.

        :param wait: C(False) ends it once every operation that takes long has started.
        :returns: the result of the cluster.
        """
        with self.steps.until_failure():
            yield from self.begin()
            if wait and not self.ended:
                yield from self.complete()
            if wait:
                yield from self.prove()
            elif self.proves_jobs:
                self.ended = False
        return self.result()

    def begin(self) -> Waiting[None]:
        """Decide what to do, and start it. Set C(ended) if nothing is left to do."""
        raise NotImplementedError

    def complete(self) -> Waiting[None]:
        """Wait for the operations that C(begin) has started, and complete the flow."""
        return
        yield

    def prove(self) -> Waiting[None]:
        """Prove what the variables require, after everything else."""
        return
        yield

    @property
    def proves_jobs(self) -> bool:
        """Whether a job has to complete before the cluster counts as deployed."""
        return "prove" in self.parts and self.options.proves_jobs(self.first_wave)

    def in_progress(self, state: str) -> str:
        """Return the state of a wait as text, for a line of progress."""
        return state

    def summary(self) -> str:
        """Return the result in a line."""
        raise NotImplementedError

    def extension_change(self) -> str:
        """Return the change of the extension as text."""
        return in_words(self.extension["plan"]["action"], EXTENSION, self.steps.check_mode)

    def pods(self) -> str:
        """Return the number of ready pods as text."""
        return (self.readiness or {}).get("summary", "pods not checked")

    def served(self) -> list[str]:
        """Return the state of the inference endpoint as text, empty if it was not checked."""
        return [f"endpoint {self.endpoint['summary']}"] if self.endpoint else []

    def found(self) -> dict:
        """Return the fields of the cluster's result besides its steps."""
        identity = {} if self._identity is None else {"identity": self._identity}
        return {
            **self.extension,
            **identity,
            "pod_readiness": self.readiness,
            "endpoint": self.endpoint,
            "computes": self.computes,
            "jobs": self.jobs,
        }

    def result(self) -> dict:
        """Return the result of the cluster, as module C(cluster) documents it."""
        return self.steps.result(self.found(), "" if self.steps.failure else self.summary())

    def record_extension(self, result: Mapping) -> None:
        """Record the plan and the state of the extension."""
        self.extension = {name: value for name, value in result.items() if name not in NOT_KEPT}
        self.options.learn(result.get("extension"), result.get("cluster"))
        self.options.certificate = result.get("certificate") or self.options.certificate
        self._warn_of_downgrade()

    def _warn_of_downgrade(self) -> None:
        """Warn of a version that is lower than the installed one, which may be a typing error."""
        wanted = (self.extension["plan"]["properties"].get("version") or {}).get("after")
        installed = (self.extension["extension"] or {}).get("current_version")
        if wanted and installed and is_lower(wanted, installed):
            self.steps.warn([f"azureml_version {wanted} is lower than the installed version {installed}, a downgrade"])

    def compare_certificate(self) -> Waiting[bool]:
        """Compare the certificate in the cluster with the variables.

        Runs before the extension, which is updated if it differs, because the router reads the Secret then.

        :returns: whether it differs.
        """
        if not self.options.has_tls_secret:
            return False
        step = "Compare the certificate in the cluster"
        found = yield from self.steps.check(step, "tls_secret", self.options.tls_secret())
        self.options.certificate = found["certificate"]
        return found["changed"]

    def verify_identity(self) -> Waiting[None]:
        """Verify that the connection reaches the cluster, before anything is written to it.

        :raises StepFailedError: if it reaches another cluster, or one that another host reaches, too.
        """
        if self._identity is None:
            installed = (self.extension.get("extension") or {}).get("provisioning_state") == "Succeeded"
            given = self.options.cluster_identity(self.extension["cluster"], extension_installed=installed)
            yield from self.check_identity(given)

    def check_identity(self, given: Mapping) -> Waiting[None]:
        """Verify that the connection reaches a cluster.

        :param given: the options of module cluster_identity.
        :raises StepFailedError: if it reaches another cluster, or one that another host reaches, too.
        """
        step = "Check that the connection reaches the cluster"
        found = yield from self.steps.check(step, "cluster_identity", given)
        self._identity = {name: found[name] for name in ("verified", "reason", "api_address")}
        if not found["verified"]:
            self.steps.warn([UNVERIFIED.format(reason=found["reason"])])
        if self.options.get("azureml_kubernetes_via") == "node":
            return
        # A verified host claims its address as well: another host that reaches it is wrong.
        owner = self._owner_of(found["api_address"])
        if owner is not None and not found["verified"]:
            raise StepFailedError(
                step,
                {
                    "msg": f"host {owner} connects to the same API server, {found['api_address']}, which does not"
                    f" report its cluster ({found['reason']}). Check azureml_kubernetes of both hosts; nothing was"
                    " written."
                },
            )

    def wait_for_extension(self, step: str, **options: object) -> Waiting[None]:
        """Wait until the extension is installed; a failure lists the pods that are not ready.

        :raises StepFailedError: if it failed or takes too long.
        """
        timeout = self.options.get("azureml_extension_timeout")
        try:
            installed = yield from self.steps.apply(
                step, "extension", self.options.extension(wait_timeout=timeout, **options)
            )
        except StepFailedError as failure:
            diagnosed = yield from self._with_diagnosis(failure.result)
            raise StepFailedError(failure.step, diagnosed) from failure
        self.record_extension({**self.extension, "extension": installed["extension"]})

    def _with_diagnosis(self, failed: Mapping) -> Waiting[dict]:
        """Return a failure of the extension, with the pods that are not ready."""
        probed = yield from self.steps.probe("pod_readiness", self.options.pod_readiness(wait=False))
        if probed.get("failed"):
            return {**failed, "msg": f"{failed['msg']} The pods cannot be read: {probed['msg']}"}
        self.readiness = without_ready_pods(probed)
        problems = "; ".join(probed["problems"])
        return {**failed, "msg": f"{failed['msg']} Not ready: {problems}" if problems else failed["msg"]}

    def wait_for_pods(self, step: str = "Wait until the pods are ready", timeout: float | None = None) -> Waiting[None]:
        """Wait until the pods of the extension are ready.

        :param timeout: in seconds; defaults to the variables.
        :raises StepFailedError: if they are not ready in time.
        """
        if timeout is None:
            timeout = self.options.get("azureml_readiness_timeout")
        try:
            found = yield from self.steps.apply(step, "pod_readiness", self.options.pod_readiness(wait_timeout=timeout))
        except StepFailedError as failure:
            if "pods" in failure.result:
                self.readiness = without_ready_pods(failure.result)
            raise
        self.readiness = without_ready_pods(found)

    def wait_for_soak(self) -> Waiting[None]:
        """Check after the soak that the pods have stayed ready.

        :raises StepFailedError: if they have not.
        """
        if self.soak and not self.steps.check_mode:
            yield self.soak
            yield from self.wait_for_pods("Check the pods after the soak", timeout=0)

    def wait_for_endpoint(self) -> Waiting[None]:
        """Wait until inference endpoints serve the certificate of the variables, if they can be reached.

        :raises StepFailedError: if they can be reached, but serve something else.
        """
        timeout = self.options.get("azureml_readiness_timeout")
        given = self.options.endpoint_check(wait_timeout=timeout)
        try:
            self.endpoint = yield from self.steps.apply("Check the inference endpoint", "endpoint_check", given)
        except StepFailedError as failure:
            if "outcome" in failure.result:
                self.endpoint = {name: value for name, value in failure.result.items() if name not in NOT_KEPT}
            raise


def without_ready_pods(readiness: Mapping) -> dict:
    """Return a result of module pod_readiness without the rows of ready pods, which may be many."""
    return {**readiness, "pods": [one for one in readiness["pods"] if not one["ready"]]}


def offered_types(computes: Collection[Mapping]) -> list[dict]:
    """Return the instance types of computes as objects in the cluster, without duplicates.

    :param computes: results of module compute.
    """
    types = [one for found in computes for one in found["cluster_instance_types"]]
    return [one for index, one in enumerate(types) if one not in types[:index]]
