# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the workloads that a change of settings disturbs. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.azureml.arc.plugins.module_utils._extension.keys import NODE_SELECTOR

# Settings whose change disturbs running jobs or online endpoints, if training or inference is on.
# Source: the settings whose change C(az k8s-extension update) has the user confirm.
JOBS, ENDPOINTS = "running jobs", "online endpoints"
SWITCHED_OFF = {
    "enableTraining": JOBS,
    "installNvidiaDevicePlugin": JOBS,
    "enableInference": ENDPOINTS,
}
CHANGED = {
    "allowInsecureConnections": ENDPOINTS,
    "inferenceRouterServiceType": ENDPOINTS,
    "internalLoadBalancerProvider": ENDPOINTS,
    "sslCname": ENDPOINTS,
    "privateEndpointNodeport": ENDPOINTS,
    "privateEndpointILB": ENDPOINTS,
}


def disruption(present: Mapping[str, str], changes: Mapping[str, tuple]) -> dict[str, str]:
    """Return the workloads that a change of settings would disturb, by key.

    :param present: the settings before the change; without training, no job can be disturbed, and so on.
    :param changes: the settings that change, as key: (before, after).
    """
    at_risk = {
        what
        for what, key in ((JOBS, "enableTraining"), (ENDPOINTS, "enableInference"))
        if present.get(key, "").lower() == "true"
    }
    found = {}
    for key, (before, after) in changes.items():
        workloads = CHANGED.get(key)
        if (before or "").lower() == "true" and (after or "").lower() == "false":
            workloads = SWITCHED_OFF.get(key, workloads)
        elif key.startswith(NODE_SELECTOR):
            workloads = JOBS if JOBS in at_risk else ENDPOINTS
        if workloads in at_risk:
            found[key] = workloads
    return found
