# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a cluster is what its variables say, all that is not said at once.

The steps are those of role azureml for one cluster (tasks/compare.yml), and named alike.
"""

from __future__ import annotations

from ansible_collections.azureml.arc.plugins.plugin_utils._flows.comparison import (
    findings,
    not_ready_pods,
    offered_types,
)
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.steps import ClusterSteps, StepFailedError
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.options import ClusterOptions

REPORT = "Report the findings"


class Verification:
    """One cluster that is compared, in one phase.

    :param options: the options of modules for the cluster.
    :param steps: takes the steps.
    """

    def __init__(self, options: ClusterOptions, steps: ClusterSteps) -> None:
        self._options = options
        self._steps = steps
        self._found: dict = {}
        self._computes: list[dict] = []
        self.ended = False

    def advance(self) -> None:
        """Compare the cluster. What is not as wanted is told by C(outcome)."""
        with self._steps.until_failure():
            self._compare()
        self.ended = True

    def _compare(self) -> None:
        options, look = self._options, self._steps.look
        extension = look("Compare the extension", "extension", options.in_azure(options.extension(), wait=False))
        self._found = extension
        options.known.update((extension["extension"] or {}).get("install_options") or {})
        pods = look("Look at the pods", "pod_readiness", options.in_cluster(options.pod_readiness(), wait=False))
        self._found = {**extension, "pod_readiness": not_ready_pods(pods)}
        for attachment in options.attachments:
            given = options.in_azure(options.in_cluster(options.compute(attachment)), wait=False)
            self._computes.append(look("Compare the computes", "compute", given))
        types = offered_types(self._computes)
        defined = None
        if options.instance_type() and types:
            given = options.in_cluster(options.instance_type(), instance_types=types, wait=False)
            defined = look("Compare the instance types", "instance_type", given)
        found = findings(extension, pods, self._computes, defined)
        self._found["findings"] = found
        if found:
            raise StepFailedError(REPORT, {"msg": "; ".join(found)})

    def outcome(self) -> dict:
        """What has become of it; module converge documents it."""
        summary = ""
        if not self._steps.failure:
            version = self._found["extension"]["current_version"] or ""
            attached = ", compute attached" if self._computes else ""
            summary = f"extension {version} as wanted, {self._found['pod_readiness']['summary']}{attached}"
        found = {"pod_readiness": None, **self._found, "computes": self._computes}
        outcome = self._steps.outcome({**found, "as_wanted": not self._steps.failure}, summary)
        return {**outcome, "msg": "; ".join(found["findings"])} if found.get("findings") else outcome
