# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the preconditions for running all hosts of a play in one task."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from ansible.errors import AnsibleActionFail
from ansible.playbook.task_include import TaskInclude
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.text import counted
from ansible_collections.azureml.arc.plugins.module_utils._core.values import flag_of, seconds_of
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.core import blocks_of
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.in_process import templated_variable
from ansible_collections.azureml.arc.plugins.plugin_utils._report.rollout import allowed_failures
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.checks import nothing_sent

STRATEGIES = ("ansible.builtin.linear", "linear", "ansible.builtin.debug", "debug")
# Patterns that can select the whole inventory: all, wildcards, and regular expressions.
CAN_BE_EVERYTHING = re.compile(r"all(\[.*)?|~.*|.*[*?].*")
# Flows that need a confirmation, as the beginning of a sentence about clusters.
DESTRUCTIVE = {"remove": "remove Azure Machine Learning from", "detach": "detach"}
INSTEAD = "Use role azureml.arc.azureml instead, which runs for each host."


def require_whole_batch(task) -> None:
    """Refuse a task that does not apply to all hosts of the batch.

    :raises AnsibleActionFail: naming the reason.
    """
    strategy = task.get_play().strategy
    if strategy not in STRATEGIES:
        raise AnsibleActionFail(f"azureml.arc.fleet requires strategy linear, not {strategy}. {INSTEAD}")
    if task.when:
        raise AnsibleActionFail(
            f"azureml.arc.fleet runs once for all hosts, so it cannot have a condition ({task.when[0]}). {INSTEAD}"
        )
    if any(isinstance(one, TaskInclude) and not one.statically_loaded for one in blocks_of(task)):
        raise AnsibleActionFail(
            f"azureml.arc.fleet runs once for all hosts, so its tasks must be imported, not included. {INSTEAD}"
        )


def is_narrowed(pattern: str | list[str], hosts: Collection[str], inventory: Collection[str]) -> bool:
    """Return whether a pattern of hosts was written to select these hosts, and not the whole inventory.

    :param pattern: of C(--limit) or of the play.
    :param hosts: those that it selects.
    :param inventory: all hosts.
    """
    parts = pattern if isinstance(pattern, list) else re.split("[,:]", pattern)
    named = {one.strip() for one in parts}
    if not any(CAN_BE_EVERYTHING.fullmatch(one) for one in named):
        return True
    return named != {"all"} and not set(inventory).issubset(hosts)


class PlaySettings:
    """Variables that are the same for all hosts of a play.

    :param templar: for the variables of a host of the play.
    :param task_vars: these variables.
    """

    def __init__(self, templar, task_vars: Mapping) -> None:
        self._templar = templar
        self._task_vars = task_vars
        self.hosts: list[str] = list(task_vars["ansible_play_hosts_all"])
        self.batch: list[str] = list(task_vars["ansible_play_batch"])

    def _value(self, name: str, default: object) -> object:
        try:
            value = templated_variable(self._task_vars, self._templar, name)
        except AnsibleActionFail as error:
            raise AnsibleActionFail(nothing_sent([str(error)])) from None
        return default if value in (None, "") else value

    def seconds(self, name: str, default: float = 0.0) -> float:
        """Return the value of a variable that is a number of seconds.

        :raises AnsibleActionFail: naming the variable if its value is invalid.
        """
        try:
            return seconds_of(name, self._value(name, default), default)
        except AzureMLError as error:
            raise AnsibleActionFail(nothing_sent([str(error)])) from None  # shown once

    def count(self, name: str) -> int | None:
        """Return the value of a variable that is a number of at least 1, C(None) if it is not set.

        :raises AnsibleActionFail: naming the variable if its value is invalid.
        """
        value = self._value(name, None)
        if value is not None and not re.fullmatch("[1-9][0-9]*", str(value).strip()):
            raise AnsibleActionFail(nothing_sent([f"{name} must be a whole number, 1 or more, not '{value}'"]))
        return None if value is None else int(value)

    def flag(self, name: str, default: bool) -> bool:
        """Return the value of a variable that is true or false.

        :raises AnsibleActionFail: naming the variable if its value is invalid.
        """
        try:
            return flag_of(name, self._value(name, default))
        except AzureMLError as error:
            raise AnsibleActionFail(nothing_sent([str(error)])) from None

    def require_valid_waves(self) -> None:
        """Refuse waves that are invalid, which the playbook has replaced by one wave.

        :raises AnsibleActionFail: naming the variable and its value.
        """
        error = self._value("__azureml_waves_error", "")
        if error:
            raise AnsibleActionFail(nothing_sent([str(error)]))

    def allowed_failures(self) -> int:
        """Return how many clusters may fail, by C(azureml_max_failures).

        :raises AnsibleActionFail: if its value is neither a number nor a percentage.
        """
        try:
            return allowed_failures(str(self._value("azureml_max_failures", 0)), len(self.hosts))
        except AzureMLError as error:
            raise AnsibleActionFail(nothing_sent([str(error)])) from None

    def require_confirmation(self, flow: str) -> None:
        """Refuse to remove or detach a whole inventory without a confirmation.

        :raises AnsibleActionFail: with the number of clusters and the variable that confirms it.
        """
        pattern = self._task_vars.get("ansible_limit") or self._value("azureml_hosts", "all")
        if flow not in DESTRUCTIVE or is_narrowed(pattern, self.hosts, self._task_vars["groups"]["all"]):
            return
        count, confirmed = len(self.hosts), str(self._value("azureml_confirm", "")).strip()
        if confirmed != str(count):
            given = f", not {confirmed}" if confirmed else ""
            message = (
                f"this would {DESTRUCTIVE[flow]} {counted(count)}. Select some by name with --limit, or confirm"
                f" their number with -e azureml_confirm={count}{given}"
            )
            raise AnsibleActionFail(nothing_sent([message]))
