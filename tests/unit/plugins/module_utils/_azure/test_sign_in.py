# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who signs in: sources and their precedence, as azure.azcollection has them."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._azure import sign_in as _sign_in
from ansible_collections.azureml.arc.plugins.module_utils._azure.cloud import CLOUDS
from ansible_collections.azureml.arc.plugins.module_utils._azure.sign_in import SignIn, resolve
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError

OPTIONS = {"client_id": "o", "secret": "os", "tenant": "ot", "subscription_id": "osub"}
ENVIRONMENT = {"AZURE_CLIENT_ID": "e", "AZURE_SECRET": "es", "AZURE_TENANT": "et", "AZURE_SUBSCRIPTION_ID": "esub"}
FILE = """
[default]
client_id = d
secret = ds%
tenant = dt
subscription_id = dsub
[prod]
client_id = p
secret = ps
tenant = pt
subscription_id = psub
cloud_environment = AzureUSGovernment
"""


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "credentials"
    path.write_text(FILE, encoding="utf-8")
    return str(path)


def who(sign_in: SignIn) -> tuple:
    return sign_in.method, sign_in.client_id, sign_in.secret, sign_in.tenant, sign_in.subscription_id


@pytest.mark.parametrize(
    ("options", "environ", "expected"),
    [
        (OPTIONS, ENVIRONMENT, ("service_principal", "o", "os", "ot", "osub")),
        ({}, ENVIRONMENT, ("service_principal", "e", "es", "et", "esub")),
        ({"subscription_id": "mine"}, ENVIRONMENT, ("service_principal", "e", "es", "et", "mine")),
        ({"profile": "prod"}, ENVIRONMENT, ("service_principal", "p", "ps", "pt", "psub")),
        ({}, {**ENVIRONMENT, "AZURE_PROFILE": "prod"}, ("service_principal", "p", "ps", "pt", "psub")),
        ({}, {}, ("service_principal", "d", "ds%", "dt", "dsub")),
        ({"auth_source": "credential_file"}, ENVIRONMENT, ("service_principal", "d", "ds%", "dt", "dsub")),
        ({"auth_source": "env"}, ENVIRONMENT, ("service_principal", "e", "es", "et", "esub")),
        ({"auth_source": "cli"}, ENVIRONMENT, ("cli", "e", "es", "et", "esub")),
        ({"auth_source": "msi"}, {"AZURE_SUBSCRIPTION_ID": "esub"}, ("msi", None, None, None, "esub")),
        (
            {},
            {"AZURE_FEDERATED_TOKEN_FILE": "/t", "AZURE_CLIENT_ID": "w", "AZURE_TENANT_ID": "wt"},
            ("workload_identity", "w", None, "wt", None),
        ),
        (
            {},
            {"AZURE_CLIENT_ID": "e", "AZURE_CLIENT_SECRET": "sdk", "AZURE_TENANT_ID": "t"},
            ("service_principal", "e", "sdk", "t", None),
        ),
    ],
)
def test_precedence(options, environ, expected, file):
    assert who(resolve(options, environ, file)) == expected


def test_cloud_of_a_profile_and_of_the_environment(file):
    assert resolve({"profile": "prod"}, {}, file).cloud_environment == "AzureUSGovernment"
    assert resolve(OPTIONS, {"AZURE_CLOUD_ENVIRONMENT": "AzureChinaCloud"}, file).cloud_environment == "AzureChinaCloud"
    assert resolve(OPTIONS, {}, file).cloud_environment == "AzureCloud"


def test_certificate_validation(file):
    assert resolve(OPTIONS, {}, file).validate_certificates
    assert not resolve({**OPTIONS, "cert_validation_mode": "ignore"}, {}, file).validate_certificates
    assert not resolve(OPTIONS, {"AZURE_CERT_VALIDATION_MODE": "ignore"}, file).validate_certificates
    with pytest.raises(AzureMLError, match="cert_validation_mode must be validate or ignore"):
        resolve(OPTIONS, {"AZURE_CERT_VALIDATION_MODE": "maybe"}, file)


def test_instance_discovery(file):
    assert not resolve(OPTIONS, {}, file).disable_instance_discovery
    assert resolve(OPTIONS, {"AZURE_DISABLE_INSTANCE_DISCOVERY": "true"}, file).disable_instance_discovery
    assert not resolve(
        {**OPTIONS, "disable_instance_discovery": False}, {"AZURE_DISABLE_INSTANCE_DISCOVERY": "1"}, file
    ).disable_instance_discovery


@pytest.mark.parametrize(
    ("options", "environ", "message"),
    [
        ({"profile": "none"}, {}, "profile 'none' is not in"),
        ({"auth_source": "env"}, {}, r"client_id, tenant, secret \(or x509_certificate_path\) missing"),
        ({"client_id": "x", "tenant": "t"}, {}, r"secret \(or x509_certificate_path\) missing"),
    ],
)
def test_what_is_missing_is_named(options, environ, message, file):
    with pytest.raises(AzureMLError, match=message):
        resolve(options, environ, file)


def test_broken_credential_file_does_not_show_its_content(tmp_path):
    path = tmp_path / "credentials"
    path.write_text("secret = hush", encoding="utf-8")
    with pytest.raises(AzureMLError, match="is not a valid credential file") as error:
        resolve({"profile": "default"}, {}, str(path))
    assert "hush" not in str(error.value)


def test_unusable_certificate_names_the_option(tmp_path):
    sign_in = SignIn("service_principal", tenant="t", client_id="c", certificate_path=str(tmp_path / "none.pem"))
    with pytest.raises(AzureMLError, match="x509_certificate_path: .*none.pem cannot be used"):
        _sign_in.credential(sign_in, CLOUDS["AzureCloud"], {})


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("cli", "AzureCliCredential"),
        ("msi", "ManagedIdentityCredential"),
        ("service_principal", "ClientSecretCredential"),
    ],
)
def test_credential(method, kind):
    sign_in = SignIn(method, tenant="t", client_id="c", secret="s")
    assert type(_sign_in.credential(sign_in, CLOUDS["AzureCloud"], {})).__name__ == kind
