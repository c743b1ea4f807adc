# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The desired labels and taints of nodes, and the pods that a taint would evict. Pure.

Source: https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration and, for the taints of AzureML,
https://learn.microsoft.com/azure/machine-learning/reference-kubernetes
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.labels import label_key, label_value

EFFECTS = ("NoSchedule", "PreferNoSchedule", "NoExecute")
# The taints that pods of AzureML tolerate. The first three have the value "true", the others name a resource.
SWITCHES = ("ml.azure.com/amlarc", "ml.azure.com/amlarc-system", "ml.azure.com/amlarc-workload")
NAMED = ("ml.azure.com/resource-group", "ml.azure.com/workspace", "ml.azure.com/compute")
TAINT_KEYS = (*SWITCHES, *NAMED)


@dataclass(frozen=True)
class Taint:
    """A taint; a node has at most one of each key and effect."""

    key: str
    effect: str
    value: str = ""

    @property
    def identity(self) -> tuple[str, str]:
        return self.key, self.effect

    def body(self) -> dict:
        return {"key": self.key, "value": self.value, "effect": self.effect}

    def __str__(self) -> str:
        return f"{self.key}={self.value}:{self.effect}"


def checked_taints(given: Iterable[Mapping], present: bool) -> list[Taint]:
    """Return the taints of the options.

    :param present: whether to set them; no value is needed to remove them.
    :raises AzureMLError: naming the option.
    """
    taints = []
    for index, one in enumerate(given):
        path = f"taints[{index}]"
        value = one.get("value") or ""
        if one["key"] in SWITCHES and value not in ("", "true"):
            raise AzureMLError(f"{path}.value: {one['key']} accepts only the value 'true'")
        if one["key"] in NAMED and present and not value:
            raise AzureMLError(f"{path}.value is missing: {one['key']} must name the resource to reserve the node for")
        value = "true" if one["key"] in SWITCHES else label_value(value, f"{path}.value")
        taints.append(Taint(one["key"], one["effect"], value))
    twice = [taint for taint in taints if [one.identity for one in taints].count(taint.identity) > 1]
    if twice:
        raise AzureMLError(f"taints: duplicate {twice[0].key} with effect {twice[0].effect}")
    return taints


def checked_labels(given: Mapping) -> dict[str, str]:
    """Return the labels of the options."""
    return {
        label_key(str(key), "labels"): label_value("" if value is None else value, f"labels.{key}")
        for key, value in given.items()
    }


@dataclass(frozen=True)
class NodeChange:
    """The changes of one node.

    :param labels: the labels, C(None) for one to remove.
    :param taints: all taints of the node after the change, C(None) if they are unchanged.
    :param added: new taints.
    """

    labels: Mapping[str, str | None]
    taints: Sequence[Mapping] | None
    added: Sequence[Taint] = ()

    def __bool__(self) -> bool:
        return bool(self.labels) or self.taints is not None

    def patch(self) -> dict:
        """Return the merge patch (RFC 7386) that makes the change."""
        return {
            **({"metadata": {"labels": dict(self.labels)}} if self.labels else {}),
            **({"spec": {"taints": list(self.taints)}} if self.taints is not None else {}),
        }


def plan(node: Mapping, labels: Mapping[str, str], taints: Sequence[Taint], present: bool) -> NodeChange:
    """Return the changes that add labels and taints to a node, or remove them. Everything else is kept."""
    has = node["metadata"].get("labels") or {}
    tainted = (node.get("spec") or {}).get("taints") or []
    managed = {taint.identity for taint in taints}
    others = [one for one in tainted if (one["key"], one["effect"]) not in managed]
    present_values = {(one["key"], one["effect"]): one.get("value") or "" for one in tainted}
    if not present:
        removed = {key: None for key in labels if key in has}
        return NodeChange(removed, others if len(others) < len(tainted) else None)
    changed = {key: value for key, value in labels.items() if has.get(key) != value}
    added = [taint for taint in taints if present_values.get(taint.identity) != taint.value]
    return NodeChange(changed, others + [taint.body() for taint in taints] if added else None, added)


def evicts(taint: Taint, pod: Mapping) -> bool:
    """Return whether a taint would evict a running pod of its node, at once or after a time."""
    if taint.effect != "NoExecute" or (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed"):
        return False
    return not any(_tolerates(one, taint) for one in (pod.get("spec") or {}).get("tolerations") or ())


def _tolerates(toleration: Mapping, taint: Taint) -> bool:
    """Return whether it tolerates a taint permanently, not only for some seconds."""
    if toleration.get("tolerationSeconds") is not None:
        return False
    if toleration.get("effect") not in (None, "", taint.effect):
        return False
    key, exists = toleration.get("key") or "", toleration.get("operator") == "Exists"
    if key == "":
        return exists
    return key == taint.key and (exists or (toleration.get("value") or "") == taint.value)
