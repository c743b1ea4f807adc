# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Parse addresses of certificates in Azure Key Vault. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError

# Names: https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#object-identifiers
PATH = re.compile(r"/certificates/(?P<name>[0-9A-Za-z-]{1,127})(?:/(?P<version>[0-9A-Za-z]{1,64}))?/?")


@dataclass(frozen=True)
class CertificateAddress:
    """A certificate in a key vault.

    :param vault: the address of the vault, without a trailing slash.
    :param version: empty for the newest.
    """

    vault: str
    name: str
    version: str = ""

    def __str__(self) -> str:
        return f"certificate '{self.name}' in key vault '{urlsplit(self.vault).netloc}'"


def parse(option: str, address: str) -> CertificateAddress:
    """Parse the address of a certificate.

    :param option: the name of the option, for the error.
    :raises AzureMLError: if the address is invalid.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        parts = urlsplit("")
    found = PATH.fullmatch(parts.path)
    if parts.scheme != "https" or not parts.netloc or not found or parts.query or parts.fragment:
        raise AzureMLError(
            f"{option} must be the address of a certificate like https://v.vault.azure.net/certificates/edge,"
            f" not '{address}'"
        )
    return CertificateAddress(f"https://{parts.netloc}", found["name"], found["version"] or "")
