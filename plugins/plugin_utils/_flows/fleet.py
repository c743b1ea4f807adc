# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All clusters of a play, or of its present batch, in one process."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from ansible import constants
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.core import host_variables
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.files import ControllerFiles
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.handover import Handover
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.in_process import (
    PROGRESS_INTERVAL,
    PROGRESS_VARIABLE,
    RunContext,
    context_of_task,
    is_switched_on,
    task_environment,
)
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.progress import Progress
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.worker import prepared_worker, write_error
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.executors import InProcess
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.flow import Flow
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.guards import PlaySettings, require_whole_batch
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.host import (
    MODULES,
    Assignment,
    flow_of,
    parts_by_tags,
    refused,
)
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.scheduler import Scheduler, Stop
from ansible_collections.azureml.arc.plugins.plugin_utils._report.console import failure_lines, interrupted_lines
from ansible_collections.azureml.arc.plugins.plugin_utils._report.rollout import Row, Wave, count_waves, row
from ansible_collections.azureml.arc.plugins.plugin_utils._variables import checks
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.reading import HostVariables, read

# Flows that do not connect to the cluster.
ONLY_AZURE = ("detach",)
COLORS = {"failed": constants.COLOR_ERROR, "changed": constants.COLOR_CHANGED, "ok": constants.COLOR_OK}


@dataclass
class Rollout:
    """What the batches of a play have in common; a file of the run keeps it between them.

    :param began: when the first batch began, in seconds since 1970.
    :param number: of the present batch, from 1 on.
    :param allowed: how many clusters may fail; C(None) for a play without waves.
    :param refused: the hosts whose variables are wrong, with their errors.
    :param failed: the hosts that have failed so far.
    :param not_started: the hosts of later batches.
    :param batch: the hosts of the present batch.
    :param stopped: why no further batch starts; empty where one does.
    """

    began: float = field(default_factory=time.time)
    number: int = 0
    allowed: int | None = None
    refused: dict = field(default_factory=dict)
    failed: list = field(default_factory=list)
    not_started: list = field(default_factory=list)
    batch: list = field(default_factory=list)
    stopped: str = ""

    def begin_batch(self, settings: PlaySettings) -> None:
        """Go on to the next batch."""
        self.number += 1
        self.batch = settings.batch
        if self.stopped:
            return  # its clusters have not started either
        self.not_started = settings.hosts[max(map(settings.hosts.index, self.batch)) + 1 :]

    def wave(self, rows: list[Row], waves: int) -> Wave:
        """The present batch by its rows.

        :param waves: how many batches there are.
        """
        failed = [*self.failed, *(one.name for one in rows if one.outcome in ("failed", "unreachable"))]
        return Wave(rows, failed, self.not_started, self.allowed, self.number, time.time() - self.began, waves)


class Fleet:
    """All clusters of the present batch of a play.

    :param action: the action of the task.
    :param task_vars: the variables of the host that the task runs for.
    """

    def __init__(self, action: ActionBase, task_vars: Mapping) -> None:
        self._action = action
        self._task_vars = task_vars
        self._settings = PlaySettings(action._templar, task_vars)
        self._handover = Handover()
        self._key = f"play {action._task.get_play()._uuid}"
        self._check_mode = bool(action._task.check_mode)
        self._interval = PROGRESS_INTERVAL
        self._stop = Stop()

    def run(self, flow: str, waves: bool) -> dict:
        """Run a flow for all clusters of the batch that this process reaches; leave the others to action C(cluster).

        :param flow: a key of C(FLOWS).
        :param waves: whether batches are waves with a budget.
        :returns: the result of the task.
        :raises AnsibleActionFail: where it cannot begin; what fails for a cluster is the result of its host.
        """
        require_whole_batch(self._action._task)
        if not self._check_mode:
            self._settings.require_confirmation(flow)
        self._interval = self._settings.seconds(PROGRESS_VARIABLE, PROGRESS_INTERVAL)
        soak = self._settings.seconds("azureml_soak") if waves else 0.0
        report_hosts = self._settings.flag("azureml_report_hosts", True)
        kept = self._handover.read(self._key)
        rollout = Rollout(**kept) if kept else Rollout(allowed=self._settings.allowed_failures() if waves else None)
        rollout.begin_batch(self._settings)
        environment = task_environment(self._action, self._action._templar)
        assignment = Assignment(flow, parts_by_tags(self._task_vars), soak if rollout.not_started else 0.0)
        if rollout.stopped:
            result = {"skipped": True, "changed": False, "msg": f"not started: {rollout.stopped}"}
            for name in rollout.batch:
                self._end(name, result)
        else:
            with prepared_worker(environment):
                self._run_batch(rollout, assignment, environment)
        if not report_hosts:
            rows = self._rows(rollout)
            if all(one.outcome in ("ok", "changed") for one in rows):
                return {**self._close(rollout, rows, table=False), "ends": True}
        self._handover.leave(self._key, asdict(rollout))
        return {"changed": False, "ends": False}

    def close(self, table: bool) -> dict:
        """Show how the batch went.

        :param table: whether to show a line for each cluster, too.
        :returns: the result of the task, with the figures as artifacts of the job.
        """
        kept = self._handover.read(self._key)
        if not kept:
            return {"changed": False, "msg": "no flow was run"}
        rollout = Rollout(**kept)
        if rollout.stopped:
            return _summed_up(rollout, [], rollout.stopped, True)
        self._interval = self._settings.seconds(PROGRESS_VARIABLE, PROGRESS_INTERVAL)
        return self._close(rollout, self._rows(rollout), table)

    def _close(self, rollout: Rollout, rows: list[Row], table: bool) -> dict:
        waves = count_waves(self._action._task.get_play().serial, len(self._settings.hosts))
        wave = rollout.wave(rows, waves)
        rollout.failed = list(wave.failed)
        rollout.stopped = wave.summary() if wave.stopped else ""
        self._handover.leave(self._key, asdict(rollout))
        if self._interval > 0:
            self._action._display.display("\n".join([wave.table()] * table + [wave.summary()]))
        # As set_stats leaves it: AWX keeps it among the artifacts of the job.
        stats = {"data": {"azureml_rollout": wave.stats()}, "per_host": False, "aggregate": False}
        return {**_summed_up(rollout, wave.rows, wave.summary(), wave.stopped), "ansible_stats": stats}

    def _rows(self, rollout: Rollout) -> list[Row]:
        results = {name: (self._handover.taken(name) or {}).get("result") for name in rollout.batch}
        return [row(name, result, self._check_mode) for name, result in results.items()]

    def _run_batch(self, rollout: Rollout, assignment: Assignment, environment: Mapping) -> None:
        # A file of the run, not of the task: what ends the run ends it, too.
        with tempfile.TemporaryDirectory(prefix="azureml_arc_fleet_", dir=constants.DEFAULT_LOCAL_TMP) as directory:
            mine = self._read_hosts(rollout, assignment, environment)
            of_task = context_of_task(self._action, environment)
            context = replace(of_task, tmpdir=directory, sleep=self._stop.sleep, can_block=False)
            flows = {host.name: self._flow(host, assignment, context) for host in mine}
            names = list(flows)

            def end(number: int, result: dict) -> None:
                del flows[names[number]]
                self._end(names[number], result)

            try:
                running = [flow.run() for flow in flows.values()]
                Scheduler(self._task_vars["ansible_forks"]).run(running, end)
            except BaseException as error:
                self._stop.request()
                if isinstance(error, SystemExit):
                    self._show_interrupted(flows)
                    # While threads still write into it. They end with the process, which prepared_worker ends.
                    shutil.rmtree(directory, ignore_errors=True)
                raise

    def _show_interrupted(self, flows: Mapping[str, Flow]) -> None:
        if self._interval > 0:
            begun = {name: flow.steps.last for name, flow in flows.items() if flow.steps.last}
            write_error(interrupted_lines(begun))

    def _flow(self, host: HostVariables, assignment: Assignment, context: RunContext) -> Flow:
        progress = Progress(host.name, self._interval, self._action._display.display)
        runs = InProcess(MODULES, context.with_progress(progress))
        return flow_of(host, assignment, runs, self._check_mode, self._handover)

    def _read_hosts(self, rollout: Rollout, assignment: Assignment, environment: Mapping) -> list[HostVariables]:
        """Read the variables of the hosts, and end those where they are wrong.

        The first batch reads those of all batches, so that errors show before anything is sent.

        :returns: the hosts whose flow runs in this process.
        """
        names = rollout.batch if rollout.number > 1 else self._settings.hosts
        hosts = {name: self._read_host(name, environment) for name in names}
        if rollout.number == 1:
            rollout.refused = self._errors([host for host, _here in hosts.values()], assignment.flow)
            if rollout.allowed is not None and len(rollout.refused) > rollout.allowed:
                count = len(rollout.refused)
                clusters = "1 cluster" if count == 1 else f"{count} clusters"
                message = f"the variables of {clusters} are wrong, azureml_max_failures allows {rollout.allowed}"
                raise AnsibleActionFail(checks.nothing_sent([message]))
        mine = []
        for name in rollout.batch:
            host, here = hosts[name]
            if name in rollout.refused:
                self._end(name, refused(rollout.refused[name]), show=False)
            elif here:
                mine.append(host)
            else:
                self._handover.leave(name, {"assignment": asdict(assignment)})
        return mine

    def _read_host(self, name: str, environment: Mapping) -> tuple[HostVariables, bool]:
        """The variables of a host, and whether its flow runs in this process."""
        variables = host_variables(self._action._task, name)
        templar = self._action._templar.copy_with_new_env(available_variables=variables)
        host = read(name, variables, templar, ControllerFiles(self._action))
        try:
            same = task_environment(self._action, templar) == environment
            return host, same and is_switched_on(variables, templar) and not host.via_node
        except AnsibleError as error:
            host.errors.append(str(error))
            return host, False

    def _errors(self, hosts: list[HostVariables], flow: str) -> dict[str, list[str]]:
        """What is wrong with the variables of hosts, alone and together; each error is shown once."""
        right = {one.name: one.options for one in hosts if one.options}
        connected = [one.name for one in hosts if one.options and not one.via_node and flow not in ONLY_AZURE]
        together = checks.of_fleet(right, connected)
        errors = {one.name: [*one.errors, *together.get(one.name, ())] for one in hosts}
        for message, names in checks.grouped(errors).items():
            who = f"[{names[0]}]" if len(names) == 1 else f"{len(names)} clusters ({', '.join(names)})"
            self._show("failed", f"{who} {checks.nothing_sent([message])}")
        return {name: found for name, found in errors.items() if found}

    def _end(self, name: str, result: dict, show: bool = True) -> None:
        """Keep the result of a host for action C(cluster), and show it in a line."""
        self._handover.leave(name, {"result": result})
        if show and not result.get("skipped"):
            outcome = "failed" if result.get("failed") else "changed" if result["changed"] else "ok"
            self._show(outcome, f"[{name}] {failure_lines(result) if outcome == 'failed' else result['msg']}")

    def _show(self, outcome: str, text: str) -> None:
        if self._interval > 0:
            self._action._display.display(f"{outcome}: {text}", color=COLORS[outcome])


def _summed_up(rollout: Rollout, rows: Sequence[Row], summary: str, stopped: bool) -> dict:
    return {
        "changed": False,
        "clusters": [asdict(one) for one in rows],
        "failed_clusters": rollout.failed,
        "not_started": rollout.not_started,
        "allowed_failures": rollout.allowed,
        "stopped": stopped,
        "summary": summary,
    }
