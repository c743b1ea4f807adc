# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state of a job in Azure."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._jobs import state

CREATED = "2026-03-31T18:14:26.3173281+00:00"


def job(status="Completed", created=CREATED, **known) -> dict:
    return {"name": "j", "systemData": {"createdAt": created}, "properties": {"status": status, "properties": known}}


@pytest.mark.parametrize(
    ("status", "ended", "completed"),
    [
        ("NotStarted", False, False),
        ("Queued", False, False),
        ("Finalizing", False, False),
        ("CancelRequested", False, False),
        ("NotResponding", False, False),
        ("Paused", False, False),
        ("SomethingNew", False, False),
        (None, False, False),
        ("Completed", True, True),
        ("completed", True, True),
        ("Failed", True, False),
        ("Canceled", True, False),
    ],
)
def test_status_determines_whether_a_job_has_ended(status, ended, completed):
    assert (state.has_ended(job(status)), state.has_completed(job(status))) == (ended, completed)


@pytest.mark.parametrize(
    ("body", "queue", "seconds"),
    [
        (job(StartTimeUtc="2026-03-31 18:14:56", EndTimeUtc="2026-03-31 18:18:41"), 29.68, 225.0),
        (job(StartTimeUtc="2026-03-31 18:14:56"), 29.68, None),
        (job(), None, None),
        (job(created=None, StartTimeUtc="2026-03-31 18:14:56", EndTimeUtc="2026-03-31 18:14:50"), None, 0.0),
        (job(created="2026-03-31T18:14:26Z", StartTimeUtc="2026-03-31T18:14:56.5Z"), 30.5, None),
        (job(created="yesterday", StartTimeUtc="soon"), None, None),
        ({"name": "j", "properties": {}}, None, None),
        ({}, None, None),
    ],
)
def test_durations_follow_from_the_times_of_the_job(body, queue, seconds):
    found = state.view(body)
    assert found["queue_seconds"] == (queue if queue is None else pytest.approx(queue, abs=0.5))
    assert found["seconds"] == seconds


@pytest.mark.parametrize(
    ("services", "url"),
    [
        ({"Studio": {"endpoint": "https://ml.azure.com/runs/j"}}, "https://ml.azure.com/runs/j"),
        ({}, None),
        (None, None),
    ],
)
def test_page_in_studio_is_returned_if_known(services, url):
    assert state.view({"properties": {"services": services}})["studio_url"] == url
