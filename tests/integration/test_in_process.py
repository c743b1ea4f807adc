# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules run in the controller's process or as ordinary modules: when each applies, and that results are equal."""

from __future__ import annotations

import re
import venv

import pytest
from objects import WORKSPACE
from playbooks import LOCALHOST, play, start_playbook
from support import processes_of, requests_to, wait_for

import certificates
import simulated
from simulator.scenario import SUBSCRIPTION, ClusterPlan, InstallPlan, Scenario

INSTALL = InstallPlan(seconds=30)
FAILING = InstallPlan(30, "pod healthcheck failed", pods={"gateway": "CrashLoopBackOff"})
CLUSTERS = [
    ClusterPlan("shop-k3s", nodes=1, install=INSTALL),
    ClusterPlan("plant", distribution="openshift", install=FAILING),
]
CERTIFICATE = certificates.as_options()
# ansible-core 2.21 returns the options of modules only with this setting.
INVOCATION = {"ANSIBLE_INJECT_INVOCATION": "1"}
# Values that differ between runs.
VOLATILE = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[\d:.]+Z|localhost:\d+|/[^ \"']*/simulator/"
)


def tasks(simulator) -> list[dict]:
    """Return tasks with every module and with results of every kind."""
    cluster = {"resource_group": "rg-edge", "cluster_name": "shop-k3s"}
    kubeconfig = str(simulator.directory / "kubeconfigs/shop-k3s")
    plant = str(simulator.directory / "kubeconfigs/plant")
    unready = {"inference_service": "load_balancer", "inference_router_ha": True}
    edge = {"name": "edge", "workspace": WORKSPACE}
    secret = {"protected_settings": {"proxy.password": "hush-hush-hush"}}
    calls = [
        ("extension", {**cluster, **secret, "workload_profile": "training"}, {"check_mode": True, "diff": True}),
        ("extension", {**cluster, **secret, "workload_profile": "training"}, {"diff": True}),
        ("extension", {**cluster, **secret, "workload_profile": "training"}, {}),
        ("extension", {**cluster, "workload_profile": "training", "node_selector": {"pool": "ml"}}, {"diff": True}),
        ("extension_info", {**cluster, "name": "azureml"}, {}),
        ("pod_readiness", {"workload_profile": "training", "kubeconfig": kubeconfig, "wait_timeout": "60"}, {}),
        ("pod_readiness", {"workload_profile": "training", "kubeconfig": kubeconfig + ".none"}, {}),
        ("pod_readiness", {"workload_profile": "training", "kubeconfig": kubeconfig, "validate_certs": False}, {}),
        ("preflight", {**cluster, "workload_profile": "training", "kubeconfig": kubeconfig}, {}),
        ("preflight", {**cluster, **unready, "workload_profile": "inference", "kubeconfig": kubeconfig}, {}),
        ("tls_secret", {**CERTIFICATE, "name": "ml", "kubeconfig": kubeconfig}, {"diff": True}),
        ("tls_secret", {"name": "ml", "state": "absent", "kubeconfig": kubeconfig}, {"diff": True}),
        ("certificate_info", {"from": {"namespace": "azureml", "name": "none"}, "kubeconfig": kubeconfig}, {}),
        ("certificate_info", {"key_vault": f"{simulator.endpoint}/certificates/none"}, {}),
        ("endpoint_check", {"cname": "ml.example.com", "wait": False, "kubeconfig": kubeconfig}, {}),
        ("endpoint_check", {"scheme": "http", "wait_timeout": 0, "kubeconfig": kubeconfig}, {}),
        ("openshift_scc", {"kubeconfig": plant}, {"diff": True}),
        ("openshift_scc", {"kubeconfig": plant, "state": "absent"}, {"diff": True}),
        ("openshift_scc", {"kubeconfig": kubeconfig}, {}),
        ("instance_type", {"name": "gpu", "node_selector": {"a": "b"}, "kubeconfig": kubeconfig}, {"diff": True}),
        ("instance_type", {"name": "GPU", "kubeconfig": kubeconfig}, {}),
        ("namespace", {"name": "ml", "kubeconfig": kubeconfig}, {"diff": True}),
        ("namespace", {"name": "azureml", "state": "empty", "wait": False, "kubeconfig": kubeconfig}, {}),
        ("cluster_identity", {**cluster, "subscription_id": SUBSCRIPTION, "kubeconfig": kubeconfig}, {}),
        ("cluster_identity", {**cluster, "subscription_id": SUBSCRIPTION, "kubeconfig": plant}, {}),
        ("node", {"names": ["*"], "labels": {"pool": "ml"}, "kubeconfig": kubeconfig}, {"diff": True}),
        ("node", {"names": ["none"], "labels": {"pool": "ml"}, "kubeconfig": kubeconfig}, {}),
        ("node_preflight", {"workload_profile": "training", "gpu": True, "skip_checks": ["outbound", "disk"]}, {}),
        ("compute", {**cluster, "name": "edge", "workspace": WORKSPACE, "instance_types": {"a": {}}}, {}),
        ("compute", {**cluster, **edge}, {"diff": True}),
        ("compute_info", {"workspace": WORKSPACE}, {}),
        ("job_check", {"compute": "edge", "workspace": WORKSPACE}, {"check_mode": True, "diff": True}),
        ("job_check", {"compute": "none", "workspace": WORKSPACE}, {}),
        ("compute", {**cluster, "name": "edge", "workspace": WORKSPACE, "state": "absent"}, {"diff": True}),
        ("extension", {**cluster, "cluster_name": "plant", "workload_profile": "training"}, {}),
        ("extension", {**cluster, "workload_profile": "gaming"}, {}),
        ("extension", {**cluster, "workload_profile": "training", "colour": "red"}, {}),
        ("extension", cluster, {}),
        ("extension", {**cluster, "workload_profile": "training", "subscription_id": "none"}, {}),
        ("extension", {**cluster, "state": "absent"}, {}),
    ]
    return [
        {"name": f"{index} {module}", f"azureml.arc.{module}": options, "ignore_errors": True, **keywords}
        for index, (module, options, keywords) in enumerate(calls)
    ]


def blank(value: object) -> object:
    """Return a value with volatile parts replaced."""
    if isinstance(value, dict):
        return {key: blank(one) for key, one in value.items()}
    if isinstance(value, list):
        return [blank(one) for one in value]
    return VOLATILE.sub("*", value) if isinstance(value, str) else value


def results(run) -> list[tuple[str, dict]]:
    """Return names and results of tasks with volatile parts replaced."""
    return [(one["task"], blank(one["result"])) for one in run.results]


def test_modules_return_the_same_result_in_process_and_as_ordinary_modules(playbook, tmp_path):
    seen = {}
    for way in ("1", "0"):
        with simulated.running(Scenario(clusters=CLUSTERS, time_scale=60), tmp_path / "simulator") as simulator:
            environ = {**simulator.environment, **INVOCATION, "AZUREML_ARC_IN_PROCESS": way}
            run = playbook(play(*tasks(simulator)), LOCALHOST, "-vvv", **environ)
        assert ("EXEC" in run.output) == (way == "0"), run.output
        seen[way] = results(run)

    assert len(seen["1"]) == 40
    for (name, in_process), (other_name, as_module) in zip(seen["1"], seen["0"], strict=True):
        assert name == other_name
        # Ansible adds these fields only to results of modules that it copies to a host.
        for key in ("_ansible_no_log", "ansible_facts", "_ansible_verbose_always", "exception"):
            in_process.pop(key, None)
            as_module.pop(key, None)
        assert in_process == as_module, name


def test_cluster_has_the_same_result_in_process_and_with_ordinary_modules(playbook, tmp_path):
    """After a deployment, and after a verification with changed variables."""
    seen = {}
    for way in ("1", "0"):
        with simulated.running(Scenario(clusters=CLUSTERS, time_scale=60), tmp_path / "simulator") as simulator:
            inventory = simulated.inventory(simulator.directory, CLUSTERS)
            environ = {**simulator.environment, "AZUREML_ARC_IN_PROCESS": way}
            deployed = playbook("azureml.arc.deploy", inventory, **environ)
            inventory["all"]["vars"]["azureml_install_volcano"] = False
            verified = playbook("azureml.arc.verify", inventory, **environ)
        seen[way] = [
            (plan.name, field, value)
            for run in (deployed, verified)
            for plan in CLUSTERS
            for field, value in _comparable(run.outcome(plan.name)).items()
        ]

    for in_process, as_modules in zip(seen["1"], seen["0"], strict=True):
        assert in_process == as_modules


def _comparable(outcome: dict) -> dict:
    """Return the result of a cluster without times, statistics of the wave, and a step that only runs in process."""
    steps = [{**one, "start": None, "end": None} for one in outcome["steps"] if one["module"] != "supporting_resources"]
    found = {**outcome, "steps": steps}
    return {name: blank(found[name]) for name in sorted(found.keys() - {"ansible_stats", "wave"})}


@pytest.fixture
def info(arc):
    """Return a function that runs a play with one task on localhost."""

    def run(playbook, *arguments, variables=None, environ=None, **keywords):
        task = {
            "name": "info",
            "azureml.arc.extension_info": {"resource_group": "rg-edge", "cluster_name": arc},
            **keywords,
        }
        return playbook(play(task, vars=variables or {}), LOCALHOST, "-vvv", *arguments, **(environ or {}))

    return run


def test_local_connection_runs_in_process(playbook, info):
    run = info(playbook)
    assert run.status == 0, run.output
    assert "EXEC" not in run.output
    assert run.result("info", "localhost")["extensions"] == []


def test_variable_disables_running_in_process(playbook, info):
    run = info(playbook, variables={"azureml_arc_in_process": False})
    assert run.status == 0, run.output
    assert "EXEC" in run.output


@pytest.mark.parametrize("environ", [{}, INVOCATION], ids=["by default", "enabled"])
def test_results_contain_the_invocation_if_those_of_ordinary_modules_do(playbook, info, environ):
    runs = [info(playbook, variables={"azureml_arc_in_process": way}, environ=environ) for way in (True, False)]
    in_process, as_module = ("invocation" in run.result("info", "localhost") for run in runs)
    assert in_process is as_module


def test_async_runs_the_ordinary_module(playbook, info):
    run = info(playbook, **{"async": 60, "poll": 1})
    assert run.status == 0, run.output
    assert "async_wrapper" in run.output
    assert run.result("info", "localhost")["extensions"] == []


def test_another_python_is_used_and_its_missing_packages_are_reported(playbook, info, tmp_path):
    venv.create(tmp_path / "bare", symlinks=True)
    run = info(playbook, variables={"ansible_python_interpreter": str(tmp_path / "bare/bin/python")})
    assert run.status == 2
    message = run.result("info", "localhost")["msg"]
    assert "Failed to import the required Python library (azure-identity" in message


def test_environment_of_the_task_is_used(playbook, info):
    run = info(playbook, environment={"AZURE_SUBSCRIPTION_ID": "{{ 'prod' | lower }}"})
    assert "subscription_id 'prod' is not a subscription id" in run.result("info", "localhost")["msg"]


def test_secret_in_the_environment_takes_precedence_over_the_token_file_of_a_pod(playbook, info):
    run = info(
        playbook, environment={"AZURE_FEDERATED_TOKEN_FILE": "/var/run/secrets/azure/tokens/azure-identity-token"}
    )
    assert run.result("info", "localhost")["extensions"] == []


def test_environment_of_a_loop_item_does_not_apply_to_the_next_item(playbook, info):
    items = [{"AZURE_SUBSCRIPTION_ID": "prod"}, {}]
    run = info(playbook, loop=items, environment="{{ item }}")
    first, second = run.result("info", "localhost")["results"]
    assert "subscription_id 'prod' is not a subscription id" in first["msg"]
    assert second["extensions"] == []


def test_workers_share_one_token(playbook, simulator, arc):
    hosts = {f"host-{index}": {"ansible_connection": "local"} for index in range(12)}
    task = {"azureml.arc.extension_info": {"resource_group": "rg-edge", "cluster_name": arc}}

    run = playbook(play(task, task), {"all": {"hosts": hosts}}, "--forks", "6")

    assert run.status == 0, run.output
    paths = [one["path"] for one in simulator.journal()]
    assert sum(path.endswith("/token") for path in paths) == 1
    assert paths.count("/metadata/endpoints") == 1


def test_run_waits_only_once_for_an_az_that_does_not_respond(playbook, arc, tmp_path, monkeypatch):
    az = tmp_path / "az"
    az.write_text(f"#!/bin/sh\necho called >> {tmp_path}/calls\nexec sleep 60\n", encoding="utf-8")
    az.chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    hosts = {f"host-{index}": {"ansible_connection": "local"} for index in range(8)}
    options = {"resource_group": "rg-edge", "cluster_name": arc, "auth_source": "cli", "cli_timeout": 2}
    task = {"name": "info", "azureml.arc.extension_info": options}

    run = playbook(play(task), {"all": {"hosts": hosts}}, "--forks", "4")

    for host in hosts:
        assert "'az' did not respond within 2 seconds" in run.result("info", host)["msg"], run.output
    assert (tmp_path / "calls").read_text(encoding="utf-8") == "called\n"


def test_module_defaults_of_the_group_are_used(playbook, arc):
    defaults = {"group/azureml.arc.azure": {"resource_group": "rg-edge", "cluster_name": arc}}
    task = {"azureml.arc.extension": {"workload_profile": "training"}, "check_mode": True, "name": "plan"}

    run = playbook(play(task, module_defaults=defaults), LOCALHOST)

    assert run.result("plan", "localhost")["plan"]["action"] == "create", run.output


def test_workers_end_when_their_run_is_killed(simulator, arc, tmp_path):
    """A killed run cannot stop its workers, which would wait for an hour."""
    simulator.change_plan(arc, install={"seconds": 36000})
    options = {"resource_group": "rg-edge", "cluster_name": arc, "workload_profile": "training", "wait_timeout": 3600}
    polls = f"{arc}/providers/Microsoft.KubernetesConfiguration/extensions/azureml/operations/"
    with start_playbook(play({"azureml.arc.extension": options}), LOCALHOST, tmp_path) as process:
        wait_for(lambda: requests_to(simulator, "GET", polls))
        process.kill()

    wait_for(lambda: not processes_of(tmp_path), seconds=5)
