# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All clusters of a play in one task: the same as each by a task of its own, and what only a fleet has."""

from __future__ import annotations

import json
import re

import pytest
from playbooks import run_playbook
from support import about, requests_to, writes

import certificates
import simulated
from simulator.scenario import ClusterPlan, InstallPlan, Scenario

INSTALL = InstallPlan(seconds=30)
CLUSTERS = [
    ClusterPlan("shop", nodes=1, install=INSTALL, attach_seconds=6),
    ClusterPlan("plant", distribution="openshift", install=INSTALL, attach_seconds=6),
    ClusterPlan("cloud", type="managedClusters", install=INSTALL, attach_seconds=6),
    ClusterPlan("broken", install=InstallPlan(30, error="timed out", pods={"relayserver": "ImagePullBackOff"})),
]
HEALTHY = ("shop", "plant", "cloud")
ROLE = [{"hosts": "all", "gather_facts": False, "roles": ["azureml.arc.azureml"]}]
SHOW = "Show the result of the cluster"
# Tasks of plays of users.
VERIFY = {"name": "Run", "azureml.arc.fleet": {"flow": "verify"}}
DEPLOY = {"name": "Run", "azureml.arc.fleet": {"flow": "deploy"}}
RESULT = {"name": SHOW, "azureml.arc.cluster": {}}
SUM_UP = {"name": "Sum up", "azureml.arc.fleet": {"summary": "line"}}
AFTER = {"name": "After", "ansible.builtin.debug": {"msg": "here"}}
# What differs from one simulation to the next.
VOLATILE = re.compile(r"SharedAccessKey=[^;\"]*|[0-9a-f]{8}-[0-9a-f-]{27}|\?.*$")
NODE = {
    "azureml_kubernetes_via": "{{ place }}",
    "place": "node",
    "ansible_connection": "local",
    "ansible_python_interpreter": "{{ ansible_playbook_python }}",
}


@pytest.fixture
def simulator(tmp_path):
    with simulated.running(Scenario(clusters=CLUSTERS, time_scale=60), tmp_path / "simulator") as running:
        yield running


@pytest.fixture
def fleet(simulator):
    """The clusters in a simulator that has just begun, and their inventory."""
    return simulator, simulated.inventory(simulator.directory, CLUSTERS)


def everything(inventory: dict, pair: dict[str, str]) -> None:
    """Have clusters use all that a deployment can do."""
    types = {"small": {"resources": {"limits": {"cpu": "1", "memory": "2Gi"}}}}
    inventory["all"]["vars"] |= {
        "azureml_profile": "training_inference",
        "azureml_inference_service": "node_port",
        "azureml_tls": {"secret_name": "ml-tls", "cname": "ml.example.com"},
        "azureml_tls_secret": pair,
        "azureml_compute": {
            "name": "{{ inventory_hostname }}",
            "namespace": "vision",
            "create_namespace": True,
            "instance_types": types,
            "default_instance_type": "small",
        },
        "azureml_computes": [{"name": "{{ inventory_hostname }}-2"}],
    }


def sent(simulator) -> tuple[dict[str, list], set]:
    """The writes by cluster in their order, and everything that was read."""
    written: dict[str, list] = {}
    read = set()
    for one in simulator.journal():
        path = VOLATILE.sub("*", one["path"])
        if one["method"] == "GET":
            read.add((path, one["status"]))
        elif not path.endswith("/token"):
            cluster = next((name for name in (*HEALTHY, "broken") if f"/{name}" in path), "")
            body = VOLATILE.sub("*", json.dumps(one["body"], sort_keys=True))
            written.setdefault(cluster, []).append((one["method"], path, body))
    return written, read


def shown(run) -> list[str]:
    """The hosts that have a result of their own."""
    return sorted(one["host"] for one in run.results if one["task"].endswith(SHOW))


def play(*tasks: dict, **keywords) -> list[dict]:
    """A play of one's own over all hosts."""
    return [{"hosts": "all", "gather_facts": False, "tasks": list(tasks), **keywords}]


def test_it_sends_what_the_role_sends_for_one_cluster_after_the_other(playbook, tmp_path):
    """A first deployment with one that fails, a second without a change, and a change, both ways."""
    pair = certificates.as_options()
    seen = {}
    for way, content in (("role", ROLE), ("fleet", "azureml.arc.deploy")):
        with simulated.running(Scenario(clusters=CLUSTERS, time_scale=60), tmp_path / way) as simulator:
            inventory = simulated.inventory(simulator.directory, CLUSTERS)
            everything(inventory, pair)
            runs = []
            for variables in ({}, {}, {"azureml_install_volcano": False, "azureml_purge_instance_types": True}):
                inventory["all"]["vars"] |= variables
                simulator.clear_journal()
                limit = ("--limit", "!broken") if runs else ()
                run = playbook(content, inventory, *limit, **simulator.environment)
                runs.append((run.status, *sent(simulator)))
            seen[way] = runs

    assert [status for status, _written, _read in seen["fleet"]] == [2, 0, 0]
    assert [bool(written) for _status, written, _read in seen["fleet"]] == [True, False, True]
    for (status, written, read), (other_status, other_written, other_read) in zip(*seen.values(), strict=True):
        assert status == other_status
        assert written == other_written
        assert read >= other_read  # the role reads again in its second task


def test_it_finds_what_the_role_finds(playbook, fleet):
    """Deployed, then asked for something else by the variables, both ways of verifying."""
    simulator, inventory = fleet
    everything(inventory, certificates.as_options())
    playbook("azureml.arc.deploy", inventory)
    types = inventory["all"]["vars"]["azureml_compute"]["instance_types"]
    inventory["all"]["vars"] |= {"azureml_install_volcano": False}
    types["small"]["resources"]["limits"]["cpu"] = "2"
    inventory["all"]["hosts"]["plant"]["azureml_resource_group"] = "rg-none"
    role = {"ansible.builtin.include_role": {"name": "azureml.arc.azureml", "tasks_from": "verify"}}
    simulator.clear_journal()

    alone = playbook(play({"name": "Verify", **role}), inventory)
    _written, read = sent(simulator)
    simulator.clear_journal()
    together = playbook("azureml.arc.verify", inventory)

    assert (alone.status, together.status, writes(simulator)) == (2, 2, [])
    for host in ("shop", "cloud", "broken"):
        assert together.outcome(host)["msg"] == alone.outcome(host)["msg"]
    # Nothing was updated: a comparison shows what would be.
    rows = {one["name"]: one for one in together.result("Sum up", "broken")["clusters"]}
    assert rows["shop"]["extension"] == "update installVolcano"
    assert together.outcome("shop")["findings"] == [
        "extension: it differs from the desired state (installVolcano)",
        "compute shop: it differs from the desired state",
        "instance types differ: small, defaultinstancetype",
    ]
    failed = together.outcome("plant")
    assert failed["failed_step"] == alone.outcome("plant")["failed_step"] == "Compare the extension"
    assert VOLATILE.sub("*", failed["msg"]) == VOLATILE.sub("*", alone.outcome("plant")["msg"])
    assert sent(simulator)[1] == read


def test_what_is_wrong_with_one_cluster_is_not_wrong_with_the_others(playbook, fleet):
    simulator, inventory = fleet
    hosts = inventory["all"]["hosts"]
    hosts["shop"]["azureml_cluster_type"] = "openstack"
    hosts["plant"]["azureml_version"] = "{{ no_such_variable }}"
    hosts["broken"]["azureml_compute"] = {"name": "broken", "config_file": "none.json"}

    run = playbook("azureml.arc.deploy", inventory)

    assert run.status == 2
    assert "azureml_cluster_type must be one of" in run.outcome("shop")["msg"]
    assert "no_such_variable" in run.outcome("plant")["msg"]
    assert "azureml_compute.config_file: " in run.outcome("broken")["msg"]
    for host in ("shop", "plant", "broken"):
        assert run.outcome(host)["msg"].endswith("; nothing was sent")
        assert run.result(SHOW, host)["failed_step"] == "Check variables"
    assert run.outcome("cloud")["msg"].endswith("compute created")
    assert about(simulator, "shop", "plant", "broken") == []


def test_an_error_that_several_hosts_have_is_shown_once(playbook, fleet):
    simulator, inventory = fleet
    inventory["all"]["vars"]["azureml_profil"] = "training"

    run = playbook("azureml.arc.deploy", inventory)

    assert run.status == 2
    message = "unknown variable azureml_profil; did you mean azureml_profile?; nothing was sent"
    (line,) = [line for line in run.output.splitlines() if line.startswith("failed: ")]
    assert line == f"failed: 4 clusters (broken, cloud, plant, shop) {message}"
    assert {host: figures["failed"] for host, figures in run.recap().items()} == dict.fromkeys((*HEALTHY, "broken"), 1)
    assert simulator.journal() == []


@pytest.mark.parametrize(
    ("variables", "hosts", "message"),
    [
        (
            {"azureml_kubernetes": {"kubeconfig": "same"}},
            {},
            "hosts cloud, shop connect to the same API server: azureml_kubernetes is the same",
        ),
        ({"azureml_kubernetes": {}}, {}, "azureml_kubernetes must be set"),
        ({"azureml_compute": {"name": "edge"}}, {}, "hosts cloud, shop attach their clusters as the same compute edge"),
        (
            {},
            {"cloud": {"azureml_cluster_name": "SHOP", "azureml_cluster_type": "connected_cluster"}},
            "hosts cloud, shop are the same cluster in Azure",
        ),
    ],
)
def test_hosts_that_contradict_each_other_are_refused(playbook, fleet, variables, hosts, message):
    simulator, inventory = fleet
    inventory["all"]["vars"] |= variables
    for name, given in hosts.items():
        inventory["all"]["hosts"][name] |= given

    run = playbook("azureml.arc.deploy", inventory, "--limit", "shop,cloud")

    assert run.status == 2
    assert run.output.count(f"failed: 2 clusters (cloud, shop) {message}") == 1
    assert simulator.journal() == []


def test_a_failure_is_shown_without_all_that_is_known(playbook, fleet):
    """Ansible shows the whole result of a task that fails."""
    _simulator, inventory = fleet

    run = playbook("azureml.arc.deploy", inventory, "--limit", "broken")

    printed = run.result(SHOW, "broken")
    assert printed["failed_step"] == "Wait until the extension is installed"
    assert printed["msg"] == "failed, see above"
    assert not {"error", "extension", "steps", "pod_readiness"} & printed.keys()
    assert run.output.count("ExtensionOperationFailed") == 1
    assert {"extension", "steps", "pod_readiness"} <= run.outcome("broken").keys()


@pytest.mark.parametrize("strategy", ["linear", "free"])
def test_every_host_has_its_result_in_every_run(playbook, fleet, strategy):
    """Whether something was to be done or not, whatever the strategy and the number of forks are set to."""
    _simulator, inventory = fleet
    run_options = {"ANSIBLE_STRATEGY": strategy}

    first = playbook("azureml.arc.deploy", inventory, "--forks", "2", **run_options)
    second = playbook("azureml.arc.deploy", inventory, "--forks", "50", "--limit", "!broken", **run_options)

    assert (first.status, second.status) == (2, 0)
    assert shown(first) == sorted((*HEALTHY, "broken"))
    assert shown(second) == sorted(HEALTHY)
    first_recap, second_recap = first.recap(), second.recap()
    assert {host: (one["changed"], one["failed"]) for host, one in first_recap.items()} == {
        **dict.fromkeys(HEALTHY, (1, 0)),
        "broken": (0, 1),
    }
    assert all(one["ok"] >= 1 and one["changed"] == one["failed"] == 0 for one in second_recap.values())
    assert set(second_recap) == set(HEALTHY)
    for host in HEALTHY:
        assert f"ok: [{host}] extension unchanged, " in second.output


def test_results_of_hosts_are_left_out_where_all_is_well(playbook, fleet):
    _simulator, inventory = fleet
    failed = playbook("azureml.arc.deploy", inventory, "-e", "azureml_report_hosts=false")
    settled = playbook("azureml.arc.verify", inventory, "--limit", "!broken", "-e", "azureml_report_hosts=false")

    assert (failed.status, settled.status) == (2, 0)
    assert shown(failed) == sorted((*HEALTHY, "broken"))
    assert shown(settled) == []
    assert "3 clusters: 3 ok" in failed.output + settled.output
    assert settled.result("Run for all clusters: verify", "cloud")["summary"] == "3 clusters: 3 ok"


def test_progress_can_be_quiet(playbook, fleet):
    _simulator, inventory = fleet

    quiet = playbook("azureml.arc.deploy", inventory, "--limit", "shop", "-e", "azureml_progress_interval=0")

    assert quiet.status == 0, quiet.output
    assert "extension created" not in quiet.output
    assert quiet.outcome("shop")["msg"].startswith("extension created, ")


@pytest.mark.parametrize("name", ["deploy", "rollout"])
def test_clusters_that_are_reached_from_a_node_come_along(playbook, fleet, name):
    simulator, inventory = fleet
    hosts = inventory["all"]["hosts"]
    del hosts["broken"]
    hosts["shop"] = NODE

    first = playbook(f"azureml.arc.{name}", inventory, "-e", "azureml_waves=100%")
    simulator.clear_journal()
    second = playbook(f"azureml.arc.{name}", inventory, "-e", "azureml_waves=100%")

    assert (first.status, second.status) == (0, 0), first.output + second.output
    assert {one["name"]: one["outcome"] for one in first.result("Sum up", "cloud")["clusters"]} == dict.fromkeys(
        HEALTHY, "changed"
    )
    verified = playbook("azureml.arc.verify" if name == "deploy" else "azureml.arc.report", inventory)
    assert verified.status == 0, verified.output
    assert verified.outcome("cloud")["in_sync"]
    assert verified.outcome("shop")["in_sync"]
    assert verified.outcome("shop")["msg"].endswith("compute attached")
    assert "Wait until the pods are ready" in [one["name"] for one in first.outcome("shop")["steps"]]
    assert first.outcome("shop")["pod_readiness"]["ready"]
    assert first.outcome("cloud")["changed"]
    assert second.changed("shop") == 0
    assert writes(simulator) == []


def test_an_environment_of_its_own_is_that_of_the_host_alone(playbook, fleet):
    """Such a host has its flow in its own task; a wrong cloud account there is not that of the others."""
    _simulator, inventory = fleet
    inventory["all"]["hosts"]["cloud"] |= {"account": {"AZURE_SUBSCRIPTION_ID": "prod"}}
    content = play(VERIFY, RESULT, environment="{{ account | default({}) }}")

    run = playbook(content, inventory, "--limit", "shop,cloud")

    assert "subscription_id 'prod' is not a subscription id" in run.outcome("cloud")["msg"]
    assert "extension: the extension does not exist" in run.outcome("shop")["msg"]


def test_ordinary_modules_come_to_the_same(playbook, fleet):
    simulator, inventory = fleet
    inventory["all"]["hosts"]["shop"]["azureml_arc_in_process"] = False

    first = playbook("azureml.arc.deploy", inventory, "--limit", "shop,cloud")
    second = playbook("azureml.arc.deploy", inventory, "--limit", "shop,cloud")

    assert (first.status, second.status) == (0, 0), first.output
    assert (first.changed("shop"), first.changed("cloud"), second.changed("shop")) == (1, 1, 0)
    names = [[one["name"] for one in first.outcome(host)["steps"] if one["changed"]] for host in ("shop", "cloud")]
    # The extension creates its relay itself there.
    assert names[0] == ["Submit the extension", "Attach the cluster"]
    assert len(requests_to(simulator, "PUT", "/extensions/azureml")) == 2


def test_differences_are_those_of_the_host(playbook, fleet):
    simulator, inventory = fleet

    run = playbook("azureml.arc.deploy", inventory, "--check", "--diff", "--limit", "shop,plant")

    assert run.status == 0, run.output
    shop, plant = (json.dumps(run.result(SHOW, host)["diff"]) for host in ("shop", "plant"))
    assert "settings.openshift" in plant
    assert "settings.openshift" not in shop
    for host in ("shop", "plant"):
        assert f"--- before: {host}: extension azureml (absent)\n" in run.output
        assert f"--- before: {host}: compute {host} (absent)\n" in run.output
    assert writes(simulator) == []


@pytest.mark.parametrize(
    ("tags", "changes", "pods", "computes"),
    [
        (("--tags", "extension"), 1, False, 0),
        (("--tags", "extension,readiness"), 1, True, 0),
        (("--skip-tags", "attach"), 1, True, 0),
        (("--tags", "extension,attach"), 1, False, 1),
        (("--tags", "readiness"), 0, True, 0),
        (("--tags", "attach"), 0, False, 1),
    ],
)
def test_tags_choose_the_parts(playbook, fleet, tags, changes, pods, computes):
    simulator, inventory = fleet
    limit = ("--limit", "shop")
    if not changes:
        playbook("azureml.arc.deploy", inventory, *limit, "--skip-tags", "attach")
    simulator.clear_journal()

    run = playbook("azureml.arc.deploy", inventory, *limit, *tags)

    assert run.status == 0, run.output
    assert len(requests_to(simulator, "PUT", "/extensions/azureml")) == changes
    assert len(requests_to(simulator, "PUT", "/computes/shop")) == computes
    assert ("Wait until the pods are ready" in [one["name"] for one in run.outcome("shop")["steps"]]) is pods


def test_step_by_step(fleet, tmp_path):
    """The first task is confirmed, and all further ones with it."""
    simulator, inventory = fleet

    run = run_playbook("azureml.arc.deploy", inventory, tmp_path, ["--limit", "shop,cloud", "--step"], answers="y\nc\n")

    assert run.status == 0, run.output
    assert "Perform task" in run.output
    assert shown(run) == ["cloud", "shop"]
    assert len(requests_to(simulator, "PUT", "/extensions/azureml")) == 2


class TestPlaysOfOnesOwn:
    """What the plays of users may do with the two actions."""

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (play({**VERIFY, "when": "inventory_hostname != 'shop'"}), "cannot have a condition"),
            (play({"block": [VERIFY], "when": "inventory_hostname != 'shop'"}), "cannot have a condition"),
        ],
    )
    def test_what_would_lose_hosts_is_refused(self, playbook, fleet, content, message):
        simulator, inventory = fleet

        run = playbook(content, inventory, "--limit", "shop,cloud")

        assert run.status != 0
        assert message in run.output
        assert "Use role azureml.arc.azureml instead" in run.output
        assert simulator.journal() == []

    def test_strategy_free_is_refused_by_ansible(self, playbook, fleet):
        simulator, inventory = fleet

        run = playbook(play(VERIFY, RESULT, strategy="free"), inventory, "--limit", "shop,cloud")

        assert run.status != 0
        assert "bypasses the host loop, which is currently not supported in the free strategy" in run.output
        assert simulator.journal() == []

    def test_a_condition_on_an_imported_playbook_is_refused(self, playbook, fleet):
        simulator, inventory = fleet
        content = [{"import_playbook": "azureml.arc.deploy", "when": "inventory_hostname != 'shop'"}]

        run = playbook(content, inventory, "--limit", "shop,cloud")

        assert run.status != 0
        assert "cannot have a condition (inventory_hostname != 'shop')" in run.output
        assert simulator.journal() == []

    def test_a_dynamic_include_is_refused(self, playbook, fleet, tmp_path):
        simulator, inventory = fleet
        (tmp_path / "tasks.yml").write_text(json.dumps([VERIFY]), encoding="utf-8")
        content = play({"name": "Include", "ansible.builtin.include_tasks": str(tmp_path / "tasks.yml")})

        run = playbook(content, inventory, "--limit", "shop,cloud")

        assert run.status != 0
        assert "must be imported" in run.output
        assert simulator.journal() == []

    def test_a_rescue_is_for_the_hosts_that_failed(self, playbook, fleet):
        """And no host is lost."""
        _simulator, inventory = fleet
        inventory["all"]["hosts"]["cloud"]["azureml_profile"] = "serving"
        rescue = {"name": "Rescue", "ansible.builtin.debug": {"msg": "{{ ansible_failed_result.failed_step }}"}}

        run = playbook(play({"block": [DEPLOY, RESULT], "rescue": [rescue]}, AFTER), inventory)

        assert run.status == 0, run.output
        rescued = {one["host"]: one["result"]["msg"] for one in run.results if one["task"] == "Rescue"}
        assert rescued == {"cloud": "Check variables", "broken": "Wait until the extension is installed"}
        assert sorted(one["host"] for one in run.results if one["task"] == "After") == sorted((*HEALTHY, "broken"))
        assert {host: one["rescued"] for host, one in run.recap().items()} == {
            "shop": 0,
            "plant": 0,
            "cloud": 1,
            "broken": 1,
        }

    def test_serial_takes_one_batch_after_the_other(self, playbook, fleet):
        simulator, inventory = fleet

        run = playbook(play(DEPLOY, RESULT, serial=2), inventory, "--limit", "shop,plant,cloud")

        assert run.status == 0, run.output
        assert shown(run) == sorted(HEALTHY)
        paths = [(one["method"], one["path"]) for one in simulator.journal()]
        first_of = {
            name: min(index for index, (_method, path) in enumerate(paths) if f"/{name}" in path) for name in HEALTHY
        }
        last_of = {
            name: max(index for index, (_method, path) in enumerate(paths) if f"/{name}" in path) for name in HEALTHY
        }
        assert max(last_of["cloud"], last_of["plant"]) < first_of["shop"]

    def test_any_errors_fatal_ends_the_play_after_all_results(self, playbook, fleet):
        _simulator, inventory = fleet

        run = playbook(play(DEPLOY, RESULT, AFTER, any_errors_fatal=True), inventory)

        assert run.status == 2
        assert shown(run) == sorted((*HEALTHY, "broken"))
        assert [one for one in run.results if one["task"] == "After"] == []
        assert all(run.outcome(host)["msg"].endswith("compute created") for host in HEALTHY)

    @pytest.mark.parametrize(("share", "goes_on"), [(24, False), (25, True)])
    def test_max_fail_percentage_ends_the_play_after_all_results(self, playbook, fleet, share, goes_on):
        """One of four fails."""
        _simulator, inventory = fleet

        run = playbook(play(DEPLOY, RESULT, AFTER, max_fail_percentage=share), inventory)

        assert run.status == 2
        assert len(shown(run)) == 4
        assert bool([one for one in run.results if one["task"] == "After"]) is goes_on

    def test_hosts_that_failed_before_are_left_alone(self, playbook, fleet):
        """The first host of the play among them."""
        simulator, inventory = fleet
        fail = {"name": "Fail", "ansible.builtin.fail": None, "when": "inventory_hostname in ['cloud', 'plant']"}

        run = playbook(play(fail, DEPLOY, RESULT, SUM_UP), inventory, "--limit", "shop,plant,cloud")

        assert run.status == 2
        assert about(simulator, "cloud", "plant") == []
        assert shown(run) == ["shop"]
        assert run.outcome("shop")["msg"].endswith("compute created")
        assert [one["name"] for one in run.result("Sum up", "shop")["clusters"]] == ["shop"]

    def test_hosts_that_ended_before_are_left_alone(self, playbook, fleet):
        simulator, inventory = fleet
        end = {
            "name": "End",
            "ansible.builtin.meta": "end_host",
            "when": "inventory_hostname == 'cloud'",
        }

        run = playbook(play(end, DEPLOY, RESULT), inventory, "--limit", "shop,cloud")

        assert run.status == 0, run.output
        assert about(simulator, "cloud") == []
        assert shown(run) == ["shop"]

    def test_a_result_without_a_fleet_asks_for_a_flow(self, playbook, fleet):
        simulator, inventory = fleet

        run = playbook(play(RESULT), inventory, "--limit", "shop")

        assert "azureml.arc.fleet has not run for this host" in run.output
        assert simulator.journal() == []


@pytest.mark.parametrize(("name", "words"), [("remove", "remove Azure Machine Learning from"), ("detach", "detach")])
def test_what_takes_away_wants_a_limit_or_a_confirmation(playbook, fleet, name, words):
    simulator, inventory = fleet

    refused = playbook(f"azureml.arc.{name}", inventory)
    wrong = playbook(f"azureml.arc.{name}", inventory, "-e", "azureml_confirm=3")

    assert (refused.status, wrong.status) == (2, 2)
    assert f"this would {words} 4 clusters" in refused.output
    assert "azureml_confirm=4" in refused.output
    assert "not 3" in wrong.output
    assert simulator.journal() == []
    checked = playbook(f"azureml.arc.{name}", inventory, "--check")
    confirmed = playbook(f"azureml.arc.{name}", inventory, "-e", "azureml_confirm=4")
    limited = playbook(f"azureml.arc.{name}", inventory, "--limit", "shop")
    assert [run.status for run in (checked, confirmed, limited)] == [0, 0, 0], checked.output + confirmed.output
    assert writes(simulator) == []
