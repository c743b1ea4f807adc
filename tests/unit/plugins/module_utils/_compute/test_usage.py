# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The jobs and endpoints that use a compute."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._compute.usage import runs_on, serves_on

ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.MachineLearningServices/workspaces/w/computes/c"


@pytest.mark.parametrize(
    ("properties", "uses"),
    [
        ({"status": "Running", "computeId": ID}, True),
        ({"status": "Queued", "computeId": ID.upper()}, True),
        ({"status": "NotResponding", "computeId": ID}, True),
        ({"status": "Running", "computeId": ID + "2"}, False),
        ({"status": "Running", "computeId": None}, False),
        ({"status": "Completed", "computeId": ID}, False),
        ({"status": "Failed", "computeId": ID}, False),
        ({"status": "Canceled", "computeId": ID}, False),
        ({"status": "Running", "jobs": {"train": {"computeId": ID}, "note": "text"}}, True),
        ({"status": "Running", "settings": {"default_compute": ID}}, True),
    ],
)
def test_active_job_on_the_compute_uses_it(properties, uses):
    assert runs_on({"name": "j", "properties": properties}, ID) is uses


@pytest.mark.parametrize(("compute", "uses"), [(ID, True), (ID.lower(), True), (ID + "2", False), (None, False)])
def test_endpoint_on_the_compute_uses_it(compute, uses):
    assert serves_on({"name": "e", "properties": {"compute": compute}}, ID) is uses
