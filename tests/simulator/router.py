# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inference router of a cluster. It listens on loopback with the installed certificate.

Source of the name and ports of its Service: C(kubectl get service -n azureml) on a cluster with the extension. Source
of the limit to TLS 1.2, the keys of the Secret, and the use of a renewed certificate after the next update of the
extension: https://learn.microsoft.com/azure/machine-learning/how-to-secure-kubernetes-online-endpoint.
"""

from __future__ import annotations

import asyncio
import base64
import re
import ssl
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from certificates import Authority
from simulator.kubernetes.store import Store
from simulator.kubernetes.workloads import NAMESPACE, is_on
from simulator.scenario import ClusterPlan

SERVICE = "azureml-fe"
LOOPBACK = "127.0.0.1"
# Nothing listens on these ports of loopback, so connections to a load balancer or a cluster IP are refused immediately.
PORTS = {"http": 80, "https": 443}
PEM = re.compile(rb"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----\n", re.DOTALL)
REQUEST = re.compile(rb"[A-Z]+ /")
# The answer to C(/) is a guess; clients only need to see that it is HTTP.
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
BAD_REQUEST = NOT_FOUND.replace(b"404 Not Found", b"400 Bad Request")
LARGEST_REQUEST = 64 * 1024  # bytes


class Router:
    """The router of one cluster, and its Service.

    :ivar ports: the port of loopback on which it listens, by scheme. It is the node port of its Service.
    """

    def __init__(self, store: Store, plan: ClusterPlan) -> None:
        self._store = store
        self._plan = plan
        self._servers: dict[str, asyncio.Server] = {}
        self._pair: tuple[bytes, bytes] | None = None  # certificate and key in use
        self.ports: dict[str, int] = {}

    async def install(self, settings: Mapping[str, str], protected: Mapping[str, str]) -> None:
        """Serve according to the settings of an installed or updated extension; without inference, do not listen."""
        await self.stop()
        if not is_on(settings, "enableInference"):
            return
        if is_on(settings, "allowInsecureConnections"):
            await self._listen("http", None)
        else:
            pair = self._installed(settings, protected)
            if not (self._plan.router == "stale certificate" and self._pair):
                self._pair = pair
            await self._listen_with_tls()
        await self._put_service(settings.get("inferenceRouterServiceType", "LoadBalancer"))

    async def stop(self) -> None:
        """Close the ports, and delete the Service."""
        for server in self._servers.values():
            server.close()
        self._servers.clear()
        await self._store.delete(self._store.kind("Service"), NAMESPACE, SERVICE)

    def _installed(self, settings: Mapping[str, str], protected: Mapping[str, str]) -> tuple[bytes, bytes] | None:
        name = settings.get("sslSecret")
        if name:
            data = (self._store.get(self._store.kind("Secret"), NAMESPACE, name) or {}).get("data") or {}
            parts = data.get("cert.pem"), data.get("key.pem")
        else:
            parts = protected.get("scoringFe.sslCert"), protected.get("scoringFe.sslKey")
        return (base64.b64decode(parts[0]), base64.b64decode(parts[1])) if all(parts) else None

    async def _listen_with_tls(self) -> None:
        if self._pair is None:
            return
        certificate, key = self._pair
        leaf = PEM.findall(certificate)[0]
        match self._plan.router:
            case "missing intermediate":
                certificate = leaf
            case "wrong chain":
                certificate = leaf + Authority("Foreign").intermediate
            case "another name":
                certificate, key = Authority("Foreign").issue("ingress.local")
            case "plain HTTP":
                await self._listen("https", None)
                return
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "pair.pem"
            path.touch(mode=0o600)
            path.write_bytes(certificate + key)
            context.load_cert_chain(path)
        await self._listen("https", context)

    async def _listen(self, scheme: str, context: ssl.SSLContext | None) -> None:
        """Listen on the port of a scheme, which is a free one at first and the same later."""
        if self._plan.router == "closed":
            return
        server = await asyncio.start_server(_answer, LOOPBACK, self.ports.get(scheme, 0), ssl=context)
        self._servers[scheme] = server
        self.ports[scheme] = server.sockets[0].getsockname()[1]

    async def _put_service(self, kind: str) -> None:
        kind = {one.lower(): one for one in ("LoadBalancer", "NodePort", "ClusterIP")}[kind.lower()]
        ports = [
            {"port": number, "targetPort": number, "protocol": "TCP", "nodePort": self.ports.get(scheme, 0)}
            for scheme, number in PORTS.items()
        ]
        if kind == "ClusterIP":
            ports = [{name: value for name, value in one.items() if name != "nodePort"} for one in ports]
        ingress = {"loadBalancer": {"ingress": [{"ip": LOOPBACK}]}} if kind == "LoadBalancer" else {"loadBalancer": {}}
        body: dict[str, Any] = {
            "metadata": {"name": SERVICE, "namespace": NAMESPACE, "labels": {"azuremlappname": SERVICE}},
            "spec": {"type": kind, "clusterIP": LOOPBACK, "clusterIPs": [LOOPBACK], "ports": ports},
            "status": ingress,
        }
        await self._store.put(self._store.kind("Service"), body)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request, or other bytes as a bad request."""
    try:
        request = await reader.read(LARGEST_REQUEST)
        if request:
            writer.write(NOT_FOUND if REQUEST.match(request) else BAD_REQUEST)
            await writer.drain()
    except OSError:  # the client disconnected after the handshake
        return
    finally:
        writer.close()
