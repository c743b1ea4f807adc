# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Printable forms of untrusted text."""

from __future__ import annotations

from collections import UserString

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import LONGEST_MESSAGE, AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.text import LONGEST_TEXT, plain, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (None, ""),
        (7, "7"),
        ("two\n\tlines, ä, 名", "two\n\tlines, ä, 名"),
        ("\x1b[2J\x07", r"\x1b[2J\x07"),
        ("a\x00b\rc\x9bd", r"a\x00b\x0dc\x9bd"),
        ("user\u202enimda\u2066", r"user\u202enimda\u2066"),
        ("\ud800", r"\ud800"),
    ],
)
def test_control_characters_are_escaped(text, shown):
    assert printable(text) == shown


def test_long_text_is_cut():
    assert printable("x" * 10_000_000) == f"{'x' * LONGEST_TEXT}... (10000000 characters)"
    assert len(str(AzureMLError("x" * 10_000_000))) < LONGEST_MESSAGE + 100


def test_errors_are_printable():
    error = AzureMLError("gateway said \x1b]0;owned\x07", code="\x1b[31m")
    assert "\x1b" not in str(error) + str(error.as_result())
    assert r"\x1b]0;owned\x07" in error.as_result()["msg"]


def test_string_like_objects_become_strings():
    value = {"a": [UserString("hush"), 1, None, b"b"], UserString("c"): ({"d": "e"},)}

    found = plain(value)

    assert found == {"a": ["hush", 1, None, b"b"], "c": [{"d": "e"}]}
    assert isinstance(found["a"][0], str)
