# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The steps that are taken on one cluster, and what has come of them."""

from __future__ import annotations

import contextlib
import time
import traceback
from collections.abc import Callable, Iterator, Mapping

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import first_line
from ansible_collections.azureml.arc.plugins.module_utils._core.text import printable

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


class ClusterSteps:
    """Runs modules for one cluster, and keeps what all of them have in common.

    :param run: runs a module: takes its name, its options, and whether in check mode; returns its result.
    :param check_mode: only find out what would be done.
    :param clock: seconds since 1970.
    :ivar failure: the step that has failed, C(None) for none.
    """

    def __init__(
        self, run: Callable[[str, dict, bool], dict], check_mode: bool, clock: Callable[[], float] = time.time
    ) -> None:
        self._run = run
        self.check_mode = check_mode
        self._clock = clock
        self._steps: list[dict] = []
        self._warnings: list[str] = []
        self._diffs: list[dict] = []
        self._changed = False
        self.failure: StepFailedError | None = None

    def take(self, step: str, module: str, options: Mapping) -> dict:
        """Take a step that may change something.

        :returns: the result of the module, without what C(outcome) tells, but with C(changed).
        :raises StepFailedError: where it has failed.
        """
        with self.noted(step, module) as noted:
            result = self._run(module, dict(options), self.check_mode)
            noted["changed"] = bool(result["changed"])
        diffs = result.get("diff") or []
        self._diffs += [diffs] if isinstance(diffs, dict) else diffs
        self._changed |= noted["changed"] and not result.get("failed")
        return {**self._kept(step, result), "changed": noted["changed"]}

    def look(self, step: str, module: str, options: Mapping) -> dict:
        """Take a step that only finds out what would be changed; else as C(take)."""
        with self.noted(step, module):
            result = self._run(module, dict(options), True)
        return {**self._kept(step, result), "changed": bool(result["changed"])}

    def ask(self, module: str, options: Mapping) -> dict:
        """What a module says in check mode, failures included, as a part of a step."""
        result = self._run(module, dict(options), True)
        return {name: value for name, value in result.items() if name != "invocation"}

    def _kept(self, step: str, result: Mapping) -> dict:
        self.warn(result.get("warnings", ()))
        if result.get("failed"):
            raise StepFailedError(step, result)
        return {name: value for name, value in result.items() if name not in NOT_KEPT}

    @contextlib.contextmanager
    def noted(self, step: str, module: str) -> Iterator[dict]:
        """Note a step, of as many calls as it may take."""
        noted = {"name": step, "module": module, "start": self._clock(), "changed": False}
        self._steps.append(noted)
        try:
            yield noted
        finally:
            noted["end"] = self._clock()

    def warn(self, warnings) -> None:
        """Have the outcome warn, of nothing twice."""
        self._warnings += [one for one in warnings if one not in self._warnings]

    @contextlib.contextmanager
    def until_failure(self) -> Iterator[None]:
        """Take steps until one fails, which is kept as C(failure)."""
        try:
            yield
        except StepFailedError as failure:
            self.failure = failure
        except Exception as error:  # what nobody has thought of must not take the other clusters with it
            message = f"Unexpected {type(error).__name__}: {printable(first_line(error))}. Please report it."
            self.failure = StepFailedError("", {"msg": message, "exception": traceback.format_exc()})

    def outcome(self, found: Mapping, summary: str) -> dict:
        """What has become of the cluster; module converge documents it.

        :param found: what is known of it.
        :param summary: what was done, unless something has failed.
        """
        outcome = {**found, "changed": self._changed, "msg": summary, "steps": self._steps}
        if self.failure:
            failed = {name: value for name, value in self.failure.result.items() if name not in NOT_KEPT}
            outcome = {**failed, **outcome, "msg": str(self.failure), "failed": True, "failed_step": self.failure.step}
        if self._diffs:
            outcome["diff"] = self._diffs
        if self._warnings:
            outcome["warnings"] = self._warnings
        return outcome
