# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Objects that tests create in Azure or in a cluster."""

from __future__ import annotations

from simulator.scenario import SUBSCRIPTION

GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-edge"
WORKSPACE = {"name": "ws", "resource_group": "rg-ml"}
EXTENSION = {
    "identity": {"type": "SystemAssigned"},
    "properties": {
        "extensionType": "Microsoft.AzureML.Kubernetes",
        "scope": {"cluster": {"releaseNamespace": "azureml"}},
        "configurationSettings": {"enableTraining": "True", "a": "1"},
        "configurationProtectedSettings": {"secret": "value"},
    },
}


def arc_id(cluster: str) -> str:
    """Return the ARM id of a connected cluster."""
    return f"{GROUP}/providers/Microsoft.Kubernetes/connectedClusters/{cluster}"


def extension_id(cluster: str) -> str:
    """Return the ARM id of the extension of a connected cluster."""
    return f"{arc_id(cluster)}/providers/Microsoft.KubernetesConfiguration/extensions/azureml"


DEFINITION = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")


def definition(group: str, plural: str, kind: str, scope: str = "Namespaced", version: str = "v1alpha1") -> dict:
    """Return the C(spec) of a CustomResourceDefinition that accepts any object."""
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "group": group,
        "scope": scope,
        "names": {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"},
        "versions": [{"name": version, "served": True, "storage": True, "schema": schema}],
    }


INSTANCE_TYPE_GROUP = "amlarc.azureml.com"
INSTANCE_TYPES = f"instancetypes.{INSTANCE_TYPE_GROUP}"
_AMOUNTS = {
    "type": "object",
    "properties": {
        "cpu": {"type": "string"},
        "memory": {"type": "string"},
        "nvidia.com/gpu": {"type": "integer", "minimum": 0},
    },
}
_INSTANCE_TYPE = {
    "type": "object",
    "properties": {
        "nodeSelector": {"type": "object", "additionalProperties": {"type": "string"}},
        "resources": {"type": "object", "properties": {"requests": _AMOUNTS, "limits": _AMOUNTS}},
    },
}


def add_router(api, namespace: str, address: tuple[str, int] | None) -> None:
    """Create the Service of an inference router with the official client.

    :param address: host and port of its endpoint, C(None) for none.
    """
    metadata = {"name": "azureml-fe", "namespace": namespace}
    services, endpoints, pods = (
        api.resources.get(api_version="v1", kind=kind) for kind in ("Service", "Endpoints", "Pod")
    )
    services.create(body={"metadata": metadata, "spec": {"ports": [{"name": "https", "port": 443}]}})
    if not address:
        return
    # The API server only connects to addresses of pods.
    host, port = address
    spec = {"schedulerName": "none", "containers": [{"name": "router", "image": "none"}]}
    pods.create(body={"metadata": metadata, "spec": spec})
    pods.status.patch(body={"metadata": metadata, "status": {"podIP": host, "podIPs": [{"ip": host}]}})
    ready = [{"ip": host, "targetRef": {"kind": "Pod", **metadata}}]
    subsets = [{"addresses": ready, "ports": [{"name": "https", "port": port}]}]
    endpoints.create(body={"metadata": metadata, "subsets": subsets})


def instance_types() -> dict:
    """Return the C(spec) of the definition that the extension creates."""
    spec = definition(INSTANCE_TYPE_GROUP, "instancetypes", "InstanceType", scope="Cluster")
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": _INSTANCE_TYPE}}}
    spec["versions"][0]["schema"] = schema
    return spec
