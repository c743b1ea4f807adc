# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action plugin of M(azureml.arc.fleet): it needs the variables of all hosts, which only the controller has."""

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible_collections.azureml.arc.plugins.modules.fleet import ARGUMENT_SPEC
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.fleet import Fleet


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    # Runs once for all hosts. The keyword run_once loses hosts in a rescue, and runs for each host with strategy free.
    BYPASS_HOST_LOOP = True
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(ARGUMENT_SPEC)
        fleet = Fleet(self, task_vars)
        if arguments["announce"]:
            return {**result, **fleet.announce(arguments["flow"])}
        return {**result, **fleet.run(arguments["flow"], arguments["waves"], arguments["table"])}
