# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the flows of the clusters that one process works on: a whole batch, or a share of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ansible.plugins.action import ActionBase
from ansible_collections.azureml.arc.plugins.module_utils._core.connections import Connections
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.handover import Handover
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.in_process import context_of_task
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.processes import Send
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.progress import Progress
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.executors import InProcess
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.flow import Flow
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.host import MODULES, Assignment, flow_of
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.scheduler import Scheduler, Stop
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.reading import HostVariables


@dataclass(frozen=True)
class FlowRunner:
    """Runs flows with what all hosts of a batch share.

    :param action: the action of the task.
    :param environment: of the task.
    :param directory: for temporary files.
    :param threads: how many clusters to work on at a time.
    :param interval: seconds between two progress lines of a cluster.
    """

    action: ActionBase
    assignment: Assignment
    environment: Mapping[str, str]
    directory: str
    threads: int
    interval: float

    def run(self, hosts: Sequence[HostVariables], send: Send) -> None:
        """Run the flows of hosts.

        :param send: takes, from any thread, C({"line": text}) to show; C({"host": name, "result": result}) of each flow
            that has ended; and, if this process has to end, C({"begun": {host: [step, sent to Azure]}}) of the
            others.
        """
        stop, handover = Stop(), Handover()
        with Connections() as connections:
            of_task = context_of_task(self.action, self.environment, connections)
            context = replace(of_task, tmpdir=self.directory, sleep=stop.sleep, can_block=False)
            flows: dict[str, Flow] = {}
            for host in hosts:
                progress = self._progress_of(host.name, flows, send)
                runs = InProcess(MODULES, context.with_progress(progress))
                flows[host.name] = flow_of(host, self.assignment, runs, context.check_mode, handover)
            names = list(flows)

            def end(number: int, result: dict) -> None:
                del flows[names[number]]
                send({"host": names[number], "result": result})

            try:
                Scheduler(self.threads).run([flow.run() for flow in flows.values()], end)
            except BaseException as error:
                stop.request()
                if isinstance(error, SystemExit):
                    steps = {name: flow.steps for name, flow in flows.items() if flow.steps.last}
                    send({"begun": {name: [one.last, one.sent_to_azure] for name, one in steps.items()}})
                raise

    def _progress_of(self, name: str, flows: Mapping[str, Flow], send: Send) -> Callable[[str], None]:
        """Return a function that shows the state of a wait of a host's flow, which does not exist yet."""
        progress = Progress(name, self.interval, lambda line: send({"line": line}))
        return lambda state: progress(flows[name].in_progress(state))
