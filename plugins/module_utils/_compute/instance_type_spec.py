# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert instance types from the user's options to Kubernetes objects. Pure.

Source: https://learn.microsoft.com/azure/machine-learning/how-to-manage-kubernetes-instance-types
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.quantity import quantity
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.labels import label_key, label_value

GPU = "nvidia.com/gpu"
PARTS = ("requests", "limits")
# The instance type of jobs that do not name one. The extension creates it, so a purge keeps it.
DEFAULT_INSTANCE_TYPE = "defaultinstancetype"
# https://kubernetes.io/docs/concepts/overview/working-with-objects/names
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")


@dataclass(frozen=True)
class InstanceType:
    """A valid instance type. Amounts are text, as given.

    :param node_selector: labels of nodes; C(None) if unset, which an attachment distinguishes from an empty one.
    """

    name: str
    node_selector: Mapping[str, str] | None = None
    requests: Mapping[str, str] = field(default_factory=dict)
    limits: Mapping[str, str] = field(default_factory=dict)

    @property
    def gpus(self) -> int:
        return int(self.limits.get(GPU, 0))

    def spec(self) -> dict:
        """Return the C(spec) of the object in the cluster: GPUs as a number and in limits only, no empty parts."""
        limits = _counted(self.limits, "limits")
        if self.gpus:
            limits[GPU] = self.gpus
        resources = {"requests": _counted(self.requests, "requests"), "limits": limits}
        resources = {name: part for name, part in resources.items() if part}
        return {
            **({"nodeSelector": dict(self.node_selector)} if self.node_selector else {}),
            **({"resources": resources} if resources else {}),
        }

    def attachment(self) -> dict:
        """Return the part of the request that attaches a cluster: all amounts as text, and only the given parts.

        An empty selector is null, as in the examples of Microsoft's article of October 2021.
        """
        resources = {name: dict(part) for name, part in (("requests", self.requests), ("limits", self.limits)) if part}
        return {
            **({} if self.node_selector is None else {"nodeSelector": dict(self.node_selector) or None}),
            **({"resources": resources} if resources else {}),
        }


def as_options(spec: Mapping) -> dict:
    """Return an instance type of a cluster or a compute in the format of the options."""
    resources = spec.get("resources") or {}
    return {
        "node_selector": spec.get("nodeSelector") or {},
        "resources": {part: resources.get(part) or {} for part in PARTS},
    }


def check_object_name(name: str, path: str) -> None:
    """Refuse a name that objects in a cluster cannot have."""
    if not _NAME.fullmatch(name):
        raise AzureMLError(
            f"{path}: '{name}' is not a valid name: use lower case letters, digits, '-' and '.', with a letter or digit"
            " first and last"
        )


def mapping(value: object, path: str) -> Mapping:
    """Return a mapping as given, or an empty one.

    :raises AzureMLError: if it is something else.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise AzureMLError(f"{path} must be a dictionary, not {value!r}")
    return value


def validated(name: str, given: Mapping, prefix: str = "", selector_key: str = "node_selector") -> InstanceType:
    """Return an instance type, checked as Kubernetes checks it, except for its name.

    :param given: the selector, and C(resources) with C(requests) and C(limits).
    :param prefix: its place in the user's document, for errors: C(instance_types[0].).
    :param selector_key: the key of the selector in the document.
    :raises AzureMLError: naming the path inside the document.
    """
    path = f"{prefix}{selector_key}"
    selector = {
        label_key(str(key), path): label_value(value, f"{path}.{key}")
        for key, value in mapping(given.get(selector_key), path).items()
    }
    if selector_key not in given:
        selector = None
    path = f"{prefix}resources"
    resources = mapping(given.get("resources"), path)
    parts = {part: _amounts(resources.get(part), f"{path}.{part}") for part in PARTS}
    _check_gpus(parts, path)
    for resource, amount in parts["requests"].items():
        limit = parts["limits"].get(resource)
        if limit is not None and quantity(amount) > quantity(limit):
            raise AzureMLError(f"{path}.requests.{resource}: {amount} is more than the limit of {limit}")
    return InstanceType(name, selector, parts["requests"], parts["limits"])


def _amounts(given: object, path: str) -> dict[str, str]:
    amounts = {}
    for resource, amount in mapping(given, path).items():
        if amount is None:
            continue
        number = quantity(amount, f"{path}.{resource}")
        if resource == GPU and number != int(number):
            raise AzureMLError(f"{path}.{resource}: {amount} is not a whole number of GPUs")
        amounts[resource] = str(int(number)) if resource == GPU else str(amount)
    return amounts


def _check_gpus(parts: Mapping[str, Mapping], path: str) -> None:
    requested, limit = (int(parts[part].get(GPU, 0)) for part in PARTS)
    if requested and requested != limit:
        raise AzureMLError(
            f"{path}.requests.{GPU}: {requested} must equal the limit in {path}.limits, which is {limit or 'not set'}"
        )


def same(wanted: InstanceType, spec: Mapping) -> bool:
    """Return whether an instance type of a cluster or a compute is the desired one; C(1) and C(1000m) are equal."""
    resources = spec.get("resources") or {}
    return dict(wanted.node_selector or {}) == (spec.get("nodeSelector") or {}) and all(
        _same_amounts(_counted(getattr(wanted, part), part), _counted(resources.get(part) or {}, part))
        for part in PARTS
    )


def _counted(amounts: Mapping, part: str) -> dict:
    """Return the amounts to compare: without zero GPUs, and without GPUs in requests, which equal those in limits."""
    return {
        resource: amount
        for resource, amount in amounts.items()
        if amount is not None and not (resource == GPU and (part == "requests" or str(amount) == "0"))
    }


def _same_amounts(one: Mapping, other: Mapping) -> bool:
    return set(one) == set(other) and all(
        str(one[name]) == str(other[name]) or quantity(one[name]) == quantity(other[name]) for name in one
    )


def replacement(wanted: Mapping, present: Mapping) -> dict:
    """Return the merge patch (RFC 7386) from one mapping to another; C(None) removes a key."""
    patch = {key: None for key in present if key not in wanted}
    for key, value in wanted.items():
        if isinstance(value, Mapping):
            patch[key] = replacement(value, present.get(key) or {})
        else:
            patch[key] = value
    return patch
