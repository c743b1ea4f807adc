# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Kubernetes API of a cluster: authentication, discovery, and reading, watching and changing objects.

Source: https://kubernetes.io/docs/reference/using-api/api-concepts/
"""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import jsonpatch
from aiohttp import web

from simulator.cluster import SimulatedCluster
from simulator.kubernetes import discovery
from simulator.kubernetes.protocol import (
    StatusError,
    UnknownPathError,
    decode_continue,
    deleted,
    encode_continue,
    merge,
)
from simulator.kubernetes.selectors import selector
from simulator.kubernetes.service_proxy import proxy
from simulator.kubernetes.store import SECURITY_CONTEXT_CONSTRAINTS, Change, Resource
from simulator.kubernetes.tables import table, wants_table

DEFAULT_WATCH_SECONDS = 1800.0
Selected = Callable[[Mapping[str, Any]], bool]
SERVICE_PROXY = Resource("", "v1", "services/proxy", "Service")  # its name in role-based access control


class KubernetesApi:
    """The Kubernetes APIs of all clusters, each below C(/kubernetes/<name>)."""

    def __init__(self, clusters: list[SimulatedCluster]) -> None:
        self._clusters = {cluster.plan.name: cluster for cluster in clusters}

    def routes(self) -> list[web.RouteDef]:
        return [web.route("*", "/kubernetes/{cluster}/{path:.*}", self._handle)]

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        response = await self._answer(request)
        if not response.prepared:
            response.headers["Audit-Id"] = str(uuid.uuid4())
        return response

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        try:
            cluster = self._clusters.get(request.match_info["cluster"])
            if cluster is None:
                raise StatusError(404, "the server could not find the requested resource")
            if request.headers.get("Authorization") != f"Bearer {cluster.token}":
                raise StatusError(401, "Unauthorized")
            return await _ClusterRequest(cluster, request).answer()
        except StatusError as error:
            return web.json_response(error.body, status=error.code)
        except UnknownPathError:
            return web.Response(status=404, text="404 page not found\n")


class _ClusterRequest:
    """One request to one cluster."""

    def __init__(self, cluster: SimulatedCluster, request: web.Request) -> None:
        self._cluster = cluster
        self._store = cluster.store
        self._request = request
        self._path = [one for one in request.match_info["path"].split("/") if one]

    async def answer(self) -> web.StreamResponse:
        found = discovery.answer(self._path, self._store.resources())
        if found is not None:
            return web.json_response(found)
        match self._path:
            case ["api", "v1", "namespaces", namespace, "services", name, "proxy"]:
                self._authorize("get", SERVICE_PROXY, namespace)
                return await proxy(self._cluster, name)
        return await self._answer_objects()

    async def _answer_objects(self) -> web.StreamResponse:
        resource, namespace, name = self._object_path()
        method = self._request.method
        if method == "GET" and not name:
            query = self._request.query
            watches = query.get("watch", "").lower() in ("1", "true")
            self._authorize("watch" if watches else "list", resource, namespace)
            selected = selector(query.get("labelSelector", ""), query.get("fieldSelector", ""))
            if watches:
                return await self._watch(resource, namespace, selected)
            found = self._list(resource, namespace, selected)
            return web.json_response(self._in_requested_format(resource, found))
        verb = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}.get(method)
        if verb is None or bool(name) == (verb == "create"):
            raise StatusError(405, "the server does not allow this method on the requested resource")
        self._authorize(verb, resource, namespace)
        if verb not in ("get", "create"):
            self._admit(resource, name)
        if verb == "create":
            return web.json_response(await self._create(resource, namespace), status=201)
        present = self._store.get(resource, namespace, name)
        if present is None:
            raise StatusError(404, f'{_qualified(resource)} "{name}" not found')
        if verb == "delete":
            await self._store.delete(resource, namespace, name)
            return web.json_response(deleted(resource.plural, name, resource.group))
        if verb != "get":
            present = await self._change(verb, resource, present)
        return web.json_response(self._in_requested_format(resource, present))

    def _in_requested_format(self, resource: Resource, body: dict[str, Any]) -> dict[str, Any]:
        """Return an object or a list unchanged, or as a table if the client requests one."""
        if not wants_table(self._request.headers.get("Accept", "")):
            return body
        return table(resource.kind, body.get("items", [body]), body["metadata"], self._cluster.clock.now())

    def _object_path(self) -> tuple[Resource, str, str]:
        match self._path:
            case ["api", version, *rest]:
                group = ""
            case ["apis", group, version, *rest]:
                pass
            case _:
                raise UnknownPathError
        if not any((one.group, one.version) == (group, version) for one in self._store.resources()):
            raise UnknownPathError
        namespace = ""
        if len(rest) > 2 and rest[0] == "namespaces" and rest[2] != "status":
            namespace, rest = rest[1], rest[2:]
        resource = self._store.resource(group, version, rest[0]) if rest else None
        if resource is None or len(rest) > 3 or (len(rest) == 3 and rest[2] != "status"):
            raise StatusError(404, "the server could not find the requested resource")
        return resource, namespace, rest[1] if len(rest) > 1 else ""

    def _authorize(self, verb: str, resource: Resource, namespace: str) -> None:
        if not {resource.plural, f"{verb} {resource.plural}"} & set(self._cluster.plan.forbidden):
            return
        where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
        raise StatusError(
            403,
            f'{_qualified(resource)} is forbidden: User "system:serviceaccount:azureml-arc:deployer" cannot {verb}'
            f' resource "{resource.plural}" in API group "{resource.group}" {where}',
        )

    def _admit(self, resource: Resource, name: str) -> None:
        """Refuse the changes that the webhook of managed OpenShift refuses.

        Source: https://github.com/submariner-io/subctl/issues/117.
        """
        if self._cluster.plan.managed_openshift and resource == SECURITY_CONTEXT_CONSTRAINTS and name == "privileged":
            raise StatusError(
                403,
                'admission webhook "scc-validation.managed.openshift.io" denied the request: Modifying default SCCs'
                f" [{name}] is not allowed",
            )

    def _list(self, resource: Resource, namespace: str, selected: Selected) -> dict[str, Any]:
        found = [body for body in self._store.list(resource, namespace) if selected(body)]
        query = self._request.query
        start = decode_continue(query.get("continue", ""))
        limit = int(query.get("limit") or 0) or len(found)
        metadata: dict[str, Any] = {"resourceVersion": str(self._store.version)}
        if start + limit < len(found):
            metadata["continue"] = encode_continue(start + limit)
            metadata["remainingItemCount"] = len(found) - start - limit
        return {
            "kind": f"{resource.kind}List",
            "apiVersion": resource.api_version,
            "metadata": metadata,
            "items": found[start : start + limit],
        }

    async def _watch(self, resource: Resource, namespace: str, selected: Selected) -> web.StreamResponse:
        query = self._request.query
        seconds = float(query.get("timeoutSeconds") or DEFAULT_WATCH_SECONDS)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        await response.prepare(self._request)
        version = int(query.get("resourceVersion") or 0)
        if version == 0:
            version = self._store.version
            for body in filter(selected, self._store.list(resource, namespace)):
                await _send(response, "ADDED", body)
        end = _now() + seconds
        while True:
            changes = self._store.changes_since(version)
            if changes is None:
                expired = StatusError(410, f"too old resource version: {version}")
                await _send(response, "ERROR", expired.body)
                break
            for change in changes:
                version = change.version
                if _is_in(change, resource, namespace) and selected(change.object):
                    await _send(response, change.type, change.object)
            if _now() >= end or not await self._store.wait_for_change(version, end - _now()):
                break
        await response.write_eof()
        return response

    async def _create(self, resource: Resource, namespace: str) -> dict[str, Any]:
        body = await self._json()
        metadata = body.setdefault("metadata", {})
        if not metadata.get("name"):
            raise StatusError(422, f"{resource.kind} is invalid: metadata.name: Required value: name is required")
        if resource.namespaced:
            if metadata.setdefault("namespace", namespace) != namespace:
                raise StatusError(
                    400, "the namespace of the provided object does not match the namespace sent on the request"
                )
            if self._store.get(self._store.kind("Namespace"), "", namespace) is None:
                raise StatusError(404, f'namespaces "{namespace}" not found')
        if self._store.get(resource, namespace, metadata["name"]) is not None:
            raise StatusError(409, f'{_qualified(resource)} "{metadata["name"]}" already exists', "AlreadyExists")
        return await self._store.put(resource, body)

    async def _change(self, verb: str, resource: Resource, present: dict[str, Any]) -> dict[str, Any]:
        if verb == "update":
            body = await self._json()
        elif self._request.content_type == "application/json-patch+json":
            try:
                body = jsonpatch.apply_patch(present, await self._request.json())
            except (jsonpatch.JsonPatchException, ValueError) as error:
                raise StatusError(
                    422, f"the server rejected our request due to an error in our request: {error}"
                ) from error
        elif self._request.content_type in ("application/merge-patch+json", "application/strategic-merge-patch+json"):
            body = merge(present, await self._json())
        else:
            raise StatusError(415, "the body of the request was in an unknown format")
        metadata = present["metadata"]
        given = body.get("metadata", {}).get("resourceVersion")
        if given and given != metadata["resourceVersion"]:
            raise StatusError(
                409,
                f'Operation cannot be fulfilled on {_qualified(resource)} "{metadata["name"]}": the object has been'
                " modified; please apply your changes to the latest version and try again",
            )
        body["metadata"] = {**body.get("metadata", {}), "name": metadata["name"]}
        if "namespace" in metadata:
            body["metadata"]["namespace"] = metadata["namespace"]
        return await self._store.put(resource, body)

    async def _json(self) -> dict[str, Any]:
        try:
            body = json.loads(await self._request.text())
        except ValueError as error:
            raise StatusError(400, f"the object provided is unrecognized: {error}") from error
        if not isinstance(body, dict):
            raise StatusError(400, "the object provided is unrecognized: it is not an object")
        return body


def _is_in(change: Change, resource: Resource, namespace: str) -> bool:
    in_namespace = not namespace or change.object["metadata"].get("namespace") == namespace
    return change.resource == resource and in_namespace


async def _send(response: web.StreamResponse, kind: str, body: Mapping[str, Any]) -> None:
    await response.write(json.dumps({"type": kind, "object": body}).encode() + b"\n")


def _qualified(resource: Resource) -> str:
    return f"{resource.plural}.{resource.group}" if resource.group else resource.plural


def _now() -> float:
    return asyncio.get_running_loop().time()
