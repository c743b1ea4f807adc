# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Events that explain why pods do not run."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.client import KubeSession
from ansible_collections.azureml.arc.plugins.module_utils._readiness.evaluate import last_seen

WARNINGS_OF_PODS = "type=Warning,involvedObject.kind=Pod"


def latest_warnings(call: ModuleCall, session: KubeSession, namespace: str) -> dict[str, Mapping]:
    """Return the latest warning event of each pod, by the name of the pod.

    :param call: takes a warning if events cannot be read, and then there are none.
    """
    try:
        events = session.list("Event", namespace, field_selector=WARNINGS_OF_PODS)[0]
    except AzureMLError as error:
        call.warn(f"Events are missing from the diagnosis: {error}")
        return {}
    return {event["involvedObject"]["name"]: event for event in sorted(events, key=last_seen)}
