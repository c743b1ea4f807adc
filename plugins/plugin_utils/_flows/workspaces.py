# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find workspaces that do not exist, before anything is sent to a cluster of the run."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ansible.plugins.action import ActionBase
from ansible_collections.azureml.arc.plugins.module_utils._core.connections import Connections
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.in_process import context_of_task
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.processes import no_thread_left
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.executors import InProcess
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.host import MODULES
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.scheduler import Scheduler, Stop
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.reading import HostVariables

MISSING = "ResourceNotFound"


def missing(
    action: ActionBase, environment: Mapping[str, str], hosts: Sequence[HostVariables], threads: int
) -> dict[str, list[str]]:
    """Read each workspace of the hosts once, and return the errors of those that do not exist, by host.

    Other failures are left to the flows of the hosts. No thread is left, because processes may be forked afterwards.

    :param action: the action of the task.
    :param environment: of the task.
    :param hosts: with valid variables.
    :param threads: how many workspaces to read at a time.
    """
    wanted: dict[str, dict] = {}
    places = []  # host, variable, key of its workspace
    for host in hosts:
        for variable, options in host.options.workspaces().items():
            key = json.dumps(options, sort_keys=True)
            wanted[key] = options
            places.append((host.name, variable, key))
    results = dict(zip(wanted, _read(action, environment, list(wanted.values()), threads)))
    errors: dict[str, list[str]] = {}
    for name, variable, key in places:
        error = results[key].get("error") or {}
        if error.get("code") == MISSING:
            errors.setdefault(name, []).append(f"{variable}: {error['message']}")
    return errors


def _read(action: ActionBase, environment: Mapping[str, str], workspaces: list[dict], threads: int) -> list[dict]:
    """Return the result of reading each workspace."""
    if not workspaces:
        return []
    stop, results = Stop(), {}
    with no_thread_left(), Connections() as connections:
        context = replace(context_of_task(action, environment, connections), sleep=stop.sleep, can_block=False)
        runs = InProcess(MODULES, context.with_progress(lambda line: None))
        try:
            reads = [runs.run("workspace", options, True) for options in workspaces]
            Scheduler(threads).run(reads, results.__setitem__)
        except BaseException:
            stop.request()
            raise
    return [results[number] for number in range(len(workspaces))]
