# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The built-in types of credentials and notifications of AWX that the tests use."""

from __future__ import annotations


def _field(name: str, label: str, kind: str = "string", **options: object) -> dict:
    return {"id": name, "label": label, "type": kind, **options}


def _secret(name: str, label: str, **options: object) -> dict:
    return _field(name, label, secret=True, **options)


def _credential_type(name: str, namespace: str, kind: str, fields: list[dict], required: tuple[str, ...] = ()) -> dict:
    inputs = {"fields": fields, "required": list(required)}
    return {"name": name, "namespace": namespace, "kind": kind, "inputs": inputs}


CREDENTIAL_TYPES = (
    _credential_type(
        "Microsoft Azure Resource Manager",
        "azure_rm",
        "cloud",
        [
            _field("subscription", "Subscription ID"),
            _field("username", "Username"),
            _secret("password", "Password"),
            _field("client", "Client ID"),
            _secret("secret", "Client Secret"),
            _field("tenant", "Tenant ID"),
            _field("cloud_environment", "Azure Cloud Environment"),
        ],
        required=("subscription",),
    ),
    _credential_type(
        "OpenShift or Kubernetes API Bearer Token",
        "kubernetes_bearer_token",
        "kubernetes",
        [
            _field("host", "OpenShift or Kubernetes API Endpoint"),
            _secret("bearer_token", "API authentication bearer token"),
            _field("verify_ssl", "Verify SSL", "boolean", default=True),
            _secret("ssl_ca_cert", "CA data", multiline=True),
        ],
        required=("host", "bearer_token"),
    ),
    _credential_type(
        "Vault",
        "vault",
        "vault",
        [_secret("vault_password", "Vault Password"), _field("vault_id", "Vault Identifier")],
        required=("vault_password",),
    ),
    _credential_type("Source Control", "scm", "scm", [_field("username", "Username"), _secret("password", "Password")]),
    _credential_type(
        "Container Registry",
        "registry",
        "registry",
        [
            _field("host", "Authentication URL"),
            _field("username", "Username"),
            _secret("password", "Password or Token"),
        ],
        required=("host",),
    ),
    _credential_type(
        "Ansible Galaxy/Automation Hub API Token",
        "galaxy_api_token",
        "galaxy",
        [_field("url", "Galaxy Server URL"), _secret("token", "API Token")],
        required=("url",),
    ),
)
# The parameters of notifications, with the defaults of AWX.
NOTIFICATION_PARAMETERS: dict[str, dict[str, dict]] = {
    "webhook": {
        "url": {"type": str},
        "http_method": {"type": str, "default": "POST"},
        "disable_ssl_verification": {"type": bool, "default": False},
        "username": {"type": str, "default": ""},
        "password": {"type": str, "default": "", "secret": True},
        "headers": {"type": dict},
    },
    "pagerduty": {
        "subdomain": {"type": str},
        "token": {"type": str, "secret": True},
        "service_key": {"type": str},
        "client_name": {"type": str},
    },
    "mattermost": {"mattermost_url": {"type": str}, "mattermost_no_verify_ssl": {"type": bool}},
    "slack": {
        "token": {"type": str, "secret": True},
        "channels": {"type": list},
    },
    "email": {
        "host": {"type": str},
        "port": {"type": int},
        "username": {"type": str},
        "password": {"type": str, "secret": True},
        "use_tls": {"type": bool},
        "use_ssl": {"type": bool},
        "sender": {"type": str},
        "recipients": {"type": list},
        "timeout": {"type": int, "default": 30},
    },
}
