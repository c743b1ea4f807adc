# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: fleet_report
type: aggregate
short_description: Write a run over a fleet as a page, as JSON and as JUnit XML
version_added: 0.1.0
description:
  - Writes what became of each cluster, with a timeline by phase, the diagnosis of each failure, components that are not
    ready, and settings that were changed.
  - The page C(fleet-report.html) is one file without anything from elsewhere, for a browser, light or dark, and paper.
  - C(fleet-report.json) is the same as data; C(docs/fleet-report.schema.json) in the collection describes it.
  - C(fleet-report.xml) has a test case a cluster, for what shows test results.
  - What C(no_log) hides is in none of them.
requirements:
  - Enable it in the configuration, with C(callbacks_enabled = azureml.arc.fleet_report), or with
    E(ANSIBLE_CALLBACKS_ENABLED).
options:
  directory:
    description: The folder to write to. It is made where it is missing.
    type: path
    default: .
    env:
      - name: AZUREML_ARC_FLEET_REPORT_DIRECTORY
    ini:
      - section: callback_azureml_arc_fleet_report
        key: directory
  formats:
    description: What to write.
    type: list
    elements: str
    choices: [html, json, junit]
    default: [html, json, junit]
    env:
      - name: AZUREML_ARC_FLEET_REPORT_FORMATS
    ini:
      - section: callback_azureml_arc_fleet_report
        key: formats
author: azureml.arc contributors (@azureml-arc)
"""

import json
import os
import time

from ansible.plugins.callback import CallbackBase
from ansible_collections.azureml.arc.plugins.plugin_utils._report.fleet_report import Ended, FleetReport, as_junit
from ansible_collections.azureml.arc.plugins.plugin_utils._report.page import page

CONVERGE = "azureml.arc.converge"
OUTCOME = "azureml.arc.outcome"
FORMATS = {
    "html": ("fleet-report.html", page),
    "json": ("fleet-report.json", lambda report: json.dumps(report, indent=1)),
    "junit": ("fleet-report.xml", as_junit),
}


class CallbackModule(CallbackBase):
    """Collects results, and writes the report at the end."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "azureml.arc.fleet_report"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args, **kwargs) -> None:
        super().__init__(*args, **kwargs)
        self._begun: dict = {}
        self._report = FleetReport("", time.time())

    def v2_playbook_on_start(self, playbook) -> None:
        """The playbook starts."""
        self._report = FleetReport(os.path.basename(playbook._file_name), time.time())

    def v2_playbook_on_play_start(self, play) -> None:
        """A play starts, or a wave of it."""
        self._report.begin_play()

    def v2_runner_on_start(self, host, task) -> None:
        """A task starts on a host."""
        self._begun[host.get_name(), task._uuid] = time.time()

    def v2_runner_on_ok(self, result) -> None:
        """A task has ended well."""
        self._add(result, "ok")

    def v2_runner_on_failed(self, result, ignore_errors=False) -> None:
        """A task has failed; whether that counts is known at the end."""
        self._add(result, "failed")

    def v2_runner_on_skipped(self, result) -> None:
        """A task was not for this host, so nothing was done."""
        self._begun.pop((result._host.get_name(), result._task._uuid), None)

    def v2_runner_on_unreachable(self, result) -> None:
        """The machine that a task is for has not answered."""
        self._add(result, "unreachable")

    def _add(self, result, how: str) -> None:
        now = time.time()
        host, task = result._host.get_name(), result._task
        start = self._begun.pop((host, task._uuid), now)
        ended = Ended(task.resolved_action or task.action, task.get_name(), how, start, now)
        if ended.action == CONVERGE:
            self._report.add_converged(result._result.get("clusters") or {})
        elif ended.action != OUTCOME:  # which tells again what is known
            self._report.add(host, ended, result._result)

    def v2_playbook_on_stats(self, stats) -> None:
        """The run ends."""
        failed = {name for name in stats.processed if stats.failures.get(name) or stats.dark.get(name)}
        report = self._report.as_dict(failed, time.time())
        directory = self.get_option("directory")
        try:
            os.makedirs(directory, exist_ok=True)
            for name in self.get_option("formats"):
                file_name, render = FORMATS[name]
                with open(os.path.join(directory, file_name), "w", encoding="utf-8") as file:
                    file.write(render(report))
        except OSError as error:
            self._display.warning(f"fleet_report: the report could not be written to {directory}: {error}")
        else:
            self._display.display(f"fleet report: {os.path.abspath(directory)}")
