# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The registration states of resource providers, read only."""

from __future__ import annotations

from collections.abc import Collection

from aiohttp import web

from simulator.arm.protocol import PROVIDERS, ArmRequest, Handler, method_not_allowed


class Registration:
    """The resource providers of all subscriptions.

    :param unregistered: namespaces that are not registered; all others are.
    """

    def __init__(self, unregistered: Collection[str]) -> None:
        self._unregistered = {one.lower() for one in unregistered}

    def types(self) -> dict[str, Handler]:
        return {PROVIDERS: self._handle}

    async def _handle(self, request: ArmRequest) -> web.Response:
        if request.method != "GET":
            raise method_not_allowed(request)
        namespace = request.address.name
        state = "NotRegistered" if namespace.lower() in self._unregistered else "Registered"
        return web.json_response(
            {
                "id": request.address.id,
                "namespace": namespace,
                "registrationState": state,
                "registrationPolicy": "RegistrationRequired",
                "resourceTypes": [],
            }
        )
