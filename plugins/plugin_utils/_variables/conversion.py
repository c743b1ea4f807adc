# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert and check the values of variables by their specification. Pure.

Ansible's own validation converts anything to text, raises tracebacks for some wrong types, quotes secrets, and names
options in a dictionary without the dictionary.
"""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Iterable, Mapping

from ansible.module_utils.common.validation import check_type_bool, check_type_dict, check_type_path

# How similar a name must be to be suggested, from 0 to 1.
SIMILARITY = 0.8
LONGEST_VALUE = 80  # characters of a value in an error
# Options for which an empty text is a value, too.
MEANINGFUL_WHEN_EMPTY = ("description",)
SAMPLES = {"azureml_workspace": "{name: ws, resource_group: rg-ml}", "azureml_compute": "{name: edge}"}


def nearest(name: str, known: Iterable[str]) -> str | None:
    """Return the most similar known name, C(None) if there is none."""
    return next(iter(difflib.get_close_matches(name, sorted(known), n=1, cutoff=SIMILARITY)), None)


def convert(values: Mapping, spec: Mapping[str, Mapping]) -> tuple[dict, list[str]]:
    """Check values, and convert them.

    :param values: by name, templates resolved. Null and an empty text count as not set.
    :param spec: the options by name, as Ansible's argument specs have them.
    :returns: the converted values and defaults, without those that are not set, and the errors, one per name.
    """
    conversion = _Conversion()
    return conversion.options(values, spec, "", False), conversion.errors


class _Conversion:
    """Converts values by their specification, and collects the errors in them."""

    def __init__(self) -> None:
        self.errors: list[str] = []

    def options(self, given: Mapping, spec: Mapping[str, Mapping], parent: str, secret: bool) -> dict:
        """Return the values of a dictionary.

        :param parent: the prefix of the names in errors.
        :param secret: whether errors must not quote a value.
        """
        known = {one: name for name, option in spec.items() for one in (name, *option.get("aliases", ()))}
        found = {name: option["default"] for name, option in spec.items() if "default" in option}
        missing = {name for name, option in spec.items() if option.get("required")}
        for name, value in given.items():
            if name not in known:
                close = nearest(str(name), known)
                suggestion = f" (did you mean {parent}{close}?)" if close else f"; known are {', '.join(spec)}"
                self.errors.append(f"unknown key {parent}{name}{suggestion}")
            elif _is_set(name, value):
                missing.discard(known[name])
                converted = self._value(value, spec[known[name]], f"{parent}{name}", secret)
                if converted is not None:
                    found[name] = converted
        self.errors += [f"{parent}{name} is required" for name in sorted(missing)]
        return found

    def _value(self, value: object, option: Mapping, name: str, secret: bool) -> object:
        """Return a converted value, C(None) if it is invalid."""
        secret = secret or bool(option.get("no_log"))
        try:
            converted = CONVERSIONS[option["type"]](value)
        except (TypeError, ValueError, OverflowError, RecursionError):
            return self._wrong(name, EXPECTED[option["type"]], value, secret or _holds_secrets(option))
        if option["type"] == "list":
            return self._elements(converted, option, name, secret)
        if option["type"] == "dict" and "options" in option:
            found = self.options(converted, option["options"], f"{name}.", secret)
            self._check_together({one for one, value in converted.items() if _is_set(one, value)}, option, name)
            return found
        if converted not in option.get("choices", (converted,)):
            return self._wrong(name, f"one of {', '.join(option['choices'])}", value, secret)
        return converted

    def _check_together(self, given: set[str], option: Mapping, name: str) -> None:
        for names in option.get("mutually_exclusive", ()):
            both = [f"{name}.{one}" for one in names if one in given]
            if len(both) > 1:
                self.errors.append(f"{' and '.join(both)} are mutually exclusive")
        for names in option.get("required_one_of", ()):
            if given.isdisjoint(names):
                self.errors.append(f"{name} needs {' or '.join(names)}")

    def _elements(self, values: list, option: Mapping, name: str, secret: bool) -> list:
        of_one = {**option, "type": option["elements"]}
        elements = [
            self._value(one, of_one, f"{name}[{index}]", secret) for index, one in enumerate(values) if one is not None
        ]
        return [one for one in elements if one is not None]

    def _wrong(self, name: str, expected: str, value: object, secret: bool) -> None:
        sample = f" like {SAMPLES[name]}" if name in SAMPLES else ""
        self.errors.append(f"{name} must be {expected}{sample}" + ("" if secret else f", not {_quoted(value)}"))


def _is_set(name: str, value: object) -> bool:
    if isinstance(value, list):
        return any(str(one).strip() for one in value)
    is_empty = isinstance(value, str) and not value.strip()
    return value is not None and (not is_empty or name in MEANINGFUL_WHEN_EMPTY)


def _holds_secrets(option: Mapping) -> bool:
    return any(one.get("no_log") or _holds_secrets(one) for one in option.get("options", {}).values())


def _quoted(value: object) -> str:
    """Return a value in a line, as in an inventory."""
    text = f"'{value}'" if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."


def _number(value: object) -> float:
    number = float(value)
    if isinstance(value, bool) or not 0 <= number < math.inf:
        raise ValueError
    return number


def _whole_number(value: object) -> int:
    number = _number(value)
    if number != int(number):
        raise ValueError
    return int(number)


def _text(value: object) -> str:
    # Not for true or 1.10, which YAML has converted from an unquoted word or version.
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise TypeError
    return str(value)


def _path(value: object) -> str:
    return check_type_path(_text(value))


def _list(value: object) -> list:
    if isinstance(value, str):
        if value.lstrip().startswith("["):
            return _list(json.loads(value))
        return [one.strip() for one in value.split(",")] if value.strip() else []
    if isinstance(value, int) and not isinstance(value, bool):
        return [value]
    if not isinstance(value, (list, tuple)):
        raise TypeError
    return list(value)


def _kubeconfig(value: object) -> object:
    return value if isinstance(value, Mapping) else _text(value)


CONVERSIONS = {
    "bool": check_type_bool,
    "dict": check_type_dict,
    "float": _number,
    "int": _whole_number,
    "kubeconfig": _kubeconfig,
    "list": _list,
    "path": _path,
    "str": _text,
}
EXPECTED = {
    "bool": "true or false",
    "dict": "a dictionary",
    "float": "a number, 0 or more",
    "int": "a whole number, 0 or more",
    "kubeconfig": "a path, or the content of a kubeconfig",
    "list": "a list",
    "path": "a path",
    "str": "text, in quotes",
}
