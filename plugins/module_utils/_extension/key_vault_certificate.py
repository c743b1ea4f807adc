# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The certificate of inference endpoints in Azure Key Vault."""

from __future__ import annotations

from ansible_collections.azureml.arc.plugins.module_utils._azure import key_vault, key_vault_address
from ansible_collections.azureml.arc.plugins.module_utils._azure.client import AzureSession
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall
from ansible_collections.azureml.arc.plugins.module_utils._extension import certificate_files, tls
from ansible_collections.azureml.arc.plugins.module_utils._extension.certificate_bundle import unpack


def read(call: ModuleCall, session: AzureSession, address: str, cname: str) -> tls.ServerCertificate:
    """Return the certificate at an address, checked with its key and for its name.

    :param call: takes the warning if the certificate expires soon; its key is kept out of the result.
    :raises AzureMLError: if it cannot be read, or not be used.
    """
    found = key_vault_address.parse("tls.key_vault", address)
    stored = key_vault.read(session, found)
    call.hide(stored.value)
    certificate, private_key = unpack(stored.value, stored.content_type, str(found))
    call.hide(private_key.decode())
    return certificate_files.checked(call, certificate, private_key, cname, f"{found}: ")
