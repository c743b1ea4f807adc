# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An HTTP proxy that accepts connections to some hosts, and forwards all of them to one TLS server that answers 403."""

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


class Target(http.server.BaseHTTPRequestHandler):
    """The server behind the proxy. Any answer shows that it was reached."""

    def do_HEAD(self):
        self.send_error(403)

    def log_message(self, *arguments):
        """Do not log requests."""


class Proxy(http.server.BaseHTTPRequestHandler):
    """Forwards CONNECT, and answers plain requests itself."""

    allowed: Collection[str] = ()
    target: tuple[str, int] = ("", 0)
    requested: list[str]

    def do_CONNECT(self):
        host = self.path.rpartition(":")[0]
        self.requested.append(host)
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
        self.requested.append(self.path)
        self.send_error(403)

    def log_message(self, *arguments):
        """Do not log requests."""


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
    """Run a proxy to C(target); return its address, and a list of the requested hosts and URLs."""
    requested: list[str] = []
    handler = type("Configured", (Proxy,), {"allowed": allowed, "target": target, "requested": requested})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    with _serving(server):
        yield f"http://127.0.0.1:{server.server_address[1]}", requested


@contextlib.contextmanager
def running(directory: Path, allowed: Collection[str]) -> Iterator[tuple[dict, list[str]]]:
    """Run the proxy and its target; return environment variables that use it, and a list of the requested hosts."""
    certificate, key = certificates.as_files(directory, certificates.make(tuple(allowed))).values()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Target)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with _serving(server), proxy(allowed, server.server_address) as (address, requested):
        environment = {"https_proxy": address, "http_proxy": address, "no_proxy": ""}
        yield {**environment, "SSL_CERT_FILE": certificate}, requested
