# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Secret that holds the certificate of inference endpoints."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall
from ansible_collections.azureml.arc.plugins.module_utils._extension import certificate_files, tls
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes import namespace as _namespace
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.client import KubeSession, open_session
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.resources import describe

# The keys that the extension's setting C(sslSecret) expects in the Secret.
CERTIFICATE_KEY, PRIVATE_KEY_KEY = "cert.pem", "key.pem"
# The keys of a Secret of type kubernetes.io/tls: https://kubernetes.io/docs/concepts/configuration/secret/#tls-secrets
TLS_CERTIFICATE_KEY, TLS_PRIVATE_KEY_KEY = "tls.crt", "tls.key"


def run(call: ModuleCall) -> dict:
    """M(azureml.arc.tls_secret)."""
    params = call.params
    certificate = certificate_files.read(call, params) if params["state"] == "present" else None
    with open_session(call) as session:
        if params["from"] and params["state"] == "present":
            certificate = _copied(call, session, params["from"])
        secret = session.get("Secret", params["name"], params["namespace"])
        before = _data(secret)
        after = dict(zip((CERTIFICATE_KEY, PRIVATE_KEY_KEY), certificate.encoded)) if certificate else {}
        namespace_created = False
        changed = secret is not None
        if certificate:
            changed = {**before, **after} != before
            namespace_created = secret is None and _namespace.ensure(
                session, params["namespace"], create=True, check_mode=call.check_mode, what="Secret"
            )
        if changed and not call.check_mode:
            _apply(session, params, secret, after)
    result = {
        "changed": changed,
        "secret": {"name": params["name"], "namespace": params["namespace"]},
        "namespace_created": namespace_created,
        "certificate": certificate.view() if certificate else None,
    }
    if call.diff:
        result["diff"] = {"before": _digests(before), "after": _digests(after)}
    return result


def _copied(call: ModuleCall, session: KubeSession, source: Mapping) -> tls.ServerCertificate:
    """Return the certificate of another Secret, as cert-manager writes it.

    :raises AzureMLError: if there is none that inference endpoints can be served with.
    """
    where = describe("Secret", source["namespace"], source["name"])
    data = _data(session.get("Secret", source["name"], source["namespace"]))
    missing = [name for name in (TLS_CERTIFICATE_KEY, TLS_PRIVATE_KEY_KEY) if not data.get(name)]
    if missing:
        lacks = f"lacks {' and '.join(missing)}" if data else "does not exist, or is empty"
        raise AzureMLError(
            f"{where} {lacks}",
            code="NoCertificate",
            hint=f"Check that cert-manager has issued it: kubectl get certificate -n {source['namespace']}.",
        )
    call.hide(data[TLS_PRIVATE_KEY_KEY])
    pair = [base64.b64decode(data[name]) for name in (TLS_CERTIFICATE_KEY, TLS_PRIVATE_KEY_KEY)]
    return certificate_files.checked(call, *pair, call.params["cname"], f"{where}: ")


def certificates_in(secret: Mapping | None, where: str, keys: Sequence[str]) -> list:
    """Return the certificates of a Secret, that of the server first.

    :param where: the Secret, for errors.
    :param keys: the keys that may hold them; the first one that the Secret has counts.
    :raises AzureMLError: if there are none.
    """
    content = next(filter(None, map(_data(secret).get, keys)), None)
    if content is None:
        raise AzureMLError(f"{where} has no certificate as {' or '.join(keys)}")
    try:
        return tls.load_pem(base64.b64decode(content))
    except ValueError as error:
        raise AzureMLError(f"{where} does not hold a PEM certificate") from error


def _data(secret: Mapping | None) -> dict[str, str]:
    return dict((secret or {}).get("data") or {})


def _apply(session: KubeSession, params: Mapping, secret: Mapping | None, data: Mapping) -> None:
    name, namespace = params["name"], params["namespace"]
    if not data:
        session.delete("Secret", name, namespace)
    elif secret is None:
        session.create("Secret", {"metadata": {"name": name}, "type": "Opaque", "data": data}, namespace)
    else:
        session.patch("Secret", name, {"data": data}, namespace)


def _digests(data: Mapping[str, str]) -> dict[str, str]:
    """Return the digest of each part, for the diff."""
    return tls.parts_of(data.get(CERTIFICATE_KEY, ""), data.get(PRIVATE_KEY_KEY, ""))
