# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The states that ARM resources and operations go through. Pure."""

from __future__ import annotations

from collections.abc import Mapping

MOVING_STATES = frozenset({"creating", "updating", "deleting"})
FINISHED_STATES = frozenset({"succeeded", "failed", "canceled"})


def state_of(body: Mapping) -> str:
    """The provisioning state in the service's spelling; a resource that has none is there, so it succeeded."""
    return (body.get("properties") or {}).get("provisioningState") or "Succeeded"


def is_moving(body: Mapping) -> bool:
    """Whether an operation on the resource is under way."""
    return state_of(body).lower() in MOVING_STATES


def has_failed(state: str) -> bool:
    """Whether an operation or resource in this state came to a bad end."""
    return state.lower() in FINISHED_STATES and state.lower() != "succeeded"
