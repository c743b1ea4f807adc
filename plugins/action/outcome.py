# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible.plugins.action import ActionBase

OF_FAILURES = ("failed", "failed_step", "msg", "error", "findings", "changed", "diff", "warnings", "exception")


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec({"outcome": {"type": "dict", "required": True}})
        outcome = arguments["outcome"]
        if outcome.get("failed"):
            # Shown whole by Ansible, so without all that the cluster was asked for and has.
            outcome = {name: outcome[name] for name in OF_FAILURES if name in outcome}
        return {**result, **outcome}
