# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refuse addresses of API servers and proxies that cannot be used, or would reveal credentials. Pure."""

from __future__ import annotations

import importlib
import ipaddress
from urllib.parse import urlsplit

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.azureml.arc.plugins.module_utils._core.addresses import PROXY_FORMAT, parts_of
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError

SAMPLE = "https://api.example.com:6443"
PROXY_SCHEMES = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")


def is_loopback(host: str | None) -> bool:
    """Return whether a host is this machine."""
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return host == "localhost"


def require_tls(host: str) -> None:
    """Refuse to send credentials in clear text, except to this machine, where C(kubectl proxy) may listen."""
    address = parts_of(host, f"host must be an address like {SAMPLE}, not '{host}'")
    if address.scheme != "https" and not (address.scheme == "http" and is_loopback(address.hostname)):
        raise AzureMLError(
            f"host '{host}' is not an https address: the credentials could be read in transit",
            hint="Use the https address of the Kubernetes API.",
        )


def refuse_another_cluster(host: str, server: str) -> None:
    """Refuse options that refer to two clusters; a loopback address in a kubeconfig does not count.

    :param host: as C(require_tls) accepts it.
    :param server: of the kubeconfig.
    """
    error = f"the server of the kubeconfig must be an address like {SAMPLE}, not '{server}'"
    one, other = urlsplit(host), parts_of(server, error)
    if (one.hostname, one.port or 443) != (other.hostname, other.port or 443) and not is_loopback(other.hostname):
        raise AzureMLError(
            f"host '{host}' and the kubeconfig, whose server is '{server}', refer to two clusters",
            hint="Set only one of them: host with its own credentials, or kubeconfig with its context.",
        )


def require_proxy(proxy: str) -> None:
    """Refuse a proxy that the client cannot use. Errors do not contain its address, which may have a password."""
    scheme = parts_of(proxy, f"proxy {PROXY_FORMAT}").scheme
    if scheme not in PROXY_SCHEMES:
        raise AzureMLError(f"proxy must have one of the schemes {', '.join(PROXY_SCHEMES)}, not '{scheme}'")
    if not scheme.startswith("socks"):
        return
    try:
        importlib.import_module("socks")
    except ImportError as error:
        message = missing_required_lib("PySocks", reason="to reach the cluster through a SOCKS proxy")
        raise AzureMLError(message, code="MissingLibrary") from error
