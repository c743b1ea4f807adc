# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The comparison of notifications and workflow nodes in AWX with the variables."""

from __future__ import annotations

import pytest
from filter_plugins import filter_plugin

azureml_awx_differences = filter_plugin("azureml_awx_differences")

MARK = 'Created as "azureml "'
HOOK = {"url": "https://example.com", "headers": {}}
PRESENT = {**HOOK, "http_method": "POST", "disable_ssl_verification": False, "username": "", "password": ""}


@pytest.mark.parametrize(
    ("wanted", "present", "description", "differs"),
    [
        (HOOK, PRESENT, MARK, False),
        (HOOK, PRESENT, "changed", True),
        ({**HOOK, "password": "p"}, {**PRESENT, "password": "$encrypted$"}, MARK, False),
        (HOOK, {**PRESENT, "password": "$encrypted$"}, MARK, True),
        ({**HOOK, "password": "p"}, PRESENT, MARK, True),
        ({**HOOK, "url": "https://example.org"}, PRESENT, MARK, True),
        ({**HOOK, "http_method": "PUT"}, PRESENT, MARK, True),
        (HOOK, {**PRESENT, "http_method": "PUT"}, MARK, True),
        (HOOK, {**PRESENT, "username": "removed"}, MARK, True),
    ],
)
def test_notification_differs_if_its_configuration_or_description_was_changed(wanted, present, description, differs):
    existing = {"notification_type": "webhook", "notification_configuration": present, "description": description}

    assert (
        azureml_awx_differences.notification_differs({"type": "webhook", "configuration": wanted}, existing, MARK)
        is differs
    )
    assert (
        azureml_awx_differences.notification_differs({"type": "slack", "configuration": wanted}, existing, MARK) is True
    )
    assert azureml_awx_differences.notification_differs({"type": "webhook", "configuration": wanted}, {}, MARK) is True


@pytest.mark.parametrize(
    ("node", "wrong"),
    [
        ({"identifier": "rest", "limit": None, "job_type": None, "extra_data": {}}, False),
        ({"identifier": "rest", "limit": "foo"}, True),
        ({"identifier": "rest", "all_parents_must_converge": True}, True),
        ({"identifier": "added by hand"}, True),
        ({"identifier": "preflight", "job_type": "check"}, False),
    ],
)
def test_workflow_node_that_was_added_or_changed_manually_is_found(node, wrong):
    wanted = [{"identifier": "preflight", "job_type": "check"}, {"identifier": "rest"}]

    assert azureml_awx_differences.find_wrong_nodes([node], wanted) == ([node["identifier"]] if wrong else [])
