# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Kubeconfigs and encrypted files of hosts, found on the controller."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from objects import WORKSPACE
from playbooks import LOCAL, LOCALHOST, play, vault
from support import requests_to

import certificates

READINESS = {"name": "pods", "azureml.arc.pod_readiness": {"workload_profile": "training", "wait": False}}


@pytest.fixture(params=["1", "0"], ids=["in process", "ordinary modules"])
def way(request) -> str:
    """The value of C(AZUREML_ARC_IN_PROCESS)."""
    return request.param


def test_kubeconfig_in_the_environment_of_the_task_is_used_per_host(playbook, simulator, arc, aks, way):
    hosts = {name: {**LOCAL, "cluster": name} for name in (arc, aks)}
    kubeconfig = {"KUBECONFIG": f"{simulator.directory}/kubeconfigs/{{{{ cluster }}}}"}

    run = playbook(play(READINESS, environment=kubeconfig), {"all": {"hosts": hosts}}, AZUREML_ARC_IN_PROCESS=way)

    for name in hosts:
        assert not run.result("pods", name).get("failed"), run.output
        assert requests_to(simulator, "GET", f"/kubernetes/{name}/api/v1/namespaces/azureml/pods")


def test_missing_kubeconfig_is_an_error_with_its_path(playbook, way):
    options = {**READINESS["azureml.arc.pod_readiness"], "kubeconfig": "/none/kubeconfig"}

    run = playbook(play({"name": "pods", "azureml.arc.pod_readiness": options}), LOCALHOST, AZUREML_ARC_IN_PROCESS=way)

    assert "kubeconfig: /none/kubeconfig cannot be read: No such file" in run.result("pods", "localhost")["msg"]


def test_kubeconfig_of_a_host_takes_precedence_over_a_bearer_token_in_the_environment(
    playbook, simulator, arc, aks, way
):
    """A credential of AWX sets the bearer token, for another cluster."""
    other = simulator.kubeconfig(aks)
    bearer = {
        "K8S_AUTH_HOST": other["clusters"][0]["cluster"]["server"],
        "K8S_AUTH_API_KEY": other["users"][0]["user"]["token"],
        "K8S_AUTH_SSL_CA_CERT": simulator.ca,
    }
    options = {**READINESS["azureml.arc.pod_readiness"], "kubeconfig": simulator.kubeconfigs[arc]}

    run = playbook(
        play({"azureml.arc.pod_readiness": options}, READINESS), LOCALHOST, AZUREML_ARC_IN_PROCESS=way, **bearer
    )

    assert run.status == 0, run.output
    requested = [one["path"].split("/")[2] for one in requests_to(simulator, "GET", "/namespaces/azureml/pods")]
    assert list(dict.fromkeys(requested)) == [arc, aks]


@pytest.fixture
def encrypted(tmp_path):
    """Return a function that encrypts files in folder files/, and returns the arguments with the vault password."""

    def write(**contents: str) -> tuple[str, str]:
        (tmp_path / "files").mkdir()
        library, arguments = vault(tmp_path)
        for name, content in contents.items():
            (tmp_path / "files" / name).write_bytes(library.encrypt(content))
        return arguments

    return write


def in_plain_text(key: str, directory: Path) -> list[Path]:
    """Return the files that contain a private key in plain text."""
    plain = key.splitlines()[1].encode()
    return [path for path in directory.rglob("*") if path.is_file() and plain in path.read_bytes()]


def test_encrypted_files_are_decrypted_on_the_controller(playbook, simulator, arc, tmp_path, encrypted, way):
    """They are searched in folder files/ as in kubernetes.core, and are never on disk in plain text."""
    pair = certificates.as_options()
    kubeconfig = Path(simulator.kubeconfigs[arc]).read_text(encoding="utf-8")
    password = encrypted(kubeconfig=kubeconfig, pem=pair["certificate_content"], key=pair["private_key_content"])
    options = {"name": "ml", "kubeconfig": "kubeconfig", "certificate": "pem", "private_key": "key"}
    content = play(
        {"name": "secret", "azureml.arc.tls_secret": options},
        {"name": "removed", "azureml.arc.tls_secret": {"name": "ml", "kubeconfig": "kubeconfig", "state": "absent"}},
    )

    run = playbook(content, LOCALHOST, *password, AZUREML_ARC_IN_PROCESS=way)

    assert run.status == 0, run.output
    assert run.result("secret", "localhost")["changed"]
    assert run.result("removed", "localhost")["changed"]
    assert not in_plain_text(pair["private_key_content"], tmp_path)

    run = playbook(content, LOCALHOST, AZUREML_ARC_IN_PROCESS=way)
    assert "vault" in run.result("secret", "localhost")["msg"].lower(), run.output


@pytest.mark.parametrize(
    "content",
    ["azureml.arc.deploy", play(roles=["azureml.arc.azureml"])],
    ids=["playbook", "role"],
)
def test_encrypted_files_in_variables_are_decrypted(playbook, simulator, aks, tmp_path, encrypted, content, way):
    """The role searches folder files/; for the playbook, the variables contain whole paths."""
    pair = certificates.as_options()
    password = encrypted(
        kubeconfig=Path(simulator.kubeconfigs[aks]).read_text(encoding="utf-8"),
        attach=json.dumps({"namespace": "default"}),
        pem=pair["certificate_content"],
        key=pair["private_key_content"],
    )
    folder = f"{tmp_path}/files/" if isinstance(content, str) else ""
    variables = {
        "azureml_profile": "inference",
        "azureml_inference_service": "load_balancer",
        "azureml_cluster_type": "managed_cluster",
        "azureml_resource_group": "rg-edge",
        "azureml_workspace": WORKSPACE,
        "azureml_kubernetes": {"kubeconfig": f"{folder}kubeconfig"},
        "azureml_tls": {"certificate": f"{folder}pem", "private_key": f"{folder}key", "cname": "ml.example.com"},
        "azureml_compute": {"name": aks, "config_file": f"{folder}attach"},
    }

    run = playbook(content, {"all": {"hosts": {aks: variables}}}, *password, AZUREML_ARC_IN_PROCESS=way)

    assert run.status == 0, run.output
    assert run.outcome(aks)["msg"].endswith("compute attached")
    assert not in_plain_text(pair["private_key_content"], tmp_path)
