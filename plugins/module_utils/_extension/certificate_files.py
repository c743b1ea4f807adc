# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the certificate and key of a module's options, given as paths or as text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall
from ansible_collections.azureml.arc.plugins.module_utils._extension import tls


def read(call: ModuleCall, options: Mapping, prefix: str = "") -> tls.ServerCertificate | None:
    """Return the certificate, checked with its key and its name; C(None) if the options name none.

    :param call: takes the warning if the certificate expires soon.
    :param options: C(certificate), C(private_key), each also with C(_content) for text, and C(cname).
    :param prefix: the prefix of these options' names in errors.
    :raises AzureMLError: naming the option.
    """
    if not any(options.get(name) for name in ("certificate", "certificate_content")):
        return None
    certificate, private_key = (_pem(call, options, name, prefix) for name in ("certificate", "private_key"))
    return checked(call, certificate, private_key, options["cname"], prefix)


def checked(
    call: ModuleCall, certificate: bytes, private_key: bytes, cname: str | None, prefix: str
) -> tls.ServerCertificate:
    """Return the certificate, checked with its key and name; for the parameters see C(read) and C(tls.check)."""
    found = tls.check(certificate, private_key, cname, datetime.now(timezone.utc), prefix)
    if found.warning:
        call.warn(found.warning)
    return found


def _pem(call: ModuleCall, options: Mapping, name: str, prefix: str) -> bytes:
    if options.get(f"{name}_content"):
        return options[f"{name}_content"].encode()
    if not options.get(name):
        raise AzureMLError(f"{prefix}{name} is missing: set both the certificate and its private key")
    return call.read_file(f"{prefix}{name}", options[name])
