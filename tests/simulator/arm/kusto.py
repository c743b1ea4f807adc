# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A part of the Kusto Query Language, for queries of Azure Resource Graph. Everything else is refused.

Tables, C(where) with C(and), C(or), parentheses, C(==), C(=~), C(in~), C(contains), C(isnotnull) and C(tostring),
C(project), and C(order by). Source: https://learn.microsoft.com/azure/governance/resource-graph/concepts/query-language
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

Row = Mapping[str, Any]
TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^'\\\n]|\\.)*')|(?P<name>[A-Za-z_]\w*)|(?P<operator>==|=~|[|()\[\],.=~]))", re.DOTALL
)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}


class QueryError(Exception):
    """The query is invalid, or uses an unsupported part of the language."""


class _Tokens:
    def __init__(self, text: str) -> None:
        self._tokens = []
        position = 0
        text = text.strip()
        while position < len(text):
            match = TOKEN.match(text, position)
            if match is None:
                raise QueryError(f"unexpected {text[position : position + 20]!r}")
            self._tokens.append((match.lastgroup, match.group(match.lastgroup)))
            position = match.end()

    def peek(self, ahead: int = 0) -> str | None:
        return self._tokens[ahead][1] if len(self._tokens) > ahead else None

    def next(self, kind: str | None = None) -> str:
        if not self._tokens:
            raise QueryError("unexpected end")
        found, text = self._tokens.pop(0)
        if kind and found != kind:
            raise QueryError(f"unexpected {text!r}")
        return text

    def accept(self, *texts: str) -> bool:
        """Consume these tokens if they come next."""
        if tuple(self.peek(index) for index in range(len(texts))) != texts:
            return False
        del self._tokens[: len(texts)]
        return True

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise QueryError(f"expected {text!r}, found {self.peek()!r}")


def run(text: str, tables: Mapping[str, Iterable[Row]]) -> list[dict[str, Any]]:
    """Return the rows that match a query.

    :param tables: rows by the name of their table, lower case.
    :raises QueryError: if the query is invalid.
    """
    tokens = _Tokens(text)
    table = tokens.next("name").lower()
    if table not in tables:
        raise QueryError(f"there is no table {table}")
    rows = [dict(row) for row in tables[table]]
    while tokens.peek() is not None:
        tokens.expect("|")
        operator = tokens.next("name")
        if operator == "where":
            keeps = _any(tokens)
            rows = [row for row in rows if keeps(row)]
        elif operator == "project":
            columns = _columns(tokens)
            rows = [{name: value(row) for name, value in columns} for row in rows]
        elif operator == "order":
            tokens.expect("by")
            key = _value(tokens)
            rows.sort(key=lambda row: str(key(row)), reverse=not tokens.accept("asc"))
        else:
            raise QueryError(f"unknown operator {operator}")
    return rows


def is_ordered(text: str) -> bool:
    """Return whether a query defines the order of its rows."""
    return re.search(r"\|\s*order\s+by\s", text) is not None


def _columns(tokens: _Tokens) -> list[tuple[str, Callable[[Row], Any]]]:
    columns = []
    while True:
        name = tokens.peek()
        if tokens.peek(1) == "=":
            tokens.next("name")
            tokens.next()
        columns.append((name, _value(tokens)))
        if not tokens.accept(","):
            return columns


def _any(tokens: _Tokens) -> Callable[[Row], bool]:
    parts = [_all(tokens)]
    while tokens.accept("or"):
        parts.append(_all(tokens))
    return lambda row: any(part(row) for part in parts)


def _all(tokens: _Tokens) -> Callable[[Row], bool]:
    parts = [_comparison(tokens)]
    while tokens.accept("and"):
        parts.append(_comparison(tokens))
    return lambda row: all(part(row) for part in parts)


def _comparison(tokens: _Tokens) -> Callable[[Row], bool]:
    if tokens.accept("("):
        inner = _any(tokens)
        tokens.expect(")")
        return inner
    if tokens.accept("isnotnull", "("):
        value = _value(tokens)
        tokens.expect(")")
        return lambda row: value(row) is not None
    left = _value(tokens)
    if tokens.accept("in", "~"):
        wanted = {value.lower() for value in _strings(tokens)}
        return lambda row: str(left(row) or "").lower() in wanted
    if tokens.accept("contains"):
        part = _string(tokens).lower()
        return lambda row: part in str(left(row) or "").lower()
    operator = tokens.next("operator")
    right = _string(tokens)
    if operator == "=~":
        return lambda row: str(left(row) or "").lower() == right.lower()
    if operator == "==":
        return lambda row: left(row) == right
    raise QueryError(f"unknown comparison {operator!r}")


def _value(tokens: _Tokens) -> Callable[[Row], Any]:
    if tokens.accept("tostring", "("):
        value = _value(tokens)
        tokens.expect(")")
        return lambda row: _text(value(row))
    path = [tokens.next("name")]
    while tokens.peek() in (".", "["):
        if tokens.accept("."):
            path.append(tokens.next("name"))
        else:
            tokens.expect("[")
            path.append(_string(tokens))
            tokens.expect("]")

    def value_of(row: Row) -> Any:
        found: Any = row
        for index, name in enumerate(path):
            if index == 0 and name not in row:
                raise QueryError(f"there is no column {name}")
            found = found.get(name) if isinstance(found, Mapping) else None
        return found

    return value_of


def _text(value: Any) -> str:
    """Convert a value like C(tostring): a dictionary to JSON, null to an empty string."""
    if isinstance(value, (Mapping, list)):
        return json.dumps(value, ensure_ascii=False)
    return "" if value is None else str(value)


def _strings(tokens: _Tokens) -> list[str]:
    tokens.expect("(")
    values = [_string(tokens)]
    while tokens.accept(","):
        values.append(_string(tokens))
    tokens.expect(")")
    return values


def _string(tokens: _Tokens) -> str:
    text = tokens.next("string")[1:-1]
    return re.sub(r"\\(.)", lambda match: ESCAPES.get(match.group(1), match.group(1)), text, flags=re.DOTALL)
