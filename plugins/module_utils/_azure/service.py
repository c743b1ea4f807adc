# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read documents from Azure services other than the resource manager."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from ansible_collections.azureml.arc.plugins.module_utils._azure.client import AzureSession
from ansible_collections.azureml.arc.plugins.module_utils._azure.response import parse_response
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError, first_line

try:
    from azure.core.exceptions import AzureError
    from azure.core.rest import HttpRequest
except ImportError:
    pass  # LIBRARIES of the client reports it


def read(session: AzureSession, url: str, audience: str, what: str, params: Mapping[str, str] | None = None) -> dict:
    """Read a document with a token that is valid for its service only.

    :param url: an address that the caller has verified to belong to the cloud.
    :param audience: the audience of the token.
    :param what: the name of the document in errors.
    :raises AzureMLError: if the service does not respond or refuses the request.
    """
    parts = urlsplit(url)
    try:
        with session.lend_service(f"{parts.scheme}://{parts.netloc}", audience) as client:
            response = client.send_request(HttpRequest("GET", url, params=params))
    except AzureError as error:
        raise AzureMLError(
            f"GET {what}: no response from {parts.netloc}: {first_line(error)}",
            code="NoResponse",
            hint=f"Check the network and the proxy between this machine and {parts.netloc}.",
        ) from error
    return parse_response(f"GET {what}", response, session.correlation_id).body
