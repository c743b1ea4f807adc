# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run a flow for all clusters of a play's current batch in one task."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, replace

from ansible import constants
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.azureml.arc.plugins.module_utils._core.text import counted, named
from ansible_collections.azureml.arc.plugins.plugin_utils._controller import processes
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.core import host_variables, shown_once
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.files import ControllerFiles
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.handover import Handover
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.in_process import (
    PROGRESS_INTERVAL,
    PROGRESS_VARIABLE,
    is_switched_on,
    task_environment,
)
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.progress import COLORS, show_outcome
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.worker import prepared_worker, write_error
from ansible_collections.azureml.arc.plugins.plugin_utils._flows import workspaces
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.batches import Batches, Rollout, artifacts, figures
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.flow_runner import FlowRunner
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.guards import PlaySettings, require_whole_batch
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.host import (
    NOTHING_SELECTED,
    Assignment,
    parts_by_tags,
    refused,
    without_flow,
)
from ansible_collections.azureml.arc.plugins.plugin_utils._report.console import interrupted_lines, result_lines
from ansible_collections.azureml.arc.plugins.plugin_utils._variables import checks
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.reading import HostVariables, read
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.specs import MACHINE

PROCESSES_VARIABLE = "azureml_processes"
LEAST_THREADS = 50  # of each process; they mostly wait for responses, which take 100 ms from Azure
# The failure of a cluster whose process has ended before the cluster had a result.
ENDED = (
    "its worker process ended with code {code}, for instance because the machine ran out of memory. Run the playbook"
    f" again to resume; set {PROCESSES_VARIABLE} to 1 to use less memory."
)


class Fleet:
    """All clusters of the current batch of a play.

    :param action: the action of the task.
    :param task_vars: the variables of the host that the task runs for.
    """

    def __init__(self, action: ActionBase, task_vars: Mapping) -> None:
        self._action = action
        self._task_vars = task_vars
        self._settings = PlaySettings(action._templar, task_vars)
        self._handover = Handover()
        self._flow = ""
        self._parts: tuple[str, ...] = ()
        self._check_mode = bool(action._task.check_mode)
        self._interval = PROGRESS_INTERVAL
        self._shown = tuple(COLORS)
        self._threads = max(LEAST_THREADS, task_vars["ansible_forks"])

    def announce(self, flow: str) -> dict:
        """Return a summary with the clusters or machines of the batch, before they run."""
        return {"changed": False, "summary": f"{Assignment(flow).noun}s: {named(self._settings.batch)}"}

    def run(self, flow: str, waves: bool, table: bool) -> dict:
        """Run a flow for all clusters of the batch that this process reaches; leave the others to action C(cluster).

        :param flow: a key of C(FLOWS).
        :param waves: whether batches are waves with a budget.
        :param table: whether to end with a table of all clusters, instead of a line for each one that did not fail.
        :returns: the result of the task, which fails if the run cannot begin; a cluster that fails is the result of
            its host.
        """
        try:
            return self._run(flow, waves, table)
        except AnsibleActionFail as failure:
            return shown_once(self._action, {"failed": True, "changed": False, "msg": str(failure)})

    def _run(self, flow: str, waves: bool, table: bool) -> dict:
        require_whole_batch(self._action._task)
        self._flow = flow
        self._parts = parts_by_tags(self._action._task.tags, self._task_vars)
        if not self._parts:
            self._action._display.warning(NOTHING_SELECTED["msg"])
            return {**NOTHING_SELECTED, "ends": True}
        if waves:
            self._settings.require_valid_waves()
        if not self._check_mode:
            self._settings.require_confirmation(flow)
        self._interval = self._settings.seconds(PROGRESS_VARIABLE, PROGRESS_INTERVAL)
        self._shown = ("failed",) if table else tuple(COLORS)
        soak = self._settings.seconds("azureml_soak") if waves else 0.0
        wanted = self._settings.count(PROCESSES_VARIABLE)
        report_hosts = self._settings.flag("azureml_report_hosts", True)
        batches = Batches(self._action, self._handover)
        assignment = Assignment(flow, self._parts)
        rollout = batches.begin(self._settings, waves, assignment.noun)
        environment = task_environment(self._action, self._action._templar)
        assignment = replace(
            assignment, soak=soak if rollout.not_started else 0.0, first_wave=not waves or rollout.number == 1
        )
        if rollout.stopped:
            result = {"skipped": True, "changed": False, "msg": f"not started: {rollout.stopped}"}
            for name in rollout.batch:
                self._end(name, result)
        else:
            with prepared_worker(environment):
                self._run_batch(rollout, assignment, environment, wanted)
        batches.keep(rollout)
        wave = batches.wave(rollout)
        if table and self._interval > 0:
            self._action._display.display(wave.table())
        ends = not report_hosts and all(one.outcome in ("ok", "changed") for one in wave.rows)
        return {"changed": False, "ends": ends, **figures(wave), **artifacts(wave)}

    def _run_batch(self, rollout: Rollout, assignment: Assignment, environment: Mapping, wanted: int | None) -> None:
        # A folder of the run, not of the task, so that it is removed whenever the run ends.
        with tempfile.TemporaryDirectory(prefix="azureml_arc_fleet_", dir=constants.DEFAULT_LOCAL_TMP) as directory:
            runnable = self._read_hosts(rollout, assignment, environment)
            count = processes.count_for(len(runnable), wanted)
            runner = FlowRunner(self._action, assignment, environment, directory, self._threads, self._interval)
            unfinished, begun = {host.name for host in runnable}, {}

            def receive(value: dict) -> None:
                if "line" in value:
                    self._action._display.display(value["line"])
                elif "begun" in value:
                    begun.update(value["begun"])
                else:
                    unfinished.remove(value["host"])
                    self._end(value["host"], value["result"])

            try:
                if count == 1:
                    runner.run(runnable, receive)
                    return
                shares = [runnable[number::count] for number in range(count)]
                for share, code in zip(shares, processes.spread(shares, runner.run, receive)):
                    for host in share:
                        if host.name in unfinished:
                            self._end(host.name, without_flow("", ENDED.format(code=code)))
            except SystemExit:
                if self._interval > 0:
                    write_error(interrupted_lines({one.name: begun[one.name] for one in runnable if one.name in begun}))
                # Although threads may still write to it. They end with the process, which prepared_worker ends.
                shutil.rmtree(directory, ignore_errors=True)
                raise

    def _read_hosts(self, rollout: Rollout, assignment: Assignment, environment: Mapping) -> list[HostVariables]:
        """Read the variables of the hosts, and end those with invalid variables.

        The first batch reads those of all batches, so that errors show before anything is sent.

        :returns: the hosts whose flow runs in this process.
        """
        names = rollout.batch if rollout.number > 1 else self._settings.hosts
        hosts = {name: self._read_host(name, assignment, environment) for name in names}
        if rollout.number == 1:
            if rollout.allowed is not None:
                self._require_equal([host for host, _in_process in hosts.values()])
            self._refuse(rollout, self._errors([host for host, _in_process in hosts.values()], assignment), assignment)
            if assignment.flow_class.attaches:
                valid = [host for host, in_process in hosts.values() if in_process and host.name not in rollout.refused]
                self._refuse(rollout, workspaces.missing(self._action, environment, valid, self._threads), assignment)
        runnable = []
        for name in rollout.batch:
            host, in_process = hosts[name]
            if name in rollout.refused:
                self._end(name, refused(rollout.refused[name]), show=False)
            elif in_process and not host.via_node:
                runnable.append(host)
            else:
                self._handover.leave(name, {"flow": self._flow, "assignment": asdict(assignment)})
        return runnable

    def _read_host(self, name: str, assignment: Assignment, environment: Mapping) -> tuple[HostVariables, bool]:
        """Return the variables of a host, and whether its steps in Azure run in this process."""
        variables = host_variables(self._action._task, name)
        templar = self._action._templar.copy_with_new_env(available_variables=variables)
        host = read(
            name,
            variables,
            templar,
            ControllerFiles(self._action),
            assignment.flow_class.with_files,
            assignment.flow_class.kind,
        )
        try:
            same = task_environment(self._action, templar) == environment
            return host, same and is_switched_on(variables, templar)
        except AnsibleError as error:
            host.errors.append(str(error))
            return host, False

    def _errors(self, hosts: list[HostVariables], assignment: Assignment) -> dict[str, list[str]]:
        """Return the errors in the variables of hosts, alone and together."""
        clusters = [one for one in hosts if one.options and one.kind != MACHINE]
        connected = [one.name for one in clusters if assignment.connects(one)]
        together = checks.of_fleet({one.name: one.options for one in clusters}, connected)
        errors = {
            one.name: [*one.errors, *together.get(one.name, ()), *assignment.errors_of(one.options)] for one in hosts
        }
        return {name: found for name, found in errors.items() if found}

    @staticmethod
    def _require_equal(hosts: list[HostVariables]) -> None:
        """Refuse hosts that differ in variables of the rollout.

        :raises AnsibleActionFail: naming the variables and two hosts.
        """
        errors = checks.of_rollout({one.name: one.options for one in hosts if one.options})
        if errors:
            raise AnsibleActionFail(checks.nothing_sent(errors))

    def _refuse(self, rollout: Rollout, errors: Mapping[str, list[str]], assignment: Assignment) -> None:
        """Show each error in variables once, and record the hosts that have some.

        :raises AnsibleActionFail: if these are more than may fail.
        """
        for message, names in checks.grouped(errors).items():
            who = f"[{names[0]}]" if len(names) == 1 else f"{counted(len(names), assignment.noun)} ({', '.join(names)})"
            self._show("failed", f"{who} {checks.nothing_sent([message])}")
        rollout.refused |= errors
        if rollout.allowed is not None and len(rollout.refused) > rollout.allowed:
            clusters = counted(len(rollout.refused))
            message = f"the variables of {clusters} are invalid, but azureml_max_failures allows {rollout.allowed}"
            raise AnsibleActionFail(checks.nothing_sent([message]))

    def _end(self, name: str, result: dict, show: bool = True) -> None:
        """Keep the result of a host for action C(cluster), and show it in a line."""
        self._handover.leave(name, {"flow": self._flow, "result": result, "shown": self._interval > 0})
        if show and not result.get("skipped"):
            self._show(*result_lines(name, result))

    def _show(self, outcome: str, text: str) -> None:
        if self._interval > 0 and outcome in self._shown:
            show_outcome(self._action._display, outcome, text)
