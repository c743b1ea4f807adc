# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Provisioning states."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._azure.states import has_failed, is_being_deleted, is_moving


@pytest.mark.parametrize(
    ("state", "moving", "deleted", "failed"),
    [
        ("Succeeded", False, False, False),
        ("succeeded", False, False, False),
        ("Failed", False, False, True),
        ("Canceled", False, False, True),
        ("Creating", True, False, False),
        ("Deleting", True, True, False),
        ("deleting", True, True, False),
        ("ProvisioningAccount", True, False, False),
        ("Accepted", True, False, False),
        ("NeverHeardOf", True, False, False),
    ],
)
def test_only_three_states_are_final(state, moving, deleted, failed):
    body = {"properties": {"provisioningState": state}}
    assert is_moving(body) is moving
    assert is_being_deleted(body) is deleted
    assert has_failed(state) is failed


@pytest.mark.parametrize("body", [{}, {"properties": None}, {"properties": {}}])
def test_resource_without_a_state_has_no_operation_in_progress(body):
    assert not is_moving(body)
