# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Responses of ARM."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._azure.response import retry_after


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("7", 7.0), ("0.5", 0.5), ("-3", 0.0), (None, None), ("soon", None), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0)],
)
def test_retry_after_is_read_as_seconds_and_invalid_values_are_ignored(value, seconds):
    assert retry_after({"Retry-After": value}) == seconds
