# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each operation under each fault: the task recovers or reports the failure, and no change is sent twice."""

from __future__ import annotations

import json
import re
import time
from collections import Counter

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._azure import client as azure_client
from ansible_collections.azureml.arc.plugins.module_utils._azure import consistency, resource, sign_in
from ansible_collections.azureml.arc.plugins.module_utils._azure.resource_graph import query
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes import client as kubernetes_client
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes import config
from fault_matrix import BEFORE, MARKER, OPERATIONS, TASKS, Operation, survives, writes_of
from support import ModuleFailedError, run_module_work

import simulated
from simulator.faults import KINDS
from simulator.scenario import ClusterPlan, InstallPlan, Scenario

PACE = 50  # factor by which time passes faster for modules
LASTING = ("429, seconds", "503", "reset", "reset, acted", "401", "409", "slow")
CELLS = [(operation, kind, True) for operation in OPERATIONS for kind in KINDS]
CELLS += [(operation, kind, False) for operation in OPERATIONS for kind in LASTING]


@pytest.fixture(scope="module")
def azure(tmp_path_factory):
    """A simulator with a cluster for each cell."""
    # For faults of a watch, pods must still be starting when the watch begins, also on a busy machine.
    seconds = [200 if operation.name == "Kubernetes watch" else 20 for operation, _kind, _once in CELLS]
    clusters = [ClusterPlan(f"cell-{index}", install=InstallPlan(seconds=one)) for index, one in enumerate(seconds)]
    scenario = Scenario(clusters=clusters, time_scale=100, graph_quota=1000)
    with simulated.running(scenario, tmp_path_factory.mktemp("faults")) as running:
        yield running


@pytest.fixture
def run(azure, sign_in_to, monkeypatch, tmp_path):
    """Return a function that runs a task on a cluster with short timeouts, and raises if it fails."""
    sign_in_to(azure)
    monkeypatch.setattr(azure_client, "TRANSPORT", {"connection_timeout": 2, "read_timeout": 1})
    monkeypatch.setitem(sign_in.RETRIES, "retry_backoff_factor", 0.02)
    monkeypatch.setattr(kubernetes_client, "REQUEST_TIMEOUT", (2, 1))
    monkeypatch.setitem(config.RETRIES, "backoff_factor", 0.1)
    for module in (consistency, resource):  # on a busy machine, requests take seconds of the module's clock
        monkeypatch.setattr(module, "VISIBLE_WITHIN", 600)

    def run(task: str, cluster: str) -> dict:
        if task == "list clusters":
            return _list_clusters()
        spec, options = TASKS[task]
        names = {
            "cluster_name": cluster,
            "kubeconfig": azure.kubeconfigs[cluster],
            "name": cluster if "workspace" in spec.argument_spec else None,
            "compute": cluster,
        }
        own = {name: value for name, value in names.items() if name in spec.argument_spec and value}
        return run_module_work(tmp_path, spec, pace=PACE, diff=True, **{**own, **options})

    yield run
    azure.clear_faults()


def _list_clusters() -> dict:
    """Send the query of the inventory plugin, as a task that changes nothing."""
    call = ModuleCall({}, clock=lambda: time.monotonic() * PACE, sleep=lambda seconds: time.sleep(seconds / PACE))
    try:
        session = azure_client.open_session(call)
        found = list(
            query(
                session,
                "resources | where type =~ 'microsoft.kubernetes/connectedclusters' | project id | order by id asc",
                session.subscriptions,
                "clusters",
            )
        )
    except AzureMLError as error:
        raise ModuleFailedError(error.as_result()) from error
    assert len(found) == len(CELLS)
    return {"changed": False}


def _name(cell: tuple[Operation, str, bool]) -> str:
    operation, kind, once = cell
    return f"{operation.name} - {kind}{'' if once else ' - lasting'}"


@pytest.mark.parametrize("number", range(len(CELLS)), ids=map(_name, CELLS))
def test_operation_recovers_from_a_fault_or_reports_it(azure, run, monkeypatch, record_property, number):
    operation, kind, once = CELLS[number]
    if not once:  # no retry succeeds, however long the pauses are
        monkeypatch.setitem(config.RETRIES, "backoff_factor", 0.01)
    cluster = f"cell-{number}"
    for task in BEFORE.get(operation.task, ()):
        run(task, cluster)
    azure.clear_journal()
    azure.add_fault(**operation.fault(cluster, KINDS[kind], 1 if once else None))

    failure = None
    try:
        result = run(operation.task, cluster)
    except ModuleFailedError as error:
        failure = error.result
    else:
        _assert_without_secrets(azure, cluster, result)
    hits = [one for one in azure.journal() if one["effect"] != one["status"] or one["status"] in (0, *range(400, 600))]
    assert hits or kind == "slow", "the fault affected no request"

    azure.clear_faults()
    assert bool(failure) is not survives(operation, kind, once), failure and failure["msg"]
    if failure:
        _assert_clear(operation, cluster, failure)
        _assert_without_secrets(azure, cluster, failure)
        run(operation.task, cluster)  # continues from the present state
    twice = [write for write, count in Counter(writes_of(azure.journal())).items() if count > 1]
    assert not twice
    assert not run(operation.task, cluster)["changed"]
    outcome = "failed" if failure else "survived"
    record_property("fault cell", (operation.name, kind if once else f"{kind}, lasting", outcome))


def _assert_clear(operation: Operation, cluster: str, failure: dict) -> None:
    """Assert that an error contains the resource, the code and, for ARM, the correlation id."""
    message, error = failure["msg"], failure["error"]
    assert re.search(operation.names.format(cluster=cluster), message), message
    assert error["code"], message
    assert error["code"] in message
    if operation.is_arm:
        assert error["correlation_id"] in message


def _assert_without_secrets(azure, cluster: str, result: dict) -> None:
    """Assert that a result contains no secret, even before Ansible masks the values of C(no_log) options."""
    text = json.dumps(result)
    kubeconfig = azure.kubeconfig(cluster)
    for secret in (MARKER, azure.secret, "SharedAccessKey=", kubeconfig["users"][0]["user"]["token"], "Bearer"):
        assert secret not in text


def test_matrix_has_at_least_250_cells():
    assert len(CELLS) >= 250
