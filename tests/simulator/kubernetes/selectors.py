# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Select objects by their labels and fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from simulator.kubernetes import label_selectors
from simulator.kubernetes.protocol import StatusError

_TERM = re.compile(r"(?P<path>.*?)(?P<operator>!=|==|=)(?P<value>.*)", re.DOTALL)


def selector(labels: str, fields: str) -> Callable[[Mapping[str, Any]], bool]:
    """Return a function that tells whether an object matches both selectors; an empty selector matches all.

    :raises StatusError: if a selector is invalid.
    """
    has_labels, terms = label_selectors.parse(labels), [_parsed(term, fields) for term in fields.split(",") if term]

    def matches(body: Mapping[str, Any]) -> bool:
        return has_labels(body["metadata"].get("labels") or {}) and all(
            (_field(body, path) == value) == (operator != "!=") for path, operator, value in terms
        )

    return matches


def _parsed(term: str, fields: str) -> tuple[str, str, str]:
    """Return path, operator and value of a term.

    Source: https://github.com/kubernetes/apimachinery/blob/master/pkg/fields/selector.go. Unlike the API server, this
    accepts any field.
    """
    found = _TERM.fullmatch(term)
    if not found:
        raise StatusError(400, f"invalid selector: '{fields}'; can't understand '{term}'")
    return found["path"], found["operator"], found["value"]


def _field(body: Mapping[str, Any], path: str) -> str:
    found: Any = body
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return "" if found is None else str(found)
