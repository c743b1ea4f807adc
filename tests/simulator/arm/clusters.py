# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Microsoft.Kubernetes/connectedClusters and Microsoft.ContainerService/managedClusters, read only."""

from __future__ import annotations

from collections.abc import Iterator

from aiohttp import web

from simulator.arm.protocol import Address, ArmError, ArmRequest, Handler, method_not_allowed, not_found
from simulator.cluster import SimulatedCluster

RESOURCE_TYPES = {
    "connectedClusters": "Microsoft.Kubernetes/connectedClusters",
    "managedClusters": "Microsoft.ContainerService/managedClusters",
}


class Clusters:
    """The clusters of the scenario, by id."""

    def __init__(self, clusters: list[SimulatedCluster]) -> None:
        self._clusters = {cluster.id.lower(): cluster for cluster in clusters}
        self._groups = {
            (cluster.plan.subscription.lower(), cluster.plan.resource_group.lower()) for cluster in clusters
        }

    def types(self) -> dict[str, Handler]:
        return dict.fromkeys(RESOURCE_TYPES.values(), self._handle)

    def __getitem__(self, cluster_id: str) -> SimulatedCluster:
        """Return the cluster with this id.

        :raises ArmError: the answer of ARM if a parent resource does not exist.
        """
        cluster = self._clusters.get(cluster_id.lower())
        if cluster is None or cluster.plan.gone:
            raise ArmError(
                404,
                "ParentResourceNotFound",
                f"Can not perform requested operation on nested resource. Parent '{cluster_id}' not found.",
            )
        return cluster

    def __iter__(self) -> Iterator[SimulatedCluster]:
        return (cluster for cluster in self._clusters.values() if not cluster.plan.gone)

    def require_group(self, address: Address) -> None:
        """Refuse a resource group that does not exist: only those of the clusters do."""
        if (address.subscription.lower(), address.resource_group.lower()) not in self._groups:
            message = f"Resource group '{address.resource_group}' could not be found."
            raise ArmError(404, "ResourceGroupNotFound", message)

    async def _handle(self, request: ArmRequest) -> web.Response:
        if request.method != "GET":
            raise method_not_allowed(request)
        address = request.address
        self.require_group(address)
        cluster = self._clusters.get(address.key)
        if cluster is None or cluster.plan.gone:
            raise not_found(f"{address.type}/{address.name}")
        return web.json_response(cluster_body(cluster))


def cluster_body(cluster: SimulatedCluster) -> dict:
    """Return a cluster as ARM returns it."""
    plan = cluster.plan
    body = {
        "id": cluster.id,
        "name": plan.name,
        "type": RESOURCE_TYPES[plan.type],
        "location": plan.location,
        "tags": plan.tags,
    }
    if plan.type == "managedClusters":
        pools = [{"name": "system", "count": 1}, {"name": "user", "count": plan.nodes - 1}]
        body["properties"] = {
            "provisioningState": "Succeeded",
            "powerState": {"code": "Running"},
            "kubernetesVersion": "1.31.2",
            "agentPoolProfiles": pools,
            **_fqdns(plan.name, plan.location),
        }
    else:
        body["properties"] = {
            "provisioningState": "Succeeded",
            "connectivityStatus": plan.connectivity,
            "distribution": plan.distribution,
            "infrastructure": "generic",
            "kubernetesVersion": "1.31.2",
            "totalNodeCount": plan.nodes,
            "totalCoreCount": plan.nodes * 4,
            "agentVersion": plan.agent_version,
            "lastConnectivityTime": cluster.clock.timestamp(),
        }
    return body


def _fqdns(name: str, location: str) -> dict[str, str]:
    """Return the host names of an AKS cluster's API server, in the form of Microsoft's examples for managedClusters.

    The kubeconfigs of the simulator contain another address, as with an API server behind a tunnel.
    """
    prefix, suffix = f"{name}-dns-1a2b3c4d", f"hcp.{location}.azmk8s.io"
    return {"fqdn": f"{prefix}.{suffix}", "azurePortalFQDN": f"{prefix}.portal.{suffix}"}
