# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the simulator in a thread."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from awx.server import USER, Server
from simulator import certificates

PASSWORD = "awx-password-marker"  # must not be in any output


class RunningServer:
    """The simulator in a separate thread, with its own event loop, over TLS.

    :param directory: for its certificates and projects.
    """

    def __init__(self, directory: Path) -> None:
        base = directory / "projects"
        base.mkdir(parents=True)
        self.server = Server(base, PASSWORD)
        self.authority, certificate, key = certificates.write(directory)
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(certificate, key)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self.port = 0

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables with which C(awx.awx) and C(awxkit) connect and sign in."""
        return {
            "CONTROLLER_HOST": f"https://localhost:{self.port}",
            "CONTROLLER_USERNAME": USER,
            "CONTROLLER_PASSWORD": PASSWORD,
            "SSL_CERT_FILE": str(self.authority),
        }

    def later(self, seconds: float, action: Callable[[], object]) -> None:
        """Call a function in the thread of the simulator after some seconds."""
        self._loop.call_soon_threadsafe(self._loop.call_later, seconds, action)

    def __enter__(self) -> RunningServer:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(10)
        return self

    async def _start(self) -> None:
        self._runner = web.AppRunner(self.server.app(), access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._context).start()
        self.port = self._runner.addresses[0][1]

    def __exit__(self, *exc_info) -> None:
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()
