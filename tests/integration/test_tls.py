# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""HTTPS for inference: a certificate is sent to Azure once, and again only after it is renewed."""

from __future__ import annotations

import base64

import pytest
from ansible_collections.azureml.arc.plugins.modules.extension import SPEC
from support import ModuleFailedError, requests_to

import certificates


@pytest.fixture
def inference(aks):
    return {
        "resource_group": "rg-edge",
        "cluster_name": aks,
        "cluster_type": "managed_cluster",
        "workload_profile": "inference",
        "inference_service": "load_balancer",
    }


@pytest.fixture
def files(tmp_path):
    """Write certificate and key to files, and return option tls."""

    def write(pair):
        return {**certificates.as_files(tmp_path, pair), "cname": "ml.example.com"}

    return write


def test_certificate_is_sent_once_and_again_when_renewed(run_module, simulator, aks, inference, files):
    first_pair, second_pair = certificates.make(), certificates.make()
    run_module(SPEC, tls=files(first_pair), protected_settings={"proxy.password": "hush"}, **inference)
    again = run_module(SPEC, tls=files(first_pair), protected_settings={"proxy.password": "hush"}, **inference)
    renewed = run_module(SPEC, tls=files(second_pair), protected_settings={"proxy.password": "hush"}, **inference)

    (put,) = requests_to(simulator, "PUT", aks)
    (patch,) = requests_to(simulator, "PATCH", aks)
    assert (again["changed"], renewed["changed"]) == (False, True)
    for request, (certificate, key) in ((put, first_pair), (patch, second_pair)):
        assert request["body"]["properties"]["configurationProtectedSettings"] == {
            "scoringFe.sslCert": base64.b64encode(certificate).decode(),
            "scoringFe.sslKey": base64.b64encode(key).decode(),
            "proxy.password": "hush",
        }
    assert list(patch["body"]["properties"]["configurationSettings"]) == ["azuremlArc.certificateSha256"]
    assert put["body"]["properties"]["configurationSettings"]["sslCname"] == "ml.example.com"


def test_certificate_and_key_as_text_are_sent_as_protected_settings(run_module, inference):
    tls = {**certificates.as_options(), "cname": "ml.example.com"}

    result = run_module(SPEC, tls=tls, **inference)

    assert result["extension"]["protected_settings"] == ["scoringFe.sslCert", "scoringFe.sslKey"]


def test_changed_cname_requires_allow_disruption(run_module, inference, files):
    pair = certificates.make(("ml.example.com", "other.example.com"))
    run_module(SPEC, tls=files(pair), **inference)
    other = {**files(pair), "cname": "other.example.com"}

    with pytest.raises(ModuleFailedError, match=r"sslCname disturbs online endpoints\) .*Set allow_disruption to true"):
        run_module(SPEC, tls=other, **inference)
    assert run_module(SPEC, tls=other, allow_disruption=True, **inference)["changed"]


@pytest.mark.parametrize(
    ("tls", "message"),
    [
        ({"secret_name": "s"}, "missing required arguments: cname found in tls"),
        ({"cname": "ml.example.com"}, "one of the following is required: secret_name, key_vault, certificate"),
        ({"secret_name": "s", "certificate": "c", "cname": "n"}, "mutually exclusive: secret_name"),
        ({"certificate": "/none.pem", "cname": "n"}, "tls.private_key is missing: set both"),
        (
            {"certificate": "/none.pem", "private_key": "/none.key", "cname": "n"},
            "tls.certificate: /none.pem cannot be read: No such file",
        ),
    ],
)
def test_invalid_options_are_rejected_before_any_request(run_module, simulator, inference, tls, message):
    with pytest.raises(ModuleFailedError, match=message):
        run_module(SPEC, tls=tls, **inference)
    assert simulator.journal() == []


def test_certificate_for_another_name_is_rejected_before_any_request(run_module, simulator, inference, files):
    with pytest.raises(ModuleFailedError, match="not covered by tls.certificate, which is for b.example.com"):
        run_module(SPEC, tls=files(certificates.make(("b.example.com",))), **inference)
    assert simulator.journal() == []
