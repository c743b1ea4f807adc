# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deploy: install the extension, wait until its pods are ready, attach the cluster."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Waiting
from ansible_collections.azureml.arc.plugins.plugin_utils._flows import proof
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.comparison import compare, needs_openshift_scc
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.flow import Flow, offered_types
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.steps import StepFailedError
from ansible_collections.azureml.arc.plugins.plugin_utils._report.actions import CHANGES, COMPUTE, in_words


class Deploy(Flow):
    """Bring a cluster in sync with its variables.

    :ivar begun: whether an earlier call has submitted the extension, so that its failure is not repaired by sending it
        again.
    """

    attaches = True
    begun = False
    _in_sync = False
    _completed = False
    _action = "none"  # of the extension

    def begin(self) -> Waiting[None]:
        """Compare the cluster, prepare it, and submit the extension."""
        try:
            differences = yield from compare(self, everything=False)
        except StepFailedError as failure:
            if not self.extension and "extension" in self.parts and not failure.result.get("gone"):
                yield from self._preflight()  # reports all problems of the cluster at once
            raise
        if not differences:
            self.ended = self._in_sync = True
        elif "extension" in self.parts:
            yield from self._submit()
        else:
            yield from self.verify_identity()

    def _submit(self) -> Waiting[None]:
        self._action = self.extension["plan"]["action"]
        preflight: Mapping = {}
        if not self.extension["extension"]:
            preflight = yield from self._preflight()
            self.options.detected.update(preflight["install_options"])
        yield from self.verify_identity()
        yield from self._prepare_cluster(preflight.get("openshift", False))
        if self._action not in CHANGES or self.begun:
            return
        created: list[str] = []
        if not self.extension["extension"] and self.steps.has_internal_steps:
            step = "Start creating the supporting resources"
            begun = yield from self.steps.apply(step, "supporting_resources", self.options.extension())
            created = begun["created_resources"]
            self.extension["created_resources"] = created  # also if the next step fails
        submitted = yield from self.steps.apply("Submit the extension", "extension", self.options.extension(wait=False))
        self.record_extension({**submitted, "created_resources": [*created, *submitted["created_resources"]]})

    def _preflight(self) -> Waiting[dict]:
        """Check Azure and the cluster, and report the findings of both."""
        step = "Check that the extension can be installed"
        with self.steps.recorded(step, "preflight"):
            azure = yield from self.steps.probe("preflight", self.options.azure_preflight())
            if azure.get("failed") or azure["checked"]:
                cluster = yield from self.steps.probe("preflight", self.options.kubernetes_preflight())
            else:
                cluster = {}
        self.steps.warn([*azure.get("warnings", ()), *cluster.get("warnings", ())])
        failures = [one for one in (azure, cluster) if one.get("failed")]
        if failures:
            findings = [finding for one in failures for finding in one.get("findings", ())]
            message = " ".join(one["msg"] for one in failures)
            raise StepFailedError(step, {**failures[0], "msg": message, "findings": findings})
        return {
            "openshift": azure["openshift"] or cluster.get("openshift", False),
            "install_options": {**azure["install_options"], **cluster.get("install_options", {})},
        }

    def _prepare_cluster(self, on_openshift: bool) -> Waiting[None]:
        options, steps = self.options, self.steps
        if needs_openshift_scc(self, on_openshift):
            yield from steps.apply("Grant the permissions on OpenShift", "openshift_scc", options.openshift_scc())
        if options.has_tls_secret:
            yield from steps.apply("Store the certificate in the cluster", "tls_secret", options.tls_secret())

    def complete(self) -> Waiting[None]:
        """Wait for the extension and its pods, attach the cluster, define instance types, soak."""
        check_mode, self._completed = self.steps.check_mode, True
        if "extension" in self.parts and not check_mode and not self._is_installed():
            # A failed operation of this flow is not repeated.
            retry = self._action == "adopt" and not self.begun
            yield from self.wait_for_extension("Wait until the extension is installed", retry_failed=retry)
        # In check mode the pods are those of the extension before the change.
        if "readiness" in self.parts and not (check_mode and self._action in CHANGES):
            yield from self.wait_for_pods()
            if self.options.proves_endpoint:
                yield from self.wait_for_endpoint()
        if "attach" in self.parts:
            yield from self._attach()
        yield from self.wait_for_soak()

    def prove(self) -> Waiting[None]:
        """Prove that jobs run."""
        yield from proof.prove_jobs(self)

    def _is_installed(self) -> bool:
        return self.extension["extension"]["provisioning_state"] == "Succeeded"

    def _attach(self) -> Waiting[None]:
        options, steps = self.options, self.steps
        attachments = [
            (attachment, number)
            for number, attachment in enumerate(options.attachments)
            if self.computes[number]["plan"]["action"] != "none"
        ]
        for attachment, number in attachments:
            yield from self._require_namespace(attachment, self.computes[number]["plan"]["action"])
            self.computes[number] = yield from steps.apply(
                "Attach the cluster", "compute", options.compute(attachment, wait=False)
            )
        for attachment, number in attachments:
            action = self.computes[number]["plan"]["action"]
            if not steps.check_mode and action != "none":
                waiting = {
                    "wait_timeout": options.get("azureml_attach_timeout"),
                    "retry_failed": action == "adopt",
                }
                finished = yield from steps.apply(
                    "Wait until the cluster is attached", "compute", options.compute(attachment, **waiting)
                )
                self.computes[number]["compute"] = finished["compute"]
        types = offered_types(self.computes)
        if options.has_instance_types and types:
            yield from steps.apply("Define the instance types", "instance_type", options.instance_type(types))

    def _require_namespace(self, attachment: Mapping, action: str) -> Waiting[None]:
        """Ensure that the namespace of a compute exists before it is attached."""
        name = attachment.get("namespace", "default")
        if action not in ("create", "replace") or name == "default":
            return
        step = "Create the namespace of the compute"
        if attachment.get("create_namespace"):
            yield from self.steps.apply(step, "namespace", self.options.namespace(name))
            return
        found = yield from self.steps.check(step, "namespace", self.options.namespace(name))
        if found["changed"]:
            message = f"namespace '{name}' does not exist in the cluster. Create it, or set create_namespace to true."
            raise StepFailedError("Attach the cluster", {"msg": message})

    def found(self) -> dict:
        return {**super().found(), "in_sync": self._in_sync}

    def summary(self) -> str:
        attached = self._in_sync or (self._completed and "attach" in self.parts)
        actions = [one["plan"]["action"] for one in self.computes if attached]
        computes = [f"compute {in_words(action, COMPUTE, self.steps.check_mode)}" for action in actions]
        parts = [
            f"extension {self.extension_change()}",
            self.pods(),
            *self.served(),
            *(computes or ["not attached"]),
            *proof.results(self),
        ]
        return ", ".join(parts)
