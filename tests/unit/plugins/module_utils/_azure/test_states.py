# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Provisioning states."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._azure.states import has_failed, is_moving


@pytest.mark.parametrize(
    ("state", "moving", "failed"),
    [
        ("Succeeded", False, False),
        ("succeeded", False, False),
        ("Failed", False, True),
        ("Canceled", False, True),
        ("Creating", True, False),
        ("Deleting", True, False),
        ("ProvisioningAccount", True, False),
        ("Accepted", True, False),
        ("NeverHeardOf", True, False),
    ],
)
def test_only_three_states_are_final(state, moving, failed):
    assert is_moving({"properties": {"provisioningState": state}}) is moving
    assert has_failed(state) is failed


@pytest.mark.parametrize("body", [{}, {"properties": None}, {"properties": {}}])
def test_resource_without_a_state_is_at_rest(body):
    assert not is_moving(body)
