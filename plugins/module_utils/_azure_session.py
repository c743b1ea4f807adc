# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One signed-in client for all of Azure Resource Manager (ARM).

The extensions client of the official SDK carries every request: its C(send_request) takes any ARM resource through the
same pipeline of sign-in, retry, throttling and logging.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import os
import ssl
import traceback
from dataclasses import dataclass
from datetime import datetime, timezone
from email.utils import parsedate_to_datetime

from ansible_collections.azureml.arc.plugins.module_utils import _cloud, _shared_sign_in, _sign_in
from ansible_collections.azureml.arc.plugins.module_utils._arm_states import has_failed
from ansible_collections.azureml.arc.plugins.module_utils._errors import AzureMLError, first_line
from ansible_collections.azureml.arc.plugins.module_utils._failures import hint_for
from ansible_collections.azureml.arc.plugins.module_utils._polling import Deadline, intervals, timeout_error

try:
    from azure.core.exceptions import AzureError, ClientAuthenticationError
    from azure.core.rest import HttpRequest
    from azure.mgmt.kubernetesconfiguration.extensions import KubernetesConfigurationExtensionsMgmtClient
except ImportError:
    IMPORT_ERROR = traceback.format_exc()
else:
    IMPORT_ERROR = _shared_sign_in.IMPORT_ERROR

LIBRARIES = (("azure-identity and azure-mgmt-kubernetesconfiguration-extensions", IMPORT_ERROR),)
# Seconds, and how often a request is tried again after a failure that may pass.
TRANSPORT = {
    "connection_timeout": 20,
    "read_timeout": 60,
    "retry_total": 6,
    "retry_backoff_factor": 0.5,
    "retry_backoff_max": 30,
}

# What the SDK imports, and what OpenSSL sets up, with the first request. Done here, the parent process does it once for
# all of its workers.
IMPORTED_LATE = ("azure.core.pipeline.transport._requests_basic", "azure.core.rest._requests_basic", "netrc")
for name in IMPORTED_LATE:
    with contextlib.suppress(ImportError):
        importlib.import_module(name)

ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

# What ARM answers when something is simply not there.
NOT_FOUND_CODES = frozenset({"resourcenotfound", "notfound", "extensionnotfound", "computenotfound"})


@dataclass(frozen=True)
class Response:
    """An answer of ARM: the body (an empty dictionary where there was none), status, and headers without case."""

    status: int
    body: dict
    headers: object


class AzureSession:
    """Requests to ARM, as one identity, in one cloud. Nothing is sent before the first request.

    :param sign_in: who signs in, and how.
    :param cache: keeps tokens and cloud metadata for the other tasks of the run; see C(_runner.NoCache).
    """

    def __init__(self, sign_in: _sign_in.SignIn, cache) -> None:
        self._sign_in = sign_in
        self._cache = cache
        self._transport = {"connection_verify": sign_in.validate_certificates, **TRANSPORT}
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> AzureSession:
        return self

    def __exit__(self, *exc_info) -> None:
        self._stack.close()

    @property
    def subscription_id(self) -> str:
        """The subscription that requests are about.

        :raises AzureMLError: where none is named.
        """
        if not self._sign_in.subscription_id:
            raise AzureMLError(
                "subscription_id is missing",
                hint="Give it as an option, as AZURE_SUBSCRIPTION_ID, or in the profile that signs in.",
            )
        return self._sign_in.subscription_id

    @property
    def subscriptions(self) -> list[str]:
        """The subscription that is named, or none: then what spans subscriptions spans all that may be read."""
        return [self._sign_in.subscription_id] if self._sign_in.subscription_id else []

    @functools.cached_property
    def _resolved_cloud(self) -> _cloud.Cloud:
        def fetch(url: str) -> object:
            return _shared_sign_in.read_metadata(url, self._cache, self._transport)

        return _cloud.resolve(self._sign_in.cloud_environment, fetch)

    @functools.cached_property
    def _client(self) -> KubernetesConfigurationExtensionsMgmtClient:
        client = KubernetesConfigurationExtensionsMgmtClient(
            _shared_sign_in.SharedCredential(self._sign_in, self._resolved_cloud, self._cache),
            self._sign_in.subscription_id or "",  # not used: addresses are given whole
            base_url=self._resolved_cloud.resource_manager,
            credential_scopes=[self._resolved_cloud.scope],
            user_agent="ansible-azureml.arc",
            **self._transport,
        )
        self._stack.callback(client.close)
        return client

    def get(self, resource_id: str, api_version: str, what: str) -> dict | None:
        """Read a resource; C(None) where it does not exist. For the other parameters see C(send)."""
        try:
            return self.send("GET", resource_id, api_version, what).body
        except AzureMLError as error:
            if error.status == 404 and (error.code or "").lower() in NOT_FOUND_CODES:
                return None
            raise

    def send(self, method: str, resource_id: str, api_version: str, what: str, body=None, params=None) -> Response:
        """Send one request.

        :param method: C(GET), C(PUT), C(PATCH), C(POST) or C(DELETE).
        :param resource_id: the ARM id, or a whole https address of this cloud (a status to poll).
        :param what: the resource in a person's words, for errors: C(extension 'x' on connected cluster 'y').
        :raises AzureMLError: where the request could not be sent, or the answer is not a success.
        """
        url = resource_id if resource_id.startswith("https://") else self._resolved_cloud.resource_manager + resource_id
        if not url.lower().startswith(self._resolved_cloud.resource_manager.lower() + "/"):
            raise AzureMLError(f"{what}: the service referred to {url}, outside this cloud; the token stays here")
        query = dict(params or {})
        if api_version:
            query["api-version"] = api_version
        action = f"{method} {what}"
        try:
            response = self._client.send_request(HttpRequest(method, url, params=query, json=body))
        except ClientAuthenticationError as error:
            raise AzureMLError(
                f"Could not sign in to Azure: {first_line(error)}",
                code="AuthenticationFailed",
                hint="Check client_id, secret and tenant (or the auth_source in use).",
            ) from error
        except AzureError as error:
            raise AzureMLError(
                f"{action}: no answer from {self._resolved_cloud.resource_manager}: {first_line(error)}"
            ) from error
        return _checked(action, response)

    def wait_for_operation(self, url: str, deadline: Deadline, what: str) -> None:
        """Poll an asynchronous operation until it has ended well.

        An operation that ARM does not know any more has ended too; the resource tells how.

        :param url: the C(Azure-AsyncOperation) address.
        :raises AzureMLError: with the operation's error where it failed, with code C(Timeout) where time ran out.
        """
        pause = intervals()
        while True:
            try:
                response = self.send("GET", url, "", what)
            except AzureMLError as error:
                if error.status == 404:
                    return
                raise
            status = response.body.get("status") or ""
            if status.lower() == "succeeded":
                return
            if has_failed(status):
                raise operation_error(what, status, response.body.get("error"), response.headers)
            if deadline.passed:
                raise timeout_error(what, deadline, f"its operation is in state {status or 'unknown'}")
            deadline.report(f"{what}: {status or 'unknown'}")
            deadline.sleep(retry_after(response.headers) or next(pause))


def operation_error(what: str, status: str, error: dict | None, headers=None) -> AzureMLError:
    """The error of an operation or resource that ended as Failed or Canceled."""
    error = error or {}
    message = error.get("message") or f"it ended in state {status}, without a message"
    return AzureMLError(
        f"{what} {status.lower()}: {message}",
        code=error.get("code"),
        correlation_id=_correlation_id(headers),
        hint=hint_for(message, error.get("code")),
    )


def retry_after(headers) -> float | None:
    """Seconds that an answer asks to wait (a number, or a date), C(None) where it does not."""
    value = headers.get("Retry-After")
    if not value:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(timezone.utc)).total_seconds())
    except (TypeError, ValueError):
        return None


def _checked(action: str, response) -> Response:
    try:
        body = response.json() if response.content else {}
    except ValueError:
        body = None
    if 200 <= response.status_code < 300 and isinstance(body, dict):
        return Response(response.status_code, body, response.headers)
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict):
        excerpt = response.text()[:200].strip() if response.content else "nothing"
        error = {"message": f"the answer is not one of Azure Resource Manager: {excerpt}"}
    raise AzureMLError(
        f"{action}: HTTP {response.status_code}: {error.get('message') or response.reason}",
        code=error.get("code"),
        correlation_id=_correlation_id(response.headers),
        status=response.status_code,
        hint=hint_for(error.get("message"), error.get("code")),
    )


def _correlation_id(headers) -> str | None:
    return headers.get("x-ms-correlation-request-id") if headers else None


def open_session(call) -> AzureSession:
    """The session for a module call, from its sign-in options and the environment.

    :param call: the C(ModuleCall); the client secret is kept out of its result.
    :raises AzureMLError: where nobody signs in, or no subscription is named.
    """
    sign_in = _sign_in.resolve(call.params, os.environ)
    call.hide(sign_in.secret)
    if not sign_in.validate_certificates:
        call.warn(
            "cert_validation_mode is 'ignore': whoever sits between here and Azure can read and change everything"
        )
    return AzureSession(sign_in, call.cache)
