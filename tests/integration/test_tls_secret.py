# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M(azureml.arc.tls_secret) against the simulator's Kubernetes, through the official client."""

from __future__ import annotations

import base64
import json

import pytest
from ansible_collections.azureml.arc.plugins.modules.tls_secret import SPEC
from support import ModuleFailedError, requests_to, writes

import certificates

AUTHORITY = certificates.Authority()


def new_pair() -> tuple[bytes, bytes]:
    return AUTHORITY.issue_with_chain("ml.example.com")


@pytest.fixture
def write(tmp_path):
    """Write a new certificate and its key to files, and return the options."""

    def run(*names: str) -> dict[str, str]:
        return certificates.as_files(tmp_path, certificates.make(names or ("ml.example.com",)))

    return run


@pytest.fixture
def ensure(run_module, simulator, arc):
    """Run the module on a cluster."""

    def run(**options):
        return run_module(SPEC, kubeconfig=simulator.kubeconfigs[arc], name="ml-tls", **options)

    return run


@pytest.fixture
def secret(kube, arc):
    """Read the Secret from the cluster."""

    def read():
        found = kube(arc).resources.get(api_version="v1", kind="Secret").get(name="ml-tls", namespace="azureml")
        return found.to_dict()

    return read


def test_namespace_and_secret_are_created_once(ensure, secret, write, simulator, tmp_path):
    files = write()
    planned = ensure(check_mode=True, **files)
    assert (planned["changed"], planned["namespace_created"], writes(simulator)) == (True, True, [])

    created = ensure(cname="ml.example.com", **files)
    again = ensure(**files)

    assert (created["changed"], created["namespace_created"]) == (True, True)
    assert (again["changed"], again["namespace_created"]) == (False, False)
    assert created["certificate"]["names"] == ["ml.example.com"]
    assert secret()["type"] == "Opaque"
    assert {key: base64.b64decode(value) for key, value in secret()["data"].items()} == {
        "cert.pem": (tmp_path / "ml.pem").read_bytes(),
        "key.pem": (tmp_path / "ml.key").read_bytes(),
    }


def test_updated_secret_keeps_keys_of_others(ensure, secret, write, kube, arc, tmp_path):
    ensure(**write())
    kube(arc).resources.get(api_version="v1", kind="Secret").patch(
        name="ml-tls", namespace="azureml", body={"data": {"ca.crt": "Y2E="}}
    )
    before = ensure(**write(), diff=True, check_mode=True)

    renewed = ensure(
        certificate_content=(tmp_path / "ml.pem").read_text(),
        private_key_content=(tmp_path / "ml.key").read_text(),
        diff=True,
    )

    assert renewed["changed"]
    assert renewed["diff"] == before["diff"]
    old, new = renewed["diff"]["before"], renewed["diff"]["after"]
    assert old.keys() == new.keys() == {"certificate_sha256", "public_key_sha256"}
    assert all(old[part] != new[part] for part in old)
    assert new["certificate_sha256"] == renewed["certificate"]["fingerprint"]
    assert base64.b64decode(secret()["data"]["cert.pem"]) == (tmp_path / "ml.pem").read_bytes()
    assert secret()["data"]["ca.crt"] == "Y2E="


def test_state_absent_removes_the_secret(ensure, write):
    ensure(**write())
    assert ensure(state="absent", check_mode=True)["changed"]
    assert ensure(state="absent", diff=True)["diff"]["after"] == {}
    assert not ensure(state="absent")["changed"]


def test_result_does_not_contain_the_private_key(ensure, write, tmp_path):
    result = ensure(**write(), diff=True)
    key = (tmp_path / "ml.key").read_bytes()
    assert base64.b64encode(key).decode()[:60] not in json.dumps(result)
    assert "PRIVATE KEY" not in json.dumps(result)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "state is present but any of the following are missing: certificate, certificate_content, from"),
        (
            {"from": {"namespace": "certs", "name": "edge"}, "certificate": "c"},
            "parameters are mutually exclusive: from.certificate",
        ),
        ({"certificate": "c"}, "any of the following are missing: private_key, private_key_content"),
        ({"certificate": "/none", "private_key": "/none"}, "certificate: /none cannot be read: No such file"),
        ({"certificate_content": "x", "private_key_content": "y"}, "certificate is not a PEM certificate"),
    ],
)
def test_invalid_options_are_rejected_before_any_request(ensure, simulator, options, message):
    with pytest.raises(ModuleFailedError, match=message):
        ensure(**options)
    assert simulator.journal() == []


class TestFromCertManager:
    """Copies of a Secret of type kubernetes.io/tls."""

    @pytest.fixture
    def issue(self, kube, create, arc):
        """Issue or renew a certificate in a Secret, like cert-manager."""
        create(arc, "v1", "Namespace", "certs")

        def run(certificate: bytes, key: bytes) -> None:
            data = certificates.as_secret((certificate, key))
            resource = kube(arc).resources.get(api_version="v1", kind="Secret")
            if any(one.metadata.name == "edge" for one in resource.get(namespace="certs").items):
                resource.patch(name="edge", namespace="certs", body={"data": data})
            else:
                create(arc, "v1", "Secret", "edge", "certs", type="kubernetes.io/tls", data=data)

        return run

    @pytest.fixture
    def copy(self, ensure):
        return lambda **options: ensure(**{"from": {"namespace": "certs", "name": "edge"}, **options})

    def test_only_a_renewed_certificate_is_a_change(self, issue, copy, secret):
        first, second = new_pair(), new_pair()
        issue(*first)
        created, same = copy(cname="ml.example.com"), copy(cname="ml.example.com")
        issue(*second)
        planned, renewed = copy(check_mode=True), copy()

        assert [one["changed"] for one in (created, same, planned, renewed)] == [True, False, True, True]
        assert created["certificate"]["fingerprint"] != renewed["certificate"]["fingerprint"]
        assert len(renewed["certificate"]["chain"]) == 2
        stored = {key: base64.b64decode(value) for key, value in secret()["data"].items()}
        assert stored == {"cert.pem": second[0], "key.pem": second[1]}

    def test_result_does_not_contain_the_private_key(self, issue, copy):
        certificate, key = new_pair()
        issue(certificate, key)
        result = json.dumps(copy(diff=True))
        assert base64.b64encode(key).decode()[40:100] not in result
        assert "PRIVATE KEY" not in result

    def test_invalid_chain_is_rejected_with_the_name_of_its_secret(self, issue, copy):
        certificate, key = new_pair()
        issue(certificate + certificate, key)
        with pytest.raises(ModuleFailedError) as failure:
            copy()
        assert "Secret 'edge' in namespace 'certs': certificate: 'CN=Test intermediate' is followed by 'CN=ml." in str(
            failure.value
        )

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            (None, "Secret 'edge' in namespace 'certs' does not exist, or is empty"),
            ({"tls.crt": "Y2E="}, "Secret 'edge' in namespace 'certs' lacks tls.key"),
            ({"tls.crt": "Y2E=", "tls.key": "Y2E="}, "namespace 'certs': certificate is not a PEM certificate"),
        ],
    )
    def test_secret_without_a_certificate_is_rejected(self, create, copy, simulator, arc, data, message):
        create(arc, "v1", "Namespace", "certs")
        if data:
            create(arc, "v1", "Secret", "edge", "certs", data=data)
        with pytest.raises(ModuleFailedError, match=message):
            copy()
        assert [one["path"] for one in requests_to(simulator, "POST", "/azureml/secrets")] == []


def test_certificate_for_another_name_is_rejected(ensure, write, simulator):
    with pytest.raises(ModuleFailedError, match="cname 'b.example.com' is not covered by certificate, which is for a."):
        ensure(cname="b.example.com", **write("a.example.com"))
    assert simulator.journal() == []


@pytest.mark.parametrize(
    ("forbidden", "what"),
    [
        ("get secrets", "Reading Secret 'ml-tls' in namespace 'azureml' .*may not get secrets"),
        ("create namespaces", "Creating Namespace 'azureml' .*may not create namespaces"),
        ("create secrets", "Creating Secret 'ml-tls' .*may not create secrets"),
    ],
)
def test_missing_permission_is_reported(ensure, write, simulator, arc, forbidden, what):
    simulator.change_plan(arc, forbidden=[forbidden])
    with pytest.raises(ModuleFailedError, match=what):
        ensure(**write())


def test_namespace_being_removed_fails(ensure, write, create, arc):
    create(arc, "v1", "Namespace", "azureml", status={"phase": "Terminating"})
    with pytest.raises(ModuleFailedError, match="namespace 'azureml' is being removed"):
        ensure(**write())
