# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A client that uses azure-ai-ml as in its documentation. It runs in a separate environment with that package.

Usage: azure_ai_ml_client.py attach|show|detach NAME [CLUSTER_ID NAMESPACE]. It prints a compute of workspace C(ws) in
resource group C(rg-ml) as JSON. The cloud and the credentials come from the environment.
"""

from __future__ import annotations

import json
import os
import sys

from azure.ai.ml import MLClient
from azure.ai.ml.entities import KubernetesCompute
from azure.identity import ClientSecretCredential

ENDPOINT = os.environ["AZURE_CLOUD_ENVIRONMENT"]
CLOUD = "Private"
ENDPOINTS = dict.fromkeys(
    (
        "azure_portal",
        "resource_manager",
        "active_directory",
        "aml_resource_id",
        "storage_endpoint",
        "registry_discovery_endpoint",
    ),
    ENDPOINT,
)


def connect() -> MLClient:
    credential = ClientSecretCredential(
        os.environ["AZURE_TENANT"],
        os.environ["AZURE_CLIENT_ID"],
        os.environ["AZURE_SECRET"],
        authority=ENDPOINT,
        disable_instance_discovery=True,
    )
    subscription = os.environ["AZURE_SUBSCRIPTION_ID"]
    return MLClient(
        credential, subscription, "rg-ml", "ws", cloud=CLOUD, cloud_metadata=ENDPOINTS, enable_telemetry=False
    )


def main(action: str, name: str, *cluster: str) -> None:
    computes = connect().compute
    if action == "attach":
        resource_id, namespace = cluster
        compute = KubernetesCompute(name=name, resource_id=resource_id, namespace=namespace)
        computes.begin_create_or_update(compute).result()
    if action == "detach":
        computes.begin_delete(name, action="Detach").wait()
        return
    found = computes.get(name)
    print(
        json.dumps(
            {
                "name": found.name,
                "type": found.type,
                "provisioning_state": found.provisioning_state,
                "resource_id": found.resource_id,
                "namespace": found.namespace,
                "description": found.description,
                "identity": found.identity and found.identity.type,
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
