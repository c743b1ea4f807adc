# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client of one cluster's Kubernetes API.

Objects are plain dictionaries: making the client's models of them costs more than everything else.
"""

from __future__ import annotations

import contextlib
import json
import traceback
from collections.abc import Callable, Iterator

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
# How often to start again where somebody else has changed an object between our read and write.
ATTEMPTS = 5
REQUEST_TIMEOUT = (10, 60)  # seconds to connect, and between two parts of an answer
# What RBAC calls a request, and its HTTP method.
METHODS = {"get": "get", "list": "get", "create": "post", "patch": "patch", "delete": "delete"}
SERVICE_PROXY = "services/proxy"


class KubeSession:
    """Requests to one cluster.

    :param configuration: the client's configuration.
    :param files: closed with the session.
    :param user: whom to act as, by impersonation.
    """

    def __init__(self, configuration, files: CredentialFiles, user: str | None = None) -> None:
        self.host = configuration.host
        self._files = files
        self._client = ApiClient(configuration)
        if user:
            self._client.set_default_header("Impersonate-User", user)
        # Without a discoverer: paths are known.
        self._api = DynamicClient(self._client, discoverer=lambda client, cache_file: None)

    def __enter__(self) -> KubeSession:
        return self

    def __exit__(self, *exc_info) -> None:
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

        :param namespace: the namespace to look in; without one, all of the cluster.
        :param keep: takes an object, returns what of it is wanted; the rest is forgotten page by page.
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
                # The server has forgotten the version that the pages are of: all in one, as kubectl does then.
                page = self._send("list", kind, namespace, **selectors)
                objects.clear()
            objects.extend(keep(body) for body in page["items"])
            metadata = page.get("metadata") or {}
            token = metadata.get("continue")
            if not token:
                return objects, metadata.get("resourceVersion") or "0"

    def create(self, kind: str, body: dict, namespace: str = "") -> dict:
        """Create an object.

        :raises AzureMLError: with code C(AlreadyExists) where one of this name exists that is not as it is to be; one
            that is was made by a request whose answer was lost.
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

        With C(metadata.resourceVersion) in it, a change by others since then is an error with code C(Conflict).
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
        """Change an object by what it is; a change that somebody else makes between our read and write is kept.

        :param decide: takes the object, returns the merge patch to send, C(None) for none. Called again where somebody
            else was faster.
        :param body: the object, where it was read already.
        :returns: the object before our change and the patch, C(None) if the object does not exist.
        """
        sent = None
        for attempt in range(1, ATTEMPTS + 1):
            found = body if body and attempt == 1 else self.get(kind, name)
            if found is None:
                return None
            patch = decide(found)
            if not patch and sent:
                return sent  # the first answer was lost, so the repeat conflicted with our own change
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
        """Remove an object; that it is gone already is no error."""
        try:
            self._send("delete", kind, namespace, name)
        except AzureMLError as error:
            if error.status != 404:
                raise

    def watch(self, kind: str, namespace: str, resource_version: str, seconds: int) -> Iterator[dict]:
        """Changes of objects as they happen, until C(seconds) have passed or the server ends the watch.

        A watch that breaks, or that the server cannot serve any more, ends as if time had passed: the caller reads anew
        in either case.

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

    def ask_service(self, name: str, namespace: str) -> str:
        """What a Service answers to the API server, which passes it on, good or bad, as text.

        :param name: with scheme and port, C(https:web:443).
        :raises AzureMLError: where the account may not ask.
        """
        path = f"{RESOURCES['Service'].path(namespace, name)}/proxy/"
        sent = Request(self.host, "get", "Service", namespace, name, SERVICE_PROXY)
        try:
            return self._answer("get", path, {}).decode(errors="replace")
        except ApiException as error:
            text = error.body.decode(errors="replace") if isinstance(error.body, bytes) else str(error.body or "")
            if error.status == 403 and SERVICE_PROXY in text:  # of the API server, not of the Service
                raise sent.refused(error) from error
            return text
        except urllib3_errors.HTTPError as error:
            raise sent.unanswered(error) from error

    def _send(self, verb: str, kind: str, namespace: str, name: str = "", **request) -> dict:
        """Send a request.

        :param verb: what RBAC calls it.
        """
        path = RESOURCES[kind].path(namespace, "" if verb == "create" else name)
        sent = Request(self.host, verb, kind, namespace, name)
        try:
            return _parsed(verb, self._answer(METHODS[verb], path, request))
        except ApiException as error:
            raise sent.refused(error) from error
        except urllib3_errors.HTTPError as error:
            raise sent.unanswered(error) from error
        except (ValueError, RecursionError) as error:
            raise sent.misunderstood() from error

    def _answer(self, method: str, path: str, request: dict) -> bytes:
        """Return the whole of a response. The client retries by itself, but not if a response, good or bad, breaks off.

        It may be lost after the request was carried out: any is repeated, see C(config.RETRIES).
        """

        def answer() -> bytes:
            return self._api.request(method, path, serialize=False, _request_timeout=REQUEST_TIMEOUT, **request).data

        for _attempt in range(ATTEMPTS - 1):
            with contextlib.suppress(urllib3_errors.ProtocolError, urllib3_errors.ReadTimeoutError):
                return answer()
        return answer()


def open_session(call) -> KubeSession:
    """Return the session for a module call, from its connection options and the environment.

    :param call: the C(ModuleCall); credentials from a kubeconfig are kept out of its result.
    :raises AzureMLError: if the options do not lead to a cluster. Nothing is sent.
    """
    found = config.connection(call.params, call.environ)
    files = CredentialFiles(call.tmpdir)
    try:
        configuration = config.configuration(found, call, files)
        session = KubeSession(configuration, files, found.values.get("impersonate_user"))
    except BaseException:
        files.close()
        raise
    if not configuration.verify_ssl:
        call.warn(f"validate_certs is off: the connection to {session.host} can be read and changed in transit")
    return session


def _parsed(verb: str, answer: bytes) -> dict:
    """Return the object in an answer.

    :raises ValueError: if there is none, as in the answer of a proxy.
    """
    body = json.loads(answer)
    if not isinstance(body, dict) or (verb == "list" and not isinstance(body.get("items"), list)):
        raise ValueError(f"not an object for {verb}")
    return body
