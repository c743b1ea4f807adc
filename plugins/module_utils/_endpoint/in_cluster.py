# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the inference router answers inside the cluster, asked through the API server.

The API server connects to the router itself and verifies no certificate, so this shows what the router speaks, and not
which certificate it serves. Source: https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services
"""

from __future__ import annotations

import json

from ansible_collections.azureml.arc.plugins.module_utils._core.text import printable
from ansible_collections.azureml.arc.plugins.module_utils._endpoint.addresses import SERVICE
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.client import KubeSession

# How the API server begins where the router refuses it. Source: transport.go of the package
# staging/src/k8s.io/apimachinery/pkg/util/proxy of Kubernetes.
REFUSED = "error trying to reach service"


def why_no_answer(session: KubeSession, namespace: str, scheme: str, port: int) -> str:
    """Return why the router does not answer inside the cluster, empty if it does.

    :param port: of its Service.
    :raises AzureMLError: if the account may not ask.
    """
    return printable(_refusal(session.ask_service(f"{scheme}:{SERVICE}:{port}", namespace)))


def _refusal(text: str) -> str:
    """Return what the API server itself says in an answer; all other answers, errors included, are the router's."""
    if text.startswith(REFUSED):
        return text
    try:
        answer = json.loads(text)
    except ValueError:
        return ""
    is_status = isinstance(answer, dict) and answer.get("kind") == "Status"
    return str(answer.get("message")) if is_status else ""
