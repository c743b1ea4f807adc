# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The control endpoint: tests read the journal here, and change the scenario while it runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from aiohttp import web

from simulator.cluster import SimulatedCluster
from simulator.faults import Faults
from simulator.journal import Journal
from simulator.scenario import PARTS, ClusterPlan, Principal, WorkspacePlan


class Control:
    """Routes below C(/control/), for tests only."""

    def __init__(
        self,
        journal: Journal,
        faults: Faults,
        clusters: list[SimulatedCluster],
        workspaces: list[WorkspacePlan],
        principal: Principal,
    ) -> None:
        self._journal = journal
        self._principal = principal
        self._faults = faults
        self._workspaces = {plan.name: plan for plan in workspaces}
        self._clusters = {cluster.plan.name: cluster for cluster in clusters}

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/control/journal", self._read_journal),
            web.delete("/control/journal", self._clear_journal),
            web.post("/control/faults", self._add_fault),
            web.delete("/control/faults", self._clear_faults),
            web.patch("/control/clusters/{name}", self._change_plan),
            web.patch("/control/workspaces/{name}", self._change_workspace),
            web.put("/control/actions", self._set_actions),
        ]

    async def _read_journal(self, request: web.Request) -> web.Response:
        return web.json_response(self._journal.as_json())

    async def _clear_journal(self, request: web.Request) -> web.Response:
        self._journal.clear()
        return web.Response(status=204)

    async def _add_fault(self, request: web.Request) -> web.Response:
        self._faults.add(await request.json())
        return web.Response(status=204)

    async def _clear_faults(self, request: web.Request) -> web.Response:
        self._faults.clear()
        return web.Response(status=204)

    async def _set_actions(self, request: web.Request) -> web.Response:
        """Set the actions that the principal may perform from now on; C(null) allows everything."""
        self._principal.actions = await request.json()
        return web.Response(status=204)

    async def _change_plan(self, request: web.Request) -> web.Response:
        """Change the plan of a cluster. C(install) and C(jobs) are replaced as a whole."""
        return await _change(request, self._clusters[request.match_info["name"]].plan, PARTS)

    async def _change_workspace(self, request: web.Request) -> web.Response:
        """Change the plan of a workspace."""
        return await _change(request, self._workspaces[request.match_info["name"]], {})


async def _change(request: web.Request, plan: ClusterPlan | WorkspacePlan, parts: Mapping[str, type]) -> web.Response:
    known = {one.name for one in fields(plan)}
    for name, value in (await request.json()).items():
        if name not in known:
            raise web.HTTPBadRequest(text=f"{type(plan).__name__} has no {name}")
        setattr(plan, name, parts[name](**value) if name in parts else value)
    return web.Response(status=204)
