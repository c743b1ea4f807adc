# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of Azure Key Vault that serves certificates, at the address of the resource manager.

Sources: C(GetCertificate) and C(GetSecret) in specification/keyvault of https://github.com/Azure/azure-rest-api-specs,
and for errors https://learn.microsoft.com/azure/key-vault/general/rest-error-codes. The error for a certificate that
does not exist is a guess from that for secrets.
"""

from __future__ import annotations

import base64
import uuid
from typing import Any

from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, load_pem_private_key, pkcs12

from simulator.scenario import Principal
from simulator.sign_in import SignIn

VERSIONS = frozenset({"7.3", "7.4", "7.5", "2025-07-01"})
PEM, PKCS12 = "application/x-pem-file", "application/x-pkcs12"
# The data actions of both requests in a role definition.
ACTIONS = {
    "certificates": "Microsoft.KeyVault/vaults/certificates/read",
    "secrets": "Microsoft.KeyVault/vaults/secrets/getSecret/action",
}


class KeyVault:
    """A key vault. Tests import certificates through the control endpoint."""

    def __init__(self, sign_in: SignIn, principal: Principal) -> None:
        self._sign_in = sign_in
        self._principal = principal
        self._versions: dict[str, dict[str, dict[str, Any]]] = {}

    def routes(self) -> list[web.RouteDef]:
        found = [web.get(f"/{kind}/{{name}}{version}", self._get) for kind in ACTIONS for version in ("", "/{version}")]
        return [*found, web.put("/control/vault/{name}", self._import)]

    async def _import(self, request: web.Request) -> web.Response:
        """Import a version. The body contains C(certificate) and C(private_key) as PEM, and C(content_type)."""
        given = await request.json()
        certificate, key = given["certificate"].encode(), given["private_key"].encode()
        chain = x509.load_pem_x509_certificates(certificate)
        value = given["private_key"] + given["certificate"]
        if given["content_type"] == PKCS12:
            # Clients must not rely on the order of the chain, so it is reversed.
            private_key, others = load_pem_private_key(key, None), chain[:0:-1]
            bundle = pkcs12.serialize_key_and_certificates(None, private_key, chain[0], others, NoEncryption())
            value = base64.b64encode(bundle).decode()
        if not given.get("exportable", True):
            value = given["certificate"]
        version = uuid.uuid4().hex
        self._versions.setdefault(request.match_info["name"].lower(), {})[version] = {
            "cer": base64.b64encode(chain[0].public_bytes(Encoding.DER)).decode(),
            "value": value,
            "contentType": given["content_type"],
        }
        return web.json_response({"version": version})

    async def _get(self, request: web.Request) -> web.Response:
        kind, name = request.path.split("/")[1], request.match_info["name"]
        refusal = self._refusal(request, kind, name)
        if refusal:
            return refusal
        versions = self._versions.get(name.lower(), {})
        version = request.match_info.get("version") or next(reversed(versions), "")
        if version not in versions:
            what = kind.removesuffix("s")
            message = f"A {what} with (name/id) {name} was not found in this key vault."
            return _error(404, f"{what.title()}NotFound", message)
        found, base = versions[version], f"https://{request.host}"
        identity = {"id": f"{base}/{kind}/{name}/{version}", "attributes": {"enabled": True}}
        if kind == "secrets":
            parts = {"value": found["value"], "contentType": found["contentType"]}
            return web.json_response({**identity, **parts, "kid": f"{base}/keys/{name}/{version}", "managed": True})
        return web.json_response({**identity, "sid": f"{base}/secrets/{name}/{version}", "cer": found["cer"]})

    def _refusal(self, request: web.Request, kind: str, name: str) -> web.Response | None:
        token = self._sign_in.token(request.headers.get("Authorization", ""))
        if token is None:
            return _error(401, "Unauthorized", "AKV10000: Request is missing a Bearer or PoP token.")
        if token.audience != f"https://{request.host}":
            return _error(401, "Unauthorized", "AKV10022: Invalid audience.")
        if request.query.get("api-version") not in VERSIONS:
            return _error(400, "BadParameter", "The specified version is not recognized.")
        if not self._principal.may(ACTIONS[kind]):
            message = (
                "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or"
                " role definitions were changed recently, please observe propagation time.\r\nCaller:"
                f" appid={self._principal.client_id}\r\nAction: '{ACTIONS[kind]}'\r\nResource: '{name}'"
            )
            return _error(403, "Forbidden", message, {"code": "ForbiddenByRbac"})
        return None


def _error(status: int, code: str, message: str, inner: dict[str, str] | None = None) -> web.Response:
    body = {"code": code, "message": message, **({"innererror": inner} if inner else {})}
    return web.json_response({"error": body}, status=status)
