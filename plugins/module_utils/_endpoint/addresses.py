# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The addresses at which clients reach the inference router, by its Service and the nodes. Pure.

Source of the name: https://learn.microsoft.com/azure/machine-learning/how-to-secure-kubernetes-online-endpoint. Source
of the ports: the output of C(kubectl get service -n azureml) on a cluster with the extension.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.resources import is_true

SERVICE = "azureml-fe"
PORTS = {"https": 443, "http": 80}
# Every node forwards the port, so a few of them show whether a firewall blocks it.
MOST_NODES = 3
NODE_ADDRESSES = ("ExternalIP", "InternalIP")


@dataclass(frozen=True)
class Address:
    """A host, by name or IP address, and a port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Router:
    """The router, as described by its Service.

    :param service_type: C(LoadBalancer), C(NodePort) or C(ClusterIP); empty without a Service.
    :param port: of the Service, for the required scheme.
    :param missing: why the router has no address.
    """

    service_type: str = ""
    port: int = 0
    addresses: tuple[Address, ...] = ()
    missing: str = ""


def router_of(service: Mapping | None, nodes: Sequence[Mapping], scheme: str, on_node: bool = False) -> Router:
    """Return the router behind a Service.

    A cluster IP is used on nodes only: elsewhere the same address may belong to another machine.

    :param service: C(None) if it does not exist.
    :param nodes: the nodes of the cluster, for a Service of type C(NodePort).
    :param scheme: C(https) or C(http).
    :param on_node: whether this machine is a node of the cluster.
    """
    if service is None:
        return Router(missing=f"Service '{SERVICE}' does not exist")
    spec = service["spec"]
    kind = spec.get("type", "ClusterIP")
    port = next((one for one in spec.get("ports") or () if _is_for(one, scheme)), None)
    if port is None:
        return Router(kind, missing=f"Service '{SERVICE}' has no port for {scheme.upper()}")
    if kind == "LoadBalancer":
        hosts, number = _load_balancers(service), port["port"]
        missing = "the load balancer has no address: the cluster has not assigned one"
    elif kind == "NodePort":
        hosts, number = _nodes(nodes), port.get("nodePort", 0)
        missing = "no ready node has an address"
    else:
        hosts, number = _cluster_ips(spec) if on_node else (), port["port"]
        missing = f"Service '{SERVICE}' has no cluster IP" if on_node else ""
    addresses = tuple(Address(host, number) for host in dict.fromkeys(hosts))
    return Router(kind, port["port"], addresses, "" if addresses else missing)


def _is_for(port: Mapping, scheme: str) -> bool:
    return port["port"] == PORTS[scheme] or port.get("name") == scheme


def _load_balancers(service: Mapping) -> Iterator[str]:
    for one in ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ():
        yield one.get("ip") or one.get("hostname") or ""


def _nodes(nodes: Sequence[Mapping]) -> Iterator[str]:
    ready = [one for one in nodes if is_true(one, "Ready")]
    for node in ready[:MOST_NODES]:
        found = {one["type"]: one["address"] for one in node["status"].get("addresses") or ()}
        yield from (found[kind] for kind in NODE_ADDRESSES if kind in found)


def _cluster_ips(spec: Mapping) -> list[str]:
    found = spec.get("clusterIPs") or [spec.get("clusterIP")]
    return [one for one in found if one and one != "None"]  # a headless Service has C(None)
