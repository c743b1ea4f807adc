# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Detaching computes: when it is refused, and when it must succeed."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.modules.compute import SPEC
from objects import WORKSPACE
from support import ModuleFailedError, requests_to, writes

from simulator.scenario import SUBSCRIPTION

PROVIDER = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-ml/providers/Microsoft.MachineLearningServices"


def test_detaching_is_idempotent(run_module, simulator, arc, ready):
    run_module(SPEC, **ready)

    first = run_module(SPEC, state="absent", **ready)
    second = run_module(SPEC, state="absent", **ready)

    assert (first["changed"], first["compute"]["name"]) == (True, arc)
    assert (second["changed"], second["compute"]) == (False, None)
    (delete,) = requests_to(simulator, "DELETE", f"/computes/{arc}")
    assert delete["query"]["underlyingResourceAction"] == "Detach"


@pytest.fixture
def use(simulator, arc):
    """Return a function that creates jobs and endpoints which use the compute. They are deleted at the end."""
    compute = f"{PROVIDER}/workspaces/ws/computes/{arc}".upper()

    def run(jobs=(), endpoints=()):
        users = [
            {"name": f"job-{index}", "properties": {"jobType": "Command", "computeId": compute, "status": status}}
            for index, status in enumerate(jobs)
        ]
        online = [{"name": name, "properties": {"authMode": "Key", "compute": compute}} for name in endpoints]
        simulator.change_workspace("ws", jobs=users, online_endpoints=online)

    yield run
    simulator.change_workspace("ws", jobs=[], online_endpoints=[])


def test_compute_in_use_is_not_detached(run_module, simulator, ready, use):
    run_module(SPEC, **ready)
    use(["Completed", "Running"], ["score"])
    simulator.clear_journal()

    with pytest.raises(ModuleFailedError) as failure:
        run_module(SPEC, state="absent", check_mode=True, **ready)
    with pytest.raises(ModuleFailedError, match="it is in use by online endpoint 'score'.*allow_disruption"):
        run_module(SPEC, namespace="ml", force_reattach=True, **ready)
    assert failure.value.result["used_by"] == ["online endpoint 'score'", "job 'job-1' (Running)"]
    assert failure.value.result["error"]["code"] == "InUse"
    assert writes(simulator) == []
    assert run_module(SPEC, state="absent", allow_disruption=True, **ready)["changed"]


def test_ended_jobs_do_not_prevent_a_detach(run_module, ready, use):
    run_module(SPEC, **ready)
    use(["Completed", "Failed", "Canceled"])
    assert run_module(SPEC, state="absent", **ready)["changed"]


def test_compute_of_a_deleted_cluster_is_detached(run_module, simulator, arc, ready):
    run_module(SPEC, **ready)
    simulator.change_plan(arc, gone=True)
    result = run_module(SPEC, state="absent", diff=True, name=arc, workspace=WORKSPACE)
    assert (result["changed"], result["diff"]["before"]["name"]) == (True, arc)


def test_compute_of_another_cluster_is_not_detached(run_module, simulator, ready):
    run_module(SPEC, **ready)
    simulator.clear_journal()
    with pytest.raises(ModuleFailedError, match="cannot be detached: it belongs to another cluster, /.*/arc-"):
        run_module(SPEC, state="absent", **{**ready, "cluster_name": "other"})
    assert writes(simulator) == []


def test_attachment_during_a_detach_waits_for_its_end(run_module, ready):
    run_module(SPEC, **ready)
    run_module(SPEC, state="absent", wait=False, **ready)
    result = run_module(SPEC, **ready)
    assert (result["changed"], result["compute"]["provisioning_state"]) == (True, "Succeeded")
