# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The part of Microsoft Entra ID that service principals use: OpenID discovery and tokens.

Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from aiohttp import web

from simulator.clock import Clock
from simulator.scenario import Principal

LIFETIME = 3599  # seconds in C(expires_in)


@dataclass
class Token:
    audience: str
    expires_at: float


class SignIn:
    """Issues tokens, and verifies them."""

    def __init__(self, principal: Principal, clock: Clock) -> None:
        self._principal = principal
        self._clock = clock
        self._tokens: dict[str, Token] = {}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/{tenant}/v2.0/.well-known/openid-configuration", self._discover),
            web.post("/{tenant}/oauth2/v2.0/token", self._issue),
        ]

    def token(self, authorization: str) -> Token | None:
        """Return the token of an C(Authorization) header, C(None) if it was not issued here or has expired."""
        token = self._tokens.get(authorization.removeprefix("Bearer "))
        return token if token and token.expires_at > self._clock.now() else None

    async def _discover(self, request: web.Request) -> web.Response:
        tenant = request.match_info["tenant"]
        if tenant != self._principal.tenant:
            return _refusal("invalid_tenant", f"AADSTS90002: Tenant '{tenant}' not found.")
        base = f"https://{request.host}/{tenant}"
        return web.json_response(
            {
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            }
        )

    async def _issue(self, request: web.Request) -> web.Response:
        form = await request.post()
        if request.match_info["tenant"] != self._principal.tenant:
            return _refusal("invalid_request", "AADSTS90002: Tenant not found.")
        if form.get("grant_type") != "client_credentials":
            return _refusal("unsupported_grant_type", "AADSTS70003: The app requested an unsupported grant type.")
        if form.get("client_id") != self._principal.client_id:
            return _refusal("unauthorized_client", "AADSTS700016: Application was not found in the directory.")
        if form.get("client_secret") != self._principal.secret:
            return _refusal("invalid_client", "AADSTS7000215: Invalid client secret provided.", status=401)
        scopes = [one for one in str(form.get("scope", "")).split() if one.endswith("/.default")]
        if not scopes:
            return _refusal("invalid_scope", "AADSTS1002012: The provided value for scope is not valid.")
        value = secrets.token_urlsafe(32)
        end = self._clock.now() + self._principal.token_seconds
        self._tokens[value] = Token(scopes[0].removesuffix("/.default"), end)
        return web.json_response({"token_type": "Bearer", "expires_in": LIFETIME, "access_token": value})


def _refusal(error: str, description: str, status: int = 400) -> web.Response:
    return web.json_response({"error": error, "error_description": description}, status=status)
