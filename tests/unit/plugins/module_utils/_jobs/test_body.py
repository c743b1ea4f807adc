# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The name and the request of a job that proves a compute."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._jobs.body import TAG, WantedJob, is_own

DAY = date(2026, 11, 26)
WANTED = WantedJob("/subscriptions/s/.../workspaces/ws/computes/Shop-1", "azureml://registries/r", "echo hello")


@pytest.mark.parametrize(
    "change",
    [
        {"compute_id": "/subscriptions/s/.../workspaces/other/computes/Shop-1"},
        {"environment": "azureml://registries/s"},
        {"command": "echo"},
        {"instance_type": "gpu"},
        {"revision": "1.1.62"},
    ],
)
def test_job_with_other_content_has_another_name(change):
    assert replace(WANTED, **change).name(DAY) != WANTED.name(DAY)


def test_job_of_another_day_or_attempt_has_another_name():
    names = {WANTED.name(DAY), WANTED.name(date(2026, 11, 27)), WANTED.name(DAY, 2), WANTED.name(DAY, 3)}
    assert len(names) == 4


def test_case_of_an_arm_id_does_not_change_the_name():
    assert replace(WANTED, compute_id=WANTED.compute_id.upper()).name(DAY) == WANTED.name(DAY)


@pytest.mark.parametrize("compute", ["a1", "shop-k3s", "abcdefghijklmnop", "x" * 200])
def test_name_is_valid_for_azure_and_as_a_label(compute):
    name = replace(WANTED, compute_id=f"/computes/{compute}").name(DAY, 49)
    assert re.fullmatch(r"[a-zA-Z0-9]([a-zA-Z0-9\-_]{0,61}[a-zA-Z0-9])?", name)


@pytest.mark.parametrize(("instance_type", "resources"), [(None, {}), ("gpu", {"instanceType": "gpu"})])
def test_instance_type_is_sent_if_set(instance_type, resources):
    properties = replace(WANTED, instance_type=instance_type).body()["properties"]
    assert properties["resources"] == {"instanceCount": 1, **resources}
    assert properties["tags"] == {TAG: "Shop-1"}


@pytest.mark.parametrize(
    ("tags", "own"),
    [({TAG: "shop-1"}, True), ({TAG: "shop-2"}, False), ({}, False), (None, False), ({TAG: None}, False)],
)
def test_jobs_are_identified_by_their_tag(tags, own):
    assert is_own({"properties": {"tags": tags}}, "Shop-1") is own
