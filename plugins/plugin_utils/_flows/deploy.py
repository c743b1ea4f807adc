# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a cluster is brought to what is wanted, step by step.

The steps are those of role azureml for one cluster (tasks/deploy.yml), and named alike; tests compare the requests of
both.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ansible_collections.azureml.arc.plugins.plugin_utils._flows.comparison import (
    compare,
    not_ready_pods,
    offered_types,
)
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.steps import (
    NOT_KEPT,
    ClusterSteps,
    StepFailedError,
)
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.options import ClusterOptions

PARTS = ("extension", "readiness", "attach")
# A plan's action in a person's words.
DONE = {
    "none": "as it was",
    "create": "created",
    "update": "updated",
    "replace": "replaced",
    "adopt": "taken up while an operation was under way",
}
PLANNED = {**DONE, "create": "would be created", "update": "would be updated", "replace": "would be replaced"}


class Deployment:
    """One cluster that is deployed. C(advance) is to be called until it has C(ended).

    There are phases, so that a fleet can take each on all of its clusters before any takes the next: what is under
    way in Azure, for seconds or for minutes, then overlaps.

    :param options: the options of modules for the cluster.
    :param steps: takes the steps, in check mode without changing anything.
    :param parts: which of C(PARTS) to do; what is compared is the whole.
    """

    def __init__(
        self,
        options: ClusterOptions,
        steps: ClusterSteps,
        parts: Collection[str] = PARTS,
    ) -> None:
        self._options = options
        self._steps = steps
        self._parts = parts
        self._phases = [self._compare, self._submit, self._attach, self._finish]
        self._changes_extension = False
        self._found: dict = {}
        self._preflight: dict = {}
        self._readiness: dict | None = None
        self._computes: list[dict] = []

    @property
    def ended(self) -> bool:
        """Whether nothing is left to do, or can be done."""
        return not self._phases

    def advance(self) -> None:
        """Take the next phase. What fails in it ends the deployment and is told by C(outcome)."""
        with self._steps.until_failure():
            self._phases.pop(0)()
        if self._steps.failure:
            self._phases.clear()

    def _compare(self) -> None:
        with self._steps.noted("Compare the cluster with its variables", "drift"):
            found = compare(self._options.drift(), self._steps.ask)
        # What is wrong with a cluster the preflight says, all of it at once.
        self._note_extension({} if found.get("failed") else found)
        if found["as_wanted"]:
            self._phases.clear()
            self._steps.warn(found.get("warnings", ()))
            self._readiness = not_ready_pods(found["pod_readiness"])
            self._computes = found["computes"]
        elif "extension" in self._parts:
            self._prepare_cluster()

    def _submit(self) -> None:
        if "extension" in self._parts:
            options = self._options.in_azure(self._options.extension(), wait=False)
            submitted = self._steps.take("Submit the extension", "extension", options)
            self._note_extension(submitted)
            self._changes_extension = submitted["changed"]

    def _note_extension(self, result: Mapping) -> None:
        """Keep what was decided on the extension, and how it is by now."""
        self._found = {name: value for name, value in result.items() if name not in NOT_KEPT}
        self._options.known.update((result.get("extension") or {}).get("install_options") or {})

    def _prepare_cluster(self) -> None:
        """What comes before the extension."""
        options = self._options
        if not self._found.get("extension"):
            step = "Check whether the cluster can take the extension"
            both = options.in_azure(options.in_cluster(options.preflight()), sides=["azure", "kubernetes"])
            self._preflight = self._steps.take(step, "preflight", {**both, "skip_installed": True})
            options.known.update(self._preflight.get("install_options") or {})
        on_openshift = self._found.get("openshift", self._preflight.get("openshift", False))
        if options.get("azureml_openshift", on_openshift):
            step = "Let OpenShift run the extension's pods"
            self._steps.take(step, "openshift_scc", options.in_cluster(options.openshift_scc()))
        if options.has_tls_secret:
            step = "Put the certificate into the cluster"
            self._steps.take(step, "tls_secret", options.in_cluster(options.tls_secret()))
        if self._preflight.get("checked"):
            step = "Begin to create what the extension will use"
            self._steps.take(step, "extension", options.in_azure(options.extension(), state="prepared"))

    def _attach(self) -> None:
        options = self._options
        if "extension" in self._parts and not self._steps.check_mode:
            self._wait_for_extension()
        # In check mode the pods are those of the extension as it was.
        if "readiness" in self._parts and not (self._steps.check_mode and self._changes_extension):
            timeout = options.get("azureml_readiness_timeout")
            waiting = options.in_cluster(options.pod_readiness(), wait_timeout=timeout)
            ready = self._steps.take("Wait until the pods are ready", "pod_readiness", waiting)
            self._readiness = not_ready_pods(ready)
        if "attach" in self._parts:
            self._computes = [
                self._steps.take("Attach the cluster", "compute", self._compute(one, wait=False))
                for one in options.attachments
            ]

    def _compute(self, attachment: Mapping, **more: object) -> dict:
        create = attachment.get("create_namespace", False)
        both = self._options.in_azure(self._options.in_cluster(self._options.compute(attachment)))
        return {**both, "create_namespace": create, **more}

    def _wait_for_extension(self) -> None:
        if self._found["extension"]["provisioning_state"] == "Succeeded":
            return
        options = self._options.in_azure(
            self._options.extension(),
            wait_timeout=self._options.get("azureml_extension_timeout"),
            # What was sent a moment ago and has failed since is not sent again.
            retry_failed=self._found["plan"]["action"] == "adopt",
        )
        try:
            installed = self._steps.take("Wait until the extension is installed", "extension", options)
        except StepFailedError as failure:
            raise StepFailedError(failure.step, self._with_diagnosis(failure.result)) from failure
        self._note_extension({**self._found, "extension": installed["extension"]})

    def _with_diagnosis(self, failed: Mapping) -> dict:
        """What has failed, with the pods that are to blame."""
        looked = self._steps.ask("pod_readiness", self._options.in_cluster(self._options.pod_readiness(), wait=False))
        if looked.get("failed"):
            return {**failed, "msg": f"{failed['msg']} The pods could not be looked at: {looked['msg']}"}
        self._readiness = not_ready_pods(looked)
        problems = "; ".join(looked["problems"])
        return {**failed, "msg": f"{failed['msg']} Not ready: {problems}" if problems else failed["msg"]}

    def _finish(self) -> None:
        options = self._options
        if "attach" not in self._parts:
            return
        for attachment, submitted in zip(options.attachments, list(self._computes)):
            action = submitted["plan"]["action"]
            if self._steps.check_mode or action == "none":
                continue
            finished = self._steps.take(
                "Wait until the cluster is attached",
                "compute",
                self._compute(
                    attachment,
                    wait_timeout=options.get("azureml_attach_timeout"),
                    retry_failed=action == "adopt",
                ),
            )
            submitted["compute"] = finished["compute"]
        types = offered_types(self._computes)
        if options.instance_type() and types:
            step = "Define the instance types in the cluster"
            self._steps.take(step, "instance_type", options.in_cluster(options.instance_type(), instance_types=types))

    def outcome(self) -> dict:
        """What has become of the cluster; module converge documents it."""
        found = {**self._found, "as_wanted": self._found.get("as_wanted", False)}
        found.update(pod_readiness=self._readiness, computes=self._computes)
        return self._steps.outcome(found, "" if self._steps.failure else self._summary())

    def _summary(self) -> str:
        words = PLANNED if self._steps.check_mode else DONE
        computes = [f"compute {words[one['plan']['action']]}" for one in self._computes]
        parts = [
            f"extension {words[self._found['plan']['action']]}" if "plan" in self._found else "extension not looked at",
            (self._readiness or {}).get("summary", "pods not looked at"),
            *(computes or ["not attached"]),
        ]
        return ", ".join(parts)
