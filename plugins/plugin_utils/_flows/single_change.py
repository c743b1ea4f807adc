# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Change only the version of the extension, or only the certificate."""

from __future__ import annotations

from collections.abc import Collection

from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Waiting
from ansible_collections.azureml.arc.plugins.module_utils._extension.keys import CERTIFICATE_FINGERPRINT
from ansible_collections.azureml.arc.plugins.plugin_utils._flows import proof
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.flow import Flow
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.steps import StepFailedError
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.options import ClusterOptions

VERSION_KEYS = ("version", "auto_upgrade_minor_version")


class _SingleChange(Flow):
    """A flow that changes one aspect of the extension, and refuses any other change."""

    _sent = False

    def compare(self, what: str, keys: Collection[str]) -> Waiting[None]:
        """Compare the extension.

        :param what: the aspect as text.
        :param keys: the settings and properties that belong to it.
        :raises StepFailedError: if anything else would change.
        """
        yield from self.compare_certificate()
        extension = yield from self.steps.check(
            "Compare the extension", "extension", self.options.extension(wait=False)
        )
        self.record_extension(extension)
        plan = extension["plan"]
        others = sorted({**plan["settings"], **plan["properties"]}.keys() - set(keys))
        if others or plan["action"] not in ("none", "update"):
            named = f" ({', '.join(others)})" if others and plan["action"] == "update" else ""
            message = f"more than {what} would change: {plan['reason']}{named}. Deploy the cluster first."
            raise StepFailedError("Compare the extension", {"msg": message})
        yield from self.verify_identity()

    def send(self, step: str) -> Waiting[None]:
        """Submit the change, if there is one."""
        if self.extension["plan"]["action"] == "update":
            submitted = yield from self.steps.apply(step, "extension", self.options.extension(wait=False))
            self.record_extension(submitted)
            self._sent = submitted["changed"]

    @property
    def checks_endpoint(self) -> bool:
        """Whether the change ends with a check of what the inference endpoint serves."""
        return self.options.proves_endpoint

    def complete(self) -> Waiting[None]:
        """Wait for the extension, its pods, and the inference endpoint."""
        if self.steps.check_mode:
            return
        if self._sent:
            yield from self.wait_for_extension("Wait until the extension is updated", retry_failed=False)
        yield from self.wait_for_pods()
        if self.checks_endpoint:
            yield from self.wait_for_endpoint()

    def summary(self) -> str:
        return ", ".join([f"extension {self.extension_change()}", self.pods(), *self.served()])


class Upgrade(_SingleChange):
    """Install the version of the extension in the variables.

    :ivar _former: the former version.
    """

    _former = ""
    _rolls_back = False

    @staticmethod
    def errors_of(options: ClusterOptions) -> list[str]:
        if options.get("azureml_version") is None:
            return ["azureml_version is not set: set it to the version to upgrade to"]
        return []

    def begin(self) -> Waiting[None]:
        """Submit the version."""
        yield from self.compare("the version", VERSION_KEYS)
        self._former = self.extension["extension"]["current_version"]
        self.ended = self.extension["plan"]["action"] == "none"
        yield from self._with_rollback(self.send("Submit the version"))

    def complete(self) -> Waiting[None]:
        """Wait for the version, its pods and the soak; on failure, roll back if the variables allow it."""
        yield from self._with_rollback(super().complete())
        yield from self._with_rollback(self.wait_for_soak())

    def prove(self) -> Waiting[None]:
        """Prove that jobs run with the version; a version that was already installed is not rolled back."""
        proving = proof.prove_jobs(self)
        yield from proving if self.ended else self._with_rollback(proving)

    def _with_rollback(self, steps: Waiting[None]) -> Waiting[None]:
        try:
            yield from steps
        except StepFailedError as failure:
            version = self.options.get("azureml_version")
            message = f"version {version} failed: {failure.result.get('msg', '')}"
            outcome = f"Set azureml_rollback to true to roll back to version {self._former}."
            if self.options.get("azureml_rollback", False):
                outcome = yield from self._roll_back()
            result = {**failure.result, "msg": f"{message} {outcome}", "rollback": outcome}
            raise StepFailedError(failure.step, result) from failure

    def _roll_back(self) -> Waiting[str]:
        """Install the former version, and return the result as text."""
        timeout = self.options.get("azureml_extension_timeout")
        former = self.options.extension(version=self._former, wait_timeout=timeout)
        self._rolls_back = True
        try:
            yield from self.steps.apply("Roll back to the former version", "extension", former)
        except StepFailedError as failure:
            return f"Rolling back to version {self._former} failed as well: {failure.result.get('msg', '')}"
        return f"Rolled back to version {self._former}."

    def in_progress(self, state: str) -> str:
        version = self.options.get("azureml_version")
        return (
            f"version {version} failed, rolling back to version {self._former}: {state}" if self._rolls_back else state
        )

    def summary(self) -> str:
        version = self.options.get("azureml_version")
        change = "unchanged" if self.ended else f"{self._former} -> {version}"
        if self.steps.check_mode and not self.ended:
            change = f"would be upgraded, {change}"
        return ", ".join([f"extension {change}", self.pods(), *self.served(), *proof.results(self)])


class RotateTls(_SingleChange):
    """Renew the certificate of inference endpoints."""

    @staticmethod
    def errors_of(options: ClusterOptions) -> list[str]:
        if "secret_name" in (options.get("azureml_tls") or {}) and not options.has_tls_secret:
            return ["azureml_tls_secret must be set, because azureml_tls.secret_name is: it names the new certificate"]
        return []

    def begin(self) -> Waiting[None]:
        """Store the certificate in the cluster, or submit it with the extension."""
        options = self.options
        if options.get("azureml_tls") is None:
            self.ended = True
            return
        yield from self.compare("the certificate", (CERTIFICATE_FINGERPRINT,))
        if options.has_tls_secret:
            step = "Store the certificate in the cluster"
            yield from self.steps.apply(step, "tls_secret", options.tls_secret())
        yield from self.send("Submit the certificate")

    @property
    def checks_endpoint(self) -> bool:
        return True

    def summary(self) -> str:
        if self.options.get("azureml_tls") is None:
            return "no certificate to rotate, because azureml_tls is not set"
        return super().summary()
