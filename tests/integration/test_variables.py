# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables of users: null, text instead of other types, misspelt names, missing files, vault and INI inventories."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.host import FLOWS
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.specs import (
    MACHINE,
    OTHER_NAMES,
    specification,
)
from objects import WORKSPACE
from playbooks import LOCAL, play, vault
from support import about, requests_to, writes

import certificates
import simulated
from simulator.scenario import SUBSCRIPTION, ClusterPlan, InstallPlan

ROLE = "azureml.arc.azureml"
INSTALL = InstallPlan(seconds=30)
INFERENCE = {"azureml_profile": "inference", "azureml_inference_service": "node_port"}
EXPIRED = certificates.as_options(certificates.make(start=-timedelta(days=9), end=-timedelta(days=1)))
# Repeated punctuation where one message contains another.
JOINED_TWICE = re.compile(r"\.;|;;|\.\.|[:.] ?;| ;")


@pytest.fixture
def nulls(simulator, arc, monkeypatch):
    """Return all variables of a flow with value null, except those that are required."""
    monkeypatch.setenv("K8S_AUTH_KUBECONFIG", simulator.kubeconfigs[arc])

    def variables_of(flow: str) -> dict:
        return {**dict.fromkeys(specification(FLOWS[flow].kind)), "azureml_resource_group": "rg-edge"}

    return variables_of


class TestNull:
    """Variables with value null count as unset."""

    @pytest.mark.parametrize("flow", FLOWS)
    def test_role_treats_null_as_unset(self, playbook, nulls, simulator, arc, flow):
        entry_point = "main" if flow == "deploy" else flow
        include = {"ansible.builtin.include_role": {"name": ROLE, "tasks_from": entry_point}}
        wanted = {"azureml_version": "1.1.55"} if flow == "upgrade" else {}
        skipped = {"azureml_machine_skip_checks": ["outbound"]} if flow == "machine" else {}
        variables = {**nulls(flow), **wanted, **skipped}
        inventory = {"all": {"hosts": {arc: {**LOCAL, **variables}}}}

        run = playbook(play(include), inventory, "--check")

        assert "NoneType" not in run.output
        if flow in ("verify", "upgrade"):  # there is no extension yet
            assert "the extension does not exist" in run.output
        elif flow != "machine":  # the machine that runs the tests may fail its checks
            assert run.status == 0, run.output
        assert writes(simulator) == []

    @pytest.mark.parametrize("name", ["deploy", "rollout", "nodes"])
    def test_playbook_treats_null_as_unset(self, playbook, nulls, tmp_path, simulator, arc, name):
        path = tmp_path / "nulls.yml"
        variables = {**nulls("deploy"), **dict.fromkeys(OTHER_NAMES), **dict.fromkeys(specification(MACHINE))}
        path.write_text(json.dumps({**variables, "azureml_resource_group": "rg-edge"}), encoding="utf-8")

        run = playbook(f"azureml.arc.{name}", {"all": {"hosts": {arc: {}}}}, "--check", "-e", f"@{path}")

        assert run.status == 0, run.output
        wanted = "no nodes to change" if name == "nodes" else "extension would be installed"
        assert run.outcome(arc)["msg"].startswith(wanted)
        assert "End the batch" not in run.output  # that task runs only with azureml_report_hosts: false
        assert writes(simulator) == []


# Invalid variables of a host, and the start of the message for each.
INVALID = {
    "no-group": ({"azureml_resource_group": None}, "azureml_resource_group is required"),
    "unknown": ({"azureml_profil": "training"}, "unknown variable azureml_profil (did you mean azureml_profile?)"),
    "choice": ({"azureml_profile": "serving"}, "azureml_profile must be one of training, "),
    "true": ({"azureml_tls": True}, "azureml_tls must be a dictionary"),
    "number": ({"azureml_workspace": 7}, "azureml_workspace must be a dictionary like "),
    "list": ({"azureml_compute": ["edge"]}, "azureml_compute must be a dictionary like "),
    "text": ({"azureml_computes": "edge"}, "azureml_computes[0] must be a dictionary, not 'edge'"),
    "nested-list": (
        {"azureml_compute": {"name": "edge", "workspace": ["ws"]}},
        'azureml_compute.workspace must be a dictionary, not ["ws"]',
    ),
    "fraction": ({"azureml_version": 1.1}, "azureml_version must be text, in quotes, not 1.1"),
    "negative": (
        {"azureml_extension_timeout": -1},
        "azureml_extension_timeout must be a whole number, 0 or more, not -1",
    ),
    "undefined": ({"azureml_compute": {"name": "{{ nowhere }}"}}, "azureml_compute: 'nowhere' is undefined"),
    "agents-and-more": (
        {"azureml_minimum_agent_version": "new", "azureml_compute": {"name": "-a"}},
        "first and no hyphen last",
    ),
    "sign-in": (
        {"azureml_sign_in": {"client_secret": "hunter2"}},
        "unknown key azureml_sign_in.client_secret; known are auth_source, ",
    ),
    "kubernetes": (
        {"azureml_kubernetes": {"kubeconfig_path": "hunter2"}},
        "unknown key azureml_kubernetes.kubeconfig_path (did you mean azureml_kubernetes.kubeconfig?)",
    ),
    "tls-key": (
        {"azureml_tls": {"cname": "c", "certificat": "f", "secret_name": "s"}},
        "unknown key azureml_tls.certificat (did you mean azureml_tls.certificate?)",
    ),
    "workspace-key": (
        {"azureml_workspace": {**WORKSPACE, "subscription": "s"}},
        "unknown key azureml_workspace.subscription (did you mean ",
    ),
    "identity": (
        {"azureml_compute": {"name": "edge", "identity": {"typ": "SystemAssigned"}}},
        "unknown key azureml_compute.identity.typ (did you mean azureml_compute.identity.type?)",
    ),
    "components": ({"azureml_components": [{"nam": "a"}]}, "unknown key azureml_components[0].nam (did you mean "),
    "check": ({"azureml_skip_checks": ["nodez"]}, "azureml_skip_checks[0] must be one of "),
    "compute-name": ({"azureml_compute": {"name": "-a"}}, "azureml_compute.name '-a' must have 2 to 16 letters"),
    "no-workspace": ({"azureml_workspace": None}, "azureml_compute needs azureml_workspace"),
    "workspace-name": (
        {"azureml_workspace": {**WORKSPACE, "name": "a/b"}},
        "azureml_workspace.name 'a/b' is not a valid name of an Azure resource",
    ),
    "subscription": ({"azureml_subscription_id": "prod"}, "azureml_subscription_id 'prod' is not a subscription id"),
    "label": ({"azureml_node_selector": {"a b": "c"}}, "azureml_node_selector: 'a b' is not a valid label key"),
    "agents": (
        {"azureml_minimum_agent_version": "new"},
        "azureml_minimum_agent_version must be a version like 1.21.10, not 'new'",
    ),
    "instance-type": (
        {"azureml_compute": {"name": "edge", "instance_types": {"big": {"resource": {}}}}},
        "azureml_compute.instance_types.big: unknown key resource; known are node_selector, resources",
    ),
    "both": (
        {"azureml_compute": {"name": "edge", "config_file": "ml.json", "namespace": "n"}},
        "azureml_compute.config_file and azureml_compute.namespace are mutually exclusive",
    ),
    "no-file": (
        {"azureml_compute": {"name": "edge", "config_file": "none.json"}},
        "azureml_compute.config_file: ",
    ),
    "no-kubeconfig": (
        {"azureml_kubernetes": {"kubeconfig": "/none"}},
        "azureml_kubernetes.kubeconfig: /none cannot be ",
    ),
    "no-service": ({"azureml_profile": "inference"}, "azureml_inference_service is required with "),
    "no-tls": (INFERENCE, "inference needs either azureml_tls, for HTTPS, or azureml_allow_insecure_connections"),
    "no-certificate": (
        {**INFERENCE, "azureml_tls": {"cname": "c", "certificate": "/none", "private_key": "/none"}},
        "azureml_tls.certificate: /none cannot be read: No such file or directory",
    ),
    "no-key": (
        {**INFERENCE, "azureml_tls": {"cname": "c", "certificate": "/none"}},
        "azureml_tls.private_key is missing: set both the certificate and its private key",
    ),
    "no-certificate-of-secret": (
        {
            **INFERENCE,
            "azureml_tls": {"cname": "c", "secret_name": "s"},
            "azureml_tls_secret": {"certificate": "/none", "private_key": "/none"},
        },
        "azureml_tls_secret.certificate: /none cannot be read: No such file or directory",
    ),
    "expired": (
        {**INFERENCE, "azureml_tls": {"cname": "ml.example.com", **EXPIRED}},
        "azureml_tls.certificate expired on ",
    ),
    "other-name": (
        {**INFERENCE, "azureml_tls": {"cname": "other.example.com", "certificate": "ml.pem", "private_key": "ml.key"}},
        "azureml_tls.cname 'other.example.com' is not covered by azureml_tls.certificate",
    ),
    "settings": ({"azureml_settings": {"a": ["b"]}}, "azureml_settings: the value of 'a' must be a string, "),
}


@pytest.mark.parametrize("content", ["azureml.arc.deploy", play(roles=[ROLE])], ids=["fleet", "role"])
def test_invalid_variables_are_one_error_before_any_request(playbook, simulator, tmp_path, content):
    """One run tests all errors, each on its own host."""
    for name, pem in zip(("ml.pem", "ml.key"), certificates.make(), strict=True):
        (tmp_path / name).write_bytes(pem)
    common = {
        "azureml_resource_group": "rg-edge",
        "azureml_workspace": WORKSPACE,
        "azureml_compute": {"name": "{{ inventory_hostname[:16] }}"},
        "azureml_kubernetes": {"host": "https://{{ inventory_hostname }}.example.com", "api_key": "t"},
    }
    inventory = {"all": {"vars": common, "hosts": {name: variables for name, (variables, _error) in INVALID.items()}}}

    run = playbook(content, inventory, "--forks", "10")

    assert run.status == 2
    assert "Unexpected" not in run.output
    assert "hunter2" not in run.output
    for name, (_variables, error) in INVALID.items():
        message = run.outcome(name)["msg"]
        assert error in message
        assert re.fullmatch(r"(?s).*[^.;:, ]; nothing was sent", message), message
        assert not JOINED_TWICE.search(message), message
    assert simulator.journal() == []


def test_error_of_several_hosts_is_reported_once(playbook, simulator):
    """One error is in the variables of each host, another is a conflict between hosts."""
    inventory = simulated.inventory(simulator.directory, [ClusterPlan(name) for name in ("a", "b", "c", "d")])
    inventory["all"]["vars"] |= {
        "azureml_profil": "training",
        "azureml_kubernetes": {"host": "https://{{ inventory_hostname }}.example.com", "api_key": "t"},
    }
    for name in ("a", "b"):
        inventory["all"]["hosts"][name]["azureml_compute"] = {"name": "edge"}

    run = playbook("azureml.arc.deploy", inventory)

    assert run.status == 2
    unknown = "unknown variable azureml_profil (did you mean azureml_profile?)"
    for line in (
        f"failed: 4 clusters (a, b, c, d) {unknown}; nothing was sent",
        "failed: 2 clusters (a, b) hosts a, b attach their clusters as the same compute edge; nothing was sent",
    ):
        assert run.output.count(f"{line}\n") == 1, run.output
    assert run.output.count("azureml_profil ") == 1
    assert simulator.journal() == []


def test_missing_version_of_an_upgrade_is_reported_once_for_the_fleet(playbook, simulator):
    inventory = simulated.inventory(simulator.directory, [ClusterPlan(name) for name in ("a", "b", "c", "d")])
    kubernetes = {"host": "https://{{ inventory_hostname }}.example.com", "api_key": "t"}
    inventory["all"]["vars"] |= {"azureml_kubernetes": kubernetes, "azureml_compute": None}

    run = playbook("azureml.arc.upgrade", inventory)

    assert run.status == 2
    error = "azureml_version is not set: set it to the version to upgrade to; nothing was sent"
    assert run.output.count(f"failed: 4 clusters (a, b, c, d) {error}\n") == 1, run.output
    assert simulator.journal() == []


INVALID_FOR_THE_PLAY = [
    ("deploy", {"azureml_progress_interval": "often"}, "azureml_progress_interval must be a number of seconds"),
    ("deploy", {"azureml_report_hosts": "maybe"}, "azureml_report_hosts must be true or false, not 'maybe'"),
    ("deploy", {"azureml_arc_in_process": "maybe"}, "azureml_arc_in_process must be true or false, not 'maybe'"),
    ("deploy", {"azureml_arc_in_process": "{{ nope }}"}, "azureml_arc_in_process: 'nope' is undefined"),
    ("rollout", {"azureml_soak": "{{ nope }}"}, "azureml_soak: 'nope' is undefined"),
    ("rollout", {"azureml_soak": "nan"}, "azureml_soak must be a number of seconds, 0 or more, not 'nan'"),
    ("rollout", {"azureml_max_failures": -1}, "azureml_max_failures must be a number of clusters or a percentage"),
    ("remove", {"azureml_confirm": 7}, "this would remove Azure Machine Learning from 1 cluster. Select some"),
    ("upgrade", {}, "azureml_version is not set"),
    (
        "rotate_tls",
        {**INFERENCE, "azureml_tls": {"cname": "c", "secret_name": "s"}},
        "azureml_tls_secret must be set",
    ),
]


@pytest.mark.parametrize(("name", "variables", "error"), INVALID_FOR_THE_PLAY, ids=lambda value: str(value)[:30])
def test_invalid_variables_of_a_play_end_it_before_any_request(playbook, simulator, arc, name, variables, error):
    inventory = simulated.inventory(simulator.directory, [ClusterPlan(arc)])

    run = playbook(f"azureml.arc.{name}", inventory, "-e", json.dumps(variables))

    assert run.status == 2
    messages = [one for one in re.findall(r"[^\n\"]*; nothing was sent", run.output) if error in one]
    assert messages, run.output
    assert not any(JOINED_TWICE.search(one.removesuffix("; nothing was sent")) for one in messages)
    assert simulator.journal() == []


class TestWorkspaces:
    """Each workspace is read once before the first installation, so that a missing one fails early."""

    @pytest.fixture
    def fleet(self, start_fleet):
        """Start four clusters: b1 and b2 use a missing workspace, the second compute of c uses another missing one."""
        simulator, inventory = start_fleet([ClusterPlan(name, install=INSTALL) for name in ("a", "b1", "b2", "c")])
        missing, deleted = ({"name": name, "resource_group": "rg-ml"} for name in ("missing", "deleted"))
        inventory["all"]["vars"]["azureml_compute"]["name"] = "of-{{ inventory_hostname }}"
        inventory["all"]["hosts"]["b1"]["azureml_workspace"] = missing
        inventory["all"]["hosts"]["b2"]["azureml_workspace"] = missing
        inventory["all"]["hosts"]["c"]["azureml_computes"] = [{"name": "second", "workspace": deleted}]
        return simulator, inventory

    def test_each_missing_workspace_is_one_request_and_one_error(self, playbook, fleet):
        simulator, inventory = fleet

        run = playbook("azureml.arc.deploy", inventory)

        assert run.status == 2
        missing, deleted = (
            f"{variable}: workspace '{name}' in resource group 'rg-ml' of subscription {SUBSCRIPTION} does not exist;"
            " nothing was sent"
            for variable, name in (("azureml_workspace", "missing"), ("azureml_computes[0].workspace", "deleted"))
        )
        assert run.output.count(f"failed: 2 clusters (b1, b2) {missing}\n") == 1
        assert run.output.count(f"failed: [c] {deleted}\n") == 1
        assert run.output.count("does not exist") == 2
        assert [run.outcome(name)["msg"] for name in ("b1", "b2", "c")] == [missing, missing, deleted]
        assert run.outcome("a")["changed"]
        assert about(simulator, "b1", "b2", "c/") == []
        requests = [one["path"] for one in simulator.journal()]
        workspaces = [number for number, path in enumerate(requests) if re.search(r"/workspaces/\w+$", path)]
        assert len(workspaces) == 3
        assert max(workspaces) < next(number for number, path in enumerate(requests) if "/extensions" in path)

    def test_missing_workspace_stops_a_rollout_without_failure_budget(self, playbook, fleet):
        simulator, inventory = fleet

        run = playbook("azureml.arc.rollout", inventory)

        assert run.status == 2
        message = "the variables of 3 clusters are invalid, but azureml_max_failures allows 0; nothing was sent"
        assert message in run.output
        assert writes(simulator) == []


NO_HOSTS = {"all": {}}  # the hosts are in another inventory
# Variables of each type in an INI inventory: Ansible evaluates Python literals in it, all other values are text.
INI = """\
[clusters]
{cluster} azureml_cluster_type=connected_cluster azureml_kubernetes='{{"kubeconfig": "{kubeconfig}"}}'

[clusters:vars]
azureml_resource_group=rg-edge
azureml_profile=training_inference
azureml_inference_service=node_port
azureml_allow_insecure_connections=yes
azureml_inference_router_ha=false
azureml_install_dcgm_exporter=False
azureml_openshift=no
azureml_log_analytics=
azureml_version=1.1.61
azureml_auto_upgrade_minor_version=false
azureml_skip_checks=nodes, resources
azureml_settings={{"own.number": 1}}
azureml_node_selector={{"pool": "ml"}}
azureml_workspace={{"name": "ws", "resource_group": "rg-ml"}}
azureml_compute={{"name": "{cluster}-ini", "instance_types": {types}, "default_instance_type": "small"}}
azureml_extension_timeout=600
azureml_attach_timeout=600.0
azureml_progress_interval=
azureml_report_hosts=true
azureml_remove_resources=relay
azureml_own_variables=azureml_team
azureml_team=plants
"""


def test_ini_inventory_from_deployment_to_removal(playbook, simulator, arc, tmp_path):
    inventory = tmp_path / "inventory.ini"
    types = {"small": {"resources": {"limits": {"cpu": 1}}}}
    inventory.write_text(INI.format(cluster=arc, kubeconfig=simulator.kubeconfigs[arc], types=types), encoding="utf-8")
    arguments = ("-i", str(inventory))

    deployed = playbook("azureml.arc.deploy", NO_HOSTS, *arguments)
    verified = playbook("azureml.arc.verify", NO_HOSTS, *arguments)
    removed = playbook("azureml.arc.remove", NO_HOSTS, *arguments, "--limit", arc)

    assert [run.status for run in (deployed, verified, removed)] == [0, 0, 0], deployed.output + verified.output
    bodies = [one["body"] for one in requests_to(simulator, "PUT", "/extensions/azureml")]
    properties = bodies[0]["properties"]
    assert (properties["version"], properties["autoUpgradeMinorVersion"]) == ("1.1.61", False)
    settings = properties["configurationSettings"]
    wanted = {
        "allowInsecureConnections": "True",
        "inferenceRouterHA": "False",
        "installDcgmExporter": "False",
        "openshift": "false",
        "own.number": "1",
        "nodeSelector.pool": "ml",
    }
    assert {name: settings.get(name) for name in wanted} == wanted
    assert "logAnalyticsWS" not in settings
    assert "relay" in removed.outcome(arc)["msg"]


class TestVault:
    """Files and variables encrypted with ansible-vault."""

    @pytest.fixture
    def encrypted(self, simulator, arc, tmp_path):
        """Write encrypted variables of a cluster; return the arguments of a playbook with and without the password."""
        library, password = vault(tmp_path)
        files = {
            "kubeconfig": Path(simulator.kubeconfigs[arc]).read_bytes(),
            "compute.json": json.dumps({"namespace": "default", "instanceTypes": {}}).encode(),
            **dict(zip(("ml.pem", "ml.key"), certificates.make(), strict=True)),
        }
        for name, content in files.items():
            (tmp_path / name).write_bytes(library.encrypt(content))
        facts = simulator.environment
        variables = {
            **INFERENCE,
            "azureml_resource_group": "rg-edge",
            "azureml_workspace": WORKSPACE,
            "azureml_compute": {"name": arc, "config_file": "compute.json"},
            "azureml_tls": {"cname": "ml.example.com", "certificate": "ml.pem", "private_key": "ml.key"},
            "azureml_kubernetes": {"kubeconfig": "kubeconfig"},
            "azureml_protected_settings": {"own.secret": "SECRET"},
            "azureml_sign_in": {
                "client_id": facts["AZURE_CLIENT_ID"],
                "tenant": facts["AZURE_TENANT"],
                "secret": "SECRET",
            },
        }
        text = yaml.safe_dump(variables)
        for secret in ("hunter2", facts["AZURE_SECRET"]):
            indented = library.encrypt(secret).decode().strip().replace("\n", "\n      ")
            text = text.replace(": SECRET", f": !vault |\n      {indented}", 1)
        (tmp_path / "variables.yml").write_text(text)
        arguments = ("-e", f"@{tmp_path}/variables.yml")
        return (*arguments, *password), arguments

    @pytest.mark.parametrize("way", ["fleet", "role", "modules"])
    def test_encrypted_files_and_variables_are_decrypted(self, playbook, simulator, arc, encrypted, monkeypatch, way):
        monkeypatch.delenv("AZURE_CLIENT_ID")
        monkeypatch.delenv("AZURE_SECRET")
        inventory = {"all": {"hosts": {arc: {"azureml_arc_in_process": way != "modules"}}}}
        content = play(roles=[ROLE]) if way == "role" else "azureml.arc.deploy"

        run = playbook(content, inventory, *encrypted[0])

        assert run.status == 0, run.output
        assert "hunter2" not in run.output
        sent = [
            one["body"] for one in simulator.journal() if one["path"].endswith("/extensions/azureml") and one["body"]
        ]
        assert sent[0]["properties"]["configurationProtectedSettings"]["own.secret"] == "hunter2"
        assert playbook("azureml.arc.verify", inventory, *encrypted[0]).status == 0

    def test_missing_vault_password_fails_before_any_request(self, playbook, simulator, arc, encrypted):
        run = playbook("azureml.arc.deploy", {"all": {"hosts": {arc: {}}}}, *encrypted[1])

        assert run.status != 0
        assert "vault" in run.output.lower()
        assert "Unexpected" not in run.output
        assert simulator.journal() == []
