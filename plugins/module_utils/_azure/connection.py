# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients of the SDK for Azure Resource Manager and other services of Azure, which can be kept between module calls.

By default C(requests) looks up proxies, credentials in F(~/.netrc) and certificate files for each request, and reads
the certificates for each connection. This module looks them up once for all clients of a task, and ignores
F(~/.netrc): its credentials for a host would replace the token.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import ssl
import traceback
from collections.abc import Mapping
from urllib.parse import urlsplit

from ansible_collections.azureml.arc.plugins.module_utils._azure import token_cache
from ansible_collections.azureml.arc.plugins.module_utils._azure.cloud import Cloud
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError, first_line

try:
    import requests
    from azure.core import PipelineClient
    from azure.core.pipeline.policies import BearerTokenCredentialPolicy, RequestIdPolicy, UserAgentPolicy
    from azure.core.pipeline.transport import RequestsTransport
    from azure.mgmt.core.policies import ARMAutoResourceProviderRegistrationPolicy, ARMChallengeAuthenticationPolicy
    from azure.mgmt.kubernetesconfiguration.extensions import KubernetesConfigurationExtensionsMgmtClient
    from requests import PreparedRequest, Session
    from requests.adapters import HTTPAdapter
    from urllib3 import Retry
    from urllib3.util.ssl_ import create_urllib3_context
except ImportError:
    IMPORT_ERROR = traceback.format_exc()
    KubernetesConfigurationExtensionsMgmtClient = ARMChallengeAuthenticationPolicy = HTTPAdapter = Session = object
else:
    IMPORT_ERROR = token_cache.IMPORT_ERROR

# The SDK imports these with the first request, and OpenSSL sets itself up. Here the parent process does it once for all
# its workers.
IMPORTED_LATE = ("azure.core.rest._requests_basic", "netrc")
for name in IMPORTED_LATE:
    with contextlib.suppress(ImportError):
        importlib.import_module(name)

ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

# Without a handler, Python would print the SDK's log of attempts that fail and are repeated.
logging.getLogger("azure").addHandler(logging.NullHandler())

Client = KubernetesConfigurationExtensionsMgmtClient
# In the order of requests: https://requests.readthedocs.io/en/latest/user/advanced/#ssl-cert-verification
CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def tls_context(validate_certificates: bool) -> ssl.SSLContext:
    """Return the TLS context that verifies the service, for any number of connections.

    The environment may name a file or a folder with certificates.

    :raises AzureMLError: if that cannot be read.
    """
    if not validate_certificates:
        return create_urllib3_context(cert_reqs=ssl.CERT_NONE)
    context = create_urllib3_context()
    variable = next((name for name in CA_VARIABLES if os.environ.get(name)), None)
    path = os.environ[variable] if variable else requests.certs.where()
    try:
        context.load_verify_locations(**{"capath" if os.path.isdir(path) else "cafile": path})
    except OSError as error:  # which ssl.SSLError is as well
        raise AzureMLError(
            f"{variable or 'certifi'}: no certificates can be read from {path}: {first_line(error)}",
            hint="Name a file in PEM format with the CA that signed the certificate of Azure or of the proxy.",
        ) from error
    return context


def open_client(
    cloud: Cloud, credential: token_cache.SharedCredential, context: ssl.SSLContext, timeouts: Mapping[str, float]
) -> Client:
    """Return a client that sends requests to the resource manager of a cloud. Nothing is sent yet.

    :param credential: gives the token for each request.
    :param context: see C(tls_context).
    :param timeouts: C(connection_timeout) and C(read_timeout) in seconds.
    """
    return Client(
        credential,
        "",  # no subscription: addresses are given whole
        base_url=cloud.resource_manager,
        transport=_transport(cloud.resource_manager, context, timeouts),
        # Policies that have no effect here are omitted, because they take a third of a request's processor time:
        # redirects, which lead to another host, retries, logs, traces, and reading the body a second time.
        policies=[
            RequestIdPolicy(),
            UserAgentPolicy(user_agent="ansible-azureml.arc"),
            ARMAutoResourceProviderRegistrationPolicy(),
            Authentication(credential, cloud.scope),
        ],
    )


def open_service(
    address: str,
    scope: str,
    credential: token_cache.SharedCredential,
    context: ssl.SSLContext,
    timeouts: Mapping[str, float],
) -> PipelineClient:
    """Return a client that reads from a service other than the resource manager. Nothing is sent yet.

    :param scope: of the token, which is valid for that service only. For the other parameters see C(open_client).
    """
    return PipelineClient(
        address,
        transport=_transport(address, context, timeouts),
        per_retry_policies=[BearerTokenCredentialPolicy(credential, scope)],
        retry_total=1,
    )


def _transport(address: str, context: ssl.SSLContext, timeouts: Mapping[str, float]) -> RequestsTransport:
    session = _Session()
    session.trust_env = False
    session.proxies = requests.utils.get_environ_proxies(address)
    session.mount("https://", _Adapter(context))
    return RequestsTransport(session=session, **timeouts)


class _Session(Session):
    """Sends requests as the SDK has made them.

    To prepare them a second time takes a third of a request's processor time.
    """

    def prepare_request(self, request) -> PreparedRequest:
        """Return a request that can be sent; the adapter escapes its address."""
        prepared = PreparedRequest()
        prepared.method, prepared.url, prepared.body = request.method, request.url, request.data or None
        prepared.headers = self.headers.copy()
        prepared.headers.update(request.headers)
        return prepared


class _Adapter(HTTPAdapter):
    """Connections that all verify their server by the same context.

    As the transport of the SDK sets it up, it never sends a request twice.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._tls = {"ssl_context": context, "cert_reqs": context.verify_mode}
        super().__init__(max_retries=Retry(total=False, redirect=False, raise_on_status=False))

    def init_poolmanager(self, *args, **kwargs) -> None:
        super().init_poolmanager(*args, **{**kwargs, **self._tls})

    def proxy_manager_for(self, proxy, **kwargs):
        return super().proxy_manager_for(proxy, **{**kwargs, **self._tls})

    def cert_verify(self, conn, url, verify, cert) -> None:
        """Do not look for files: the context has read them."""

    def build_connection_pool_key_attributes(self, request, verify, cert=None):
        """Do not look for files either; called from requests 2.32 on."""
        address = urlsplit(request.url)
        return {"scheme": address.scheme, "host": address.hostname, "port": address.port}, {}


class Authentication(ARMChallengeAuthenticationPolicy):
    """Sends the token that this client has kept, unless the service has refused it to another client."""

    def __init__(self, credential: token_cache.SharedCredential, scope: str) -> None:
        super().__init__(credential, scope)
        self._shared = credential
        self._scope = scope

    def on_request(self, request) -> None:
        super().on_request(request)
        if self._shared.has_refused(request.http_request):
            self.authorize_request(request, self._scope)
