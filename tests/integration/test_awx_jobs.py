# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Jobs of the job templates, run like in AWX: in slices, canceled, and relaunched on failed hosts."""

from __future__ import annotations

import base64
import contextlib
import copy
import json
import os
import subprocess
from pathlib import Path

import pytest
from awx_setup import AWX_PROJECT, create_repository, set_up
from playbooks import COLLECTIONS
from support import processes_of, requests_to, wait_for

import certificates
import simulated
from awx.jobs import Job, Unsafe
from awx.launches import launch_job
from awx.running import RunningServer
from simulator.scenario import ClusterPlan, InstallPlan, Principal, Scenario, WorkspacePlan

MARKER = "marker-of-a-secret"
PARTS = certificates.as_options()
# Answers to the surveys of deploy and rollout.
ANSWERS = {
    "azureml_survey_profile": "training_inference",
    "azureml_survey_inference_service": "load_balancer",
    "azureml_survey_encryption": "https",
    "azureml_survey_cname": "ml.example.com",
    "azureml_survey_compute": "at-<cluster>",
    "azureml_survey_certificate": PARTS["certificate_content"],
    "azureml_survey_private_key": base64.b64encode(PARTS["private_key_content"].encode()).decode(),
}
# Workspace 2026: text that looks like a number arrives as a number.
WAVES = {"azureml_survey_waves": "100%", "azureml_survey_max_failures": "0", "azureml_survey_soak": "0"}
WORKSPACE = {"azureml_survey_workspace": "2026", "azureml_survey_workspace_resource_group": "rg-ml"}
# As in docs/awx.md.
INVENTORY_VARIABLES = {
    "azureml_profile": "training",
    "azureml_workspace": {"resource_group": "rg-ml", "name": "ws"},
    "azureml_compute": {"name": Unsafe("{{ azureml_cluster_name }}")},
    "azureml_kubernetes": {"context": Unsafe("{{ azureml_cluster_name }}")},
}
CLUSTERS = [ClusterPlan(f"shop-{index}", install=InstallPlan(20), attach_seconds=5) for index in range(4)]
CLUSTERS += [ClusterPlan("aks", type="managedClusters", nodes=2, install=InstallPlan(20), attach_seconds=5)]
NAMES = {plan.name for plan in CLUSTERS}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """The content of AWX after the setup. Tests set the values of its credentials."""
    directory = tmp_path_factory.mktemp("awx")
    variables = {
        "azureml_awx_credentials": {
            "azure": {"type": "Microsoft Azure Resource Manager", "inputs": {"subscription": "", "client": ""}}
        },
        "azureml_awx_kubeconfigs": {"fleet": "{}"},
        "azureml_awx_inventory_variables": INVENTORY_VARIABLES,
        "azureml_awx_slices": 3,
    }
    with RunningServer(directory / "controller") as controller:
        run = set_up(controller, create_repository(directory), variables)
    assert run.status == 0, run.output[-6000:]
    return controller.server.store


@pytest.fixture
def azure(tmp_path):
    """Return a function that starts a simulator, by a name for its folder."""

    def run(name: str):
        workspaces = [WorkspacePlan(), WorkspacePlan("2026")]
        principal = Principal(secret=f"{MARKER}-client")
        scenario = Scenario(clusters=CLUSTERS, workspaces=workspaces, principal=principal, time_scale=60)
        return stack.enter_context(simulated.running(scenario, tmp_path / name))

    with contextlib.ExitStack() as stack:
        yield run


class Controller:
    """AWX, set up for the clusters of a simulator.

    :ivar clusters: the names of clusters by host.
    """

    def __init__(self, store, azure, directory: Path) -> None:
        self.store = copy.deepcopy(store)
        self.azure = azure
        self._directory = directory
        self._environment = {
            **{name: azure.environment[name] for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")},
            "AZURE_DISABLE_INSTANCE_DISCOVERY": "true",
            "ANSIBLE_COLLECTIONS_PATH": str(COLLECTIONS),
        }
        sign_in = azure.environment
        inputs = {
            "subscription": sign_in["AZURE_SUBSCRIPTION_ID"],
            "client": sign_in["AZURE_CLIENT_ID"],
            "secret": sign_in["AZURE_SECRET"],
            "tenant": sign_in["AZURE_TENANT"],
            "cloud_environment": sign_in["AZURE_CLOUD_ENVIRONMENT"],
        }
        self._find("credentials", "azure")["inputs"] = inputs
        self._find("credentials", "fleet")["inputs"] = {"kubeconfig": json.dumps(kubeconfig_of(azure))}
        # As AWX updates an inventory.
        command = ["ansible-inventory", "-i", str(AWX_PROJECT / "azureml_clusters.yml"), "--list", "--export"]
        environment = {**os.environ, **sign_in, **self._environment, "ANSIBLE_HOME": str(directory / "home")}
        self._hosts = json.loads(subprocess.run(command, env=environment, capture_output=True, check=True).stdout)
        self.clusters = {host: host.rpartition("_")[0] for host in self._hosts["_meta"]["hostvars"]}

    def _find(self, endpoint: str, name: str) -> dict:
        return next(one for one in self.store.items[endpoint].values() if one["name"] == f"azureml {name}")

    def replace_kubeconfigs(self, namespace: str, inputs: dict) -> None:
        """Replace the kubeconfig by a credential of another type."""
        kind = next(one for one in self.store.items["credential_types"].values() if one["namespace"] == namespace)
        self._find("credentials", "fleet").update(credential_type=kind["id"], inputs=inputs)
        inventory = next(iter(self.store.items["inventories"].values()))
        variables = {name: value for name, value in INVENTORY_VARIABLES.items() if name != "azureml_kubernetes"}
        inventory["variables"] = json.dumps(variables)

    def launch(self, template: str, verbosity: int = 0, slices: int = 1, **given) -> list[Job]:
        """Launch a job template; return its jobs, which run concurrently."""
        found = {**self._find("job_templates", template), "verbosity": verbosity, "job_slice_count": slices}
        self.store.items["job_templates"][found["id"]] = found
        jobs, ignored = launch_job(self.store, found, given, len(self.clusters))
        assert ignored == {}
        return [Job(self.store, one, self._hosts, self._directory, self._environment).start() for one in jobs]


def kubeconfig_of(azure) -> dict:
    """Return one kubeconfig with a context for each cluster."""
    merged = {"apiVersion": "v1", "kind": "Config", "clusters": [], "users": [], "contexts": []}
    for name in azure.kubeconfigs:
        part = azure.kubeconfig(name)
        merged["clusters"].append({"name": name, "cluster": part["clusters"][0]["cluster"]})
        merged["users"].append({"name": name, "user": part["users"][0]["user"]})
        merged["contexts"].append({"name": name, "context": {"cluster": name, "user": name}})
    return merged


def puts(azure) -> dict[str, dict]:
    """Return the bodies of PUT requests by path, without keys that Azure generated. Fail if a path occurs twice."""
    found = requests_to(azure, "PUT", "/providers/")
    for one in found:
        protected = one["body"].get("properties", {}).get("configurationProtectedSettings", {})
        protected.update(dict.fromkeys(protected))
    assert len({one["path"].lower() for one in found}) == len(found)
    return {one["path"].lower(): one["body"] for one in found}


@pytest.mark.parametrize(("template", "answers"), [("deploy", ANSWERS), ("rollout", {**ANSWERS, **WAVES, **WORKSPACE})])
def test_sliced_job_sends_the_same_requests_as_one_job(store, azure, tmp_path, template, answers):
    whole = Controller(store, azure("whole"), tmp_path / "one")
    (job,) = whole.launch(template, extra_vars=answers)
    assert job.wait() == "successful", job.output

    cut = Controller(store, azure("cut"), tmp_path / "three")
    jobs = cut.launch(template, verbosity=4, slices=3, extra_vars=answers)
    assert [one.wait() for one in jobs] == ["successful"] * 3, "\n".join(one.output for one in jobs)

    parts = [set(one.stats["ok"]) for one in jobs]
    assert set.union(*parts) == set(cut.clusters)
    assert sum(map(len, parts)) == len(NAMES)
    assert puts(cut.azure) == puts(whole.azure)
    workspace = answers.get("azureml_survey_workspace", "ws")
    computes = {path.partition("/workspaces/")[2] for path in puts(cut.azure) if "/workspaces/" in path}
    assert computes == {f"{workspace}/computes/at-{one}" for one in NAMES}
    tokens = [one["user"]["token"] for one in kubeconfig_of(cut.azure)["users"]]
    secrets = [MARKER, *tokens, answers["azureml_survey_private_key"][40:120], PARTS["private_key_content"][40:90]]
    for one in jobs:
        assert {path.suffix for path in one.artifacts.glob("fleet-report.*")} == {".html", ".json", ".xml"}
        for path in [one for one in one.artifacts.rglob("*") if one.is_file()]:
            content = path.read_text(encoding="utf-8")
            if path.name == "command":  # ansible-runner records the environment, and AWX hides its secrets
                content = json.dumps(json.loads(content)["command"])
            assert not [secret for secret in secrets if secret in content], path
        assert not [secret for secret in secrets if secret in json.dumps(one.events)]
    if template == "rollout":
        artifacts = [one.stats["artifact_data"]["azureml_rollout"] for one in jobs]
        assert [one["failed_clusters"] for one in artifacts] == [[]] * 3
        assert all("fleet report: artifact azureml_rollout of this job" in one.output for one in jobs)


def test_canceled_job_ends_its_processes_and_a_relaunch_completes_the_deployment(store, azure, tmp_path):
    controller = Controller(store, azure("azure"), tmp_path / "jobs")
    (job,) = controller.launch("deploy", extra_vars=ANSWERS)
    wait_for(lambda: requests_to(controller.azure, "PUT", "/extensions/azureml"), seconds=60)

    job.cancel()

    assert job.wait() == "canceled"
    assert processes_of(job.node) == []
    (again,) = controller.launch("deploy", extra_vars=ANSWERS)
    assert again.wait() == "successful", again.output
    assert sum(path.endswith("/extensions/azureml") for path in puts(controller.azure)) == len(NAMES)


def test_relaunch_on_failed_hosts_deploys_only_these(store, azure, tmp_path):
    running = azure("azure")
    failing = {"seconds": 20, "error": "timed out", "pods": {"relayserver": "ImagePullBackOff"}}
    running.change_plan("shop-2", install=failing)
    controller = Controller(store, running, tmp_path / "jobs")
    (job,) = controller.launch("deploy", extra_vars=ANSWERS)
    assert job.wait() == "failed", job.output
    assert controller.clusters[job.failed_hosts] == "shop-2"
    running.change_plan("shop-2", install={"seconds": 20})
    running.clear_journal()

    (again,) = controller.launch("deploy", limit=job.failed_hosts, extra_vars=ANSWERS)

    assert again.wait() == "successful", again.output
    assert set(again.stats["ok"]) == {job.failed_hosts}
    assert all("shop-2" in path for path in puts(running))


def test_removal_without_a_confirmation_is_rejected(store, azure, tmp_path):
    controller = Controller(store, azure("azure"), tmp_path / "jobs")
    for template, confirmed in (("remove", "no"), ("remove", "yes"), ("detach", "yes")):
        (job,) = controller.launch(template, extra_vars={"azureml_survey_confirmed": confirmed})

        assert job.wait() == ("successful" if confirmed == "yes" else "failed"), job.output

        assert ("azureml_survey_confirmed); nothing was" in " ".join(job.output.split())) is (confirmed == "no")


def test_credential_with_a_bearer_token_replaces_the_kubeconfig(store, azure, tmp_path):
    running = azure("azure")
    controller = Controller(store, running, tmp_path / "jobs")
    context = running.kubeconfig("shop-1")
    inputs = {
        "host": context["clusters"][0]["cluster"]["server"],
        "bearer_token": context["users"][0]["user"]["token"],
        "ssl_ca_cert": Path(running.ca).read_text(encoding="utf-8"),
    }
    controller.replace_kubeconfigs("kubernetes_bearer_token", inputs)
    host = next(host for host, cluster in controller.clusters.items() if cluster == "shop-1")

    (job,) = controller.launch("deploy", limit=host, extra_vars=ANSWERS)

    assert job.wait() == "successful", job.output
    assert requests_to(running, "GET", "/kubernetes/shop-1/api/v1/namespaces/azureml/pods")
    assert inputs["bearer_token"] not in json.dumps(job.events)
