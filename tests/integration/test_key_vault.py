# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The certificate of inference endpoints from Azure Key Vault: M(azureml.arc.extension), deploy and rotate_tls."""

from __future__ import annotations

import json

import pytest
from ansible_collections.azureml.arc.plugins.modules.extension import SPEC
from playbooks import ROOT
from support import ModuleFailedError, requests_to, writes

import certificates

CNAME = "ml.example.com"
AUTHORITY = certificates.Authority()
PEM, PKCS12 = "application/x-pem-file", "application/x-pkcs12"
DATA_ACTIONS = json.loads((ROOT / "docs/permissions/azure-key-vault.json").read_text(encoding="utf-8"))["DataActions"]
DEPLOY = json.loads((ROOT / "docs/permissions/azure-deploy.json").read_text(encoding="utf-8"))["Actions"]


@pytest.fixture
def address(simulator, arc):
    """The address of a certificate in the key vault, which no other test uses."""
    return f"{simulator.endpoint}/certificates/{arc}"


@pytest.fixture
def issue(simulator, arc):
    """Return a function that imports a new version, and returns its name and its private key."""

    def run(content_type: str = PEM, **how) -> tuple[str, str]:
        pair = AUTHORITY.issue_with_chain(CNAME)
        return simulator.import_certificate(arc, pair, content_type, **how), pair[1].decode()

    return run


@pytest.fixture
def install(run_module, arc, address):
    def run(key_vault: str = address, **options) -> dict:
        tls = {"key_vault": key_vault, "cname": CNAME}
        common = {"workload_profile": "inference", "inference_service": "node_port", "tls": tls}
        return run_module(SPEC, resource_group="rg-edge", cluster_name=arc, **common, **options)

    return run


@pytest.mark.parametrize("content_type", [PEM, PKCS12])
def test_only_a_renewed_certificate_is_a_change(install, issue, content_type):
    issue(content_type)
    installed, same = install(), install()
    issue(content_type)
    planned, renewed = install(check_mode=True), install()

    assert [one["changed"] for one in (installed, same, planned, renewed)] == [True, False, True, True]
    assert list(renewed["plan"]["settings"]) == ["azuremlArc.certificateSha256"]
    assert len(renewed["certificate"]["chain"]) == 2
    assert renewed["certificate"]["names"] == [CNAME]


def test_pinned_version_is_kept_when_there_is_a_newer_one(install, issue, address, simulator):
    version, _key = issue()
    first = install(f"{address}/{version}")
    issue()
    simulator.clear_journal()

    assert not install(f"{address}/{version}")["changed"]
    assert [one["path"] for one in requests_to(simulator, "GET", "/certificates/")] == []
    assert install()["certificate"]["fingerprint"] != first["certificate"]["fingerprint"]


def test_certificate_is_read_with_two_requests_and_the_result_contains_no_secret(install, issue, simulator):
    _version, key = issue()
    simulator.clear_journal()

    result = json.dumps(install(diff=True))

    vault = [one["path"] for one in simulator.journal() if one["path"].startswith(("/certificates", "/secrets"))]
    assert [path.split("/")[1] for path in vault] == ["certificates", "secrets"]
    assert "PRIVATE KEY" not in result
    assert key.splitlines()[1] not in result


@pytest.mark.parametrize(
    ("key_vault", "message"),
    [
        ("https://v.vault.azure.net/secrets/edge", "tls.key_vault must be the address of a certificate like"),
        ("https://v.vault.azure.net/certificates/edge", "refusing to send a token to 'https://v.vault.azure.net'"),
    ],
)
def test_invalid_address_is_rejected_before_any_request(install, simulator, key_vault, message):
    with pytest.raises(ModuleFailedError, match=message):
        install(key_vault)
    assert writes(simulator) == []


def test_unusable_certificate_is_rejected_with_its_address(install, issue, simulator, arc):
    with pytest.raises(ModuleFailedError, match=f"GET certificate '{arc}' in key vault 'localhost.*HTTP 404"):
        install()
    issue(exportable=False)
    with pytest.raises(ModuleFailedError, match="comes without its private key.*Make the key exportable"):
        install()
    simulator.import_certificate(arc, AUTHORITY.issue("other.example.com"))
    with pytest.raises(ModuleFailedError, match=f"key vault 'localhost.*cname '{CNAME}' is not covered by"):
        install()
    assert writes(simulator) == []


class TestPermissions:
    @pytest.fixture(autouse=True)
    def allow_all_at_the_end(self, simulator):
        yield
        simulator.allow(None)

    def test_roles_for_key_vault_and_deployment_are_sufficient(self, install, issue, simulator):
        issue()
        simulator.allow([*DEPLOY, *DATA_ACTIONS])
        assert install()["changed"]

    @pytest.mark.parametrize("missing", DATA_ACTIONS)
    def test_missing_action_is_named(self, install, issue, simulator, missing):
        issue()
        simulator.allow([one for one in [*DEPLOY, *DATA_ACTIONS] if one != missing])
        with pytest.raises(ModuleFailedError) as failure:
            install()
        message = str(failure.value)
        assert f"Action: '{missing}'" in message
        assert "Assign the identity role 'Key Vault Certificate User' on the key vault." in message


def test_deploy_and_rotate_tls_use_the_newest_version_and_check_the_endpoint(playbook, issue, address, simulator, arc):
    variables = {
        "azureml_resource_group": "rg-edge",
        "azureml_profile": "inference",
        "azureml_inference_service": "node_port",
        "azureml_kubernetes": {"kubeconfig": simulator.kubeconfigs[arc]},
        "azureml_tls": {"key_vault": address, "cname": CNAME},
        "azureml_prove": ["endpoint"],
    }
    inventory = {"all": {"vars": variables, "hosts": {arc: {}}}}
    keys = [issue(PKCS12)[1]]

    deployed = playbook("azureml.arc.deploy", inventory, "-vvv")
    keys.append(issue(PKCS12)[1])
    drifted = playbook("azureml.arc.verify", inventory, "-vvv")
    renewed = playbook("azureml.arc.rotate_tls", inventory, "-vvv", "--diff")
    verified = playbook("azureml.arc.verify", inventory, "-vvv")

    runs = (deployed, drifted, renewed, verified)
    assert [run.status for run in runs] == [0, 2, 0, 0], renewed.output
    assert "the installed certificate is not the one in azureml_tls; run rotate_tls" in " ".join(drifted.output.split())
    assert renewed.outcome(arc)["endpoint"]["outcome"] == verified.outcome(arc)["endpoint"]["outcome"] == "ok"
    for run in runs:
        assert "PRIVATE KEY" not in run.output
        assert not [key for key in keys if key.splitlines()[1] in run.output + json.dumps(run.results)]
