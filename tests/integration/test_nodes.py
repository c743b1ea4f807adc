# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Role nodes: machines checked over a real SSH connection and through a real proxy, nodes labelled from a playbook."""

from __future__ import annotations

import stat

import outbound_proxy
import pytest
import ssh_server
from ansible_collections.azureml.arc.plugins.modules.node import SPEC
from playbooks import LOCAL, PlaybookRun, play
from support import ModuleFailedError, requests_to, writes

from simulator.scenario import SUBSCRIPTION

PROGRAMS = {
    "getenforce": 'cat "$(dirname "$0")/mode"',
    "setenforce": 'echo Permissive > "$(dirname "$0")/mode"',
    "nvidia-smi": "echo 550.54.15",
    "nvidia-ctk": "true",
}
GPU_TYPE = {"resources": {"limits": {"nvidia.com/gpu": "1"}}}
NODES = [{"names": ["node-0"], "labels": {"pool": "ml"}}]
REACHED = ["login.microsoftonline.com", "mcr.microsoft.com", "northeurope.api.azureml.ms", "ws.azurecr.io"]


@pytest.fixture
def machine(tmp_path):
    """Start an SSH server with fake programs and SELinux in enforcing mode, and yield its host variables."""
    with outbound_proxy.running(tmp_path, REACHED) as (environment, requested_hosts):
        programs = tmp_path / "programs"
        programs.mkdir()
        (programs / "mode").write_text("Enforcing\n")
        (tmp_path / "selinux").write_text("# kept\nSELINUX=enforcing\nSELINUXTYPE=targeted\n")
        for name, script in PROGRAMS.items():
            (programs / name).write_text(f"#!/bin/sh\n{script}\n")
            (programs / name).chmod(stat.S_IRWXU)
        path = f"{programs}:/usr/bin:/bin:/usr/sbin:/sbin"
        with ssh_server.running(tmp_path / "machine", {**environment, "PATH": path}) as variables:
            yield {
                **variables,
                "requested_hosts": requested_hosts,
                "azureml_machine_become": False,
                "azureml_datasets": True,
                "azureml_compute": {"name": "plant", "instance_types": {"gpu": GPU_TYPE}},
                "azureml_profile": "inference",
                "azureml_cluster_type": "managed_cluster",
                "azureml_machine_skip_checks": ["disk"],
            }


@pytest.fixture
def check(playbook, machine, tmp_path):
    """Run playbook nodes on the machine."""
    host = {name: value for name, value in machine.items() if name != "requested_hosts"}

    def run(*arguments, **variables):
        inventory = {"azureml_machines": {"hosts": {"worker": {**host, **variables}}}}
        config = ("-e", f"__azureml_selinux_config={tmp_path / 'selinux'}")
        return playbook("azureml.arc.nodes", inventory, "-vvv", *config, *arguments)

    return run


def test_failed_checks_are_reported_and_nothing_is_changed(check, machine, tmp_path):
    run = check(azureml_region="northeurope", azureml_container_registry="ws")

    assert run.status == 2
    found = run.outcome("worker")
    assert (found["selinux"], found["nvidia_driver"], found["nvidia_runtime"]) == (
        "Enforcing",
        "550.54.15",
        "nvidia-ctk",
    )
    outbound = {one["message"].partition(" ")[0] for one in found["findings"] if one["check"] == "outbound"}
    assert outbound == {
        "https://management.azure.com",
        "https://northeurope.experiments.azureml.net",
        "https://ws.northeurope.data.azurecr.io",
    }
    for message in (
        "SELinux is enforcing, which prevents jobs from mounting datasets.",
        "https://management.azure.com (Azure Resource Manager) cannot be reached: Tunnel connection failed: 403",
    ):
        assert message in found["msg"]
        assert run.output.count(f"        {message}") + run.output.count(f": {message}") >= 1
    assert "1 machine: 1 failed; retry with --limit worker" in run.output
    assert set(REACHED) <= set(machine["requested_hosts"])
    assert "<127.0.0.1> SSH: EXEC ssh" in run.output
    assert "SELINUX=enforcing" in (tmp_path / "selinux").read_text()


def test_selinux_is_changed_only_on_request(check, tmp_path):
    options = {"azureml_selinux_mode": "permissive", "azureml_machine_skip_checks": ["disk", "outbound"]}
    planned = check("--check", **options)
    assert "SELINUX=enforcing" in (tmp_path / "selinux").read_text()

    first = check(**options)
    second = check(**options)

    assert (planned.status, first.status, second.status) == (0, 0, 0), first.output
    assert (first.changed("worker"), second.changed("worker")) == (2, 0)
    assert "ok: [worker] the machine is ready, SELinux would be set to permissive" in planned.output
    final = "ok: [worker] the machine is ready, SELinux is permissive"
    assert first.output.index("TASK [azureml.arc.azureml : Set the current mode]") < first.output.index(final)
    assert final in second.output
    assert (tmp_path / "selinux").read_text() == "# kept\nSELINUX=permissive\nSELINUXTYPE=targeted\n"
    assert "rebooted" not in first.result("Reboot to disable SELinux", "worker")


def test_reboot_is_planned_only_if_allowed(check):
    """Run in check mode: the machine under test is the one that runs the tests."""
    options = {"azureml_selinux_mode": "disabled", "azureml_machine_skip_checks": ["disk", "outbound"]}
    task = "Reboot to disable SELinux"
    assert "rebooted" not in check("--check", **options).result(task, "worker")
    assert "rebooted" not in check("--check", "-e", "azureml_reboot=false", **options).result(task, "worker")
    assert check("--check", azureml_reboot=True, **options).result(task, "worker")["rebooted"]


def test_selinux_mode_enforcing_is_rejected(check, tmp_path):
    run = check(azureml_selinux_mode="enforcing")

    assert run.status == 2
    message = "azureml_selinux_mode must be one of permissive, disabled, not 'enforcing'; nothing was sent"
    assert f"failed: [worker] {message}" in run.output
    assert "SELINUX=enforcing" in (tmp_path / "selinux").read_text()


def test_missing_driver_and_low_disk_space_fail(check, tmp_path):
    for name in ("nvidia-smi", "nvidia-ctk"):
        (tmp_path / "programs" / name).unlink()
    run = check(
        azureml_datasets=False,
        azureml_minimum_free_disk=10_000_000,
        azureml_machine_skip_checks=["outbound"],
        azureml_machine_disk_paths=[str(tmp_path)],
    )
    message = run.outcome("worker")["msg"]
    assert "the NVIDIA driver does not respond (nvidia-smi)." in message
    assert "the NVIDIA container runtime is missing." in message
    assert f"are free in {tmp_path}, but 10000000 GiB are required." in message


def test_driver_is_not_required_without_gpu_types(check, tmp_path):
    (tmp_path / "programs" / "nvidia-smi").unlink()
    types = {"small": {"resources": {"limits": {"nvidia.com/gpu": "0", "cpu": "1"}}}}
    run = check(
        azureml_datasets=False,
        azureml_machine_skip_checks=["outbound"],
        azureml_compute={"name": "plant", "instance_types": types},
        azureml_machine_disk_paths=[str(tmp_path)],
    )
    assert run.status == 0, run.output
    assert "ok: [worker] the machine is ready" in run.output
    assert "1 machine: 1 ok" in run.output


def test_missing_python_of_a_machine_is_named_with_the_fix(check, tmp_path):
    interpreter = tmp_path / "python3.13"
    interpreter.write_text("#!/bin/sh\necho 'pyenv: python3.13: command not found' >&2\nexit 127\n")
    interpreter.chmod(stat.S_IRWXU)

    run = check(ansible_python_interpreter=str(interpreter))

    assert run.status == 2
    error = run.outcome("worker")["error"]
    assert error["message"] == "the module could not be run: pyenv: python3.13: command not found"
    assert error["hint"].startswith("Set ansible_python_interpreter")


@pytest.fixture
def change_nodes(playbook, simulator, arc):
    """Return a function that runs the playbook on a cluster with entries of C(azureml_nodes)."""

    def run(nodes: list[dict], *arguments: str) -> PlaybookRun:
        variables = {"azureml_kubernetes": {"kubeconfig": simulator.kubeconfigs[arc]}, "azureml_nodes": nodes}
        return playbook("azureml.arc.nodes", {"all": {"hosts": {arc: variables}}}, *arguments)

    return run


def test_pattern_that_no_node_matches_fails(change_nodes, simulator, arc):
    nodes = [{"names": ["gpu-*"], "labels": {"pool": "ml"}}]

    run = change_nodes(nodes)

    assert run.status == 2
    assert "no node matches names gpu-*" in run.outcome(arc)["msg"]
    assert writes(simulator) == []


def test_invalid_entry_changes_no_node_of_the_entries_before_it(change_nodes, simulator, arc):
    nodes = [*NODES, {"names": ["node-9"], "labels": {"pool": "ml"}}]

    run = change_nodes(nodes)

    assert run.status == 2
    assert "names: no node has the name node-9" in run.outcome(arc)["msg"]
    assert writes(simulator) == []


def test_failure_of_a_later_entry_names_the_changed_nodes(change_nodes, simulator, arc):
    nodes = [*NODES, {"names": ["node-1"], "labels": {"pool": "ml"}}]
    simulator.add_fault(method="PATCH", path=f"/{arc}/api/v1/nodes/node-1", status=403)

    run = change_nodes(nodes)

    assert run.status == 2
    assert "Earlier entries of azureml_nodes changed nodes: 1 (node-0)" in run.output
    assert run.outcome(arc)["changed_nodes"] == ["node-0"]


def test_nodes_are_labelled_and_tainted(playbook, simulator, arc, kube):
    taints = [{"key": "ml.azure.com/amlarc-workload"}]
    variables = {
        "azureml_kubernetes": {"kubeconfig": simulator.kubeconfigs[arc]},
        "azureml_nodes": [{"names": ["node-[01]"], "labels": {"pool": "ml"}, "taints": taints}],
    }
    inventory = {"all": {"hosts": {arc: variables}}}

    first = playbook("azureml.arc.nodes", inventory)
    second = playbook("azureml.arc.nodes", inventory)

    assert (first.status, second.status) == (0, 0), first.output
    assert (first.changed(arc), second.changed(arc)) == (1, 0)
    node = kube(arc).resources.get(api_version="v1", kind="Node").get(name="node-1").to_dict()
    assert node["metadata"]["labels"]["pool"] == "ml"
    assert node["spec"]["taints"] == [{"key": "ml.azure.com/amlarc-workload", "value": "true", "effect": "NoSchedule"}]
    assert len(requests_to(simulator, "PATCH", f"/kubernetes/{arc}/api/v1/nodes/")) == 2


def test_check_mode_shows_the_change_and_sends_no_write(change_nodes, simulator, arc):
    nodes = [{"names": ["node-0"], "labels": {"pool": "ml"}}]

    run = change_nodes(nodes, "--check", "--diff")

    assert run.status == 0, run.output
    assert f"changed: [{arc}] nodes to change: 1 (node-0)" in run.output
    assert '+            "pool": "ml"' in run.output
    assert writes(simulator) == []


def test_tag_without_tasks_sends_no_request(playbook, simulator, arc):
    variables = {"azureml_kubernetes": {"kubeconfig": simulator.kubeconfigs[arc]}, "azureml_nodes": NODES}

    run = playbook("azureml.arc.nodes", {"all": {"hosts": {arc: variables}}}, "--tags", "readiness")

    assert run.status == 0
    assert simulator.journal() == []


INVALID = {
    "unknown": ({"azureml_node": NODES}, "unknown variable azureml_node (did you mean azureml_nodes?)"),
    "key": ({"azureml_nodes": [{"name": ["n"]}]}, "unknown key azureml_nodes[0].name (did you mean azureml_nodes[0]."),
    "template": ({"azureml_nodes": "{{ nope }}"}, "azureml_nodes: 'nope' is undefined"),
    "interval": ({"azureml_progress_interval": "often"}, "azureml_progress_interval must be a number"),
    "every-node": ({"azureml_nodes": [{"labels": {"a": "b"}}]}, "azureml_nodes[0] needs names or label_selectors"),
    "label": (
        {"azureml_nodes": [{"names": ["n"], "labels": {"a b": "c"}}]},
        "azureml_nodes[0].labels: 'a b' is not a valid label key",
    ),
    "taint": (
        {"azureml_nodes": [{"names": ["n"], "taints": [{"key": "ml.azure.com/compute"}]}]},
        "azureml_nodes[0].taints[0].value is missing: ml.azure.com/compute must name the resource",
    ),
    "selector": (
        {"azureml_nodes": [{"label_selectors": ["pool in (gpu"], "labels": {"a": "b"}}]},
        "azureml_nodes[0].label_selectors: 'pool in (gpu' is not a valid label selector",
    ),
    "empty": ({"azureml_nodes": [{"names": [], "labels": {"a": "b"}}]}, "azureml_nodes[0] needs names or label_selec"),
    "blank": ({"azureml_nodes": [{"names": [" "], "labels": {"a": "b"}}]}, "azureml_nodes[0] needs names or label_se"),
    "bool": ({"azureml_allow_disruption": "maybe"}, "azureml_allow_disruption must be true or false, not 'maybe'"),
    "file": ({"azureml_kubernetes": {"kubeconfig": "/none"}}, "azureml_kubernetes.kubeconfig: /none cannot be read"),
    "connection": ({"azureml_kubernetes": {"api_key": "t"}}, "azureml_kubernetes needs kubeconfig, context or host"),
}


def test_invalid_cluster_variables_are_one_error_before_any_request(playbook, simulator, arc):
    """Test each error on its own host; the host without errors is still changed."""
    good = {"azureml_kubernetes": {"kubeconfig": simulator.kubeconfigs[arc]}, "azureml_nodes": NODES}
    common = {
        "azureml_kubernetes": {"host": "https://{{ inventory_hostname }}.example.com", "api_key": "t"},
        "azureml_nodes": NODES,
    }
    same_cluster = {"azureml_kubernetes": {"context": "one"}, "azureml_profil": "training"}
    hosts = {
        arc: good,
        "nothing": {"azureml_kubernetes": None, "azureml_nodes": None},
        "a": same_cluster,
        "b": same_cluster,
        **{name: variables for name, (variables, _error) in INVALID.items()},
    }

    run = playbook("azureml.arc.nodes", {"all": {"vars": common, "hosts": hosts}})

    assert run.status == 2
    for name, (_variables, error) in INVALID.items():
        message = run.outcome(name)["msg"]
        assert error in message
        assert message.endswith("; nothing was sent")
    unknown = "unknown variable azureml_profil (did you mean azureml_profile?)"
    assert run.output.count(f"failed: 2 clusters (a, b) {unknown}") == 1
    assert "hosts a, b connect to the same API server by azureml_kubernetes" in run.outcome("a")["msg"]
    assert run.outcome("nothing")["msg"] == "no nodes to change, because azureml_nodes is not set"
    assert run.output.count("15 failed; retry with --limit ") == 1
    assert {one["path"].split("/")[2] for one in simulator.journal()} == {arc}


@pytest.mark.parametrize("subscription", [{"azureml_subscription_id": SUBSCRIPTION}, {}])
def test_kubeconfig_of_another_cluster_is_rejected(playbook, simulator, arc, openshift, subscription):
    variables = {
        **subscription,
        "azureml_resource_group": "rg-edge",
        "azureml_kubernetes": {"kubeconfig": simulator.kubeconfigs[openshift]},
        "azureml_nodes": NODES,
    }

    run = playbook("azureml.arc.nodes", {"all": {"hosts": {arc: variables}}})

    assert run.status == 2
    assert "nothing was written" in run.outcome(arc)["msg"]
    assert run.outcome(arc)["error"]["code"] == "WrongCluster"
    assert writes(simulator) == []


def test_unnamed_clusters_are_one_warning(playbook, simulator, arc, openshift):
    hosts = {
        name: {"azureml_kubernetes": {"kubeconfig": simulator.kubeconfigs[name]}, "azureml_nodes": NODES}
        for name in (arc, openshift)
    }

    run = playbook("azureml.arc.nodes", {"all": {"hosts": hosts}}, "--check")

    assert run.status == 0, run.output
    warning = "[WARNING]: the identity of the cluster was not verified: azureml_resource_group is not set"
    assert " ".join(run.output.split()).count(warning) == 1


def test_invalid_machine_variables_are_one_error_and_other_machines_are_checked(playbook):
    common = {**LOCAL, "azureml_machine_skip_checks": "disk, nvidia, outbound, selinux", "azureml_datasets": "no"}
    hosts = {
        "m1": {"azureml_profil": "training"},
        "m2": {"azureml_profil": "training", "azureml_machine_skip_checks": ["disc"]},
        "m3": {},
        "m4": {"azureml_minimum_free_disk": "much"},
        "m5": {"azureml_progress_interval": "often"},
    }

    run = playbook("azureml.arc.nodes", {"azureml_machines": {"vars": common, "hosts": hosts}})

    assert run.status == 2
    unknown = "unknown variable azureml_profil (did you mean azureml_profile?); nothing was sent"
    assert run.output.count(f"failed: 2 machines (m1, m2) {unknown}") == 1
    assert "failed: [m4] azureml_minimum_free_disk must be a whole number, 0 or more, not 'much'" in run.output
    assert "failed: [m5] azureml_progress_interval must be a number" in run.output
    assert run.output.count('"msg": "failed, see above"}') == 4
    assert "ok: [m3] the machine is ready" in run.output
    assert run.output.count("5 machines: 1 ok, 4 failed; retry with --limit m1,m2,m4,m5\n") == 1
    assert run.outcome("m3")["findings"] == []


@pytest.mark.parametrize("pattern", ["workers", "first:second", "first,second"])
def test_machines_of_a_pattern_are_not_clusters(playbook, simulator, arc, pattern):
    cluster = {"azureml_kubernetes": {"kubeconfig": simulator.kubeconfigs[arc]}, "azureml_nodes": NODES}
    skip = {**LOCAL, "azureml_machine_skip_checks": ["disk", "nvidia", "outbound", "selinux"]}
    groups = {"first": {"hosts": {"m1": skip}}, "second": {"hosts": {"m2": skip}}}
    inventory = {"all": {"hosts": {arc: cluster}, "children": {"workers": {"children": groups}}}}

    run = playbook("azureml.arc.nodes", inventory, "-e", f"azureml_machines={pattern}")

    assert run.status == 0, run.output
    assert "1 cluster: 1 changed" in run.output
    assert "2 machines: 2 ok" in run.output


@pytest.mark.parametrize("extra", [(), ("-e", "azureml_machines=")])
def test_inventory_without_machines_causes_no_warning(playbook, simulator, arc, extra):
    cluster = {"azureml_kubernetes": {"kubeconfig": simulator.kubeconfigs[arc]}, "azureml_nodes": NODES}

    run = playbook(
        "azureml.arc.nodes", {"all": {"hosts": {arc: cluster}}}, *extra, ANSIBLE_HOST_PATTERN_MISMATCH="error"
    )

    assert run.status == 0, run.output
    assert "1 cluster: 1 changed" in run.output


def test_module_rejects_an_empty_selection(run_module, simulator, arc):
    for selection in ({"names": []}, {"label_selectors": [""]}, {"names": [], "label_selectors": [" "]}):
        with pytest.raises(ModuleFailedError, match="names and label_selectors are empty"):
            run_module(SPEC, kubeconfig=simulator.kubeconfigs[arc], labels={"a": "b"}, **selection)
    assert simulator.journal() == []


def test_error_before_the_module_starts_is_a_result_in_the_summary(playbook):
    hosts = {"m1": {"ansible_python_interpreter": "{{ nope }}"}}

    run = playbook("azureml.arc.nodes", {"azureml_machines": {"vars": LOCAL, "hosts": hosts}})

    assert run.status == 2
    assert "'nope' is undefined" in run.outcome("m1")["msg"]
    assert run.output.count("1 machine: 1 failed; retry with --limit m1\n") == 1


def test_selinux_is_changed_even_if_other_checks_fail(check, tmp_path):
    options = {"azureml_selinux_mode": "permissive", "azureml_machine_skip_checks": ["disk"]}

    run = check(**options)

    assert run.status == 2
    assert "cannot be reached" in run.outcome("worker")["msg"]
    assert "SELINUX=permissive" in (tmp_path / "selinux").read_text()


@pytest.mark.parametrize("options", [{}, {"azureml_selinux_mode": "permissive"}])
def test_unreachable_machine_is_in_the_summary(check, options):
    run = check(ansible_port=1, **options)

    assert run.status == 4
    assert run.output.count("1 machine: 1 unreachable; retry with --limit worker") == 1


def test_machine_whose_selinux_could_not_be_changed_is_failed_in_the_summary(check, tmp_path):
    options = {"azureml_selinux_mode": "permissive", "azureml_machine_skip_checks": ["disk", "outbound"]}

    run = check("-e", f"__azureml_selinux_config={tmp_path / 'none' / 'selinux'}", **options)

    assert run.status == 2
    assert "SELinux is still enforcing, but azureml_selinux_mode is permissive" in run.output
    assert "1 machine: 1 failed; retry with --limit worker" in run.output


@pytest.mark.parametrize(
    "role", [{"name": "azureml.arc.nodes"}, {"name": "azureml.arc.azureml", "tasks_from": "nodes"}]
)
def test_roles_change_the_same_nodes_as_the_playbook(playbook, simulator, arc, role):
    variables = {
        **LOCAL,
        "azureml_kubernetes": {"kubeconfig": simulator.kubeconfigs[arc]},
        "azureml_nodes": NODES,
        "azureml_allow_disruption": "no",
    }

    run = playbook(play({"ansible.builtin.import_role": role}), {"all": {"hosts": {arc: variables}}})

    assert run.status == 0, run.output
    assert run.outcome(arc)["changed_nodes"] == ["node-0"]


@pytest.mark.parametrize("report_hosts", ["true", "false"])
def test_role_after_the_playbook_runs_again(playbook, simulator, arc, kube, report_hosts):
    kubeconfig = simulator.kubeconfigs[arc]
    unlabel = {"azureml.arc.node": {"kubeconfig": kubeconfig, **NODES[0], "state": "absent"}}
    role = {"ansible.builtin.include_role": {"name": "azureml.arc.nodes"}}
    variables = {**LOCAL, "azureml_kubernetes": {"kubeconfig": kubeconfig}, "azureml_nodes": NODES}

    run = playbook(
        [{"import_playbook": "azureml.arc.nodes"}, *play(unlabel, role)],
        {"all": {"hosts": {arc: variables}}},
        "-e",
        f"azureml_report_hosts={report_hosts}",
    )

    assert run.status == 0, run.output
    node = kube(arc).resources.get(api_version="v1", kind="Node").get(name="node-0").to_dict()
    assert node["metadata"]["labels"].get("pool") == "ml"


def test_flow_that_failed_to_start_can_be_started_again(playbook, simulator, arc):
    start = {"azureml.arc.cluster": {"flow": "nodes", "wait": False}}
    variables = {
        **LOCAL,
        "azureml_kubernetes": {"kubeconfig": simulator.kubeconfigs[arc]},
        "azureml_nodes": NODES,
    }
    fails = {**start, "vars": {"azureml_allow_disruption": "maybe"}, "ignore_errors": True}

    run = playbook(play(fails, start), {"all": {"hosts": {arc: variables}}})

    assert run.status == 0, run.output
    assert run.recap()[arc]["changed"] == 1


def test_role_checks_the_variables_of_a_machine(playbook):
    role = {"name": "azureml.arc.nodes", "tasks_from": "machine"}
    inventory = {"all": {"hosts": {"m": {**LOCAL, "azureml_selinux_mod": "permissive"}}}}

    run = playbook(play({"ansible.builtin.include_role": role}), inventory)

    assert run.status == 2
    assert "unknown variable azureml_selinux_mod (did you mean azureml_selinux_mode?); nothing was sent" in run.output
