# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Instance types: what a job may run on and how much of it it gets. From a user's words to Kubernetes' objects. Pure.

Source: https://learn.microsoft.com/azure/machine-learning/how-to-manage-kubernetes-instance-types
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.azureml.arc.plugins.module_utils._errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._quantity import quantity

GPU = "nvidia.com/gpu"
# https://kubernetes.io/docs/concepts/overview/working-with-objects/names
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
# https://kubernetes.io/docs/concepts/overview/working-with-objects/labels
_LABEL_PREFIX = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_LABEL_WORD = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")


@dataclass(frozen=True)
class InstanceType:
    """An instance type that Kubernetes takes. Amounts are texts, but for the whole number of GPUs."""

    name: str
    node_selector: Mapping[str, str] = field(default_factory=dict)
    requests: Mapping[str, object] = field(default_factory=dict)
    limits: Mapping[str, object] = field(default_factory=dict)

    @property
    def gpus(self) -> int:
        return int(self.limits.get(GPU, 0))

    def spec(self) -> dict:
        """The C(spec) of the object; what is empty is left out."""
        resources = {name: dict(part) for name, part in (("requests", self.requests), ("limits", self.limits)) if part}
        return {
            **({"nodeSelector": dict(self.node_selector)} if self.node_selector else {}),
            **({"resources": resources} if resources else {}),
        }


def validated(given: Mapping, prefix: str = "") -> InstanceType:
    """An instance type as a user describes it, checked as Kubernetes would check it.

    :param given: C(name), C(node_selector), and C(resources) with C(requests) and C(limits).
    :param prefix: where it stands in the user's document, for errors: C(instance_types[0].).
    :raises AzureMLError: naming the path inside the document.
    """
    name = given["name"]
    if not _NAME.fullmatch(name):
        raise AzureMLError(f"{prefix}name: '{name}' must be lower case letters, digits, '-' and '.'")
    selector = {
        _label_key(str(key), f"{prefix}node_selector"): _label_value(value, f"{prefix}node_selector.{key}")
        for key, value in (given.get("node_selector") or {}).items()
    }
    resources = given.get("resources") or {}
    parts = {part: _amounts(resources.get(part) or {}, f"{prefix}resources.{part}") for part in ("requests", "limits")}
    _check_gpus(parts, f"{prefix}resources")
    parts["requests"].pop(GPU, None)  # Kubernetes takes them from the limits
    for resource, amount in parts["requests"].items():
        limit = parts["limits"].get(resource)
        if limit is not None and quantity(amount) > quantity(limit):
            raise AzureMLError(f"{prefix}resources.requests.{resource}: {amount} is more than the limit of {limit}")
    return InstanceType(name, selector, parts["requests"], parts["limits"])


def _amounts(given: Mapping, path: str) -> dict[str, object]:
    amounts = {}
    for resource, amount in given.items():
        if amount is None:
            continue
        number = quantity(amount, f"{path}.{resource}")
        if resource == GPU:
            if number != int(number):
                raise AzureMLError(f"{path}.{resource}: {amount} is not a whole number of GPUs")
            if number:
                amounts[resource] = int(number)
        else:
            amounts[resource] = str(amount)
    return amounts


def _check_gpus(parts: Mapping[str, Mapping], path: str) -> None:
    requested, limit = parts["requests"].get(GPU), parts["limits"].get(GPU)
    if requested is not None and requested != limit:
        raise AzureMLError(
            f"{path}.requests.{GPU}: {requested} must be as in {path}.limits, which has {limit or 'none'}"
        )


def _label_key(key: str, path: str) -> str:
    prefix, slash, word = key.rpartition("/")
    if not _LABEL_WORD.fullmatch(word) or (slash and (len(prefix) > 253 or not _LABEL_PREFIX.fullmatch(prefix))):
        raise AzureMLError(f"{path}: '{key}' is not the key of a label")
    return key


def _label_value(value: object, path: str) -> str:
    text = str(value)
    if text and not _LABEL_WORD.fullmatch(text):
        raise AzureMLError(f"{path}: '{text}' is not the value of a label")
    return text


def same(wanted: InstanceType, spec: Mapping) -> bool:
    """Whether an object's C(spec) means the wanted instance type; C(1) and C(1000m) are the same amount."""
    resources = spec.get("resources") or {}
    return dict(wanted.node_selector) == (spec.get("nodeSelector") or {}) and all(
        _same_amounts(part, resources.get(name) or {})
        for name, part in (("requests", wanted.requests), ("limits", wanted.limits))
    )


def _same_amounts(one: Mapping, other: Mapping) -> bool:
    return set(one) == set(other) and all(quantity(one[name]) == quantity(other[name]) for name in one)


def replacement(wanted: Mapping, present: Mapping) -> dict:
    """A merge patch (RFC 7386) that makes one mapping of another: what is to go is C(None)."""
    patch = {key: None for key in present if key not in wanted}
    for key, value in wanted.items():
        if isinstance(value, Mapping):
            patch[key] = replacement(value, present.get(key) or {})
        else:
            patch[key] = value
    return patch
