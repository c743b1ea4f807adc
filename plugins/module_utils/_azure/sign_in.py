# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the credential for Azure in options, environment and credential file.

Options, environment variables and their precedence are those of azure.azcollection, so that AWX's credential type
"Microsoft Azure Resource Manager" works unchanged.
"""

from __future__ import annotations

import configparser
import dataclasses
import os
import shutil
import subprocess
import traceback
from collections.abc import Callable, Mapping

from ansible_collections.azureml.arc.plugins.module_utils._azure.cloud import Cloud
from ansible_collections.azureml.arc.plugins.module_utils._core import environment as _environment
from ansible_collections.azureml.arc.plugins.module_utils._core import files
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError, first_line
from ansible_collections.azureml.arc.plugins.module_utils._core.options import AZURE, AZURE_ENVIRONMENT

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

WORKLOAD_IDENTITY_TOKEN_FILE = "AZURE_FEDERATED_TOKEN_FILE"
CLI_TIMEOUT = 60  # seconds; on a busy machine az takes longer than the SDK's 10
# The identity, and what to check if the sign-in fails, by method.
METHODS = {
    "service_principal": ("the service principal", "Check client_id, secret and tenant"),
    "workload_identity": ("the workload identity", "Check client_id, tenant and the federated credential"),
    "msi": ("the managed identity", "Check that this machine has one; client_id selects a user-assigned one"),
    "cli": ("the Azure CLI", "Run 'az login'"),
}


@dataclasses.dataclass(frozen=True)
class SignIn:
    """A method of signing in, with its subscription and cloud."""

    method: str  # service_principal, cli, msi or workload_identity
    subscription_id: str | None = None
    tenant: str | None = None
    client_id: str | None = None
    secret: str | None = None
    certificate_path: str | None = None
    certificate: bytes | None = None
    token_file: str | None = None
    cli_timeout: int = CLI_TIMEOUT
    cloud_environment: str = "AzureCloud"
    authority: str | None = None
    validate_certificates: bool = True
    disable_instance_discovery: bool = False


def resolve(
    options: Mapping,
    environ: Mapping[str, str],
    credentials_file: str = CREDENTIALS_FILE,
    read_file: Callable[[str, str], bytes] = files.read,
) -> SignIn:
    """Decide how to sign in.

    With C(auth_source=auto) the first of these that is set counts: options, a profile or a client id with a secret or
    certificate in the environment, workload identity, credential file, Azure CLI. An option always takes precedence
    over the same value from another source.

    :param options: the sign-in options of a module.
    :param environ: the environment.
    :param credentials_file: the ini file with sections as profiles.
    :param read_file: returns the content of a file that an option names.
    :raises AzureMLError: naming the incomplete option or source.
    """
    given = {name: options.get(name) for name in AZURE_ENVIRONMENT if options.get(name) not in (None, "")}
    environment = _environment.values({**AZURE_ENVIRONMENT, "token_file": (WORKLOAD_IDENTITY_TOKEN_FILE,)}, environ)
    source = given.get("auth_source") or environment.get("auth_source") or "auto"
    if source not in AZURE["auth_source"]["choices"]:
        raise AzureMLError(f"auth_source must be one of {', '.join(AZURE['auth_source']['choices'])}, not '{source}'")

    if source == "auto":
        source, values = _choose(given, environment, environ, credentials_file)
    elif source == "credential_file":
        values = _from_file(given.get("profile") or "default", credentials_file, required=True)
    elif source == "env" and environment.get("profile"):
        values = _from_file(environment["profile"], credentials_file, required=True)
    else:
        values = environment
    values = {**_settings_only(environment), **values, **given}

    method = source if source in METHODS else "service_principal"
    missing = _missing(method, values)
    if missing:
        raise AzureMLError(
            f"Not signed in to Azure: {', '.join(missing)} missing",
            hint="Set them as options, as AZURE_* environment variables, or in a profile of"
            f" {CREDENTIALS_FILE}, or choose another auth_source.",
        )
    sign_in = _sign_in(method, values)
    if method == "service_principal" and not sign_in.secret:
        certificate = read_file("x509_certificate_path", sign_in.certificate_path)
        return dataclasses.replace(sign_in, certificate=certificate)
    return sign_in


def _missing(method: str, values: Mapping) -> list[str]:
    """Return the names of the values that a method of signing in lacks."""
    if method in ("cli", "msi"):
        return []
    missing = [name for name in ("client_id", "tenant") if not values.get(name)]
    if method == "workload_identity":
        return missing if values.get("token_file") else [*missing, WORKLOAD_IDENTITY_TOKEN_FILE]
    return missing if _has_secret(values) else [*missing, "secret (or x509_certificate_path)"]


def _has_secret(values: Mapping) -> bool:
    return bool(values.get("secret") or values.get("x509_certificate_path"))


def _choose(
    given: Mapping, environment: Mapping, environ: Mapping[str, str], credentials_file: str
) -> tuple[str, Mapping]:
    """Return the source for C(auth_source=auto), and the values that it provides."""
    if given.get("profile"):
        return "credential_file", _from_file(given["profile"], credentials_file, required=True)
    if given.get("client_id"):
        return "options", {}
    if environment.get("profile"):
        return "credential_file", _from_file(environment["profile"], credentials_file, required=True)
    # The webhook of workload identity adds its token file to every pod, including AWX's, so a secret takes precedence.
    if environment.get("client_id") and _has_secret(environment):
        return "env", environment
    if environment.get("token_file"):
        return "workload_identity", environment
    if environment.get("client_id"):
        return "env", environment
    profile = _from_file("default", credentials_file, required=False)
    if profile:
        return "credential_file", profile
    if shutil.which("az", path=environ.get("PATH")):
        return "cli", environment
    raise AzureMLError(
        "Not signed in to Azure: no client_id, no AZURE_CLIENT_ID, no profile in"
        f" {CREDENTIALS_FILE}, no workload identity, and no Azure CLI",
        hint="Set client_id, secret and tenant, or AZURE_CLIENT_ID, AZURE_SECRET and AZURE_TENANT, or choose an"
        " auth_source.",
    )


def _settings_only(values: Mapping) -> dict:
    """Return the settings of the environment that apply to every method: subscription, cloud and validation."""
    names = (
        "subscription_id",
        "cloud_environment",
        "adfs_authority_url",
        "cert_validation_mode",
        "disable_instance_discovery",
        "token_file",
        "cli_timeout",
    )
    return {name: values[name] for name in names if name in values}


def _from_file(profile: str, path: str, required: bool) -> dict:
    """Return the values of a profile in a credential file; none if it does not exist and is not required."""
    parser = configparser.RawConfigParser()
    try:
        parser.read(os.path.expanduser(path))
    except configparser.Error as error:
        # Without the parser's message, which quotes the line and may contain the secret.
        raise AzureMLError(
            f"{path} is not a valid credential file ({type(error).__name__})",
            hint="Write each profile as a line with its name in brackets, followed by lines like client_id=value.",
        ) from None
    if parser.has_section(profile):
        return {name: value for name, value in parser.items(profile) if name in AZURE_ENVIRONMENT and value}
    if required:
        raise AzureMLError(
            f"profile '{profile}' does not exist in {path}",
            hint="Set profile to an existing one, or add it to the file.",
        )
    return {}


def _sign_in(method: str, values: Mapping) -> SignIn:
    """Return the method with its values, before the files that they name are read."""
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
        token_file=values.get("token_file"),
        cli_timeout=_seconds("cli_timeout", values.get("cli_timeout", CLI_TIMEOUT)),
        cloud_environment=values.get("cloud_environment") or "AzureCloud",
        authority=values.get("adfs_authority_url"),
        validate_certificates=validation == "validate",
        disable_instance_discovery=str(values.get("disable_instance_discovery", "")).lower()
        in ("true", "yes", "on", "1"),
    )


def _seconds(option: str, value) -> int:
    try:
        seconds = int(value)
    except (TypeError, ValueError):
        seconds = 0
    if seconds < 1:
        raise AzureMLError(f"{option} must be a whole number of seconds, at least 1, not '{value}'")
    return seconds


def credential(sign_in: SignIn, cloud: Cloud, transport: Mapping):
    """Create the azure-identity credential. Nothing is sent yet.

    :param transport: options of the SDK's transport. Requesting a token twice is harmless, so the SDK retries.
    :raises AzureMLError: if a file that it needs cannot be read.
    """
    transport = {**transport, **RETRIES}
    if sign_in.method == "cli":
        return identity.AzureCliCredential(tenant_id=sign_in.tenant or "", process_timeout=sign_in.cli_timeout)
    if sign_in.method == "msi":
        return identity.ManagedIdentityCredential(client_id=sign_in.client_id)  # which has better rules for retries
    common = {
        "tenant_id": sign_in.tenant,
        "client_id": sign_in.client_id,
        "authority": sign_in.authority or cloud.authority,
        "disable_instance_discovery": sign_in.disable_instance_discovery,
        **transport,
    }
    if sign_in.method == "workload_identity":
        files.read(WORKLOAD_IDENTITY_TOKEN_FILE, sign_in.token_file)  # the SDK's error does not name it
        return identity.WorkloadIdentityCredential(token_file_path=sign_in.token_file, **common)
    if sign_in.secret:
        return identity.ClientSecretCredential(client_secret=sign_in.secret, **common)
    try:
        return identity.CertificateCredential(certificate_data=sign_in.certificate, **common)
    except ValueError as error:
        raise AzureMLError(f"x509_certificate_path: {sign_in.certificate_path} cannot be used: {error}") from error


def failure(sign_in: SignIn, cloud: Cloud, error: Exception) -> AzureMLError:
    """Return the error of a credential that could not get a token."""
    who, hint = METHODS[sign_in.method]
    where = "" if sign_in.method in ("cli", "msi") else f" at {sign_in.authority or cloud.authority}"
    cause = first_line(error)
    if isinstance(error.__cause__, subprocess.TimeoutExpired):
        cause = f"'az' did not respond within {sign_in.cli_timeout} seconds"
        hint = "Raise cli_timeout"
    return AzureMLError(
        f"Could not sign in to Azure{where} with {who}: {cause}",
        code="AuthenticationFailed",
        hint=f"{hint}{', check the network to that address' if where else ''}, or choose another auth_source.",
    )
