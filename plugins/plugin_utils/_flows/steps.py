# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the steps of one cluster, each with a module, and combine their results."""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from ansible.errors import AnsibleConnectionFailure
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import first_line
from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Waiting
from ansible_collections.azureml.arc.plugins.module_utils._core.text import printable
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.executors import CLUSTER_MODULES
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.naming import in_variables, result_in_variables

# Fields of a module's result that describe its call, or that the result of the cluster has for all steps.
NOT_KEPT = ("changed", "diff", "failed", "invocation", "msg", "warnings")


class Executor(Protocol):
    """Runs the modules of one cluster.

    :ivar has_internal_steps: whether it can run the steps that are not modules of the collection.
    """

    has_internal_steps: bool

    def run(self, module: str, options: dict, check_mode: bool) -> Waiting[dict]:
        """Run a module by its name and return its result; does not raise for a module that fails."""


class StepFailedError(Exception):
    """A step failed.

    :param step: the name of the step; empty if the failure belongs to none.
    :param result: the result of its module.
    """

    def __init__(self, step: str, result: Mapping) -> None:
        result = result_in_variables(result)
        message = result.get("msg") or "it failed without a message"
        super().__init__(f"{step}: {message}" if step else message)
        self.step = step
        self.result = result

    def with_note(self, note: str) -> StepFailedError:
        """Return the failure with a sentence at the end of its message."""
        result = {**self.result, "msg": f"{self.result.get('msg', '').rstrip('.')}. {note}."}
        if self.result.get("error"):
            error = self.result["error"]
            result["error"] = {**error, "message": f"{error['message'].rstrip('.')}. {note}"}
        return StepFailedError(self.step, result)


class Steps:
    """Runs the steps of one cluster and records them.

    :param host: the name of the host, for the headers of differences.
    :param executor: runs modules.
    :param check_mode: only find out what would change.
    :param clock: seconds since 1970.
    :ivar failure: the step that failed, C(None) for none.
    """

    def __init__(self, host: str, executor: Executor, check_mode: bool, clock: Callable[[], float] = time.time) -> None:
        self._host = host
        self._executor = executor
        self._clock = clock
        self._records: list[dict] = []
        self._warnings: list[str] = []
        self._diffs: list[dict] = []
        self._changed = False
        self.check_mode = check_mode
        self.failure: StepFailedError | None = None

    @property
    def has_internal_steps(self) -> bool:
        """Whether steps can be run that are not modules of the collection."""
        return self._executor.has_internal_steps

    @property
    def last(self) -> str:
        """The name of the step that began last, empty if none has begun."""
        return self._records[-1]["name"] if self._records else ""

    @property
    def sent_to_azure(self) -> bool:
        """Whether a step so far may have started an operation in Azure."""
        sent = [one for one in self._records if not one.get("check") and one["module"] not in CLUSTER_MODULES]
        return bool(sent) and not self.check_mode

    def apply(self, step: str, module: str, options: Mapping) -> Waiting[dict]:
        """Run a step that may change something.

        :returns: the result of the module without the fields that all steps share, but with C(changed).
        :raises StepFailedError: if it failed.
        """
        with self.recorded(step, module) as record:
            result = yield from self._executor.run(module, dict(options), self.check_mode)
            record["changed"] = bool(result.get("changed"))
        self._diffs += list(self._with_headers(module, options, result.get("diff") or []))
        self._changed |= record["changed"]
        return {**self._kept(step, result), "changed": record["changed"]}

    def prove(self, step: str, module: str, options: Mapping) -> Waiting[dict]:
        """Run a step that leaves something in Azure, but changes nothing of the cluster; otherwise as C(apply)."""
        with self.recorded(step, module):
            result = yield from self._executor.run(module, dict(options), self.check_mode)
        return self._kept(step, result)

    def check(self, step: str, module: str, options: Mapping) -> Waiting[dict]:
        """Run a step in check mode; otherwise as C(apply)."""
        with self.recorded(step, module) as record:
            record["check"] = True
            result = yield from self._executor.run(module, dict(options), True)
        return {**self._kept(step, result), "changed": bool(result.get("changed"))}

    def probe(self, module: str, options: Mapping) -> Waiting[dict]:
        """Run a module in check mode as a part of a step; returns its result, failed or not."""
        result = yield from self._executor.run(module, dict(options), True)
        return {name: value for name, value in result.items() if name != "invocation"}

    def _kept(self, step: str, result: Mapping) -> dict:
        self.warn(result.get("warnings", ()))
        if result.get("failed"):
            raise StepFailedError(step, result)
        return {name: value for name, value in result.items() if name not in NOT_KEPT}

    def _with_headers(self, module: str, options: Mapping, diffs: Mapping | Iterable[Mapping]) -> Iterator[dict]:
        resource = f"{self._host}: {' '.join(filter(None, (module.replace('_', ' '), options.get('name'))))}"
        for diff in [diffs] if isinstance(diffs, Mapping) else diffs:
            headers = {
                f"{side}_header": resource if diff.get(side) else f"{resource} (absent)" for side in ("before", "after")
            }
            yield {**headers, **diff}

    @contextlib.contextmanager
    def recorded(self, step: str, module: str) -> Iterator[dict]:
        """Record a step, however many modules it runs."""
        record = {"name": step, "module": module, "start": self._clock(), "changed": False}
        self._records.append(record)
        try:
            yield record
        finally:
            record["end"] = self._clock()

    def warn(self, warnings: Iterable[str]) -> None:
        """Add warnings to the result, without duplicates."""
        self._warnings += [one for one in map(in_variables, warnings) if one not in self._warnings]

    @contextlib.contextmanager
    def until_failure(self) -> Iterator[None]:
        """Run steps until one fails, and keep it as C(failure)."""
        try:
            yield
        except StepFailedError as failure:
            self.failure = failure
        except AnsibleConnectionFailure:
            raise  # the host is unreachable, which Ansible reports
        except Exception as error:  # an unforeseen error of one cluster must not end the others
            message = f"Unexpected {type(error).__name__}: {printable(first_line(error))}. Please report it."
            self.failure = StepFailedError("", {"msg": message, "exception": traceback.format_exc()})

    def result(self, found: Mapping, summary: str) -> dict:
        """Return the result of the cluster, as module C(cluster) documents it.

        :param found: the fields about the cluster.
        :param summary: the message, unless a step failed.
        """
        result = {**found, "changed": self._changed, "msg": summary, "steps": self._records}
        if self.failure:
            failed = {name: value for name, value in self.failure.result.items() if name not in NOT_KEPT}
            result = {**failed, **result, "msg": str(self.failure), "failed": True}
            result |= {"failed_step": self.failure.step} if self.failure.step else {}
        if self._diffs:
            result["diff"] = self._diffs
        if self._warnings:
            result["warnings"] = self._warnings
        return result
