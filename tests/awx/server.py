# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The stand-in as a server."""

from __future__ import annotations

import base64
import secrets
from pathlib import Path

from aiohttp import web

from awx import surveys
from awx.resources import RESOURCES, UNIFIED
from awx.rules import InvalidError
from awx.store import ROOT, Store

USER = "admin"
PAGE_SIZE = 25
PAGING = {"page", "page_size", "order_by"}


class Server:
    """AWX's API.

    :param directory: the base of projects.
    :ivar writes: the requests that have changed something, or tried to.
    """

    def __init__(self, directory: Path, password: str) -> None:
        self.store = Store(directory)
        self.writes: list[str] = []
        self._password = password
        self._tokens: dict[int, str] = {}

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._guard])
        app.add_routes(
            [
                web.get(f"{ROOT}/config/", self._config),
                web.post(f"{ROOT}/tokens/", self._create_token),
                web.delete(f"{ROOT}/tokens/{{id:\\d+}}/", self._delete_token),
                web.get(f"{ROOT}/unified_job_templates/", self._list_unified),
                web.post(f"{ROOT}/workflow_job_template_nodes/{{id:\\d+}}/create_approval_template/", self._approval),
                web.post(f"{ROOT}/job_templates/{{id:\\d+}}/launch/", self._launch),
                web.route("*", f"{ROOT}/{{endpoint}}/{{id:\\d+}}/survey_spec/", self._survey),
                web.get(f"{ROOT}/{{endpoint}}/", self._list),
                web.post(f"{ROOT}/{{endpoint}}/", self._create),
                web.route("*", f"{ROOT}/{{endpoint}}/{{id:\\d+}}/", self._detail),
                web.route("*", f"{ROOT}/{{endpoint}}/{{id:\\d+}}/{{association}}/", self._associations),
            ]
        )
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler) -> web.StreamResponse:
        kind, *rest = request.headers.get("Authorization", "").split(" ", 1)
        value = "".join(rest)
        basic = base64.b64encode(f"{USER}:{self._password}".encode()).decode()
        if (kind, value) != ("Basic", basic) and not (kind == "Bearer" and value in self._tokens.values()):
            answer = web.json_response({"detail": "Authentication credentials were not provided."}, status=401)
        else:
            if request.method != "GET" and "/tokens/" not in request.path:
                self.writes.append(f"{request.method} {request.path}")
            try:
                answer = await handler(request)
            except InvalidError as error:
                answer = web.json_response(error.answer, status=400)
            except KeyError:
                answer = web.json_response({"detail": "Not found."}, status=404)
        answer.headers.update({"X-API-Product-Name": "AWX", "X-API-Product-Version": "24.6.1"})
        return answer

    async def _config(self, request: web.Request) -> web.Response:
        return web.json_response({"version": "24.6.1"})

    async def _create_token(self, request: web.Request) -> web.Response:
        number = len(self._tokens) + 1
        self._tokens[number] = secrets.token_urlsafe(24)
        return web.json_response({"id": number, "token": self._tokens[number]}, status=201)

    async def _delete_token(self, request: web.Request) -> web.Response:
        del self._tokens[int(request.match_info["id"])]
        return web.Response(status=204)

    async def _list(self, request: web.Request) -> web.Response:
        endpoint = request.match_info["endpoint"]
        return self._page(request, [(endpoint, item) for item in self.store.items[endpoint].values()])

    async def _list_unified(self, request: web.Request) -> web.Response:
        return self._page(request, [(kind, item) for kind in UNIFIED for item in self.store.items[kind].values()])

    def _page(self, request: web.Request, found: list[tuple[str, dict]]) -> web.Response:
        """A page of a list, filtered by query parameters; those that start with C(or__) count if one is true."""
        shown = [self.store.shown(endpoint, item) for endpoint, item in found]
        needed = {name: value for name, value in request.query.items() if name not in PAGING}
        if ids := needed.pop("id__in", ""):
            shown = [one for one in shown if str(one["id"]) in ids.split(",")]
        either = {name[4:]: needed.pop(name) for name in list(needed) if name.startswith("or__")}
        fields = {"id", "type", *(name for endpoint in RESOURCES for name in RESOURCES[endpoint].fields)}
        if unknown := {*needed, *either} - fields:
            raise InvalidError({"detail": f"there is no field named {', '.join(unknown)}"})
        rows = [
            one
            for one in shown
            if all(str(one.get(name)) == value for name, value in needed.items())
            and (not either or any(str(one.get(name)) == value for name, value in either.items()))
        ]
        number, size = int(request.query.get("page", 1)), int(request.query.get("page_size", PAGE_SIZE))
        following = request.rel_url.update_query(page=number + 1) if number * size < len(rows) else None
        page = {"count": len(rows), "next": following and str(following), "previous": None}
        return web.json_response({**page, "results": rows[(number - 1) * size : number * size]})

    async def _create(self, request: web.Request) -> web.Response:
        endpoint = request.match_info["endpoint"]
        item = self.store.create(endpoint, await request.json())
        return web.json_response(self.store.shown(endpoint, item), status=201)

    async def _detail(self, request: web.Request) -> web.Response:
        endpoint, number = request.match_info["endpoint"], int(request.match_info["id"])
        item = self.store.items[endpoint][number]
        if item.get("managed") and request.method != "GET":
            return web.json_response({"detail": "Modifications not allowed"}, status=403)
        if request.method == "DELETE":
            self.store.delete(endpoint, number)
            return web.Response(status=202 if RESOURCES[endpoint].asynchronous else 204)
        if request.method == "PATCH":
            self.store.change(endpoint, item, await request.json())
        return web.json_response(self.store.shown(endpoint, item))

    async def _survey(self, request: web.Request) -> web.Response:
        number = self.store.items[request.match_info["endpoint"]][int(request.match_info["id"])]["id"]
        if request.method == "POST":
            survey = await request.json()
            if problem := surveys.problem(survey):
                raise InvalidError({"error": problem})
            self.store.surveys[number] = survey
            return web.json_response(None)
        if request.method == "DELETE":
            self.store.surveys.pop(number, None)
        return web.json_response(surveys.shown(self.store.surveys.get(number, {})))

    async def _associations(self, request: web.Request) -> web.Response:
        endpoint, number, name = (request.match_info[key] for key in ("endpoint", "id", "association"))
        item, kind = self.store.items[endpoint][int(number)], RESOURCES[endpoint].associations[name]
        if request.method == "POST":
            given = await request.json()
            self.store.associate(endpoint, item, name, int(given["id"]), bool(given.get("disassociate")))
            return web.Response(status=204)
        ids = self.store.associated.get((endpoint, item["id"], name), [])
        return self._page(request, [(kind, self.store.items[kind][one]) for one in ids])

    async def _approval(self, request: web.Request) -> web.Response:
        node = self.store.items["workflow_job_template_nodes"][int(request.match_info["id"])]
        approval = self.store.create_approval(node, await request.json())
        return web.json_response(self.store.shown("workflow_approval_templates", approval), status=201)

    async def _launch(self, request: web.Request) -> web.Response:
        """Nothing runs, whoever wants that takes the job to C(awx.jobs.Job); clients see that it has succeeded."""
        template = self.store.items["job_templates"][int(request.match_info["id"])]
        (job, *_others), ignored = self.store.launch(template, await request.json())
        job.update(status="successful", finished="2024-01-01T00:00:00Z")
        answer = {**self.store.shown("jobs", job), "job": job["id"], "ignored_fields": ignored}
        return web.json_response(answer, status=201)
