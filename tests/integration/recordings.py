# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The recorded requests of other clients in tests/recorded. The name of each file is the client and its release."""

from __future__ import annotations

import base64
import json
import re

import playbooks
from objects import GROUP

from simulator.scenario import ClusterPlan

FOLDER = playbooks.ROOT / "tests" / "recorded"
CLUSTER_TYPES = {
    "connectedClusters": ("connected_cluster", "Microsoft.Kubernetes/connectedClusters"),
    "managedClusters": ("managed_cluster", "Microsoft.ContainerService/managedClusters"),
}
# Recordings of az, with the options that correspond to the release of the client.
AZ = {
    "az-k8s-extension-1.7.0": {},
    "az-k8s-extension-1.0.0": {"settings_generation": "2021", "version": "1.0.67"},
}


def load(client: str) -> dict:
    """Return a recording by its client."""
    return json.loads((FOLDER / f"{client}.json").read_text(encoding="utf-8"))


def creates(client: str) -> list[dict]:
    """Return the recorded C(create) commands of a client."""
    return [{**one, "client": client} for one in load(client)["create"]]


def plan_of(create: dict) -> ClusterPlan:
    """Return the cluster with which a C(create) was recorded."""
    recorded = {name: create["cluster"][name] for name in ("name", "type", "distribution", "nodes", "location")}
    return ClusterPlan(**recorded)


def cluster_id(create: dict) -> str:
    cluster = create["cluster"]
    return f"{GROUP}/providers/{CLUSTER_TYPES[cluster['type']][1]}/{cluster['name']}"


def renamed(create: dict, name: str) -> dict:
    """Return a recording with another name of the cluster."""
    old = create["cluster"]["name"]
    text = json.dumps(create).replace(old, name)
    return json.loads(text.replace(old.replace("-", ""), name.replace("-", "")))


def filled_in(body: object, values: dict[str, str]) -> object:
    """Return a recorded body with the $NAMES of secrets replaced by values."""
    if isinstance(body, dict):
        return {key: filled_in(value, values) for key, value in body.items()}
    return values.get(body, body) if isinstance(body, str) else body


def certificate_values(certificate: tuple[bytes, bytes]) -> dict[str, str]:
    """Return a certificate and its key by their $NAMES."""
    pem, key = (base64.b64encode(part).decode() for part in certificate)
    return {"$CERTIFICATE_BASE64": pem, "$KEY_BASE64": key}


def secrets_in(path: str, answer: object) -> dict[str, str]:
    """Return the secrets in a response of Azure by their $NAMES, none for a refused request."""
    if not isinstance(answer, dict):
        return {}
    if "primaryConnectionString" in answer:
        name = "$RELAY_CONNECTION_STRING" if "azureml_rw" in path else "$SERVICE_BUS_CONNECTION_STRING"
        return {name: answer["primaryConnectionString"]}
    if "primarySharedKey" in answer:
        return {"$LOG_ANALYTICS_KEY": answer["primarySharedKey"]}
    if "customerId" in answer.get("properties", {}):
        return {"$LOG_ANALYTICS_CUSTOMER_ID": answer["properties"]["customerId"]}
    return {}


def secrets(simulator, certificate: tuple[bytes, bytes]) -> dict[str, str]:
    """Return the values of the $NAMES in a run: the given certificate, and secrets in responses of Azure."""
    values = certificate_values(certificate)
    for request in simulator.journal():
        values |= secrets_in(request["path"], request["answer"])
    return values


def options_of(create: dict) -> dict:
    """Return the options of module C(extension) that are equivalent to a recorded command."""
    command = create["command"]
    given = dict(re.findall(r"(\w+)=(\S+)", command))
    options: dict = {
        "name": re.search(r"--name (\S+)", command)[1],
        "resource_group": "rg-edge",
        "cluster_name": create["cluster"]["name"],
        "cluster_type": CLUSTER_TYPES[create["cluster"]["type"]][0],
        "workload_profile": "_".join(
            name for name, key in (("training", "enableTraining"), ("inference", "enableInference")) if key in given
        ),
    }
    if "enableInference" in given:
        options["inference_service"] = _service(given)
    if "sslCertPemFile" in given:
        options["tls"] = {"certificate": "ml.pem", "private_key": "ml.key", "cname": "ml.example.com"}
    for option, key in (
        ("allow_insecure_connections", "allowInsecureConnections"),
        ("inference_router_ha", "inferenceRouterHA"),
        ("log_analytics", "logAnalyticsWS"),
    ):
        if key in given:
            options[option] = given[key] == "True"
    return {**options, **AZ[create["client"]]}


def _service(given: dict[str, str]) -> str:
    if "internalLoadBalancerProvider" in given or "privateEndpointILB" in given:
        return "internal_load_balancer"
    if "privateEndpointNodeport" in given:
        return "node_port"
    return {"LoadBalancer": "load_balancer", "NodePort": "node_port"}[
        given.get("inferenceRouterServiceType", "LoadBalancer")
    ]
