# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP server of the simulator."""

from __future__ import annotations

import base64
import itertools
import secrets
from pathlib import Path

from aiohttp import web

from awx import deletion, launches, projects, surveys
from awx.permissions import User
from awx.resources import RESOURCES, UNIFIED
from awx.rules import InvalidError
from awx.store import ROOT, Store

USER = "admin"
PAGE_SIZE = 25
PAGING = {"page", "page_size", "order_by"}
MEMBERS = (("organizations", "users"), ("organizations", "admins"))
# The field that refers to the owner, for lists of the items of an owner.
OWNED = {"organizations": "organization", "credential_types": "credential_type"}


class Server:
    """AWX's API.

    :param directory: the base folder of projects.
    :ivar writes: all requests except GET.
    """

    def __init__(self, directory: Path, password: str) -> None:
        self.store = Store(directory)
        self.writes: list[str] = []
        self.users = [User(USER, password, superuser=True)]
        self.tokens: dict[int, tuple[str, User]] = {}
        self._numbers = itertools.count(1)

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self._guard])
        app.add_routes(
            [
                web.get(f"{ROOT}/config/", self._config),
                web.post(f"{ROOT}/tokens/", self._create_token),
                web.delete(f"{ROOT}/tokens/{{id:\\d+}}/", self._delete_token),
                web.get(f"{ROOT}/me/", self._me),
                web.get(f"{ROOT}/unified_job_templates/", self._list_unified),
                web.get(f"{ROOT}/projects/{{id:\\d+}}/playbooks/", self._playbooks),
                web.post(f"{ROOT}/projects/{{id:\\d+}}/update/", self._update_project),
                web.get(f"{ROOT}/project_updates/{{id:\\d+}}/events/", self._update_events),
                web.post(f"{ROOT}/workflow_job_templates/{{id:\\d+}}/launch/", self._launch_workflow),
                web.post(f"{ROOT}/workflow_approvals/{{id:\\d+}}/{{decision:approve|deny}}/", self._decide),
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
        user = self._user(request)
        if user is None:
            answer = web.json_response({"detail": "Authentication credentials were not provided."}, status=401)
        else:
            request["user"] = user
            if request.method != "GET" and "/tokens/" not in request.path:
                self.writes.append(f"{request.method} {request.path}")
            try:
                if not user.may(request.method, request.match_info.get("endpoint", "")):
                    message = "You do not have permission to perform this action."
                    raise InvalidError({"detail": message}, 403)
                answer = await handler(request)
            except InvalidError as error:
                answer = web.json_response(error.answer, status=error.status)
            except KeyError:
                answer = web.json_response({"detail": "Not found."}, status=404)
        answer.headers.update({"X-API-Product-Name": "AWX", "X-API-Product-Version": "24.6.1"})
        return answer

    async def _config(self, request: web.Request) -> web.Response:
        return web.json_response({"version": "24.6.1"})

    def _user(self, request: web.Request) -> User | None:
        kind, _separator, value = request.headers.get("Authorization", "").partition(" ")
        if kind == "Bearer":
            return next((user for token, user in self.tokens.values() if token == value), None)
        signed_in = {base64.b64encode(f"{one.name}:{one.password}".encode()).decode(): one for one in self.users}
        return signed_in.get(value) if kind == "Basic" else None

    async def _create_token(self, request: web.Request) -> web.Response:
        number, token = next(self._numbers), secrets.token_urlsafe(24)
        self.tokens[number] = (token, request["user"])
        url = f"{ROOT}/tokens/{number}/"
        return web.json_response({"id": number, "token": token, "type": "o_auth2_access_token", "url": url}, status=201)

    async def _delete_token(self, request: web.Request) -> web.Response:
        del self.tokens[int(request.match_info["id"])]
        return web.Response(status=204)

    async def _me(self, request: web.Request) -> web.Response:
        user = request["user"]
        return _only_page([{"id": 1, "type": "user", "username": user.name, "is_superuser": user.superuser}])

    async def _playbooks(self, request: web.Request) -> web.Response:
        return web.json_response(projects.playbooks(self.store.path(int(request.match_info["id"]))))

    async def _update_project(self, request: web.Request) -> web.Response:
        project = self.store.items["projects"][int(request.match_info["id"])]
        if not project["scm_type"]:
            raise InvalidError({"detail": 'Method "POST" not allowed.'}, 405)
        update = self.store.update_project(project)
        return web.json_response(self.store.shown("project_updates", update), status=202)

    async def _update_events(self, request: web.Request) -> web.Response:
        update = self.store.items["project_updates"][int(request.match_info["id"])]
        failed = [{"event": "runner_on_failed", "event_data": {"res": {"msg": update["error"]}}}]
        return _only_page(failed if update["error"] else [])

    async def _list(self, request: web.Request) -> web.Response:
        endpoint = request.match_info["endpoint"]
        return self._page(request, [(endpoint, item) for item in self.store.items[endpoint].values()])

    async def _list_unified(self, request: web.Request) -> web.Response:
        return self._page(request, [(kind, item) for kind in UNIFIED for item in self.store.items[kind].values()])

    def _page(self, request: web.Request, found: list[tuple[str, dict]]) -> web.Response:
        """Return a page of a list, filtered by query parameters. Of those that begin with C(or__), one must match."""
        user = request["user"]
        shown = [self._shown(user, kind, item) for kind, item in found if user.sees(kind, item)]
        needed = {name: value for name, value in request.query.items() if name not in PAGING}
        if ids := needed.pop("id__in", ""):
            shown = [one for one in shown if str(one["id"]) in ids.split(",")]
        prefix = needed.pop("name__startswith", "")
        either = {name[4:]: needed.pop(name) for name in list(needed) if name.startswith("or__")}
        fields = {"id", "type", *(name for endpoint in RESOURCES for name in RESOURCES[endpoint].fields)}
        if unknown := {*needed, *either} - fields:
            raise InvalidError({"detail": f"there is no field named {', '.join(unknown)}"})
        rows = [
            one
            for one in shown
            if all(str(one.get(name)) == value for name, value in needed.items())
            and (not either or any(str(one.get(name)) == value for name, value in either.items()))
            and str(one.get("name", "")).startswith(prefix)
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
        item, user = self.store.items[endpoint][number], request["user"]
        if not user.sees(endpoint, item):
            raise KeyError(number)
        if item.get("managed") and request.method != "GET":
            return web.json_response({"detail": "Modifications not allowed"}, status=403)
        if request.method == "DELETE":
            return web.Response(status=deletion.request_deletion(self.store, endpoint, number))
        if request.method == "PATCH":
            self.store.change(endpoint, item, await request.json())
        return web.json_response(self._shown(user, endpoint, item))

    def _shown(self, user: User, endpoint: str, item: dict) -> dict:
        answer = self.store.shown(endpoint, item)
        able = {name: user.may(method, endpoint) for name, method in (("edit", "PATCH"), ("delete", "DELETE"))}
        answer["summary_fields"]["user_capabilities"] = able
        return answer

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
        item = self.store.items[endpoint][int(number)]
        if name in RESOURCES and endpoint in OWNED and name not in RESOURCES[endpoint].associations:
            items = self.store.items[name].values()
            return self._page(request, [(name, one) for one in items if one.get(OWNED[endpoint]) == item["id"]])
        if (endpoint, name) in MEMBERS:
            return self._members(item)
        kind = RESOURCES[endpoint].associations[name]
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

    def _members(self, organization: dict) -> web.Response:
        return _only_page([{"username": one.name} for one in self.users if one.organization == organization["id"]])

    async def _launch(self, request: web.Request) -> web.Response:
        """Launch a job template. No job runs, and clients see that it succeeded."""
        template = self.store.items["job_templates"][int(request.match_info["id"])]
        hosts = self.store.hosts.get(template["inventory"], 1)
        jobs, ignored = launches.launch_job(self.store, template, await request.json(), hosts)
        for job in jobs:
            job.update(status="successful", finished="2024-01-01T00:00:00Z")
        if len(jobs) == 1:
            answer = {**self.store.shown("jobs", jobs[0]), "job": jobs[0]["id"]}
        else:
            sliced = {"name": template["name"], "status": "successful", "limit": None, "is_sliced_job": True}
            references = {"job_template": template["id"], "workflow_job_template": None}
            whole = self.store.insert("workflow_jobs", {**sliced, **references})
            answer = {**self.store.shown("workflow_jobs", whole), "workflow_job": whole["id"]}
        return web.json_response({**answer, "ignored_fields": ignored}, status=201)

    async def _launch_workflow(self, request: web.Request) -> web.Response:
        workflow = self.store.items["workflow_job_templates"][int(request.match_info["id"])]
        job = launches.launch_workflow(self.store, workflow, await request.json())
        answer = {**self.store.shown("workflow_jobs", job), "workflow_job": job["id"], "ignored_fields": {}}
        return web.json_response(answer, status=201)

    async def _decide(self, request: web.Request) -> web.Response:
        approval = self.store.items["workflow_approvals"][int(request.match_info["id"])]
        status = "successful" if request.match_info["decision"] == "approve" else "failed"
        launches.decide(self.store, approval, status)
        return web.Response(status=204)


def _only_page(rows: list[dict]) -> web.Response:
    return web.json_response({"count": len(rows), "next": None, "previous": None, "results": rows})
