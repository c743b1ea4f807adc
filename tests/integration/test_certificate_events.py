# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Event source azureml.arc.certificates: events for served certificates, and for those in key vaults and Secrets."""

from __future__ import annotations

import base64
import importlib.util
import os
import time
from pathlib import Path

import pytest
from ansible_collections.azureml.arc.plugins.modules.certificate_info import SPEC
from playbooks import COLLECTIONS, ROOT
from support import ModuleFailedError, requests_to, run_coroutine

import certificates

SOURCE = ROOT / "extensions/eda/plugins/event_source/certificates.py"


@pytest.fixture(scope="module")
def source():
    """The event source, imported from its file."""
    specification = importlib.util.spec_from_file_location("certificates_source", SOURCE)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def certificate(sha256: str, days: float = 90) -> dict:
    return {"sha256": sha256, "not_after": "2027-01-01T00:00:00+00:00", "days_left": days}


@pytest.mark.parametrize(
    ("at_endpoint", "at_source", "last", "reasons"),
    [
        (certificate("a"), None, None, []),
        (certificate("a", 12), None, None, ["certificate_expires"]),
        (certificate("a", -1), certificate("a", -1), "a", ["certificate_expires"]),
        (certificate("a"), certificate("a"), None, []),
        (certificate("a"), certificate("b"), None, ["certificate_renewed"]),
        (certificate("a"), certificate("b"), "b", ["certificate_renewed"]),
        (certificate("a", 12), certificate("b"), "a", ["certificate_expires", "certificate_renewed"]),
        (None, certificate("b"), None, []),
        (None, certificate("b"), "b", []),
        (None, certificate("b"), "a", ["certificate_renewed"]),
        (None, None, "a", []),
    ],
)
def test_served_and_stored_certificates_determine_the_events(source, at_endpoint, at_source, last, reasons):
    endpoint = {"host": "shop", "address": "ml:443", "key_vault": "https://v.vault.azure.net/certificates/edge"}

    found = source.events_of(endpoint, at_endpoint, at_source, last, 30)

    assert [one["reason"] for one in found] == reasons
    assert all((one["host"], one["address"]) == ("shop", "ml:443") for one in found)
    renewed = [one for one in found if one["reason"] == "certificate_renewed"]
    assert all((one["source"], one["days_left"]) == (endpoint["key_vault"], 90) for one in renewed)


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("ml.example.com", ("ml.example.com", 443)),
        ("ml.example.com:443", ("ml.example.com", 443)),
        ("ML.example.com:443", ("ml.example.com", 443)),
        ("ml.example.com:30443", ("ml.example.com", 30443)),
        ("10.1.0.11", ("10.1.0.11", 443)),
        ("[fd00::1]", ("fd00::1", 443)),
        ("[fd00::1]:443", ("fd00::1", 443)),
    ],
)
def test_default_port_of_an_address_is_443(source, address, expected):
    assert source.host_and_port(address) == expected


@pytest.fixture
def check(source, monkeypatch, tmp_path):
    """Return a function that checks an endpoint several times.

    Its arguments are the endpoint, and a function to call before each check. It returns the reasons of each check.
    """
    monkeypatch.setenv("ANSIBLE_COLLECTIONS_PATH", str(COLLECTIONS))
    monkeypatch.setenv("ANSIBLE_HOME", str(tmp_path / "ansible"))
    seen: dict = {}

    def run(endpoint: dict, *before) -> list[list[str]]:
        found = []
        for one in before:
            one()
            events = run_coroutine(source.check([{"host": "shop", **endpoint}], 30, seen))
            found.append([event["reason"] for event in events])
        return found

    return run


def test_renewal_in_a_key_vault_is_reported_without_reading_a_secret(check, simulator, arc):
    endpoint = {"key_vault": f"{simulator.endpoint}/certificates/{arc}"}

    def renew():
        simulator.import_certificate(arc, certificates.make())

    simulator.clear_journal()
    assert check(endpoint, renew, lambda: None, renew) == [[], [], ["certificate_renewed"]]
    assert requests_to(simulator, "GET", "/secrets/") == []


SILENT_CALLBACK = """
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_TYPE = "stdout"
"""


@pytest.mark.parametrize(
    "configuration",
    [
        {"ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml"},
        {"ANSIBLE_LOAD_CALLBACK_PLUGINS": "true", "ANSIBLE_STDOUT_CALLBACK": "silent"},
    ],
    ids=lambda one: next(iter(one)),
)
def test_renewal_is_reported_whatever_output_is_configured(
    check, simulator, arc, monkeypatch, tmp_path, caplog, configuration
):
    (tmp_path / "silent.py").write_text(SILENT_CALLBACK, encoding="utf-8")
    for name, value in {**configuration, "ANSIBLE_CALLBACK_PLUGINS": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    endpoint = {"key_vault": f"{simulator.endpoint}/certificates/{arc}"}

    def renew():
        simulator.import_certificate(arc, certificates.make())

    assert check(endpoint, renew, renew) == [[], ["certificate_renewed"]]
    assert not caplog.text


def test_read_that_hangs_is_ended_and_does_not_delay_others(source, monkeypatch, tmp_path, caplog):
    program = tmp_path / "ansible"
    program.write_text(f"#!/bin/sh\necho $$ >> {tmp_path}/started\nexec sleep 600\n", encoding="utf-8")
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(source, "LONGEST_READ", 2)
    endpoints = [
        {"host": f"shop-{n}", "key_vault": f"https://v.vault.azure.net/certificates/edge-{n}"} for n in range(4)
    ]

    start = time.monotonic()
    assert run_coroutine(source.check(endpoints, 30, {})) == []

    assert time.monotonic() - start < 2 * len(endpoints)
    assert caplog.text.count("could not be read: TimeoutError") == len(endpoints)
    started = (tmp_path / "started").read_text(encoding="utf-8").split()
    assert [process for process in started if Path("/proc", process).exists()] == []


def test_renewal_in_a_secret_is_reported(check, simulator, kube, arc):
    secrets = kube(arc).resources.get(api_version="v1", kind="Secret")
    endpoint = {"from": {"namespace": "default", "name": "edge", "kubeconfig": simulator.kubeconfigs[arc]}}

    def data() -> dict:
        return {"tls.crt": base64.b64encode(certificates.make()[0]).decode()}

    def issue():
        secrets.create(body={"metadata": {"name": "edge"}, "data": data()}, namespace="default")

    def renew():
        secrets.patch(name="edge", namespace="default", body={"data": data()})

    assert check(endpoint, lambda: None, issue, renew) == [[], [], ["certificate_renewed"]]


def test_certificate_that_cannot_be_read_is_logged_with_the_reason(check, simulator, arc, caplog):
    endpoint = {"key_vault": f"{simulator.endpoint}/certificates/{arc}", "address": "localhost:9"}
    assert check(endpoint, lambda: None) == [[]]
    assert "was not found in this key vault" in caplog.text
    assert "the certificate of localhost:9 could not be read" in caplog.text
    check({"address": ":443"}, lambda: None)
    assert "the certificate of :443 could not be read: the address has no host" in caplog.text


class TestCertificateInfo:
    def test_newest_or_pinned_version_is_read_from_a_key_vault(self, run_module, simulator, arc):
        version = simulator.import_certificate(arc, certificates.make())
        newer = simulator.import_certificate(arc, certificates.make())
        address = f"{simulator.endpoint}/certificates/{arc}"

        newest, pinned = run_module(SPEC, key_vault=address), run_module(SPEC, key_vault=f"{address}/{version}")

        assert (newest["certificate"]["version"], pinned["certificate"]["version"]) == (newer, version)
        assert newest["certificate"]["sha256"] != pinned["certificate"]["sha256"]
        assert (newest["certificate"]["names"], newest["certificate"]["days_left"]) == (["ml.example.com"], 365)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({}, "one of the following is required: key_vault, from"),
            ({"from": {"namespace": "default", "name": "none"}}, "Secret 'none' in namespace 'default' has no certifi"),
            ({"key_vault": "edge"}, "key_vault must be the address of a certificate like"),
        ],
    )
    def test_invalid_options_are_rejected(self, run_module, simulator, arc, options, message):
        with pytest.raises(ModuleFailedError, match=message):
            run_module(SPEC, kubeconfig=simulator.kubeconfigs[arc], **options)
