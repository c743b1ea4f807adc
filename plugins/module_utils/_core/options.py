# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that several modules share, as argument specs. Their documentation is in the doc fragments."""

from __future__ import annotations

AZURE = {
    "auth_source": {
        "type": "str",
        "choices": ["auto", "cli", "credential_file", "env", "msi", "workload_identity"],
    },
    "cli_timeout": {"type": "int"},
    "profile": {"type": "str"},
    "subscription_id": {"type": "str"},
    "client_id": {"type": "str"},
    "secret": {"type": "str", "no_log": True},
    "tenant": {"type": "str"},
    "x509_certificate_path": {"type": "path"},
    "cloud_environment": {"type": "str"},
    "adfs_authority_url": {"type": "str"},
    "cert_validation_mode": {"type": "str", "choices": ["ignore", "validate"]},
    "disable_instance_discovery": {"type": "bool"},
}

# The environment variables of each option; the first one that is set counts.
AZURE_ENVIRONMENT = {
    "auth_source": ("ANSIBLE_AZURE_AUTH_SOURCE",),
    "cli_timeout": ("ANSIBLE_AZURE_CLI_TIMEOUT",),
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

CLUSTER = {
    "resource_group": {"type": "str", "required": True},
    "cluster_name": {"type": "str", "required": True},
    "cluster_type": {
        "type": "str",
        "default": "connected_cluster",
        "choices": ["connected_cluster", "managed_cluster"],
    },
}

# For tasks that do not always need the cluster.
OPTIONAL_CLUSTER = {
    **CLUSTER,
    "resource_group": {"type": "str"},
    "cluster_name": {"type": "str"},
}

KUBERNETES = {
    "kubeconfig": {"type": "raw", "no_log": True},
    "context": {"type": "str"},
    "host": {"type": "str"},
    "api_key": {"type": "str", "no_log": True},
    "username": {"type": "str"},
    "password": {"type": "str", "no_log": True},
    "client_cert": {"type": "path", "aliases": ["cert_file"]},
    "client_key": {"type": "path", "aliases": ["key_file"], "no_log": False},
    "ca_cert": {"type": "path", "aliases": ["ssl_ca_cert"]},
    "validate_certs": {"type": "bool", "aliases": ["verify_ssl"]},
    "proxy": {"type": "str"},
    "no_proxy": {"type": "str"},
    "proxy_headers": {
        "type": "dict",
        "options": {
            "proxy_basic_auth": {"type": "str", "no_log": True},
            "basic_auth": {"type": "str", "no_log": True},
            "user_agent": {"type": "str"},
        },
    },
    "impersonate_user": {"type": "str"},
}
# Options of KUBERNETES that select the cluster.
SELECTORS = ("kubeconfig", "context", "host")

WORKSPACE = {
    "workspace": {
        "type": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "resource_group": {"type": "str", "required": True},
            "subscription_id": {"type": "str"},
        },
    },
}


def is_inline(kubeconfig) -> bool:
    """Return whether option C(kubeconfig) holds the content of a kubeconfig instead of its path."""
    return isinstance(kubeconfig, dict) or (
        isinstance(kubeconfig, str) and (kubeconfig.lstrip().startswith("{") or "\n" in kubeconfig)
    )


def wait(timeout: int) -> dict:
    """Return the options of waiting.

    :param timeout: the default of C(wait_timeout) in seconds.
    """
    return {"wait": {"type": "bool", "default": True}, "wait_timeout": {"type": "int", "default": timeout}}


# A certificate and its key, as files or as text.
CERTIFICATE = {
    "certificate": {"type": "path"},
    "certificate_content": {"type": "str"},
    "private_key": {"type": "path", "no_log": False},
    "private_key_content": {"type": "str", "no_log": True},
}

# A Secret that holds a certificate.
CERTIFICATE_SOURCE = {
    "from": {
        "type": "dict",
        "options": {"namespace": {"type": "str", "required": True}, "name": {"type": "str", "required": True}},
    },
}
