# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The credentials of a sign-in: their sources and precedence, as in azure.azcollection."""

from __future__ import annotations

import re

import pytest
from ansible_collections.azureml.arc.plugins.doc_fragments.azure import ModuleDocFragment
from ansible_collections.azureml.arc.plugins.module_utils._azure import sign_in as _sign_in
from ansible_collections.azureml.arc.plugins.module_utils._azure.cloud import CLOUDS
from ansible_collections.azureml.arc.plugins.module_utils._azure.sign_in import SignIn, resolve
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from azure.core.pipeline.transport import HttpTransport

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


def no_file(option: str, path: str) -> bytes:
    """Stand in for reading a file whose content does not matter."""
    return b""


def identity_of(sign_in: SignIn) -> tuple:
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
        # The webhook of workload identity adds its variables to AWX's pod, but the job must use AWX's credential.
        (
            {},
            {**ENVIRONMENT, "AZURE_FEDERATED_TOKEN_FILE": "/t", "AZURE_TENANT_ID": "wt"},
            ("service_principal", "e", "es", "et", "esub"),
        ),
        (
            {},
            {"AZURE_FEDERATED_TOKEN_FILE": "/t", "AZURE_CLIENT_ID": "c", "AZURE_TENANT_ID": "t"}
            | {"AZURE_CLIENT_CERTIFICATE_PATH": "/c.pem"},
            ("service_principal", "c", None, "t", None),
        ),
        (
            {"auth_source": "workload_identity", "client_id": "o"},
            {**ENVIRONMENT, "AZURE_FEDERATED_TOKEN_FILE": "/t"},
            ("workload_identity", "o", "es", "et", "esub"),
        ),
        ({}, {**ENVIRONMENT, "ANSIBLE_AZURE_AUTH_SOURCE": "cli"}, ("cli", "e", "es", "et", "esub")),
        (
            {"auth_source": "env"},
            {**ENVIRONMENT, "ANSIBLE_AZURE_AUTH_SOURCE": "cli"},
            ("service_principal", "e", "es", "et", "esub"),
        ),
        (
            {},
            {"AZURE_CLIENT_ID": "e", "AZURE_CLIENT_SECRET": "sdk", "AZURE_TENANT_ID": "t"},
            ("service_principal", "e", "sdk", "t", None),
        ),
    ],
)
def test_options_take_precedence_over_environment_and_environment_over_file(options, environ, expected, file):
    assert identity_of(resolve(options, environ, file, no_file)) == expected


def test_cloud_is_read_from_profile_or_environment(file):
    assert resolve({"profile": "prod"}, {}, file).cloud_environment == "AzureUSGovernment"
    assert resolve(OPTIONS, {"AZURE_CLOUD_ENVIRONMENT": "AzureChinaCloud"}, file).cloud_environment == "AzureChinaCloud"
    assert resolve(OPTIONS, {}, file).cloud_environment == "AzureCloud"


def test_certificate_validation_is_on_unless_option_or_environment_disables_it(file):
    assert resolve(OPTIONS, {}, file).validate_certificates
    assert not resolve({**OPTIONS, "cert_validation_mode": "ignore"}, {}, file).validate_certificates
    assert not resolve(OPTIONS, {"AZURE_CERT_VALIDATION_MODE": "ignore"}, file).validate_certificates
    with pytest.raises(AzureMLError, match="cert_validation_mode must be validate or ignore"):
        resolve(OPTIONS, {"AZURE_CERT_VALIDATION_MODE": "maybe"}, file)


def test_option_for_instance_discovery_takes_precedence_over_the_environment(file):
    assert not resolve(OPTIONS, {}, file).disable_instance_discovery
    assert resolve(OPTIONS, {"AZURE_DISABLE_INSTANCE_DISCOVERY": "true"}, file).disable_instance_discovery
    assert not resolve(
        {**OPTIONS, "disable_instance_discovery": False}, {"AZURE_DISABLE_INSTANCE_DISCOVERY": "1"}, file
    ).disable_instance_discovery


@pytest.mark.parametrize(
    ("options", "environ", "message"),
    [
        ({"profile": "none"}, {}, "profile 'none' does not exist in"),
        ({"auth_source": "env"}, {}, r"client_id, tenant, secret \(or x509_certificate_path\) missing"),
        ({"client_id": "x", "tenant": "t"}, {}, r"secret \(or x509_certificate_path\) missing"),
        (
            {"auth_source": "workload_identity"},
            {"AZURE_CLIENT_ID": "c"},
            "tenant, AZURE_FEDERATED_TOKEN_FILE missing",
        ),
        ({}, {"ANSIBLE_AZURE_AUTH_SOURCE": "magic"}, "auth_source must be one of auto, cli, .*, not 'magic'"),
        (
            {"auth_source": "cli", "cli_timeout": 0},
            {},
            "cli_timeout must be a whole number of seconds, at least 1, not '0'",
        ),
        ({"auth_source": "cli"}, {"ANSIBLE_AZURE_CLI_TIMEOUT": "x"}, "cli_timeout must be a whole number of seconds"),
    ],
)
def test_missing_or_invalid_option_is_named(options, environ, message, file):
    with pytest.raises(AzureMLError, match=message):
        resolve(options, environ, file)


def test_broken_credential_file_does_not_show_its_content(tmp_path):
    path = tmp_path / "credentials"
    path.write_text("secret = hush", encoding="utf-8")
    with pytest.raises(AzureMLError, match="is not a valid credential file") as error:
        resolve({"profile": "default"}, {}, str(path))
    assert "hush" not in str(error.value)


def test_unusable_certificate_names_the_option(tmp_path):
    given = {"client_id": "c", "tenant": "t", "x509_certificate_path": str(tmp_path / "c.pem")}
    with pytest.raises(AzureMLError, match="x509_certificate_path: .*c.pem cannot be read: No such file"):
        resolve(given, {})
    (tmp_path / "c.pem").write_text("none", encoding="utf-8")
    with pytest.raises(AzureMLError, match="x509_certificate_path: .*c.pem cannot be used"):
        _sign_in.credential(resolve(given, {}), CLOUDS["AzureCloud"], {})


@pytest.mark.parametrize(
    ("method", "kind"),
    [
        ("cli", "AzureCliCredential"),
        ("msi", "ManagedIdentityCredential"),
        ("service_principal", "ClientSecretCredential"),
    ],
)
def test_method_determines_the_credential_of_the_sdk(method, kind):
    sign_in = SignIn(method, tenant="t", client_id="c", secret="s")
    assert type(_sign_in.credential(sign_in, CLOUDS["AzureCloud"], {})).__name__ == kind


class RefusedError(Exception):
    """The request that would have been sent."""


class Refusal(HttpTransport):
    """A transport of the SDK that raises instead of sending."""

    def open(self):
        pass

    def close(self):
        pass

    def __exit__(self, *exc_info):
        pass

    def send(self, request, **kwargs):
        raise RefusedError(f"{request.method} {request.url}")


def test_workload_identity_signs_in_at_the_authority_of_the_cloud(tmp_path):
    (tmp_path / "token").write_text("jwt", encoding="utf-8")
    sign_in = SignIn("workload_identity", tenant="t", client_id="c", token_file=str(tmp_path / "token"))
    credential = _sign_in.credential(sign_in, CLOUDS["AzureUSGovernment"], {"transport": Refusal()})
    with pytest.raises(RefusedError, match=r"POST https://login\.microsoftonline\.us/t/oauth2/v2\.0/token"):
        credential.get_token("https://management.usgovcloudapi.net/.default")


def test_missing_token_file_names_its_variable_and_path(tmp_path):
    sign_in = SignIn("workload_identity", tenant="t", client_id="c", token_file=str(tmp_path / "none"))
    with pytest.raises(AzureMLError, match="AZURE_FEDERATED_TOKEN_FILE: .*/none cannot be read: No such file"):
        _sign_in.credential(sign_in, CLOUDS["AzureCloud"], {})


# For each documented variable: its value, and the field of the sign-in with the expected value.
VARIABLES = {
    "ANSIBLE_AZURE_AUTH_SOURCE": ("msi", "method", "msi"),
    "ANSIBLE_AZURE_CLI_TIMEOUT": ("7", "cli_timeout", 7),
    "AZURE_ADFS_AUTHORITY_URL": ("https://a", "authority", "https://a"),
    "AZURE_CERT_VALIDATION_MODE": ("ignore", "validate_certificates", False),
    "AZURE_CLIENT_CERTIFICATE_PATH": ("/c", "certificate_path", "/c"),
    "AZURE_CLIENT_ID": ("c", "client_id", "c"),
    "AZURE_CLIENT_SECRET": ("s", "secret", "s"),
    "AZURE_CLOUD_ENVIRONMENT": ("AzureChinaCloud", "cloud_environment", "AzureChinaCloud"),
    "AZURE_DISABLE_INSTANCE_DISCOVERY": ("true", "disable_instance_discovery", True),
    "AZURE_FEDERATED_TOKEN_FILE": ("/t", "token_file", "/t"),
    "AZURE_PROFILE": ("prod", "client_id", "p"),
    "AZURE_SECRET": ("s", "secret", "s"),
    "AZURE_SUBSCRIPTION_ID": ("u", "subscription_id", "u"),
    "AZURE_TENANT": ("t", "tenant", "t"),
    "AZURE_TENANT_ID": ("t", "tenant", "t"),
    "AZURE_X509_CERTIFICATE_PATH": ("/c", "certificate_path", "/c"),
}


def documented_variables() -> set[str]:
    return set(re.findall(r"E\(([A-Z0-9_]+)\)", ModuleDocFragment.DOCUMENTATION)) - {"REQUESTS_CA_BUNDLE"}


def test_every_documented_variable_is_tested():
    assert documented_variables() == set(VARIABLES)


@pytest.mark.parametrize("name", VARIABLES)
def test_documented_variable_is_used_without_an_option(name, file):
    value, field, expected = VARIABLES[name]
    others = {} if name in ("ANSIBLE_AZURE_AUTH_SOURCE", "AZURE_PROFILE") else {"ANSIBLE_AZURE_AUTH_SOURCE": "cli"}
    assert getattr(resolve({}, {**others, name: value}, file, no_file), field) == expected
