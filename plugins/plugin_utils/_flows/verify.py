# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Verify: compare a cluster with its variables, and change nothing."""

from __future__ import annotations

from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Waiting
from ansible_collections.azureml.arc.plugins.plugin_utils._flows import proof
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.comparison import compare
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.flow import Flow
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.steps import StepFailedError


class Verify(Flow):
    """Fail if a cluster is not in sync with its variables, and report all differences at once."""

    _findings: list[str] | None = None

    def begin(self) -> Waiting[None]:
        """Compare everything."""
        self._findings = yield from compare(self, everything=True)
        if self._findings:
            raise StepFailedError("", {"msg": "; ".join(self._findings)})

    def prove(self) -> Waiting[None]:
        """Prove that jobs run."""
        yield from proof.prove_jobs(self)

    def found(self) -> dict:
        found = {**super().found(), "in_sync": self._findings == []}
        return found if self._findings is None else {**found, "findings": self._findings}

    def summary(self) -> str:
        version = self.extension["extension"]["current_version"] or ""
        attached = ["compute attached"] if self.computes else []
        return ", ".join(
            [
                f"extension {version} in sync",
                self.readiness["summary"],
                *self.served(),
                *attached,
                *proof.results(self),
            ]
        )
