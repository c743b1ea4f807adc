# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Azure clouds and their endpoints.

A private cloud is found from its metadata, see
https://learn.microsoft.com/azure-stack/user/azure-stack-version-profiles-python (C(cloud_environment) as an address).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError

METADATA_PATH = "/metadata/endpoints?api-version=2022-09-01"


@dataclass(frozen=True)
class Cloud:
    """Addresses of a cloud, without a trailing slash, except for the audience, which is compared literally.

    :param machine_learning: the audience of the services of Azure Machine Learning.
    :param machine_learning_domain: the hosts of these services, a region each, lie in it; empty for a private cloud,
        where only the resource manager itself is trusted.
    :param key_vault_domain: the same for the hosts of key vaults. The audience of key vaults is its address.
    """

    resource_manager: str
    authority: str
    audience: str
    machine_learning: str = ""
    machine_learning_domain: str = ""
    key_vault_domain: str = ""

    @property
    def key_vault(self) -> str:
        """The audience of key vaults."""
        return f"https://{self.key_vault_domain}" if self.key_vault_domain else self.audience

    @property
    def scope(self) -> str:
        """The scope of the token."""
        return f"{self.audience}/.default"

    def is_endpoint(self, url: str) -> bool:
        """Return whether an address belongs to the resource manager: the same scheme, host and effective port.

        ARM writes the port into some addresses, C(https://management.azure.com:443/...) for instance. Source: the
        recordings of Event Grid in https://github.com/Azure/azure-sdk-for-js
        """
        origin = _origin(url)
        return origin is not None and origin == _origin(self.resource_manager)

    def is_machine_learning(self, url: str) -> bool:
        """Return whether an address leads to a regional service of Azure Machine Learning."""
        return self._is_service(url, self.machine_learning_domain)

    def is_key_vault(self, url: str) -> bool:
        """Return whether an address leads to a key vault."""
        return self._is_service(url, self.key_vault_domain)

    def _is_service(self, url: str, domain: str) -> bool:
        if not domain:
            return self.is_endpoint(url)
        scheme, host, port = _origin(url) or ("", None, None)
        return (scheme, port) == ("https", 443) and (host or "").endswith(f".{domain}")


def _origin(url: str) -> tuple[str, str | None, int | None] | None:
    """Return scheme, host and effective port of an address, C(None) if they are not certain."""
    if "\\" in url or "@" in url.partition("?")[0]:
        return None  # libraries parse it differently, so that a token could be sent to another host
    try:
        address = urlsplit(url)
        return address.scheme, address.hostname, address.port or {"https": 443}.get(address.scheme)
    except ValueError:  # of a port that is not a number
        return None


# Source of the audiences and domains of Azure Machine Learning: _azure_environments.py of azure-ai-ml 1.35; of those of
# key vaults: https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates
CLOUDS = {
    "AzureCloud": Cloud(
        "https://management.azure.com",
        "https://login.microsoftonline.com",
        "https://management.azure.com",
        "https://ml.azure.com",
        "api.azureml.ms",
        "vault.azure.net",
    ),
    "AzureUSGovernment": Cloud(
        "https://management.usgovcloudapi.net",
        "https://login.microsoftonline.us",
        "https://management.usgovcloudapi.net",
        "https://ml.azure.us",
        "api.ml.azure.us",
        "vault.usgovcloudapi.net",
    ),
    "AzureChinaCloud": Cloud(
        "https://management.chinacloudapi.cn",
        "https://login.chinacloudapi.cn",
        "https://management.chinacloudapi.cn",
        "https://ml.azure.cn",
        "api.ml.azure.cn",
        "vault.azure.cn",
    ),
}


def resolve(cloud_environment: str, fetch: Callable[[str], object]) -> Cloud:
    """Return the cloud of that name, or behind that address.

    :param cloud_environment: a name in V(CLOUDS), or the https address of a resource manager.
    :param fetch: reads a URL and returns the JSON document; called only for an address.
    :raises AzureMLError: if it is neither.
    """
    if cloud_environment in CLOUDS:
        return CLOUDS[cloud_environment]
    address = urlsplit(cloud_environment)
    if address.scheme != "https" or not address.netloc:
        raise AzureMLError(
            f"cloud_environment must be one of {', '.join(CLOUDS)}, or the https address of a resource manager,"
            f" not '{cloud_environment}'"
        )
    resource_manager = f"https://{address.netloc}"
    return from_metadata(resource_manager, fetch(resource_manager + METADATA_PATH))


def from_metadata(resource_manager: str, document: object) -> Cloud:
    """Return the cloud that a metadata document describes."""
    try:
        if not isinstance(document, Mapping):
            raise TypeError("not an object")
        authentication = document["authentication"]
        return Cloud(
            (document.get("resourceManager") or resource_manager).rstrip("/"),
            authentication["loginEndpoint"].rstrip("/"),
            authentication["audiences"][0].rstrip("/"),
        )
    except (AttributeError, KeyError, IndexError, TypeError) as error:
        raise AzureMLError(
            f"cloud_environment: {resource_manager}{METADATA_PATH} did not return the metadata of a cloud ({error!r})",
            hint="Set it to the address of the resource manager, without a path.",
        ) from error
