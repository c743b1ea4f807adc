# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Label and taint the nodes of a cluster, and check the machine of a node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ansible_collections.azureml.arc.plugins.module_utils._core.findings import ERROR
from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Waiting
from ansible_collections.azureml.arc.plugins.module_utils._core.text import named
from ansible_collections.azureml.arc.plugins.module_utils._preflight.machine import CHECKS
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.flow import UNVERIFIED, Flow
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.steps import NOT_KEPT, StepFailedError
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.options import ClusterOptions
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.specs import MACHINE, NODES


class Nodes(Flow):
    """Label and taint the nodes of a cluster."""

    kind = NODES
    with_files = ("azureml_kubernetes",)
    _nodes: tuple[str, ...] = ()
    _changed: tuple[str, ...] = ()

    @classmethod
    def connects(cls, options: ClusterOptions) -> bool:
        return bool(options.get("azureml_nodes"))

    def begin(self) -> Waiting[None]:
        """Change the nodes of each entry, after a check of the cluster's identity if the variables name the cluster.

        All entries are compared before the first change, so that an invalid one changes nothing.
        """
        entries = self.options.get("azureml_nodes", [])
        identity = self.options.named_identity()
        if entries and identity:
            yield from self.check_identity(identity)
        elif entries:
            self.steps.warn([UNVERIFIED.format(reason="azureml_resource_group is not set")])
        if len(entries) > 1 and not self.steps.check_mode:
            yield from self._compare(_independent(entries))
        for one in entries:
            yield from self._apply(one)

    def _compare(self, entries: Sequence[Mapping]) -> Waiting[None]:
        for one in entries:
            yield from self.steps.check(f"Compare nodes {_selected(one)}", "node", self.options.node(one))

    def _apply(self, entry: Mapping) -> Waiting[None]:
        try:
            found = yield from self.steps.apply(
                f"Label and taint nodes {_selected(entry)}", "node", self.options.node(entry)
            )
        except StepFailedError as failure:
            earlier = self._changed
            self._record(failure.result)
            if not earlier:
                raise
            raise failure.with_note(f"Earlier entries of azureml_nodes changed nodes: {named(earlier)}") from failure
        self._record(found)

    def _record(self, result: Mapping) -> None:
        """Record the nodes in a result of module node, which may have failed."""
        self._nodes = tuple(dict.fromkeys([*self._nodes, *result.get("nodes", ())]))
        self._changed = tuple(dict.fromkeys([*self._changed, *result.get("changed_nodes", ())]))

    def found(self) -> dict:
        return {**super().found(), "nodes": list(self._nodes), "changed_nodes": list(self._changed)}

    def summary(self) -> str:
        if not self.options.get("azureml_nodes"):
            return "no nodes to change, because azureml_nodes is not set"
        if not self._changed:
            return f"nodes in sync: {named(self._nodes)}"
        return f"nodes {'to change' if self.steps.check_mode else 'changed'}: {named(self._changed)}"


def _selected(entry: Mapping) -> str:
    """Return what an entry of azureml_nodes selects, as text."""
    return ", ".join([*entry.get("names", ()), *entry.get("label_selectors", ())])


def _independent(entries: Sequence[Mapping]) -> list[Mapping]:
    """Return the entries that can be compared before any change: none that may select by labels of an earlier one."""
    labelled = [bool(one.get("labels")) for one in entries]
    return [one for index, one in enumerate(entries) if not (one.get("label_selectors") and any(labelled[:index]))]


class Machine(Flow):
    """Check the machine of a node. Tasks of the role change the mode of SELinux between C(begin) and C(complete)."""

    kind = MACHINE
    with_files = ()
    _selinux = ""  # the current mode
    _checked: Mapping = {}  # the result of module node_preflight

    def begin(self) -> Waiting[None]:
        """Read the mode of SELinux, if the variables set it."""
        if self._wanted_mode:
            # If that fails, the check of the machine fails, too, and says why.
            read = yield from self.steps.probe("node_preflight", self.options.node_preflight(skip_checks=CHECKS))
            self._selinux = read.get("selinux", "")

    def complete(self) -> Waiting[None]:
        """Check the machine.

        :raises StepFailedError: also if SELinux is still enforcing although the variables set another mode.
        """
        step = "Check the machine"
        try:
            self._checked = yield from self.steps.apply(step, "node_preflight", self.options.node_preflight())
        except StepFailedError as failure:
            self._checked = failure.result
            raise
        if self._is_enforcing and not self.steps.check_mode:
            message = f"SELinux is still enforcing, but azureml_selinux_mode is {self._wanted_mode}."
            message = f"{message} Check the results of the tasks that set it."
            raise StepFailedError(step, {**self._checked, "msg": message})

    @property
    def _wanted_mode(self) -> str:
        return self.options.get("azureml_selinux_mode", "")

    @property
    def _is_enforcing(self) -> bool:
        return bool(self._wanted_mode) and self._selinux == "Enforcing"

    def found(self) -> dict:
        checked = {name: value for name, value in self._checked.items() if name not in NOT_KEPT}
        return {**super().found(), **checked, **self._selinux_change()}

    def _selinux_change(self) -> dict:
        """Return the change of SELinux that is left to the tasks of the role."""
        mode = self._wanted_mode
        if not mode or self._selinux.lower() in ("", "disabled", mode):
            return {}
        change = {
            "mode": mode,
            "enforcing": self._is_enforcing,
            "reboot": mode == "disabled" and self.options.get("azureml_reboot", False),
            "become": self.options.get("azureml_machine_become", True),
        }
        return {"selinux_change": change}

    def summary(self) -> str:
        if not self._checked:
            return "the machine was not checked yet"
        errors = dict.fromkeys(one["check"] for one in self._checked["findings"] if one["level"] == ERROR)
        ready = f"the machine is not ready ({', '.join(errors)}), but azureml_fail_on is never"
        return ", ".join([ready if errors else "the machine is ready", *self._selinux_in_words()])

    def _selinux_in_words(self) -> list[str]:
        if not (self._wanted_mode and self._selinux):
            return []
        change = self._selinux_change().get("selinux_change")
        if change and self.steps.check_mode:
            return [f"SELinux would be set to {change['mode']}"]
        later = f" until the next boot, then {change['mode']}" if change else ""
        return [f"SELinux is {self._selinux.lower()}{later}"]
