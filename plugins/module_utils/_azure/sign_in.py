# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who signs in to Azure, and how: from options, environment and credential file to a credential.

Options, environment variables and their precedence are those of azure.azcollection, so that AWX's credential type
"Microsoft Azure Resource Manager" works as it is.
"""

from __future__ import annotations

import configparser
import os
import shutil
import traceback
from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.azureml.arc.plugins.module_utils._azure.cloud import Cloud
from ansible_collections.azureml.arc.plugins.module_utils._core import environment as _environment
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError

try:
    from azure import identity
except ImportError:
    identity = None
    IMPORT_ERROR = traceback.format_exc()
else:
    IMPORT_ERROR = None

RETRIES = {
    "retry_total": 6,
    "retry_connect": 6,
    "retry_read": 6,
    "retry_status": 6,
    "retry_backoff_factor": 0.5,  # seconds
    "retry_backoff_max": 30,  # seconds
}
CREDENTIALS_FILE = "~/.azure/credentials"

# Option, and the environment variables that stand in for it; the first one that is set counts.
ENVIRONMENT = {
    "profile": ("AZURE_PROFILE",),
    "subscription_id": ("AZURE_SUBSCRIPTION_ID",),
    "client_id": ("AZURE_CLIENT_ID",),
    "secret": ("AZURE_SECRET", "AZURE_CLIENT_SECRET"),
    "tenant": ("AZURE_TENANT", "AZURE_TENANT_ID"),
    "x509_certificate_path": ("AZURE_X509_CERTIFICATE_PATH", "AZURE_CLIENT_CERTIFICATE_PATH"),
    "cloud_environment": ("AZURE_CLOUD_ENVIRONMENT",),
    "adfs_authority_url": ("AZURE_ADFS_AUTHORITY_URL",),
    "cert_validation_mode": ("AZURE_CERT_VALIDATION_MODE",),
    "disable_instance_discovery": ("AZURE_DISABLE_INSTANCE_DISCOVERY",),
}
WORKLOAD_IDENTITY_TOKEN_FILE = "AZURE_FEDERATED_TOKEN_FILE"


@dataclass(frozen=True)
class SignIn:
    """A way to sign in, and the subscription and cloud that go with it."""

    method: str  # service_principal, cli, msi or workload_identity
    subscription_id: str | None = None
    tenant: str | None = None
    client_id: str | None = None
    secret: str | None = None
    certificate_path: str | None = None
    cloud_environment: str = "AzureCloud"
    authority: str | None = None
    validate_certificates: bool = True
    disable_instance_discovery: bool = False


def resolve(options: Mapping, environ: Mapping[str, str], credentials_file: str = CREDENTIALS_FILE) -> SignIn:
    """Decide how to sign in.

    With C(auth_source=auto) the first of these that says who signs in wins: options, environment, credential file,
    workload identity, Azure CLI. An option always wins over the same value from elsewhere.

    :param options: the sign-in options of a module.
    :param environ: the environment.
    :param credentials_file: the ini file with sections as profiles.
    :raises AzureMLError: naming the option or source that lacks something.
    """
    given = {name: options.get(name) for name in ENVIRONMENT if options.get(name) not in (None, "")}
    environment = _environment.values(ENVIRONMENT, environ)
    source = options.get("auth_source") or "auto"

    if source == "auto":
        source, values = _choose(given, environment, environ, credentials_file)
    elif source == "credential_file":
        values = _from_file(given.get("profile") or "default", credentials_file, required=True)
    elif source == "env" and environment.get("profile"):
        values = _from_file(environment["profile"], credentials_file, required=True)
    else:
        values = environment
    values = {**_settings_only(environment), **values, **given}

    if source in ("cli", "msi", "workload_identity"):
        return _sign_in(source, values)
    missing = [name for name in ("client_id", "tenant") if not values.get(name)]
    if not values.get("secret") and not values.get("x509_certificate_path"):
        missing.append("secret (or x509_certificate_path)")
    if missing:
        raise AzureMLError(
            f"Not signed in to Azure: {', '.join(missing)} missing",
            hint="Give them as options, as AZURE_* environment variables or in a profile of"
            f" {CREDENTIALS_FILE}, or choose another auth_source.",
        )
    return _sign_in("service_principal", values)


def _choose(given, environment, environ, credentials_file):
    if given.get("profile"):
        return "credential_file", _from_file(given["profile"], credentials_file, required=True)
    if given.get("client_id"):
        return "options", {}
    if environment.get("profile"):
        return "credential_file", _from_file(environment["profile"], credentials_file, required=True)
    if environ.get(WORKLOAD_IDENTITY_TOKEN_FILE):
        return "workload_identity", environment
    if environment.get("client_id"):
        return "env", environment
    profile = _from_file("default", credentials_file, required=False)
    if profile:
        return "credential_file", profile
    if shutil.which("az"):
        return "cli", environment
    raise AzureMLError(
        "Not signed in to Azure: no client_id, no AZURE_CLIENT_ID, no profile in"
        f" {CREDENTIALS_FILE}, no workload identity, and no Azure CLI",
        hint="Give client_id, secret and tenant, set AZURE_CLIENT_ID, AZURE_SECRET and AZURE_TENANT,"
        " or choose an auth_source.",
    )


def _settings_only(values: Mapping) -> dict:
    """What the environment says whoever signs in: the subscription and the cloud."""
    names = (
        "subscription_id",
        "cloud_environment",
        "adfs_authority_url",
        "cert_validation_mode",
        "disable_instance_discovery",
    )
    return {name: values[name] for name in names if name in values}


def _from_file(profile: str, path: str, required: bool) -> dict:
    parser = configparser.RawConfigParser()
    try:
        parser.read(os.path.expanduser(path))
    except configparser.Error as error:
        # Without the parser's message: it quotes the line, which may hold the secret.
        raise AzureMLError(f"{path} is not a valid credential file ({type(error).__name__})") from None
    if parser.has_section(profile):
        return {name: value for name, value in parser.items(profile) if name in ENVIRONMENT and value}
    if required:
        raise AzureMLError(f"profile '{profile}' is not in {path}")
    return {}


def _sign_in(method: str, values: Mapping) -> SignIn:
    validation = values.get("cert_validation_mode") or "validate"
    if validation not in ("validate", "ignore"):
        raise AzureMLError(f"cert_validation_mode must be validate or ignore, not '{validation}'")
    return SignIn(
        method=method,
        subscription_id=values.get("subscription_id"),
        tenant=values.get("tenant"),
        client_id=values.get("client_id"),
        secret=values.get("secret"),
        certificate_path=values.get("x509_certificate_path"),
        cloud_environment=values.get("cloud_environment") or "AzureCloud",
        authority=values.get("adfs_authority_url"),
        validate_certificates=validation == "validate",
        disable_instance_discovery=str(values.get("disable_instance_discovery", "")).lower()
        in ("true", "yes", "on", "1"),
    )


def credential(sign_in: SignIn, cloud: Cloud, transport: Mapping):
    """The azure-identity credential for a way to sign in. Nothing is sent yet.

    :param transport: options of the SDK's transport. To ask for a token twice does no harm, so the SDK tries again.
    """
    transport = {**transport, **RETRIES}
    if sign_in.method == "cli":
        return identity.AzureCliCredential(tenant_id=sign_in.tenant or "")
    if sign_in.method == "msi":
        return identity.ManagedIdentityCredential(client_id=sign_in.client_id)  # which knows better when to try again
    if sign_in.method == "workload_identity":
        return identity.WorkloadIdentityCredential(tenant_id=sign_in.tenant, client_id=sign_in.client_id, **transport)
    common = {
        "tenant_id": sign_in.tenant,
        "client_id": sign_in.client_id,
        "authority": sign_in.authority or cloud.authority,
        "disable_instance_discovery": sign_in.disable_instance_discovery,
        **transport,
    }
    if sign_in.secret:
        return identity.ClientSecretCredential(client_secret=sign_in.secret, **common)
    try:
        return identity.CertificateCredential(certificate_path=sign_in.certificate_path, **common)
    except (OSError, ValueError) as error:
        raise AzureMLError(f"x509_certificate_path: {sign_in.certificate_path} cannot be used: {error}") from error
