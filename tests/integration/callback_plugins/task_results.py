# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Callback plugin that writes the result of each task as a line of JSON for the tests."""

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
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.handover import Handover


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "task_results"
    CALLBACK_NEEDS_ENABLED = True

    def _write(self, result, **status):
        host, task = _part(result, "host").get_name(), _part(result, "task")
        entry = {"task": task.get_name(), "host": host, "result": {**_part(result, "result"), **status}}
        if task.resolved_action == "azureml.arc.cluster":
            # Ansible shows only a part of the result of a failed cluster.
            entry["outcome"] = (Handover().taken(host) or {}).get("result")
        with Path(os.environ["TASK_RESULTS_FILE"]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry, default=str) + "\n")

    # The results that callbacks receive do not contain the status of the task.
    def v2_runner_on_ok(self, result):
        self._write(result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._write(result, failed=True)

    def v2_runner_on_skipped(self, result):
        self._write(result, skipped=True)

    def v2_runner_on_unreachable(self, result):
        self._write(result, unreachable=True)


def _part(result, name):
    """Return the C(host), C(task) or C(result) of a task result. Before ansible-core 2.19 they are private."""
    return getattr(result, name) if hasattr(result, name) else getattr(result, f"_{name}")
