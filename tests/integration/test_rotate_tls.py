# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playbook rotate_tls updates the certificate of inference endpoints and changes nothing else."""

from __future__ import annotations

import base64

import pytest
from playbooks import LOCAL
from support import writes

import certificates


@pytest.fixture
def https(simulator, arc, tmp_path):
    certificates.as_files(tmp_path)
    variables = {
        "azureml_resource_group": "rg-edge",
        "azureml_profile": "inference",
        "azureml_inference_service": "node_port",
        "azureml_kubernetes": {"kubeconfig": simulator.kubeconfigs[arc]},
        "azureml_tls": {
            "certificate": "{{ inventory_dir }}/ml.pem",
            "private_key": "{{ inventory_dir }}/ml.key",
            "cname": "ml.example.com",
        },
    }
    return {"all": {"vars": variables, "hosts": {arc: {}}}}


def test_certificate_from_files_is_rotated(playbook, simulator, arc, https, tmp_path):
    never = playbook("azureml.arc.rotate_tls", https)
    assert "more than the certificate would change: the extension does not exist" in never.output
    playbook("azureml.arc.deploy", https)
    simulator.clear_journal()

    same = playbook("azureml.arc.rotate_tls", https)
    assert (same.status, same.changed(arc), writes(simulator)) == (0, 0, []), same.output
    certificates.as_files(tmp_path)
    renewed = playbook("azureml.arc.rotate_tls", https)

    assert (renewed.status, renewed.changed(arc)) == (0, 1), renewed.output
    assert ", endpoint serves the certificate, 365 days left" in renewed.output
    (patch,) = [one for one in simulator.journal() if one["method"] == "PATCH"]
    assert list(patch["body"]["properties"]["configurationSettings"]) == ["azuremlArc.certificateSha256"]

    https["all"]["vars"]["azureml_install_dcgm_exporter"] = True
    drifted = playbook("azureml.arc.rotate_tls", https)
    assert drifted.status == 2
    assert "(installDcgmExporter). Deploy the cluster first." in " ".join(drifted.output.split())


def test_certificate_in_a_secret_is_rotated(playbook, kube, simulator, arc, https, tmp_path):
    tls = https["all"]["vars"]["azureml_tls"]
    https["all"]["vars"] |= {
        "azureml_tls": {"secret_name": "ml-tls", "cname": "ml.example.com"},
        "azureml_tls_secret": {"certificate": tls["certificate"], "private_key": tls["private_key"]},
    }

    def certificate_in_cluster() -> bytes:
        secret = kube(arc).resources.get(api_version="v1", kind="Secret").get("ml-tls", "azureml")
        return base64.b64decode(secret.data["cert.pem"])

    first = playbook("azureml.arc.deploy", https)
    assert first.status == 0, first.output
    assert certificate_in_cluster() == (tmp_path / "ml.pem").read_bytes()
    again = playbook("azureml.arc.deploy", https)
    assert (again.status, again.changed(arc)) == (0, 0), again.output

    certificates.as_files(tmp_path)
    simulator.clear_journal()
    renewed = playbook("azureml.arc.rotate_tls", https, "--diff")

    assert (renewed.status, renewed.changed(arc)) == (0, 1), renewed.output
    assert certificate_in_cluster() == (tmp_path / "ml.pem").read_bytes()
    # The router reads the Secret when the extension is updated.
    assert ["/secrets/" in path for _method, path in writes(simulator)] == [True, False]
    assert renewed.outcome(arc)["endpoint"]["outcome"] == "ok"
    assert "+++" in renewed.output
    assert "PRIVATE KEY" not in renewed.output


def test_tls_secret_without_a_secret_name_is_rejected(playbook, simulator, https):
    https["all"]["vars"]["azureml_tls_secret"] = {"certificate": "c", "private_key": "k"}
    result = playbook("azureml.arc.deploy", https)
    assert "azureml_tls_secret needs azureml_tls.secret_name" in result.output
    assert simulator.journal() == []


def test_certificate_renewed_by_cert_manager_is_copied(playbook, kube, arc, https):
    https["all"]["vars"] |= {
        "azureml_tls": {"secret_name": "ml-tls", "cname": "ml.example.com"},
        "azureml_tls_secret": {"from": {"namespace": "default", "name": "edge"}},
    }
    secrets = kube(arc).resources.get(api_version="v1", kind="Secret")

    missing = playbook("azureml.arc.deploy", https)
    assert "Secret 'edge' in namespace 'default' does not exist" in " ".join(missing.output.split())
    secrets.create(body={"metadata": {"name": "edge"}, "data": certificates.as_secret()}, namespace="default")
    deployed = playbook("azureml.arc.deploy", https)
    assert deployed.status == 0, deployed.output

    secrets.patch(name="edge", namespace="default", body={"data": certificates.as_secret()})
    drifted = playbook("azureml.arc.verify", https)
    renewed = playbook("azureml.arc.rotate_tls", https)
    verified = playbook("azureml.arc.verify", https)

    assert (drifted.status, renewed.status, verified.status) == (2, 0, 0), renewed.output
    assert "certificate: the Secret in the cluster differs" in " ".join(drifted.output.split())
    assert renewed.outcome(arc)["endpoint"]["outcome"] == "ok"


def test_old_certificate_on_the_router_fails_the_rotation(playbook, simulator, arc, https, tmp_path):
    playbook("azureml.arc.deploy", https)
    simulator.change_plan(arc, router="stale certificate")
    certificates.as_files(tmp_path)

    stale = playbook("azureml.arc.rotate_tls", https, "-e", "azureml_readiness_timeout=3")

    assert stale.status == 2
    output = " ".join(stale.output.split())
    assert "endpoint wrong: inference endpoint ml.example.com is not served as configured" in output
    assert "another certificate is served: SHA-256" in output
    found = stale.outcome(arc)
    assert (found["failed_step"], found["endpoint"]["outcome"]) == ("Check the inference endpoint", "wrong")


def test_unreachable_router_is_a_warning(playbook, arc, https, tmp_path):
    https["all"]["vars"]["azureml_inference_service"] = "cluster_ip"
    playbook("azureml.arc.deploy", https)
    certificates.as_files(tmp_path)

    renewed = playbook("azureml.arc.rotate_tls", https)

    assert (renewed.status, renewed.changed(arc)) == (0, 1), renewed.output
    assert renewed.outcome(arc)["endpoint"]["outcome"] == "unreachable"
    assert "was not checked, not reachable from" in " ".join(renewed.output.split())


def test_deploy_and_verify_prove_the_endpoint(playbook, simulator, arc, https, tmp_path):
    https["all"]["vars"]["azureml_prove"] = ["endpoint"]

    deployed = playbook("azureml.arc.deploy", https)
    again = playbook("azureml.arc.deploy", https)
    verified = playbook("azureml.arc.verify", https)

    for run in (deployed, again, verified):
        assert run.status == 0, run.output
        assert "endpoint serves the certificate, 365 days left" in run.output
    assert again.changed(arc) == 0

    simulator.change_plan(arc, router="missing intermediate")
    certificates.as_files(tmp_path, certificates.Authority().issue_with_chain("ml.example.com"))

    incomplete = playbook("azureml.arc.deploy", https, "-e", "azureml_readiness_timeout=3")
    drifted = playbook("azureml.arc.verify", https)

    assert (incomplete.status, drifted.status) == (2, 2)
    message = "intermediate certificates are missing: 1 of 2 certificates are served"
    assert message in " ".join(incomplete.output.split())
    (finding,) = drifted.outcome(arc)["findings"]
    assert finding.startswith("endpoint: 127.0.0.1:")
    assert finding.endswith(message)


def test_plain_http_endpoint_is_proved(playbook, https):
    del https["all"]["vars"]["azureml_tls"]
    https["all"]["vars"] |= {"azureml_allow_insecure_connections": True, "azureml_prove": ["endpoint"]}

    deployed = playbook("azureml.arc.deploy", https)

    assert deployed.status == 0, deployed.output
    assert "endpoint serves plain HTTP" in deployed.output


def test_endpoint_is_checked_from_the_node_that_reaches_the_cluster(playbook, arc, https):
    https["all"]["vars"] |= {
        "azureml_kubernetes_via": "node",
        "azureml_prove": ["endpoint"],
        **LOCAL,
    }

    deployed = playbook("azureml.arc.deploy", https)

    assert deployed.status == 0, deployed.output
    assert deployed.outcome(arc)["endpoint"]["outcome"] == "ok"
