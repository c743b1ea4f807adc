# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Hints for error messages of Azure."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._azure.hints import hint_for


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        ("failed pre-install: pod healthcheck failed]", "arcml-healthcheck"),
        ("Error: timed out waiting for the condition", "pod_readiness"),
        ("invalid ownership metadata ... jobs.batch.volcano.sh", "install_volcano: false"),
        ("Unable to get the status from the local CRD", "Arc agents"),
    ],
)
def test_known_message_has_a_hint(message, hint):
    assert hint in hint_for(message)


def test_unknown_message_has_no_hint():
    assert hint_for("something else") is None
    assert hint_for(None) is None
