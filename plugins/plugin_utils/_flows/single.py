# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Return the result that C(fleet) has left for a host, or run its flow in this process."""

from __future__ import annotations

from collections.abc import Mapping

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase
from ansible_collections.azureml.arc.plugins.module_utils._core.connections import Connections
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import first_line
from ansible_collections.azureml.arc.plugins.module_utils._core.polling import wait_here
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.core import (
    UnreachableHost,
    has_readers,
    hide_own_source,
    shown_once,
)
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.files import ControllerFiles
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.handover import Handover
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.in_process import (
    context_of_task,
    is_switched_on,
    progress_interval,
    task_environment,
)
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.progress import Progress, show_outcome
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.worker import prepared_worker, write_error
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.batches import Batches, artifacts, figures
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.executors import executor_of
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.host import (
    MODULES,
    NOTHING_SELECTED,
    Assignment,
    flow_of,
    parts_by_tags,
    refused,
    without_flow,
)
from ansible_collections.azureml.arc.plugins.plugin_utils._report.console import interrupted_lines, result_lines
from ansible_collections.azureml.arc.plugins.plugin_utils._variables import checks
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.reading import read

# The fields of a failed cluster's result that Ansible shows; otherwise it would show the whole result.
OF_FAILURES = (
    *("failed", "failed_step", "msg", "error", "findings", "changed", "diff", "warnings", "exception"),
    "selinux_change",
)
# The same if the failure was shown when it happened. Tasks that read the result get the step, too.
SHOWN_ABOVE = ("failed", "changed", "diff", "warnings", "selinux_change")
FOR_READERS = "failed_step"

# Variables of a job in AWX, which keeps results.
JOB_VARIABLES = ("awx_job_id", "tower_job_id")


def run_cluster(action: ActionBase, task_vars: Mapping, flow: str | None, wait: bool) -> dict:
    """Return the result of a host.

    :param flow: a key of C(FLOWS), C(None) for the flow of C(fleet).
    :param wait: C(False) ends the flow once every operation that takes long has started.
    :raises AnsibleActionFail: if there is neither a flow nor a result.
    """
    name, handover = task_vars["inventory_hostname"], Handover()
    is_verbose = action._display.verbosity > 0 or any(one in task_vars for one in JOB_VARIABLES)
    left = handover.take(name) or {}
    if flow is None and "flow" in left:
        if not wait:
            handover.leave(name, left)  # for the task that waits
            if "result" in left:
                return {"skipped": True, "changed": False, "msg": "nothing is left to start"}
        if "result" not in left:
            left = _run_assigned(action, task_vars, Assignment(**left["assignment"]), wait, handover)
        return _of_fleet(action, left["result"], left["shown"], is_verbose)
    parts = parts_by_tags(action._task.tags, task_vars)
    if not parts:
        return dict(NOTHING_SELECTED)
    if flow is None:
        raise AnsibleActionFail(
            "azureml.arc.fleet has not run for this host, so it has no result. Set flow to run one."
        )
    begun = wait and left.get("begun") == flow
    if begun and "result" in left:
        return _of_task(action, left["result"], is_verbose)
    assignment = Assignment(flow, parts, begun=begun)
    if not wait and action._task.check_mode:
        return {"skipped": True, "changed": False, "msg": "nothing is started in check mode"}
    result, ended = _run(action, task_vars, assignment, wait, handover)
    # If nothing is left to do, the task that waits has the same result.
    handover.leave(name, {"result": result} if wait else {"begun": flow, **({"result": result} if ended else {})})
    if wait:
        handover.take(name)
    return _of_task(action, result, is_verbose)


def _run_assigned(
    action: ActionBase, task_vars: Mapping, assignment: Assignment, wait: bool, handover: Handover
) -> dict:
    """Run a flow that C(fleet) has left to its host; the last host of a wave shows the result of the wave.

    :returns: the result of the host, and whether it was shown, as C(fleet) leaves both.
    """
    name = task_vars["inventory_hostname"]
    try:
        result, _ended = _run(action, task_vars, assignment, wait, handover)
        if not wait and not result.get("failed"):
            return {"result": result, "shown": False}
    except AnsibleConnectionFailure as error:
        result = {"failed": True, "unreachable": True, "changed": False, "msg": str(error)}
    except AnsibleError as error:  # otherwise the last host of the wave would not show its result
        result = without_flow("", first_line(error))
    handover.leave(name, {"result": result})  # the wave contains it
    wave = Batches(action, handover).current_wave()
    shown = progress_interval(task_vars, action._templar) > 0
    left = {"result": {**result, "wave": figures(wave), **artifacts(wave)}, "shown": shown}
    handover.leave(name, left if wait else {**left, "flow": assignment.flow})  # the task that waits fails, too
    if shown:
        if not result.get("unreachable"):  # Ansible shows that itself
            show_outcome(action._display, *result_lines(name, left["result"]))
        if not wave.pending:
            action._display.display(wave.summary())
    return left


def _run(
    action: ActionBase, task_vars: Mapping, assignment: Assignment, wait: bool, handover: Handover
) -> tuple[dict, bool]:
    """Run the flow of a host; return its result, and whether nothing is left to do."""
    name, templar = task_vars["inventory_hostname"], action._templar
    host = read(
        name, task_vars, templar, ControllerFiles(action), assignment.flow_class.with_files, assignment.flow_class.kind
    )
    if assignment.connects(host) and len(task_vars["ansible_play_hosts_all"]) > 1:
        host.errors += checks.of_connection(host.options)
    host.errors += assignment.errors_of(host.options)
    if host.errors:
        return refused(host.errors), True
    environment = task_environment(action, templar)
    interval = progress_interval(task_vars, templar)
    progress = Progress(name, interval, action._display.display)
    with prepared_worker(environment), Connections() as connections:
        context = context_of_task(action, environment, connections, lambda state: progress(flow.in_progress(state)))
        in_process = context if is_switched_on(task_vars, templar) else None
        runs = executor_of(action, task_vars, environment, MODULES, in_process, host.via_node)
        flow = flow_of(host, assignment, runs, context.check_mode, handover)
        try:
            return wait_here(flow.run(wait)), flow.ended
        except SystemExit:
            if interval > 0 and flow.steps.last:
                write_error(interrupted_lines({name: (flow.steps.last, flow.steps.sent_to_azure)}))
            raise


def _of_fleet(action: ActionBase, result: dict, shown: bool, is_verbose: bool) -> dict:
    """Return the result of a flow of C(fleet), as the task returns it.

    :param shown: whether its line was shown when the flow ended.
    :raises UnreachableHost: if the host is unreachable.
    """
    if result.get("unreachable"):
        raise UnreachableHost(result["msg"])
    if not result.get("failed"):
        return result
    if shown and not is_verbose:
        kept = (*SHOWN_ABOVE, FOR_READERS) if has_readers(action._task) else SHOWN_ABOVE
        short = {**{name: result[name] for name in kept if name in result}, "msg": "failed, see above"}
    else:
        short = dict(_selected(result, is_verbose))
    if "exception" in result:  # the traceback of an unexpected error
        action._display.vvv(result["exception"])
    short.pop("exception", None)
    return shown_once(action, short)


def _of_task(action: ActionBase, result: dict, is_verbose: bool) -> dict:
    """Return the result of a flow of the task itself, as the task returns it."""
    if result.get("failed"):
        hide_own_source(action._task)
    return _selected(result, is_verbose)


def _selected(result: dict, is_verbose: bool) -> dict:
    """Return the fields of a result that Ansible shows."""
    if result.get("failed") and not is_verbose:
        return {name: result[name] for name in OF_FAILURES if name in result}
    return result
