# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All clusters of a play in one task.

It takes the variables of all hosts, which only the controller has, so there is no module to hand over to.
"""

from __future__ import annotations

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible_collections.azureml.arc.plugins.modules import (
    compute,
    extension,
    instance_type,
    openshift_scc,
    pod_readiness,
    preflight,
    tls_secret,
)
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.deploy import PARTS, Deployment
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.fleet import Cluster, Fleet
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.steps import ClusterSteps
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.verify import Verification
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.options import ClusterOptions

MODULES = {
    "compute": compute.SPEC,
    "extension": extension.SPEC,
    "instance_type": instance_type.SPEC,
    "openshift_scc": openshift_scc.SPEC,
    "pod_readiness": pod_readiness.SPEC,
    "preflight": preflight.SPEC,
    "tls_secret": tls_secret.SPEC,
}
ARGUMENT_SPEC = {
    "argument_spec": {"type": "dict", "default": {}},
    "parts": {"type": "list", "elements": "str", "choices": list(PARTS), "default": list(PARTS)},
    "verify": {"type": "bool", "default": False},
    "show": {"type": "bool", "default": True},
}
COLORS = {
    "ok": constants.COLOR_OK,
    "changed": constants.COLOR_CHANGED,
    "failed": constants.COLOR_ERROR,
}


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    BYPASS_HOST_LOOP = True
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(ARGUMENT_SPEC)
        outcomes = {}

        def begin(options: ClusterOptions, steps: ClusterSteps) -> Deployment | Verification:
            if arguments["verify"]:
                return Verification(options, steps)
            return Deployment(options, steps, arguments["parts"])

        def ended(cluster: Cluster) -> None:
            outcomes[cluster.name] = outcome = cluster.outcome()
            if arguments["show"]:
                state = "failed" if outcome.get("failed") else "changed" if outcome["changed"] else "ok"
                self._display.display(f"{state}: [{cluster.name}] {outcome['msg']}", color=COLORS[state])

        clusters = Fleet(self, task_vars, MODULES, arguments["argument_spec"], begin).run(ended)
        return {
            **result,
            "changed": any(one["changed"] for one in outcomes.values()),
            "clusters": outcomes,
            "apart": [one.name for one in clusters if one.apart],
        }
