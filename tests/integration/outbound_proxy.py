# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A proxy that takes connections to any of some hosts, and brings them all to one TLS server that answers 403."""

from __future__ import annotations

import contextlib
import http.server
import select
import socket
import ssl
import threading
from collections.abc import Collection, Iterator
from pathlib import Path

import certificates


class Behind(http.server.BaseHTTPRequestHandler):
    """What is behind the proxy: any answer shows that it was reached."""

    def do_HEAD(self):
        self.send_error(403)

    def log_message(self, *arguments):
        """Say nothing."""


class Proxy(http.server.BaseHTTPRequestHandler):
    """CONNECT for HTTPS; plain requests are answered here."""

    allowed: Collection[str] = ()
    target: tuple[str, int] = ("", 0)
    asked: list[str]

    def do_CONNECT(self):
        host = self.path.rpartition(":")[0]
        self.asked.append(host)
        if host not in self.allowed:
            self.send_error(403, "Forbidden by the firewall")
            return
        with socket.create_connection(self.target) as other:
            self.send_response(200)
            self.end_headers()
            ends = {self.connection: other, other: self.connection}
            while True:
                for one in select.select(list(ends), [], [], 10)[0]:
                    data = one.recv(65536)
                    if not data:
                        return
                    ends[one].sendall(data)

    def do_HEAD(self):
        self.asked.append(self.path)
        self.send_error(403)

    def log_message(self, *arguments):
        """Say nothing."""


@contextlib.contextmanager
def _serving(server: http.server.ThreadingHTTPServer) -> Iterator[None]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def proxy(allowed: Collection[str], target: tuple[str, int]) -> Iterator[tuple[str, list[str]]]:
    """A proxy to C(target). Gives its address, and what it is required."""
    asked: list[str] = []
    handler = type("Configured", (Proxy,), {"allowed": allowed, "target": target, "asked": asked})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    with _serving(server):
        yield f"http://127.0.0.1:{server.server_address[1]}", asked


@contextlib.contextmanager
def running(directory: Path, allowed: Collection[str]) -> Iterator[tuple[dict, list[str]]]:
    """The proxy, and the server behind it. Gives the environment that leads to it, and what it is required."""
    certificate, key = certificates.as_files(directory, certificates.make(tuple(allowed))).values()
    behind = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Behind)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    behind.socket = context.wrap_socket(behind.socket, server_side=True)
    with _serving(behind), proxy(allowed, behind.server_address) as (address, asked):
        environment = {"https_proxy": address, "http_proxy": address, "no_proxy": ""}
        yield {**environment, "SSL_CERT_FILE": certificate}, asked
