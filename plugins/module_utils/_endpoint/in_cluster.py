# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check through the API server whether the inference router answers inside the cluster.

The API server connects to the router itself and does not verify its certificate, so this check shows the protocol of
the router but not its certificate.
Source: https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services
"""

from __future__ import annotations

import json

from ansible_collections.azureml.arc.plugins.module_utils._core.text import printable
from ansible_collections.azureml.arc.plugins.module_utils._endpoint.addresses import SERVICE
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.client import KubeSession

# The first words of the API server's response if it cannot connect to the router. Source: transport.go of the package
# staging/src/k8s.io/apimachinery/pkg/util/proxy of Kubernetes.
REFUSED = "error trying to reach service"


def why_no_answer(session: KubeSession, namespace: str, scheme: str, port: int) -> str:
    """Return why the router does not answer inside the cluster, empty if it does.

    :param port: of its Service.
    :raises AzureMLError: if the account may not connect to Services through the API server.
    """
    return printable(_refusal(session.get_from_service(f"{scheme}:{SERVICE}:{port}", namespace)))


def _refusal(text: str) -> str:
    """Return the error of the API server itself in a response, empty if the response is that of the router."""
    if text.startswith(REFUSED):
        return text
    try:
        body = json.loads(text)
    except ValueError:
        return ""
    is_status = isinstance(body, dict) and body.get("kind") == "Status"
    return str(body.get("message")) if is_status else ""
