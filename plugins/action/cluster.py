# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Action plugin of M(azureml.arc.cluster)."""

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible_collections.azureml.arc.plugins.modules.cluster import ARGUMENT_SPEC
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.single import run_cluster
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.specs import specification

specification()  # read once in the parent process, instead of in each of its workers


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(ARGUMENT_SPEC)
        return {**result, **run_cluster(self, task_vars, arguments["flow"], arguments["wait"])}
