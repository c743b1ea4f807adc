# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: fleet_report
type: aggregate
short_description: Report a run over a fleet as a web page, as JSON and as JUnit XML
version_added: 0.1.0
description:
  - Writes the result of each cluster at the end of a run, with the causes of failures, the components that are not
    ready, the settings that were changed, and a timeline.
  - C(fleet-report.html) is a page in one file that loads nothing from elsewhere. It starts with the result of the run
    and the causes of failures. A link such as C(fleet-report.html#f3) opens it at cluster C(f3).
  - C(fleet-report.json) has the same data, as C(docs/fleet-report.schema.json) in the collection describes it.
  - C(fleet-report.xml) has a test case for each cluster, for tools that show test results.
  - Values hidden by C(no_log) are in none of them.
requirements:
  - Enable it in the configuration, with C(callbacks_enabled = azureml.arc.fleet_report), or with
    E(ANSIBLE_CALLBACKS_ENABLED).
options:
  directory:
    description: The folder to write to. It is created if it does not exist.
    type: path
    default: .
    env:
      - name: AZUREML_ARC_FLEET_REPORT_DIRECTORY
    ini:
      - section: callback_azureml_arc_fleet_report
        key: directory
  formats:
    description: The files to write.
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

from ansible import context
from ansible.plugins.callback import CallbackBase
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.handover import Handover
from ansible_collections.azureml.arc.plugins.plugin_utils._report.fleet_report import Ended, FleetReport, Run
from ansible_collections.azureml.arc.plugins.plugin_utils._report.junit import as_junit
from ansible_collections.azureml.arc.plugins.plugin_utils._report.page import page

# Actions with the result of a whole cluster, and with the result of a batch.
CLUSTER = "azureml.arc.cluster"
FLEET = "azureml.arc.fleet"
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
        self._report = FleetReport(Run(started=time.time()))

    def v2_playbook_on_start(self, playbook) -> None:
        """Begin the report."""
        arguments = context.CLIARGS
        run = Run(
            playbook=os.path.basename(playbook._file_name),
            started=time.time(),
            inventory=", ".join(_short_path(one) for one in arguments.get("inventory") or ()),
            limit=arguments.get("subset") or "",
            check_mode=bool(arguments.get("check")),
        )
        self._report = FleetReport(run)

    def v2_playbook_on_play_start(self, play) -> None:
        """Begin a play, or a batch of one."""
        self._report.begin_play()

    def v2_runner_on_start(self, host, task) -> None:
        """Remember when a task started on a host."""
        self._begun[host.get_name(), task._uuid] = time.time()

    def v2_runner_on_ok(self, result) -> None:
        """Add a task that succeeded."""
        self._add(result, "ok")

    def v2_runner_on_failed(self, result, ignore_errors=False) -> None:
        """Add a task that failed; whether that counts is known at the end."""
        self._add(result, "failed")

    def v2_runner_on_skipped(self, result) -> None:
        """Forget a task that did nothing."""
        self._begun.pop((_part(result, "host").get_name(), _part(result, "task")._uuid), None)

    def v2_runner_on_unreachable(self, result) -> None:
        """Add a task whose machine did not respond."""
        self._add(result, "unreachable")

    def _add(self, result, status: str) -> None:
        now = time.time()
        host, task, fields = _part(result, "host").get_name(), _part(result, "task"), _part(result, "result")
        start = self._begun.pop((host, task._uuid), now)
        action = task.resolved_action or task.action
        if action == CLUSTER and status != "ok":
            # Ansible gets only a part of the result of a failed cluster.
            fields = (Handover().taken(host) or {}).get("result") or fields
        if action == CLUSTER and status != "unreachable":
            self._report.add_cluster(host, {**fields, "failed": status == "failed"})
        elif action == FLEET:
            for one in fields.get("results") or [fields]:
                self._add_wave(one)
        else:
            self._report.add_task(host, Ended(action, task.get_name(), status, start, now), fields)
        if action == CLUSTER:
            self._add_wave(fields.get("wave") or {})

    def _add_wave(self, figures) -> None:
        if "not_started" in figures:
            self._report.end_wave(figures)

    def v2_playbook_on_stats(self, stats) -> None:
        """Write the report."""
        failed = {name for name in stats.processed if stats.failures.get(name) or stats.dark.get(name)}
        report = self._report.as_dict(failed, time.time())
        directory = os.path.abspath(self.get_option("directory"))
        paths = []
        try:
            os.makedirs(directory, exist_ok=True)
            for name in self.get_option("formats"):
                file_name, render = FORMATS[name]
                paths.append(os.path.join(directory, file_name))
                with open(paths[-1], "w", encoding="utf-8") as file:
                    file.write(render(report))
        except OSError as error:
            self._display.warning(f"fleet_report: the report could not be written to {directory}: {error}")
        else:
            if paths:
                self._display.display(f"fleet report: {_place(paths[0], stats.custom.get('_run', {}))}")


def _place(path: str, artifacts: dict) -> str:
    """Return the location of the report. AWX deletes the files of a job at its end, and keeps the artifacts."""
    files = os.environ.get("AWX_ISOLATED_DATA_DIR")
    if not files or not path.startswith(os.path.join(os.path.abspath(files), "")):
        return path
    kept = ", ".join(sorted(name for name in artifacts if name.startswith("azureml_")))
    return f"{f'artifact {kept} of this job; ' if kept else ''}AWX deletes {path} with the files of this job"


def _part(result, name: str):
    """Return the C(host), C(task) or C(result) of a task result. Before ansible-core 2.19 they are private."""
    return getattr(result, name) if hasattr(result, name) else getattr(result, f"_{name}")


def _short_path(source: str) -> str:
    """Return an inventory source below the current directory as a relative path, others unchanged."""
    relative = os.path.relpath(source) if os.path.isabs(source) else source
    return source if relative.startswith(os.pardir) else relative
