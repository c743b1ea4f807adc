# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbook rotate_tls: the certificate of inference endpoints, and nothing but the certificate."""

from __future__ import annotations

import base64

import pytest
from support import writes

import certificates
import simulated
from simulator.scenario import ClusterPlan, InstallPlan, Scenario


@pytest.fixture
def simulator(tmp_path):
    plans = [ClusterPlan("shop-k3s", nodes=1, install=InstallPlan(seconds=60))]
    with simulated.running(Scenario(clusters=plans, time_scale=60), tmp_path / "simulator") as running:
        yield running


@pytest.fixture
def https(simulator, tmp_path):
    certificates.as_files(tmp_path)
    variables = {
        "azureml_resource_group": "rg-edge",
        "azureml_profile": "inference",
        "azureml_inference_service": "node_port",
        "azureml_kubernetes": {"kubeconfig": simulator.kubeconfigs["shop-k3s"]},
        "azureml_tls": {
            "certificate": "{{ inventory_dir }}/ml.pem",
            "private_key": "{{ inventory_dir }}/ml.key",
            "cname": "ml.example.com",
        },
    }
    return {"all": {"vars": variables, "hosts": {"shop-k3s": {}}}}


def test_certificate_from_files(playbook, simulator, https, tmp_path):
    never = playbook("azureml.arc.rotate_tls", https)
    assert "the certificate is not all that would change: the extension does not exist" in never.output
    playbook("azureml.arc.deploy", https)
    simulator.clear_journal()

    same = playbook("azureml.arc.rotate_tls", https)
    assert (same.status, same.changed("shop-k3s"), writes(simulator)) == (0, 0, []), same.output
    certificates.as_files(tmp_path)
    renewed = playbook("azureml.arc.rotate_tls", https)

    assert (renewed.status, renewed.changed("shop-k3s")) == (0, 1), renewed.output
    (patch,) = [one for one in simulator.journal() if one["method"] == "PATCH"]
    assert list(patch["body"]["properties"]["configurationSettings"]) == ["azuremlArc.certificateSha256"]

    https["all"]["vars"]["azureml_install_dcgm_exporter"] = True
    drifted = playbook("azureml.arc.rotate_tls", https)
    assert drifted.status == 2
    assert "(installDcgmExporter). Deploy the cluster first." in " ".join(drifted.output.split())


def test_certificate_in_a_secret(playbook, kube, simulator, https, tmp_path):
    tls = https["all"]["vars"]["azureml_tls"]
    https["all"]["vars"] |= {
        "azureml_tls": {"secret_name": "ml-tls", "cname": "ml.example.com"},
        "azureml_tls_secret": {"certificate": tls["certificate"], "private_key": tls["private_key"]},
    }

    def in_the_cluster() -> bytes:
        secret = kube("shop-k3s").resources.get(api_version="v1", kind="Secret").get("ml-tls", "azureml")
        return base64.b64decode(secret.data["cert.pem"])

    first = playbook("azureml.arc.deploy", https)
    assert first.status == 0, first.output
    assert in_the_cluster() == (tmp_path / "ml.pem").read_bytes()
    again = playbook("azureml.arc.deploy", https)
    assert (again.status, again.changed("shop-k3s")) == (0, 0), again.output

    certificates.as_files(tmp_path)
    simulator.clear_journal()
    renewed = playbook("azureml.arc.rotate_tls", https, "--diff")

    assert (renewed.status, renewed.changed("shop-k3s")) == (0, 1), renewed.output
    assert in_the_cluster() == (tmp_path / "ml.pem").read_bytes()
    assert [method for method, path in writes(simulator)] == ["PATCH"]
    assert "+++" in renewed.output
    assert "PRIVATE KEY" not in renewed.output


def test_needs_a_secret_to_put_it_into(playbook, simulator, https):
    https["all"]["vars"]["azureml_tls_secret"] = {"certificate": "c", "private_key": "k"}
    result = playbook("azureml.arc.deploy", https)
    assert "azureml_tls_secret needs azureml_tls.secret_name" in result.output
    assert simulator.journal() == []
