# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The addresses of the inference router, from its Service and the nodes."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._endpoint.addresses import Address, router_of

PORTS = [{"port": 80, "nodePort": 30080}, {"port": 443, "nodePort": 30443}]
INGRESS = {"loadBalancer": {"ingress": [{"ip": "20.1.1.1"}, {"hostname": "lb.example.com"}]}}


def service(kind: str, status=None, **spec) -> dict:
    return {"spec": {"type": kind, "ports": PORTS, **spec}, "status": status}


def node(ready: str = "True", **addresses: str) -> dict:
    return {
        "status": {
            "conditions": [{"type": "MemoryPressure", "status": "False"}, {"type": "Ready", "status": ready}],
            "addresses": [{"type": kind, "address": address} for kind, address in addresses.items()],
        }
    }


@pytest.mark.parametrize(
    ("found", "nodes", "scheme", "addresses"),
    [
        (service("LoadBalancer", status=INGRESS), [], "https", ["20.1.1.1:443", "lb.example.com:443"]),
        (service("LoadBalancer", status=INGRESS), [], "http", ["20.1.1.1:80", "lb.example.com:80"]),
        (service("NodePort"), [node(InternalIP="10.1.0.1", Hostname="a")], "https", ["10.1.0.1:30443"]),
        (
            service("NodePort"),
            [node(InternalIP="10.1.0.1", ExternalIP="20.1.1.1")],
            "http",
            ["20.1.1.1:30080", "10.1.0.1:30080"],
        ),
        (
            service("NodePort"),
            [node("False", InternalIP="10.1.0.9"), *(node(InternalIP=f"10.1.0.{number}") for number in range(5))],
            "https",
            ["10.1.0.0:30443", "10.1.0.1:30443", "10.1.0.2:30443"],
        ),
        (service("ClusterIP", clusterIP="10.0.0.7"), [], "https", ["10.0.0.7:443"]),
        (service("ClusterIP", clusterIPs=["10.0.0.7", "fd00::7"]), [], "https", ["10.0.0.7:443", "[fd00::7]:443"]),
        (
            service("ClusterIP", ports=[{"name": "https", "port": 8443}], clusterIP="10.0.0.7"),
            [],
            "https",
            ["10.0.0.7:8443"],
        ),
    ],
)
def test_type_of_the_service_determines_the_addresses(found, nodes, scheme, addresses):
    router = router_of(found, nodes, scheme, on_node=True)
    assert (list(map(str, router.addresses)), router.missing) == (addresses, "")
    assert router.service_type == found["spec"]["type"]


@pytest.mark.parametrize(
    ("found", "nodes", "missing"),
    [
        (None, [], "Service 'azureml-fe' does not exist"),
        (service("LoadBalancer", status={}), [], "the load balancer has no address: the cluster has not assigned one"),
        (
            service("LoadBalancer", status=None),
            [],
            "the load balancer has no address: the cluster has not assigned one",
        ),
        (service("NodePort"), [node("Unknown", InternalIP="10.1.0.1")], "no ready node has an address"),
        (service("ClusterIP", clusterIP="None"), [], "Service 'azureml-fe' has no cluster IP"),
        (service("NodePort", ports=[{"port": 80}]), [node()], "Service 'azureml-fe' has no port for HTTPS"),
        (service("NodePort", ports=None), [node()], "Service 'azureml-fe' has no port for HTTPS"),
    ],
)
def test_router_without_an_address_has_the_reason(found, nodes, missing):
    router = router_of(found, nodes, "https", on_node=True)
    assert (router.addresses, router.missing) == ((), missing)


def test_cluster_ip_is_not_used_outside_of_the_cluster():
    router = router_of(service("ClusterIP", clusterIP="10.0.0.7"), [], "https")
    assert (router.addresses, router.missing, router.port) == ((), "", 443)


def test_ipv6_address_has_brackets():
    assert str(Address("fd00::1", 443)) == "[fd00::1]:443"
