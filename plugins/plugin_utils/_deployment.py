# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a cluster is brought to what is wanted, step by step.

The steps are those of role azureml for one cluster (tasks/deploy.yml), and named alike; tests compare the requests of
both.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Collection, Mapping

from ansible_collections.azureml.arc.plugins.module_utils._errors import first_line
from ansible_collections.azureml.arc.plugins.module_utils._text import printable
from ansible_collections.azureml.arc.plugins.plugin_utils._cluster_options import ClusterOptions
from ansible_collections.azureml.arc.plugins.plugin_utils._comparison import compare, instance_types

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
# Of a result: what tells about the module's call, or is told by the outcome as a whole.
NOT_KEPT = ("changed", "diff", "failed", "invocation", "msg", "warnings")


class StepFailedError(Exception):
    """A step that has failed.

    :param step: what it is called; empty where it was none.
    :param result: what its module returned.
    """

    def __init__(self, step: str, result: Mapping) -> None:
        message = result.get("msg") or "it failed without a message"
        super().__init__(f"{step}: {message}" if step else message)
        self.step = step
        self.result = result


class Deployment:
    """One cluster on its way. C(advance) is to be called until it has C(ended).

    The way has phases, so that a fleet can take each on all of its clusters before any takes the next: what is under
    way in Azure, for seconds or for minutes, then overlaps.

    :param options: the options of modules for the cluster.
    :param take: runs a module: takes its name, its options, and whether in check mode; returns its result.
    :param check_mode: only find out what would be done.
    :param parts: which of C(PARTS) to do; what is compared is the whole.
    :param clock: seconds since 1970.
    """

    def __init__(
        self,
        options: ClusterOptions,
        take: Callable[[str, dict, bool], dict],
        check_mode: bool = False,
        parts: Collection[str] = PARTS,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._options = options
        self._take_module = take
        self._check_mode = check_mode
        self._parts = parts
        self._clock = clock
        self._phases = [self._compare, self._submit, self._attach, self._finish]
        self._steps: list[dict] = []
        self._warnings: list[str] = []
        self._diffs: list[dict] = []
        self._changed = False
        self._failure: StepFailedError | None = None
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
        phase = self._phases.pop(0)
        try:
            phase()
        except StepFailedError as failure:
            self._phases.clear()
            self._failure = failure
        except Exception as error:  # what nobody has thought of must not take the other clusters with it
            self._phases.clear()
            message = f"Unexpected {type(error).__name__}: {printable(first_line(error))}. Please report it."
            self._failure = StepFailedError("", {"msg": message, "exception": traceback.format_exc()})

    def _take(self, step: str, module: str, options: Mapping) -> dict:
        """Take a step; what it returns is without the values of C(NOT_KEPT), but C(changed)."""
        start = self._clock()
        result = self._take_module(module, dict(options), self._check_mode)
        self._note_step(step, module, start, bool(result["changed"]))
        self._warnings += result.get("warnings", ())
        diffs = result.get("diff") or []
        self._diffs += [diffs] if isinstance(diffs, dict) else diffs
        if result.get("failed"):
            raise StepFailedError(step, result)
        self._changed |= bool(result["changed"])
        return {**{name: value for name, value in result.items() if name not in NOT_KEPT}, "changed": result["changed"]}

    def _note_step(self, name: str, module: str, start: float, changed: bool = False) -> None:
        step = {"name": name, "module": module, "start": start, "end": self._clock(), "changed": changed}
        self._steps.append(step)

    def _look(self, module: str, options: dict) -> dict:
        result = self._take_module(module, options, True)
        return {name: value for name, value in result.items() if name != "invocation"}

    def _in_azure(self, options: Mapping, **more: object) -> dict:
        return {**self._options.azure(), **options, **more}

    def _in_cluster(self, options: Mapping, **more: object) -> dict:
        return {**self._options.kubernetes(), **options, **more}

    def _compare(self) -> None:
        start = self._clock()
        found = compare(self._options.drift(), self._look)
        self._note_step("Compare the cluster with its variables", "drift", start)
        # What is wrong with a cluster the preflight says, all of it at once.
        self._note_extension({} if found.get("failed") else found)
        if found["as_wanted"]:
            self._phases.clear()
            self._warnings += found.get("warnings", ())
            self._note_readiness(found["pod_readiness"])
            self._computes = found["computes"]
        elif "extension" in self._parts:
            self._prepare_cluster()

    def _submit(self) -> None:
        if "extension" in self._parts:
            options = self._in_azure(self._options.extension(), wait=False)
            submitted = self._take("Submit the extension", "extension", options)
            self._note_extension(submitted)
            self._changes_extension = submitted["changed"]

    def _note_extension(self, result: Mapping) -> None:
        """Keep what was decided on the extension, and how it is by now."""
        self._found = {name: value for name, value in result.items() if name not in NOT_KEPT}
        self._options.known.update((result.get("extension") or {}).get("install_options") or {})

    def _note_readiness(self, result: Mapping) -> None:
        """Keep how the pods are, without the rows of those that are ready, which may be many."""
        self._readiness = {**result, "pods": [one for one in result["pods"] if not one["ready"]]}

    def _prepare_cluster(self) -> None:
        """What comes before the extension."""
        options = self._options
        if not self._found.get("extension"):
            step = "Check whether the cluster can take the extension"
            both = self._in_azure(self._in_cluster(options.preflight()), sides=["azure", "kubernetes"])
            self._preflight = self._take(step, "preflight", {**both, "skip_installed": True})
            options.known.update(self._preflight.get("install_options") or {})
        on_openshift = self._found.get("openshift", self._preflight.get("openshift", False))
        if options.get("azureml_openshift", on_openshift):
            step = "Let OpenShift run the extension's pods"
            self._take(step, "openshift_scc", self._in_cluster(options.openshift_scc()))
        if options.has_tls_secret:
            step = "Put the certificate into the cluster"
            self._take(step, "tls_secret", self._in_cluster(options.tls_secret()))
        if self._preflight.get("checked"):
            step = "Begin to create what the extension will use"
            self._take(step, "extension", self._in_azure(options.extension(), state="prepared"))

    def _attach(self) -> None:
        options = self._options
        if "extension" in self._parts and not self._check_mode:
            self._wait_for_extension()
        # In check mode the pods are those of the extension as it was.
        if "readiness" in self._parts and not (self._check_mode and self._changes_extension):
            timeout = options.get("azureml_readiness_timeout")
            waiting = self._in_cluster(options.pod_readiness(), wait_timeout=timeout)
            self._note_readiness(self._take("Wait until the pods are ready", "pod_readiness", waiting))
        if "attach" in self._parts:
            self._computes = [
                self._take("Attach the cluster", "compute", self._compute(one, wait=False))
                for one in options.attachments
            ]

    def _compute(self, attachment: Mapping, **more: object) -> dict:
        create = attachment.get("create_namespace", False)
        both = self._in_azure(self._in_cluster(self._options.compute(attachment)))
        return {**both, "create_namespace": create, **more}

    def _wait_for_extension(self) -> None:
        if self._found["extension"]["provisioning_state"] == "Succeeded":
            return
        options = self._in_azure(
            self._options.extension(),
            wait_timeout=self._options.get("azureml_extension_timeout"),
            # What was sent a moment ago and has failed since is not sent again.
            retry_failed=self._found["plan"]["action"] == "adopt",
        )
        try:
            installed = self._take("Wait until the extension is installed", "extension", options)
        except StepFailedError as failure:
            raise StepFailedError(failure.step, self._with_diagnosis(failure.result)) from failure
        self._note_extension({**self._found, "extension": installed["extension"]})

    def _with_diagnosis(self, failed: Mapping) -> dict:
        """What has failed, with the pods that are to blame."""
        looked = self._look("pod_readiness", self._in_cluster(self._options.pod_readiness(), wait=False))
        if looked.get("failed"):
            return {**failed, "msg": f"{failed['msg']} The pods could not be looked at: {looked['msg']}"}
        self._note_readiness(looked)
        problems = "; ".join(looked["problems"])
        return {**failed, "msg": f"{failed['msg']} Not ready: {problems}" if problems else failed["msg"]}

    def _finish(self) -> None:
        options = self._options
        if "attach" not in self._parts:
            return
        for attachment, submitted in zip(options.attachments, list(self._computes)):
            action = submitted["plan"]["action"]
            if self._check_mode or action == "none":
                continue
            finished = self._take(
                "Wait until the cluster is attached",
                "compute",
                self._compute(
                    attachment,
                    wait_timeout=options.get("azureml_attach_timeout"),
                    retry_failed=action == "adopt",
                ),
            )
            submitted["compute"] = finished["compute"]
        types = instance_types(self._computes)
        if options.instance_type() and types:
            step = "Define the instance types in the cluster"
            self._take(step, "instance_type", self._in_cluster(options.instance_type(), instance_types=types))

    def outcome(self) -> dict:
        """What has become of the cluster; module converge documents it."""
        failed = dict(self._failure.result) if self._failure else {}
        found = {**{name: value for name, value in failed.items() if name not in NOT_KEPT}, **self._found}
        outcome = {
            **found,
            "changed": self._changed,
            "as_wanted": found.get("as_wanted", False),
            "msg": str(self._failure) if self._failure else self._summary(),
            "pod_readiness": self._readiness,
            "computes": self._computes,
            "steps": self._steps,
        }
        if self._failure:
            outcome.update(failed=True, failed_step=self._failure.step)
        if self._diffs:
            outcome["diff"] = self._diffs
        if self._warnings:
            outcome["warnings"] = list(dict.fromkeys(self._warnings))
        return outcome

    def _summary(self) -> str:
        words = PLANNED if self._check_mode else DONE
        computes = [f"compute {words[one['plan']['action']]}" for one in self._computes]
        parts = [
            f"extension {words[self._found['plan']['action']]}" if "plan" in self._found else "extension not looked at",
            (self._readiness or {}).get("summary", "pods not looked at"),
            *(computes or ["not attached"]),
        ]
        return ", ".join(parts)
