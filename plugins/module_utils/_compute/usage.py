# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the users of a compute: unfinished jobs and online endpoints.

Source: the 2024-04-01 specification of Microsoft.MachineLearningServices, C(workspaces/jobs) and
C(workspaces/onlineEndpoints).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from ansible_collections.azureml.arc.plugins.module_utils._azure.client import AzureSession
from ansible_collections.azureml.arc.plugins.module_utils._azure.resource import iterate
from ansible_collections.azureml.arc.plugins.module_utils._azure.states import FINAL_JOB_STATES
from ansible_collections.azureml.arc.plugins.module_utils._azure.workspace import API_VERSION

# How many to look for: enough for a message.
ENOUGH = 5


def users_of(session: AzureSession, workspace_id: str, compute_id: str, compute: str) -> list[str]:
    """Return the names of the first few users of a compute, for messages.

    Endpoints come first: they are few, and a workspace may have thousands of jobs.

    :param compute: the compute as messages name it.
    """
    endpoints = iterate(
        session,
        f"{workspace_id}/onlineEndpoints",
        API_VERSION,
        f"online endpoints that may use {compute}",
        params={"computeType": "Kubernetes"},
    )
    jobs = iterate(
        session,
        f"{workspace_id}/jobs",
        API_VERSION,
        f"jobs that may use {compute}",
        params={"listViewType": "ActiveOnly"},
    )
    found = itertools.chain(
        (f"online endpoint '{one['name']}'" for one in endpoints if serves_on(one, compute_id)),
        (f"job '{one['name']}' ({one['properties'].get('status')})" for one in jobs if runs_on(one, compute_id)),
    )
    return list(itertools.islice(found, ENOUGH))


def serves_on(endpoint: Mapping, compute_id: str) -> bool:
    """Return whether an online endpoint runs on a compute."""
    return _is(endpoint["properties"].get("compute"), compute_id)


def runs_on(job: Mapping, compute_id: str) -> bool:
    """Return whether a job, or a step of a pipeline, runs on a compute or is going to."""
    properties = job["properties"]
    if (properties.get("status") or "").lower() in FINAL_JOB_STATES:
        return False
    return any(_is(one, compute_id) for one in _computes_of(properties))


def _computes_of(properties: Mapping) -> Iterator[object]:
    yield properties.get("computeId")
    settings = properties.get("settings") or {}
    yield settings.get("default_compute")
    for step in (properties.get("jobs") or {}).values():
        if isinstance(step, Mapping):
            yield step.get("computeId")


def _is(value: object, compute_id: str) -> bool:
    return isinstance(value, str) and value.lower() == compute_id.lower()
