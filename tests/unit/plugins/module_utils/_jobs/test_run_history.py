# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The error of a run as text."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._jobs.run_history import SIGNATURE, texts_of

INNER = {"code": "BadArgument", "innerError": {"code": "ComputeNotAccessible", "innerError": None}}


@pytest.mark.parametrize(
    ("error", "texts"),
    [
        (None, []),
        ("nonsense", []),
        ({"code": "UserError", "message": "It failed."}, ["It failed."]),
        ({"message": "a", "details": [{"message": "b"}, None]}, ["a", "b"]),
        ({"message": "a", "innerError": INNER}, ["a", "(BadArgument)", "(ComputeNotAccessible)"]),
        ({"message": None, "details": None, "innerError": []}, []),
    ],
)
def test_messages_and_inner_codes_of_an_error_are_listed(error, texts):
    assert list(texts_of(error)) == texts


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://x/log?sv=1&sig=aRN%2Bk=&se=2", "https://x/log?sv=1&sig=***&se=2"),
        ('"https://x/log?sig=abc"', '"https://x/log?sig=***"'),
        ("design=good", "design=good"),
    ],
)
def test_signatures_in_urls_are_masked(text, shown):
    assert SIGNATURE.sub("***", text) == shown
