# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse label selectors, and refuse invalid ones with the errors of the API server.

Source: https://github.com/kubernetes/apimachinery/blob/master/pkg/labels/selector.go, and the answers of the API server
with which tests/api_server compares this file.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from simulator.kubernetes.protocol import StatusError

Labels = Mapping[str, str]
END = ""
_TOKEN = re.compile(r"[ \t\r\n]*(==|!=|[=!<>(),]|[^ \t\r\n=!<>(),]+)")
_SYMBOLS = ("!", "=", "==", "!=", "<", ">", "(", ")", ",")
_KEYWORDS = ("in", "notin")
_WORD = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")
_PREFIX = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_IS_KEY = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric"
    " character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is"
    " '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_IS_VALUE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and"
    " end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is"
    " '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_TOO_LONG = "must be no more than 63 characters"


def parse(selector: str) -> Callable[[Labels], bool]:
    """Return a function that tells whether labels match a selector; an empty selector matches all.

    :raises StatusError: if the selector is invalid.
    """
    parser = _Parser(selector)
    requirements = list(parser.requirements())
    return lambda labels: all(holds(labels) for holds in requirements)


class _Parser:
    def __init__(self, selector: str) -> None:
        self._tokens = _TOKEN.findall(selector)
        self._next = 0

    def _peek(self) -> str:
        return self._tokens[self._next] if self._next < len(self._tokens) else END

    def _take(self) -> str:
        token = self._peek()
        self._next += 1
        return token

    def requirements(self) -> Iterator[Callable[[Labels], bool]]:
        """Yield a function for each requirement."""
        if self._peek() != END and not self._begins_requirement():
            raise StatusError(400, f"found '{self._peek()}', expected: !, identifier, or 'end of string'")
        while self._peek() != END:
            yield self._requirement()
            after = self._take()
            if after not in (END, ","):
                raise StatusError(400, f"found '{after}', expected: ',' or 'end of string'")
            if after == "," and not self._begins_requirement():
                raise StatusError(400, f"found '{self._peek()}', expected: identifier after ','")

    def _begins_requirement(self) -> bool:
        return self._peek() == "!" or _is_identifier(self._peek())

    def _requirement(self) -> Callable[[Labels], bool]:
        negated = self._peek() == "!"
        if negated:
            self._take()
        key = _checked_key(self._identifier())
        if negated:
            return lambda labels: key not in labels
        if self._peek() in (END, ","):
            return lambda labels: key in labels
        operator = self._take()
        if operator not in ("=", "==", "!=", "<", ">", *_KEYWORDS):
            raise _refused(f"found '{operator}', expected: '=', '!=', '==', 'in', notin'")
        values = self._values() if operator in _KEYWORDS else {self._exact_value()}
        for value in values:
            _check_value(key, value)
        if operator in "<>":
            return _ordered(key, operator, *values)
        if operator in ("!=", "notin"):
            return lambda labels: labels.get(key) not in values
        return lambda labels: labels.get(key) in values

    def _identifier(self) -> str:
        token = self._take()
        if not _is_identifier(token):
            raise _refused(f"found '{token}', expected: identifier")
        return token

    def _exact_value(self) -> str:
        return "" if self._peek() in (END, ",") else self._identifier()

    def _values(self) -> set[str]:
        """Return the values in parentheses, of which some may be empty: C((a,)) has an empty value, too."""
        opening = self._take()
        if opening != "(":
            raise _refused(f"found '{opening}' expected: '('")
        if not (_is_identifier(self._peek()) or self._peek() in (",", ")")):
            raise _refused(f"found '{self._peek()}', expected: ',', ')' or identifier")
        values = set()
        while True:
            values.add(self._take() if _is_identifier(self._peek()) else "")
            after = self._take()
            if after == ")":
                return values
            if after != ",":
                raise _refused(f"found '{after}', expected: ',' or ')'")


def _is_identifier(token: str) -> bool:
    return token != END and token not in _SYMBOLS


def _ordered(key: str, operator: str, limit: str) -> Callable[[Labels], bool]:
    if not limit.isdecimal():
        raise _refused("for 'Gt', 'Lt' operators, the value must be an integer")

    def holds(labels: Labels) -> bool:
        value = labels.get(key, "")
        return value.isdecimal() and (int(value) > int(limit) if operator == ">" else int(value) < int(limit))

    return holds


def _checked_key(key: str) -> str:
    prefix, slash, word = key.rpartition("/")
    problems = ["name part must be non-empty"] if not word else []
    if "/" in prefix:
        problems = [
            _IS_KEY.replace("name part", "a qualified name")
            + " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        ]
    elif slash and not _PREFIX.fullmatch(prefix):
        problems.append(f"prefix part {prefix!r} is not a DNS subdomain")  # abridged
    elif len(word) > 63:
        problems.append(f"name part {_TOO_LONG}")
    if "/" not in prefix and not _WORD.fullmatch(word):
        problems.append(_IS_KEY)
    if problems:
        raise _refused(f'invalid label key "{key}": {"; ".join(problems)}')
    return key


def _check_value(key: str, value: str) -> None:
    problems = [_TOO_LONG] if len(value) > 63 else []
    if value and not _WORD.fullmatch(value):
        problems.append(_IS_VALUE)
    if problems:
        raise _refused(f'invalid label value: "{value}": at key: "{key}": {"; ".join(problems)}')


def _refused(reason: str) -> StatusError:
    return StatusError(400, f"unable to parse requirement: {reason}")
