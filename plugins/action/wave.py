# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action plugin of M(azureml.arc.wave): what it tells only the controller knows."""

from __future__ import annotations

from dataclasses import asdict

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.plugin_utils._report.wave import Wave, allowed_failures, cluster


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    BYPASS_HOST_LOOP = True
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(
            {"max_failures": {"type": "str", "default": "0"}, "show": {"type": "bool", "default": True}}
        )
        wave = self._wave(task_vars, arguments["max_failures"])
        if arguments["show"]:
            self._display.display(wave.table())
        result.update(
            changed=False,
            clusters=[asdict(one) for one in wave.clusters],
            failed_clusters=list(wave.failed),
            not_started=list(wave.not_started),
            allowed_failures=wave.allowed,
            exceeded=wave.exceeded,
            summary=wave.summary(),
            # As set_stats would leave it: AWX keeps it among the artifacts of the job.
            ansible_stats={"data": {"azureml_rollout": wave.stats()}, "per_host": False, "aggregate": False},
        )
        return result

    def _wave(self, task_vars: dict, max_failures: str) -> Wave:
        hosts, alive = task_vars["ansible_play_hosts_all"], set(task_vars["ansible_play_hosts"])
        try:
            allowed = allowed_failures(max_failures, len(hosts))
        except AzureMLError as error:
            raise AnsibleActionFail(str(error)) from error
        converged = task_vars.get("azureml_converged", {}).get("clusters", {})
        # Waves are slices of the play's hosts, in their order; hosts that could not be reached are in none any more.
        positions = [hosts.index(name) for name in task_vars["ansible_play_batch"]]
        first, last = min(positions), max(positions)
        clusters = [
            cluster(name, variables, converged.get(name, {}), name in alive, bool(self._task.check_mode))
            for position, name in enumerate(hosts)
            for variables in [task_vars["hostvars"][name]]
            if position <= last or "azureml_extension" in variables
        ]
        return Wave(
            clusters=clusters[first:],
            failed=[one.name for one in clusters if one.outcome in ("failed", "unreachable")],
            not_started=hosts[len(clusters) :],
            allowed=allowed,
        )
