# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server of a simulation: all services on one port, over TLS."""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from pathlib import Path

from aiohttp import web

from simulator import certificates
from simulator.arm import resource_graph
from simulator.arm.clusters import Clusters
from simulator.arm.consistency import Consistency
from simulator.arm.extensions import Extensions
from simulator.arm.frontend import Frontend
from simulator.arm.machine_learning import MachineLearning
from simulator.arm.registration import Registration
from simulator.arm.resource_graph import ResourceGraph
from simulator.arm.supporting import Supporting
from simulator.clock import Clock
from simulator.cluster import SimulatedCluster
from simulator.control import Control
from simulator.faults import Faults
from simulator.journal import Journal
from simulator.key_vault import KeyVault
from simulator.kubernetes.api import KubernetesApi
from simulator.scenario import Scenario
from simulator.sign_in import SignIn
from simulator.tasks import Tasks

HOST = "localhost"
MAXIMUM_BODY = 4 * 1024 * 1024  # bytes, as ARM


class Simulator:
    """A running simulation.

    :param directory: for certificates, a kubeconfig per cluster, and C(simulator.json) with address and credentials.
    :ivar endpoint: the address of all services.
    """

    def __init__(self, scenario: Scenario, directory: Path) -> None:
        self._scenario = scenario
        self._directory = directory.resolve()
        self._tasks = Tasks()
        self._runner: web.AppRunner | None = None
        self._site: web.TCPSite | None = None
        self._context: ssl.SSLContext | None = None
        self._port = 0
        self.endpoint = ""

    async def start(self, port: int = 0) -> None:
        """Listen on loopback, on a free port if none is given."""
        scenario, clock = self._scenario, Clock(self._scenario.time_scale)
        clusters = [SimulatedCluster(plan, clock) for plan in scenario.clusters]
        for cluster in clusters:
            await cluster.prepare()
        sign_in = SignIn(scenario.principal, clock)
        journal, faults = Journal(), Faults(scenario.faults, scenario.fault_share, scenario.fault_seed)
        faults.refuse = self._refuse

        subscriptions = {plan.subscription for plan in scenario.clusters}
        consistency = Consistency(scenario.eventual_consistency)
        arm = Frontend(sign_in, scenario.principal, subscriptions, consistency)
        arm_clusters = Clusters(clusters)
        extensions = Extensions(arm_clusters, self._tasks, consistency)
        machine_learning = MachineLearning(
            scenario.workspaces, arm_clusters, extensions, clock, self._tasks, consistency, sign_in
        )
        supporting = Supporting(arm_clusters, clock, self._tasks)
        registration = Registration(scenario.unregistered)
        graph = ResourceGraph(arm_clusters, extensions, scenario.principal, clock, scenario.graph_quota)
        arm.serve_tenant(resource_graph.TYPE, graph.handle)
        for provider in (arm_clusters, extensions, machine_learning, supporting, registration):
            arm.register(provider.types())

        middlewares = [journal.middleware, faults.middleware, journal.effects]
        app = web.Application(middlewares=middlewares, client_max_size=MAXIMUM_BODY)
        control = Control(journal, faults, clusters, scenario.workspaces, scenario.principal)
        vault = KeyVault(sign_in, scenario.principal)
        for routes in (control, vault, KubernetesApi(clusters), arm, machine_learning.jobs, sign_in):
            app.router.add_routes(routes.routes())

        authority, certificate, key = certificates.write(self._directory)
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(certificate, key)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5, keepalive_timeout=scenario.keep_alive)
        await self._runner.setup()
        await self._listen(port)
        self._port = self._runner.addresses[0][1]
        self.endpoint = f"https://{HOST}:{self._port}"
        self._write_files(clusters, authority)

    async def _listen(self, port: int) -> None:
        self._site = web.TCPSite(self._runner, "127.0.0.1", port, ssl_context=self._context, backlog=1024)
        await self._site.start()

    async def _refuse(self, seconds: float) -> None:
        """Refuse new connections for real seconds, like a service that restarts."""

        async def listen_again() -> None:
            await asyncio.sleep(seconds)
            await self._listen(self._port)

        await self._site.stop()
        self._tasks.start(listen_again())

    async def stop(self) -> None:
        await self._tasks.stop()
        if self._runner:
            await self._runner.cleanup()

    def _write_files(self, clusters: list[SimulatedCluster], authority: Path) -> None:
        authority_data = base64.b64encode(authority.read_bytes()).decode()
        kubeconfigs = self._directory / "kubeconfigs"
        kubeconfigs.mkdir(exist_ok=True)
        for cluster in clusters:
            path = kubeconfigs / cluster.plan.name
            path.touch(mode=0o600)
            path.write_text(json.dumps(cluster.kubeconfig(self.endpoint, authority_data)), encoding="utf-8")
        principal = self._scenario.principal
        ready = {
            "endpoint": self.endpoint,
            "ca": str(authority),
            "tenant": principal.tenant,
            "client_id": principal.client_id,
            "secret": principal.secret,
            "kubeconfigs": {cluster.plan.name: str(kubeconfigs / cluster.plan.name) for cluster in clusters},
        }
        part = self._directory / "simulator.json.part"
        part.touch(mode=0o600)
        part.write_text(json.dumps(ready, indent=2), encoding="utf-8")
        part.rename(self._directory / "simulator.json")
