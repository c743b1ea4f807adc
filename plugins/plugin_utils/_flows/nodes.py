# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Label and taint the nodes of a cluster, and check the machine of a node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ansible_collections.azureml.arc.plugins.module_utils._core.findings import ERROR
from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Waiting
from ansible_collections.azureml.arc.plugins.module_utils._core.text import named
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.flow import UNVERIFIED, Flow
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.steps import NOT_KEPT, StepFailedError


class Nodes(Flow):
    """Label and taint the nodes of a cluster."""

    _nodes: tuple[str, ...] = ()
    _changed: tuple[str, ...] = ()

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
            return "no nodes to change, azureml_nodes is not set"
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
    """Check the machine of a node."""

    _checked: Mapping = {}  # the result of module node_preflight

    def begin(self) -> Waiting[None]:
        """Check the machine."""
        try:
            self._checked = yield from self.steps.apply(
                "Check the machine", "node_preflight", self.options.node_preflight()
            )
        except StepFailedError as failure:
            self._checked = failure.result
            raise

    def found(self) -> dict:
        checked = {name: value for name, value in self._checked.items() if name not in NOT_KEPT}
        return {**super().found(), **checked, **self._selinux_change()}

    def _selinux_change(self) -> dict:
        """Return the change of SELinux, which the tasks of the role make."""
        mode, current = self.options.get("azureml_selinux_mode"), self._checked.get("selinux", "")
        if not mode or current.lower() in ("", "disabled", mode):
            return {}
        change = {
            "mode": mode,
            "enforcing": current == "Enforcing",
            "reboot": mode == "disabled" and self.options.get("azureml_reboot", False),
            "become": self.options.get("azureml_machine_become", True),
        }
        return {"selinux_change": change}

    def summary(self) -> str:
        errors = dict.fromkeys(one["check"] for one in self._checked["findings"] if one["level"] == ERROR)
        if errors:
            return f"the machine is not ready ({', '.join(errors)}), azureml_fail_on is never"
        return "the machine is ready"
