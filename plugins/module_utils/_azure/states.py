# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The states of ARM resources and operations. Pure.

Three states are final. In any other state, the service is working. Source:
https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations
"""

from __future__ import annotations

from collections.abc import Mapping

FINAL_STATES = frozenset({"succeeded", "failed", "canceled"})
# The final states of jobs. Source: C(JobStatus) of the 2024-04-01 specification of Microsoft.MachineLearningServices. A
# job may continue after C(NotResponding) and C(Paused).
FINAL_JOB_STATES = frozenset({"completed", "failed", "canceled"})


def state_of(body: Mapping) -> str:
    """Return the provisioning state in the service's spelling, C(Succeeded) for a resource that has none."""
    return (body.get("properties") or {}).get("provisioningState") or "Succeeded"


def is_final(state: str) -> bool:
    """Return whether a state is final."""
    return state.lower() in FINAL_STATES


def is_moving(body: Mapping) -> bool:
    """Return whether an operation on the resource is in progress."""
    return not is_final(state_of(body))


def is_being_deleted(body: Mapping) -> bool:
    """Return whether the service is deleting the resource."""
    return state_of(body).lower() == "deleting"


def has_failed(state: str) -> bool:
    """Return whether an operation or resource in this state has failed or was canceled."""
    return is_final(state) and state.lower() != "succeeded"
