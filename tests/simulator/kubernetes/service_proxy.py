# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The proxy of the API server to Services. It does not verify certificates.

Sources: https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services, and for the answer if the
Service does not answer, staging/src/k8s.io/apimachinery/pkg/util/proxy/transport.go of Kubernetes.
"""

from __future__ import annotations

import aiohttp
from aiohttp import web

from simulator.cluster import SimulatedCluster
from simulator.kubernetes.protocol import StatusError
from simulator.router import LOOPBACK, NAMESPACE, PORTS, SERVICE

TIMEOUT = aiohttp.ClientTimeout(total=5)


async def proxy(cluster: SimulatedCluster, name: str) -> web.Response:
    """Send a request to the router of a cluster.

    :param name: the Service with scheme and port: C(https:azureml-fe:443).
    """
    scheme, _colon, rest = name.partition(":")
    service, _colon, port = rest.partition(":")
    if service != SERVICE or cluster.store.get(cluster.store.kind("Service"), NAMESPACE, service) is None:
        raise StatusError(404, f'services "{service}" not found')
    listens = next((cluster.router.ports.get(one) for one, number in PORTS.items() if str(number) == port), None)
    try:
        if listens is None:
            raise ConnectionRefusedError("connection refused")
        async with (
            aiohttp.ClientSession(timeout=TIMEOUT) as session,
            session.get(f"{scheme or 'http'}://{LOOPBACK}:{listens}/", ssl=False) as answer,
        ):
            return web.Response(status=answer.status, body=await answer.read())
    except (aiohttp.ClientError, OSError, TimeoutError) as error:
        return web.Response(status=503, text=f"error trying to reach service: {error}")
