# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Label and taint the nodes that AzureML uses."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall
from ansible_collections.azureml.arc.plugins.module_utils._core.text import named
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.client import KubeSession, open_session
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.labels import label_selector
from ansible_collections.azureml.arc.plugins.module_utils._node.taints import (
    NodeChange,
    Taint,
    checked_labels,
    checked_taints,
    evicts,
    plan,
)

KIND = "Node"


def run(call: ModuleCall) -> dict:
    """M(azureml.arc.node)."""
    params = call.params
    present = params["state"] == "present"
    if not any(one.strip() for one in (*(params["names"] or ()), *(params["label_selectors"] or ()))):
        raise AzureMLError("names and label_selectors are empty. Use names: ['*'] for all nodes.")
    labels, taints = checked_labels(params["labels"]), checked_taints(params["taints"], present)
    selector = label_selector(params["label_selectors"] or (), "label_selectors")
    with open_session(call) as session:
        chosen = _choose(session, call, selector)
        if present and not params["allow_disruption"]:
            _require_no_evictions(
                session, {node["metadata"]["name"]: plan(node, labels, taints, present) for node in chosen}
            )
        changed: dict[str, tuple[dict, NodeChange]] = {}
        for node in chosen:
            try:
                before, change = _apply(session, call, node, labels, taints)
            except AzureMLError as error:
                done = sorted(changed)
                raise error.after_changes("nodes already changed", done, changed_nodes=done) from error
            if change:
                changed[before["metadata"]["name"]] = (before, change)
    result = {
        "changed": bool(changed),
        "nodes": [node["metadata"]["name"] for node in chosen],
        "changed_nodes": sorted(changed),
    }
    if call.diff:
        result["diff"] = _diff(changed)
    return result


def _choose(session: KubeSession, call: ModuleCall, selector: str) -> list[dict]:
    """Return the nodes that match both names and selectors.

    :param selector: all label selectors as one.
    :raises AzureMLError: if there are none to change; if there are none to change back, this is a warning.
    """
    patterns, selectors = call.params["names"], call.params["label_selectors"]
    found = session.list(KIND, keep=_kept, **({"label_selector": selector} if selector else {}))[0]
    if patterns:
        known = [node["metadata"]["name"] for node in found]
        missing = [one for one in patterns if not fnmatch.filter(known, one)]
        exact = [one for one in missing if not set(one) & set("*?[")]
        if exact:
            raise AzureMLError(f"names: no node has the name {', '.join(exact)}", code="NotFound")
        if len(missing) < len(patterns):
            for one in missing:
                call.warn(f"names: no node matches '{one}'")
        found = [node for node in found if any(fnmatch.fnmatchcase(node["metadata"]["name"], one) for one in patterns)]
    if not found:
        message = f"no node matches {_selection(patterns, selectors)}"
        if call.params["state"] == "present":
            raise AzureMLError(message, code="NotFound", hint="Check names and label_selectors.")
        call.warn(message)
    return found


def _selection(patterns: Sequence[str] | None, selectors: Sequence[str] | None) -> str:
    """Return the options that select nodes as text."""
    given = {"names": patterns, "label_selectors": selectors}
    return " and ".join(f"{option} {', '.join(values)}" for option, values in given.items() if values)


def _kept(node: Mapping) -> dict:
    """Return the relevant parts of a node, whose status may be long."""
    return {
        "metadata": {name: node["metadata"].get(name) for name in ("name", "labels", "resourceVersion")},
        "spec": {"taints": (node.get("spec") or {}).get("taints") or []},
    }


def _require_no_evictions(session: KubeSession, changes: Mapping[str, NodeChange]) -> None:
    """Refuse taints that would evict pods, before any node is changed."""
    leaving = []
    for name, change in changes.items():
        evicting = [taint for taint in change.added if taint.effect == "NoExecute"]
        if not evicting:
            continue
        for pod in session.list("Pod", field_selector=f"spec.nodeName={name}")[0]:
            if any(evicts(taint, pod) for taint in evicting):
                leaving.append(f"{pod['metadata']['namespace']}/{pod['metadata']['name']} on {name}")
    if leaving:
        raise AzureMLError(
            f"taints with effect NoExecute would evict pods: {named(leaving)}",
            code="WouldEvict",
            hint="Use effect NoSchedule, drain the nodes first, or set allow_disruption to true.",
        )


def _apply(
    session: KubeSession, call: ModuleCall, node: dict, labels: Mapping[str, str], taints: Sequence[Taint]
) -> tuple[dict, NodeChange]:
    """Bring a node in sync; return its state before the change, and the changes."""
    present = call.params["state"] == "present"

    def decide(body: dict) -> dict | None:
        change = plan(body, labels, taints, present)
        return change.patch() if change else None

    made = session.change(KIND, node["metadata"]["name"], decide, body=node, check_mode=call.check_mode)
    if made is None:  # the node was removed
        return node, NodeChange({}, None)
    return made[0], plan(made[0], labels, taints, present)


def _diff(changed: Mapping[str, tuple[dict, NodeChange]]) -> dict:
    before, after = {}, {}
    for name, (node, change) in changed.items():
        has = node["metadata"].get("labels") or {}
        before[name] = {"labels": {key: has[key] for key in change.labels if key in has}}
        after[name] = {"labels": {key: value for key, value in change.labels.items() if value is not None}}
        if change.taints is not None:
            before[name]["taints"] = (node.get("spec") or {}).get("taints") or []
            after[name]["taints"] = list(change.taints)
    return {"before": before, "after": after}
