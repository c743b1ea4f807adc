# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One signed-in client for all of Azure Resource Manager (ARM).

The extensions client of the official SDK carries every request: its C(send_request) takes any ARM resource through the
same pipeline and sign-in. Its retries are left out, because it repeats a change whose response was lost, which may
apply it twice. Here a change is repeated only if it was not applied, see C(AzureSession.send).
"""

from __future__ import annotations

import contextlib
import ssl
import time
import traceback
import uuid
from collections.abc import Callable, Mapping
from typing import TypeVar

from ansible_collections.azureml.arc.plugins.module_utils._azure import cloud, connection, token_cache
from ansible_collections.azureml.arc.plugins.module_utils._azure import sign_in as _sign_in
from ansible_collections.azureml.arc.plugins.module_utils._azure.consistency import is_not_found
from ansible_collections.azureml.arc.plugins.module_utils._azure.known import KnownResources
from ansible_collections.azureml.arc.plugins.module_utils._azure.response import (
    Response,
    TransientError,
    parse_response,
)
from ansible_collections.azureml.arc.plugins.module_utils._core.addresses import check_proxies
from ansible_collections.azureml.arc.plugins.module_utils._core.connections import Connections
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError, first_line
from ansible_collections.azureml.arc.plugins.module_utils._core.lazy import Lazy
from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Deadline, Intervals

try:
    from azure.core.exceptions import (
        AzureError,
        HttpResponseError,
        IncompleteReadError,
        ServiceRequestError,
        ServiceResponseError,
    )
    from azure.core.rest import HttpRequest
except ImportError:
    IMPORT_ERROR = traceback.format_exc()
else:
    IMPORT_ERROR = connection.IMPORT_ERROR

LIBRARIES = (("azure-identity and azure-mgmt-kubernetesconfiguration-extensions", IMPORT_ERROR),)
TRANSPORT = {"connection_timeout": 20, "read_timeout": 60}  # seconds
SHORTEST_TIMEOUT = 5.0  # seconds that a request may take even after the deadline of the task
T = TypeVar("T")
# Retries of a request after a transient failure, and the seconds between them.
RETRIES = 6
RETRY_PAUSES = {"first": 0.5, "usual": 30.0}
# Seconds that all attempts may take together: the timeout of the task, within these limits.
SHORTEST_RETRIES = 30.0
LONGEST_RETRIES = 600.0


class AzureSession:
    """Send requests to ARM, with one identity, in one cloud. Nothing is sent before the first request.

    All requests have the same correlation id, so that an error has one even without a response.

    :param sign_in: the credentials.
    :param cache: keeps tokens and cloud metadata for the other tasks of the run; see C(NoCache).
    :param deadline: ends the attempts of every request.
    :param known: resources that earlier calls for the same cluster have read or created.
    :param connections: keeps clients and the credential; shared by the calls of a task.
    :param context: verifies the service.
    :ivar correlation_id: the C(x-ms-correlation-request-id) of all requests.
    """

    def __init__(
        self,
        sign_in: _sign_in.SignIn,
        cache,
        deadline: Deadline,
        known: KnownResources,
        connections: Connections,
        context: ssl.SSLContext,
    ) -> None:
        self._sign_in = sign_in
        self.known = known
        self._cache = cache
        self._connections = connections
        self._context = context
        self.deadline = deadline
        self._transport = {"connection_verify": sign_in.validate_certificates, **TRANSPORT}
        self.correlation_id = str(uuid.uuid4())

    @property
    def subscription_id(self) -> str:
        """The subscription of the requests.

        :raises AzureMLError: if none is named.
        """
        if not self._sign_in.subscription_id:
            raise AzureMLError(
                "subscription_id is not set",
                hint="Set it as an option, in AZURE_SUBSCRIPTION_ID, or in the profile.",
            )
        return self._sign_in.subscription_id

    @property
    def subscriptions(self) -> list[str]:
        """The selected subscription, or none: a query then covers all that the identity can read."""
        return [self._sign_in.subscription_id] if self._sign_in.subscription_id else []

    @Lazy
    def cloud(self) -> cloud.Cloud:
        """The addresses of the cloud."""

        def fetch(url: str) -> object:
            return token_cache.read_metadata(url, self._cache, self._transport)

        return cloud.resolve(self._sign_in.cloud_environment, fetch)

    @Lazy
    def _credential(self) -> token_cache.SharedCredential:
        identity = self._sign_in, self.cloud
        return self._connections.shared(
            ("credential", *identity), lambda: token_cache.SharedCredential(*identity, self._cache, self._transport)
        )

    def get(self, resource_id: str, api_version: str, what: str) -> dict | None:
        """Read a resource; C(None) if it does not exist. For the other parameters see C(send)."""
        body = self._get(resource_id, api_version, what)
        self.known.update(resource_id, body)
        return body

    def _get(self, resource_id: str, api_version: str, what: str) -> dict | None:
        try:
            body = self.send("GET", resource_id, api_version, what).body
        except AzureMLError as error:
            if is_not_found(error):
                return None
            raise
        if not isinstance(body.get("properties", {}), dict) or not body:
            raise AzureMLError(
                f"GET {what}: the response is not a resource of Azure Resource Manager",
                code="InvalidResponse",
                correlation_id=self.correlation_id,
            )
        return body

    def shared(self, name: str, read: Callable[[], T], seconds: float) -> T:
        """Return the result of C(read), which is called once for all clusters of a run with the same identity.

        :param name: the name of the value, which must fit into JSON.
        :param seconds: the time for which it counts as unchanged.
        """

        def create() -> dict:
            return {"value": read(), "expires_on": time.time() + seconds}

        return self._cache.get_or_create(f"{self._credential.key} {name}", create, margin=0)["value"]

    def send(
        self,
        method: str,
        resource_id: str,
        api_version: str,
        what: str,
        body=None,
        params=None,
        already_applied: Callable[[AzureMLError], bool] | None = None,
    ) -> Response | None:
        """Send one request; repeat it after transient failures: throttling, an outage, a broken connection.

        :param method: C(GET), C(PUT), C(PATCH), C(POST) or C(DELETE).
        :param resource_id: the ARM id, or a whole address (a status to poll, a next page).
        :param what: the resource as errors name it: C(extension 'x' on connected cluster 'y').
        :param already_applied: takes the failure of an attempt, and returns whether the change was applied although its
            response was lost. Without it, the request can be repeated safely.
        :returns: the response, C(None) if it was lost but C(already_applied).
        :raises AzureMLError: if the request could not be sent, or was refused.
        """
        url = self.cloud.resource_manager + resource_id if resource_id.startswith("/") else resource_id
        if not self.cloud.is_endpoint(url):
            raise AzureMLError(f"{what}: refusing to send the token to {url}: not an endpoint of this cloud")
        if method != "GET":
            self.known.forget(resource_id)
        query = dict(params or {})
        if api_version:
            query["api-version"] = api_version
        headers = {"x-ms-correlation-request-id": self.correlation_id}
        request = HttpRequest(method, url, params=query, json=body, headers=headers)
        pauses = Intervals(**RETRY_PAUSES)
        attempts_left, renewed = RETRIES, False
        while True:
            try:
                return self._send_once(f"{method} {what}", request)
            except AzureMLError as error:
                if error.status == 401 and not renewed:
                    renewed = True  # the token was revoked early: get a new one at once
                    continue
                if not isinstance(error, TransientError) or not attempts_left:
                    raise
                pause, failure = self._pause(error, pauses.next()), error
            attempts_left -= 1
            self.deadline.sleep(pause)
            if already_applied and already_applied(failure):
                return None

    def _pause(self, error: TransientError, usual: float) -> float:
        """Return the seconds to wait after a transient failure; raise it if the deadline comes first."""
        requested = error.retry_after or 0.0
        if requested > self.deadline.remaining:
            error.hint = (
                f"The service asks to wait {requested:.0f} seconds, longer than the timeout of the task."
                " Run again after that."
            )
        if requested > self.deadline.remaining or self.deadline.passed:
            raise error
        return max(requested, usual)

    def _send_once(self, action: str, request: HttpRequest) -> Response:
        manager = self.cloud.resource_manager
        longest = max(self.deadline.remaining, SHORTEST_TIMEOUT)
        timeouts = {name: min(seconds, longest) for name, seconds in TRANSPORT.items()}
        try:
            with self._lend_client() as client:
                response = client.send_request(request, **timeouts)
        except (ServiceRequestError, ServiceResponseError, IncompleteReadError) as error:
            raise TransientError(
                f"{action}: no response from {manager}: {first_line(error)}",
                code="NoResponse",
                correlation_id=self.correlation_id,
                hint="Check the network and the proxy between this machine and Azure, then run again.",
            ) from error
        except HttpResponseError as error:  # the body does not match its content type
            response = error.response
        except AzureError as error:
            raise AzureMLError(f"{action}: {first_line(error)}", correlation_id=self.correlation_id) from error
        if response.status_code == 401:
            self._credential.refuse(response.request)
        return parse_response(action, response, self.correlation_id)

    def _lend_client(self) -> contextlib.AbstractContextManager[connection.Client]:
        resolved, credential = self.cloud, self._credential
        return self._connections.lend(
            ("azure", self._sign_in, resolved),
            lambda: connection.open_client(resolved, credential, self._context, TRANSPORT),
        )

    def lend_service(self, address: str, audience: str) -> contextlib.AbstractContextManager[connection.PipelineClient]:
        """Lend a client of a service other than the resource manager, with a token that is valid only for that service.

        :param address: of the service; the caller has checked that it belongs to the cloud.
        :param audience: of the token.
        """
        scope, credential = f"{audience}/.default", self._credential
        return self._connections.lend(
            ("service", address, scope, self._sign_in, self.cloud),
            lambda: connection.open_service(address, scope, credential, self._context, TRANSPORT),
        )


def open_session(call) -> AzureSession:
    """Return the session for a module call, from its sign-in options and the environment.

    :param call: the C(ModuleCall); the client secret is hidden in its result. Its C(wait_timeout) bounds the
        attempts of a request, too.
    :raises AzureMLError: if there are no credentials, or no certificates to verify the service with, or the proxy of
        the environment is invalid.
    """
    check_proxies(call.environ)
    sign_in = _sign_in.resolve(call.params, call.environ, read_file=call.read_file)
    call.hide(sign_in.secret)
    if not sign_in.validate_certificates:
        call.warn("cert_validation_mode is 'ignore': the connection to Azure can be read and changed in transit")
    validated = sign_in.validate_certificates
    context = call.connections.shared(("tls", validated), lambda: connection.tls_context(validated))
    deadline = call.deadline(_longest_retries(call.params))
    return AzureSession(sign_in, call.cache, deadline, KnownResources(call.known), call.connections, context)


def _longest_retries(params: Mapping) -> float:
    """Return the seconds that the attempts of a task's requests may take."""
    wait_timeout = params.get("wait_timeout")
    if wait_timeout is None:
        return LONGEST_RETRIES
    if not params.get("wait", True):
        wait_timeout = min(wait_timeout, LONGEST_RETRIES)
    return max(SHORTEST_RETRIES, wait_timeout)
