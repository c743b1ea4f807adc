# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes by other clients between a read and a write, or during a wait, have defined results."""

from __future__ import annotations

import threading
import time
from collections import Counter

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._azure.client import open_session
from ansible_collections.azureml.arc.plugins.module_utils._azure.resource import ArmResource
from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Deadline, wait_here
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall
from ansible_collections.azureml.arc.plugins.modules.compute import SPEC as COMPUTE
from ansible_collections.azureml.arc.plugins.modules.extension import SPEC as EXTENSION
from ansible_collections.azureml.arc.plugins.modules.extension_info import SPEC as EXTENSION_INFO
from ansible_collections.azureml.arc.plugins.modules.pod_readiness import SPEC as READINESS
from fault_matrix import writes_of
from objects import WORKSPACE, extension_id
from playbooks import start_playbook
from support import ModuleFailedError, requests_to, run_module_work, wait_for

import simulated
from simulator.scenario import ClusterPlan, InstallPlan, Principal, Scenario

TRAINING = {"resource_group": "rg-edge", "workload_profile": "training"}


@pytest.fixture
def installed(run_module, arc):
    """Install the extension and return the options of the task."""
    options = {**TRAINING, "cluster_name": arc}
    run_module(EXTENSION, **options)
    return options


@pytest.fixture
def settings(run_module, arc):
    """Read the settings of the extension from Azure."""

    def read() -> dict:
        found = run_module(EXTENSION_INFO, resource_group="rg-edge", cluster_name=arc, name="azureml")
        return found["extensions"][0]["settings"]

    return read


@pytest.fixture
def concurrently():
    """Run a function in a thread, as another client. An exception in it fails the test at the end."""
    threads, errors = [], []

    def start(work, *arguments, **options):
        def run():
            try:
                work(*arguments, **options)
            except Exception as error:
                errors.append(error)

        threads.append(threading.Thread(target=run))
        threads[-1].start()

    yield start
    for thread in threads:
        thread.join(timeout=60)
    assert not errors, errors


def send(method: str, cluster: str, body: dict | None = None, params: dict | None = None) -> None:
    """Send the request that C(az k8s-extension) sends for the extension of a cluster, and wait for its end."""
    session = open_session(ModuleCall({}))
    resource = ArmResource(session, extension_id(cluster), "2025-03-01", "extension", Deadline(60))
    wait_here(resource.submit(method, True, resource.read(), body=body, params=params))


def test_two_concurrent_tasks_install_once(simulator, run_module, arc, concurrently):
    # Both tasks read that there is no extension before either creates it; the install takes longer than both reads.
    simulator.change_plan(arc, install={"seconds": 150})
    simulator.add_fault(method="GET", path=f"{arc}/.*/extensions/azureml$", acts=True, delay=1, times=4)
    results = []
    for _run in range(2):
        # In real time: after some seconds, a task reads again before it writes.
        concurrently(lambda: results.append(run_module(EXTENSION, **TRAINING, cluster_name=arc, pace=1)))
    wait_for(lambda: len(results) == 2, seconds=60)

    puts = requests_to(simulator, "PUT", f"{arc}/providers/Microsoft.KubernetesConfiguration")
    assert sorted(one["effect"] for one in puts) == [201, 409]
    assert sorted(result["changed"] for result in results) == [False, True]


def test_two_concurrent_runs_succeed(simulator, playbook, arc, tmp_path):
    # As in Azure, an install takes longer than the time between the last read and the write.
    simulator.change_plan(arc, install={"seconds": 600})
    inventory = simulated.inventory(simulator.directory, [ClusterPlan(arc)])
    runs = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        runs.append(start_playbook("azureml.arc.deploy", inventory, tmp_path / name))
    assert [run.wait(timeout=120) for run in runs] == [0, 0]

    writes = Counter(writes_of(simulator.journal()))
    # Both runs may create the parts of the relay: their names and properties are the same.
    twice = [(method, path) for (method, path, _body), count in writes.items() if count > 1]
    assert [path for _method, path in twice if "/Microsoft.Relay/" not in path] == []
    assert playbook("azureml.arc.verify", inventory).status == 0


def test_settings_changed_by_another_client_are_kept(simulator, run_module, installed, settings, arc, concurrently):
    simulator.change_plan(arc, install={"seconds": 150})
    simulator.clear_journal()
    simulator.add_fault(method="PATCH", path=f"{arc}/.*/extensions/azureml$", delay=1, times=1)

    def change():
        wait_for(lambda: requests_to(simulator, "PATCH", arc))  # the task has sent its request
        changed = {"amloperator.custom_ip_interface": "eth9", "theirs": "1"}
        send("PATCH", arc, {"properties": {"configurationSettings": changed}})

    concurrently(change)
    result = run_module(EXTENSION, **installed, settings={"amloperator.custom_ip_interface": "eth1"})

    patches = [one["effect"] for one in requests_to(simulator, "PATCH", arc)]
    assert sorted(patches) == [202, 202, 409]  # the task conflicts with the other change, then retries
    assert result["changed"]
    assert result["plan"]["settings"] == {"amloperator.custom_ip_interface": {"before": "eth9", "after": "eth1"}}
    assert result["unmanaged_settings"]["theirs"] == "1"
    assert (settings()["amloperator.custom_ip_interface"], settings()["theirs"]) == ("eth1", "1")


def test_extension_removed_during_the_wait_fails(simulator, run_module, arc, concurrently):
    simulator.change_plan(arc, install={"seconds": 300})

    def remove():
        wait_for(
            lambda: requests_to(
                simulator, "GET", f"{arc}/providers/Microsoft.KubernetesConfiguration/extensions/azureml/operations"
            )
        )
        send("DELETE", arc, params={"forceDelete": "false"})

    concurrently(remove)
    with pytest.raises(
        ModuleFailedError, match="it was deleted while this task was waiting for it.*run again"
    ) as failure:
        run_module(EXTENSION, **TRAINING, cluster_name=arc)
    assert failure.value.result["error"]["code"] == "RemovedMeanwhile"
    assert len([one for one in writes_of(simulator.journal()) if one[0] == "PUT" and "/extensions/" in one[1]]) == 1


def test_compute_detached_during_the_wait_fails(simulator, run_module, installed, arc, concurrently):
    simulator.change_plan(arc, attach_seconds=300)
    compute = {"name": arc, "workspace": WORKSPACE}
    cluster = {"resource_group": "rg-edge", "cluster_name": arc}

    def detach():
        wait_for(lambda: requests_to(simulator, "GET", "computeOperationsStatus"))
        run_module(COMPUTE, state="absent", **compute)

    concurrently(detach)
    with pytest.raises(ModuleFailedError, match="RemovedMeanwhile"):
        run_module(COMPUTE, **compute, **cluster)


def test_cluster_that_goes_offline_during_a_wait_is_reported(simulator, run_module, arc, concurrently):
    def go_offline():
        wait_for(lambda: requests_to(simulator, "PUT", f"{arc}/providers/Microsoft.KubernetesConfiguration"))
        simulator.change_plan(arc, connectivity="Offline")

    concurrently(go_offline)
    with pytest.raises(
        ModuleFailedError, match="Timed out after 120 seconds.*the cluster has connectivity status Offline"
    ):
        run_module(EXTENSION, **TRAINING, cluster_name=arc, wait_timeout=120)

    # The next run fails before it waits. Once the agents are connected again, a run continues the operation.
    with pytest.raises(ModuleFailedError, match="Offline"):
        run_module(EXTENSION, **TRAINING, cluster_name=arc, wait_timeout=1)
    simulator.change_plan(arc, connectivity="Connected")
    assert not run_module(EXTENSION, **TRAINING, cluster_name=arc)["changed"]
    assert len(requests_to(simulator, "PUT", f"{arc}/providers/Microsoft.KubernetesConfiguration")) == 1


def test_namespace_removed_during_the_wait_fails(simulator, run_module, installed, arc, concurrently):
    # Component late does not exist, so the module waits even though all pods run.
    components = [{"kind": "Deployment", "name": "gateway"}, {"kind": "Deployment", "name": "late"}]
    options = {"kubeconfig": simulator.kubeconfigs[arc], "components": components, "wait_timeout": 50}

    concurrently(lambda: time.sleep(1) or send("DELETE", arc, params={"forceDelete": "false"}))
    with pytest.raises(ModuleFailedError, match="namespace 'azureml' (is being removed|was removed while)"):
        run_module(READINESS, **options)


@pytest.fixture
def long_install(tmp_path_factory):
    """Start a simulator on which an install takes 40 simulated minutes (4 s) and tokens expire after 20."""
    cluster = ClusterPlan("slow", install=InstallPlan(seconds=2400))
    scenario = Scenario(clusters=[cluster], principal=Principal(token_seconds=1200), time_scale=600)
    with simulated.running(scenario, tmp_path_factory.mktemp("long")) as running:
        yield running


def test_expired_token_is_renewed_during_a_long_wait(long_install, sign_in_to, tmp_path):
    sign_in_to(long_install)
    result = run_module_work(tmp_path, EXTENSION, **TRAINING, cluster_name="slow")

    assert result["extension"]["provisioning_state"] == "Succeeded"
    journal = long_install.journal()
    assert 401 in [one["status"] for one in journal]  # the service rejected the token before the time in the token
    assert len([one for one in journal if one["path"].endswith("/oauth2/v2.0/token")]) >= 2
    assert len([one for one in writes_of(journal) if "/extensions/" in one[1]]) == 1
