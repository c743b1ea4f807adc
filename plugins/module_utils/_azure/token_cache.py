# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Share the token and a private cloud's metadata between the tasks of a run."""

from __future__ import annotations

import hashlib
import time
import traceback

from ansible_collections.azureml.arc.plugins.module_utils._azure import cloud as _cloud
from ansible_collections.azureml.arc.plugins.module_utils._azure import sign_in as _sign_in
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError, first_line

try:
    from azure.core import PipelineClient
    from azure.core.credentials import AccessToken
    from azure.core.exceptions import AzureError
    from azure.core.rest import HttpRequest
except ImportError:
    IMPORT_ERROR = traceback.format_exc()
else:
    IMPORT_ERROR = _sign_in.IMPORT_ERROR

TOKEN_MARGIN = 300  # seconds before its expiry from which a shared token is not used any more
METADATA_LIFETIME = 3600  # seconds


def read_metadata(url: str, cache, transport: dict) -> object:
    """Return the metadata document of a cloud, which is read once per run.

    :param url: its address.
    :param cache: see C(NoCache).
    :param transport: options of the SDK's transport.
    :raises AzureMLError: if it cannot be read.
    """

    def read() -> dict:
        try:
            with PipelineClient(url, **transport, **_sign_in.RETRIES) as client:
                response = client.send_request(HttpRequest("GET", url))
                response.raise_for_status()
                return {"expires_on": time.time() + METADATA_LIFETIME, "document": response.json()}
        except (AzureError, ValueError) as error:
            raise AzureMLError(f"cloud_environment: could not read {url}: {first_line(error)}") from error

    return cache.get_or_create(f"metadata {url}", read, margin=0)["document"]


def _token_key(sign_in: _sign_in.SignIn, cloud: _cloud.Cloud) -> str:
    """Return a name for the identity in the cache that does not reveal its secret."""
    who = sign_in.tenant, sign_in.client_id, sign_in.secret, sign_in.certificate, sign_in.token_file
    identity = repr((sign_in.method, *who, sign_in.authority, cloud))
    return f"token {hashlib.sha256(identity.encode()).hexdigest()}"


class SharedCredential:
    """A credential that requests a token only if no task of this run has a fresh one; for any number of threads.

    The SDK's credential is created only then, because that costs as much as a request.
    """

    def __init__(self, sign_in: _sign_in.SignIn, cloud: _cloud.Cloud, cache, transport: dict) -> None:
        self._sign_in = sign_in
        self._cloud = cloud
        self._cache = cache
        self._transport = transport
        self.key = _token_key(sign_in, cloud)
        self._refused: set[str] = set()

    def refuse(self, request: HttpRequest) -> None:
        """Discard the token of a request, which the service has refused."""
        self._refused.add(_token_of(request))

    def has_refused(self, request: HttpRequest) -> bool:
        """Return whether a request carries a token that the service has refused."""
        return _token_of(request) in self._refused

    def get_token(self, *scopes: str, **kwargs) -> AccessToken:
        """Return a token for these scopes; the SDK calls this.

        :raises AzureMLError: if the sign-in fails.
        """

        def new_token() -> AccessToken:
            try:
                return _sign_in.credential(self._sign_in, self._cloud, self._transport).get_token(*scopes, **kwargs)
            except AzureError as error:
                raise _sign_in.failure(self._sign_in, self._cloud, error) from error

        if kwargs.get("claims"):  # the service refuses the token and requests another one
            return new_token()

        def create() -> dict:
            token = new_token()
            return {"token": token.token, "expires_on": token.expires_on}

        def is_good(entry: dict) -> bool:
            return entry["token"] not in self._refused

        key = f"{self.key} {' '.join(scopes)}"
        found = self._cache.get_or_create(key, create, margin=TOKEN_MARGIN, is_good=is_good)
        return AccessToken(found["token"], found["expires_on"])


def _token_of(request: HttpRequest) -> str:
    return request.headers["Authorization"].partition(" ")[2]
