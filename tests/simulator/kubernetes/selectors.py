# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Label and field selectors."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_SET = re.compile(r"^(?P<key>[^\s!=]+)\s+(?P<operator>in|notin)\s+\((?P<values>[^)]*)\)$")


def matches(body: Mapping[str, Any], label_selector: str = "", field_selector: str = "") -> bool:
    """Return whether an object matches both selectors; an empty selector matches every object."""
    labels = body["metadata"].get("labels") or {}
    return all(_label(labels, term) for term in _terms(label_selector)) and all(
        _field(body, term) for term in _terms(field_selector)
    )


def _terms(selector: str) -> list[str]:
    """Split a selector at commas outside of parentheses."""
    return [term.strip() for term in re.split(r",(?![^(]*\))", selector) if term.strip()]


def _label(labels: Mapping[str, str], term: str) -> bool:
    found = _SET.match(term)
    if found:
        values = {value.strip() for value in found["values"].split(",")}
        return (labels.get(found["key"]) in values) == (found["operator"] == "in")
    if "=" in term:
        return _compare(term, labels.get)
    return term[1:] not in labels if term.startswith("!") else term in labels


def _field(body: Mapping[str, Any], term: str) -> bool:
    def value(path: str) -> str:
        found: Any = body
        for name in path.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
        return "" if found is None else str(found)

    return _compare(term, value)


def _compare(term: str, value) -> bool:
    key, operator, wanted = re.split(r"(!=|==|=)", term, maxsplit=1)
    return (value(key.strip()) == wanted.strip()) == (operator != "!=")
