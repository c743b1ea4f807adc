# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The actions of plans as text."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.plugin_utils._report.actions import COMPUTE, EXTENSION, in_words


@pytest.mark.parametrize(
    ("action", "words", "planned", "text"),
    [
        ("create", EXTENSION, False, "installed"),
        ("create", EXTENSION, True, "would be installed"),
        ("create", COMPUTE, False, "attached"),
        ("delete", COMPUTE, True, "would be detached"),
        ("none", EXTENSION, False, "unchanged"),
        ("none", EXTENSION, True, "in sync"),
        ("adopt", EXTENSION, False, "joined an operation in progress"),
        ("adopt", EXTENSION, True, "has an operation in progress"),
        ("refuse", EXTENSION, True, "refused"),
    ],
)
def test_action_is_described_as_done_or_planned(action, words, planned, text):
    assert in_words(action, words, planned) == text
