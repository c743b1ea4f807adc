# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings of checks and their levels. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.text import printable

ERROR, WARNING, INFO = "error", "warning", "info"
LEVELS = (ERROR, WARNING, INFO)


@dataclass(frozen=True)
class Finding:
    """A finding of a check.

    :param level: C(error) prevents an installation, C(warning) may prevent it, C(info) is for information.
    :param fix: the next step.
    """

    check: str
    level: str
    message: str
    fix: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", printable(self.message))  # it names objects in the cluster

    @property
    def rank(self) -> int:
        """Its place in a list, errors first."""
        return LEVELS.index(self.level)

    def __str__(self) -> str:
        return f"{self.check}: {self.message}" + (f" {self.fix}" if self.fix else "")


def refuse_serious(
    findings: Sequence[Finding], fail_on: str, subject: str, result: Mapping, warn: Callable[[str], None]
) -> None:
    """Fail if there are serious findings; warn of other errors and warnings.

    :param fail_on: the lowest level that is serious, or C(never).
    :param subject: what has the findings, for the message.
    :param result: the module's result, whose fields the error carries.
    :param warn: shows a warning.
    :raises AzureMLError: with code C(PreflightFailed), listing all serious findings.
    """
    lowest = -1 if fail_on == "never" else LEVELS.index(fail_on)
    serious = [finding for finding in findings if finding.rank <= lowest]
    for finding in findings:
        if finding not in serious and finding.level != INFO:
            warn(str(finding))
    if serious:
        raise AzureMLError(
            f"{subject}: " + " ".join(f"[{finding.level}] {finding}" for finding in serious),
            code="PreflightFailed",
            **{key: value for key, value in result.items() if key != "changed"},
        )
