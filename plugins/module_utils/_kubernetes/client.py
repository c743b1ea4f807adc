# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client of one cluster's Kubernetes API.

Objects are plain dictionaries: creating the client's models costs more than everything else.
"""

from __future__ import annotations

import contextlib
import json
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes import config
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.credential_files import CredentialFiles
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.errors import Request
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.resources import RESOURCES, is_part

try:
    from kubernetes.client import ApiClient, ApiException
    from kubernetes.dynamic import DynamicClient
    from kubernetes.watch import Watch
    from urllib3 import exceptions as urllib3_errors
except ImportError:
    IMPORT_ERROR = traceback.format_exc()
else:
    IMPORT_ERROR = config.IMPORT_ERROR

LIBRARIES = (("kubernetes", IMPORT_ERROR),)
PAGE_SIZE = 500
# How often to start over if another client changed an object between our read and write.
ATTEMPTS = 5
REQUEST_TIMEOUT = (10, 60)  # seconds to connect, and between two parts of a response
# The RBAC verb of a request, and its HTTP method.
METHODS = {"get": "get", "list": "get", "create": "post", "patch": "patch", "delete": "delete"}
SERVICE_PROXY = "services/proxy"


class KubeSession:
    """Send requests to one cluster.

    :param configuration: the client's configuration.
    :param files: closed with the session.
    :param user: the user to impersonate.
    :param secrets: those that were read for it.
    """

    def __init__(self, configuration, files: CredentialFiles, user: str | None, secrets: set[str]) -> None:
        self.host = configuration.host
        self.verifies_certificates = configuration.verify_ssl
        self.secrets = secrets
        self._files = files
        self._client = ApiClient(configuration)
        if user:
            self._client.set_default_header("Impersonate-User", user)
        # Without a discoverer: paths are known.
        self._api = DynamicClient(self._client, discoverer=lambda client, cache_file: None)

    def close(self) -> None:
        """Close its connections, and remove its files."""
        self._client.rest_client.pool_manager.clear()
        self._files.close()

    def get(self, kind: str, name: str, namespace: str = "") -> dict | None:
        """Return an object, C(None) if it does not exist."""
        try:
            return self._send("get", kind, namespace, name)
        except AzureMLError as error:
            if error.status == 404:
                return None
            raise

    def list(
        self, kind: str, namespace: str = "", keep: Callable[[dict], dict] = lambda body: body, **selectors: str
    ) -> tuple[list[dict], str]:
        """Return all objects of a kind, read in pages.

        :param namespace: the namespace to list; if unset, the whole cluster.
        :param keep: takes an object, and returns the part to keep of it; the rest is discarded page by page.
        :param selectors: C(field_selector) or C(label_selector).
        :returns: the objects, and the resource version to watch from.
        """
        objects, token = [], None
        while True:
            try:
                page = self._send("list", kind, namespace, limit=PAGE_SIZE, _continue=token, **selectors)
            except AzureMLError as error:
                if error.status != 410 or token is None:
                    raise
                # The server has discarded the version of the pages: list everything at once, as kubectl does.
                page = self._send("list", kind, namespace, **selectors)
                objects.clear()
            objects.extend(keep(body) for body in page["items"])
            metadata = page.get("metadata") or {}
            token = metadata.get("continue")
            if not token:
                return objects, metadata.get("resourceVersion") or "0"

    def create(self, kind: str, body: dict, namespace: str = "") -> dict:
        """Create an object.

        :raises AzureMLError: with code C(AlreadyExists) if an object of this name exists that differs; an equal one was
            created by a request whose response was lost.
        """
        name = body["metadata"]["name"]
        try:
            whole = {"apiVersion": RESOURCES[kind].api_version, "kind": kind, **body}
            return self._send("create", kind, namespace, name=name, body=whole)
        except AzureMLError as error:
            found = self.get(kind, name, namespace) if error.code == "AlreadyExists" else None
            if found is None or not is_part(body, found):
                raise
            return found

    def patch(self, kind: str, name: str, body: dict, namespace: str = "") -> dict:
        """Merge C(body) into an object.

        If it contains C(metadata.resourceVersion), a later change of another client is an error with code C(Conflict).
        """
        return self._send("patch", kind, namespace, name, body=body, content_type="application/merge-patch+json")

    def change(
        self,
        kind: str,
        name: str,
        decide: Callable[[dict], dict | None],
        body: dict | None = None,
        check_mode: bool = False,
    ) -> tuple[dict, dict | None] | None:
        """Change an object depending on its state, and keep changes of other clients between our read and write.

        :param decide: takes the object, returns the merge patch to send, C(None) for none. Called again if another
            client was faster.
        :param body: the object, if it was already read.
        :returns: the object before our change and the patch, C(None) if the object does not exist.
        """
        sent = None
        for attempt in range(1, ATTEMPTS + 1):
            found = body if body and attempt == 1 else self.get(kind, name)
            if found is None:
                return None
            patch = decide(found)
            if not patch and sent:
                return sent  # the first response was lost, so the repeated request conflicts with our own change
            if not patch or check_mode:
                return found, patch
            sent = found, patch
            metadata = {**patch.get("metadata", {}), "resourceVersion": found["metadata"]["resourceVersion"]}
            try:
                self.patch(kind, name, {**patch, "metadata": metadata})
            except AzureMLError as error:
                if error.code != "Conflict" or attempt == ATTEMPTS:
                    raise
            else:
                break
        return sent

    def delete(self, kind: str, name: str, namespace: str = "") -> None:
        """Remove an object; a missing object is not an error."""
        try:
            self._send("delete", kind, namespace, name)
        except AzureMLError as error:
            if error.status != 404:
                raise

    def watch(self, kind: str, namespace: str, resource_version: str, seconds: int) -> Iterator[dict]:
        """Yield changes of objects as they happen, until C(seconds) have passed or the server ends the watch.

        A watch that breaks, or that the server cannot continue, ends as if time had passed: the caller reads again in
        any case.

        :raises AzureMLError: if the account may not watch.
        """

        def follow(**kwargs):
            """Follow objects; without a documented type of return the watch yields plain dictionaries."""
            return self._api.request("get", RESOURCES[kind].path(namespace), serialize=False, **kwargs)

        watch = Watch()
        try:
            yield from watch.stream(
                follow,
                resource_version=resource_version,
                timeout_seconds=max(1, seconds),
                _request_timeout=(REQUEST_TIMEOUT[0], seconds + REQUEST_TIMEOUT[1]),
            )
        except ApiException as error:
            if error.status in (401, 403):
                raise Request(self.host, "watch", kind, namespace).refused(error) from error
        except (urllib3_errors.HTTPError, ValueError, KeyError):
            return
        finally:
            watch.stop()

    def get_from_service(self, name: str, namespace: str) -> str:
        """Return the response of a Service, good or bad, as text; the API server passes it on.

        :param name: with scheme and port, C(https:web:443).
        :raises AzureMLError: if the account may not connect to Services through the API server.
        """
        path = f"{RESOURCES['Service'].path(namespace, name)}/proxy/"
        sent = Request(self.host, "get", "Service", namespace, name, SERVICE_PROXY)
        try:
            return self._response("get", path, {}).decode(errors="replace")
        except ApiException as error:
            text = error.body.decode(errors="replace") if isinstance(error.body, bytes) else str(error.body or "")
            if error.status == 403 and SERVICE_PROXY in text:  # of the API server, not of the Service
                raise sent.refused(error) from error
            return text
        except urllib3_errors.HTTPError as error:
            raise sent.unanswered(error) from error

    def _send(self, verb: str, kind: str, namespace: str, name: str = "", **request) -> dict:
        """Send a request.

        :param verb: the RBAC verb.
        """
        path = RESOURCES[kind].path(namespace, "" if verb == "create" else name)
        sent = Request(self.host, verb, kind, namespace, name)
        try:
            return _parsed(verb, self._response(METHODS[verb], path, request))
        except ApiException as error:
            raise sent.refused(error) from error
        except urllib3_errors.HTTPError as error:
            raise sent.unanswered(error) from error
        except (ValueError, RecursionError) as error:
            raise sent.misunderstood() from error

    def _response(self, method: str, path: str, request: dict) -> bytes:
        """Return a complete response. The client itself retries, but not after a response that breaks off.

        A response can be lost after the request was executed. All requests are repeated, see C(config.RETRIES).
        """

        def send() -> bytes:
            return self._api.request(method, path, serialize=False, _request_timeout=REQUEST_TIMEOUT, **request).data

        for _attempt in range(ATTEMPTS - 1):
            with contextlib.suppress(urllib3_errors.ProtocolError, urllib3_errors.ReadTimeoutError):
                return send()
        return send()


@contextlib.contextmanager
def open_session(call) -> Iterator[KubeSession]:
    """Open the session for a module call, by its connection options and the environment.

    :param call: the C(ModuleCall); credentials from a kubeconfig are hidden in its result.
    :raises AzureMLError: if the options do not lead to a cluster. Nothing is sent.
    """
    found = config.connection(call.params, call.environ)
    key = json.dumps([found.values, sorted(found.own), call.params.get("proxy_headers")])
    with call.connections.lend(("kubernetes", key), lambda: _connect(found, call)) as session:
        call.hide(*session.secrets)
        if not session.verifies_certificates:
            call.warn(f"validate_certs is off: the connection to {session.host} can be read and changed in transit")
        yield session


def _connect(found: config.Connection, call) -> KubeSession:
    files, call = CredentialFiles(call.tmpdir), replace(call, secrets=set())
    try:
        configuration = config.configuration(found, call, files)
        return KubeSession(configuration, files, found.values.get("impersonate_user"), call.secrets)
    except BaseException:
        files.close()
        raise


def _parsed(verb: str, response: bytes) -> dict:
    """Return the object in a response.

    :raises ValueError: if there is none, as in the response of a proxy.
    """
    body = json.loads(response)
    if not isinstance(body, dict) or (verb == "list" and not isinstance(body.get("items"), list)):
        raise ValueError(f"not an object for {verb}")
    return body
