# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the error of a job's run. ARM shows that a job failed but not why; the run history of the region has the error.

Source: C(RunDetails), C(RunHistoryErrorResponse) and C(RootError) in C(_restclient/runhistory) of azure-ai-ml 1.35,
which reads the address of the service from C(discoveryUrl) of the workspace.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from ansible_collections.azureml.arc.plugins.module_utils._azure import service
from ansible_collections.azureml.arc.plugins.module_utils._azure.client import AzureSession
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError

# The signature in a shared access URL of a blob: it grants access to everyone who has the URL.
SIGNATURE = re.compile(r"(?<=[?&]sig=)[^&\s\"']+")


def error_of(session: AzureSession, discovery_url: str, workspace_id: str, job: str) -> str:
    """Return the error of a run as text, inner errors last; empty if it has none.

    :param discovery_url: C(discoveryUrl) of the workspace.
    :param job: the name of the job, which is the id of its run.
    :raises AzureMLError: if the run cannot be read.
    """
    if not session.cloud.is_machine_learning(discovery_url):
        raise AzureMLError(f"refusing to send a token to '{discovery_url}': not a service of this cloud")
    found = urlsplit(discovery_url)
    url = f"{found.scheme}://{found.netloc}/history/v1.0{workspace_id}/runs/{job}/details"
    audience = session.cloud.machine_learning or session.cloud.audience
    details = service.read(session, url, audience, f"run '{job}'")
    return SIGNATURE.sub("***", " ".join(dict.fromkeys(texts_of((details.get("error") or {}).get("error")))))


def texts_of(error: object) -> Iterator[str]:
    """Yield the messages of an error and of its inner errors, which are more specific but may only have a code."""
    if not isinstance(error, Mapping):
        return
    if error.get("message"):
        yield str(error["message"])
    for one in error.get("details") or ():
        yield from texts_of(one)
    inner = error.get("innerError")
    if isinstance(inner, Mapping):
        if inner.get("code"):
            yield f"({inner['code']})"
        yield from texts_of(inner)
