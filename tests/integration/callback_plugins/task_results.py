# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writes the result of each task as a line of JSON, for tests to read."""

from __future__ import annotations

DOCUMENTATION = r"""
name: task_results
type: notification
short_description: Writes task results as JSON lines
description: For the tests.
"""

import json
import os
from pathlib import Path

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "task_results"
    CALLBACK_NEEDS_ENABLED = True

    def _write(self, result, **kwargs):
        entry = {"task": result._task.get_name(), "host": result._host.get_name(), "result": result._result}
        with Path(os.environ["TASK_RESULTS_FILE"]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, default=str) + "\n")

    v2_runner_on_ok = v2_runner_on_failed = v2_runner_on_skipped = v2_runner_on_unreachable = _write
