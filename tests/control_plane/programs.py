# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the programs of a control plane."""

from __future__ import annotations

import base64
import contextlib
import csv
import json
import socket
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from kubernetes.client import ApiClient, ApiException, Configuration, CoreV1Api

from simulator import certificates

START_SECONDS = 120  # on a busy machine
STOP_SECONDS = 20
CONTROLLERS = ("kube-controller-manager", "kube-scheduler")
ADMIN_TOKEN = "administrator-of-the-test-cluster"


class ControlPlane:
    """A running control plane with an administrator.

    :ivar endpoint: the address of the API server.
    :ivar authority: the path of its CA certificate.
    :ivar has_controllers: whether the controllers and the scheduler run, which create and schedule pods.
    """

    def __init__(self, directory: Path, port: int, has_controllers: bool) -> None:
        self.has_controllers = has_controllers
        self.endpoint = f"https://localhost:{port}"
        self.authority = directory / "ca.pem"

    def kubeconfig(self, token: str = ADMIN_TOKEN) -> dict:
        """Return a kubeconfig with a bearer token."""
        authority = base64.b64encode(self.authority.read_bytes()).decode()
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": "test", "cluster": {"server": self.endpoint, "certificate-authority-data": authority}}
            ],
            "users": [{"name": "user", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": "user"}}],
            "current-context": "test",
        }

    def client(self) -> ApiClient:
        """Return the official client with the credentials of the administrator. It needs no temporary files."""
        configuration = Configuration()
        configuration.host = self.endpoint
        configuration.ssl_ca_cert = str(self.authority)
        configuration.api_key = {"authorization": f"Bearer {ADMIN_TOKEN}"}
        return ApiClient(configuration)

    def is_ready(self) -> bool:
        """Return whether the API server is ready."""
        request = urllib.request.Request(f"{self.endpoint}/readyz", headers={"Authorization": f"Bearer {ADMIN_TOKEN}"})
        context = ssl.create_default_context(cafile=str(self.authority))
        try:
            with urllib.request.urlopen(request, context=context, timeout=5) as response:
                return response.read() == b"ok"
        except (urllib.error.URLError, OSError):
            return False

    def accepts_pods(self, namespace: str = "default") -> bool:
        """Return whether the controllers run: pods are refused until the token of their service account exists."""
        try:
            return bool(CoreV1Api(self.client()).read_namespaced_service_account("default", namespace).secrets)
        except ApiException as error:
            if error.status != 404:
                raise
            return False


@contextlib.contextmanager
def running(programs: Path, directory: Path, memory: str = "5m") -> Iterator[ControlPlane]:
    """Run a control plane; stop it at the end.

    :param directory: for its data, keys and logs.
    :param memory: how long it keeps earlier versions of objects, as a Go duration.
    """
    directory.mkdir(parents=True, exist_ok=True)
    _write_keys(directory)
    etcd, peer, api, controllers, scheduler = _free_ports(5)
    plane = ControlPlane(directory, api, all((programs / name).exists() for name in CONTROLLERS))
    kubeconfig = directory / "kubeconfig"
    kubeconfig.write_text(json.dumps(plane.kubeconfig()), encoding="utf-8")
    with contextlib.ExitStack() as stack:
        stack.enter_context(_process(programs / "etcd", _etcd(etcd, peer), directory))
        stack.enter_context(_process(programs / "kube-apiserver", _api_server(api, etcd, memory), directory))
        _wait_until(plane.is_ready, directory / "kube-apiserver.log")
        for name, port, options in zip(CONTROLLERS, (controllers, scheduler), (_CONTROLLERS, {}), strict=True):
            if not plane.has_controllers:
                break
            common = {"kubeconfig": kubeconfig, "leader-elect": "false", "port": 0, "secure-port": port}
            common["bind-address"] = "127.0.0.1"
            stack.enter_context(_process(programs / name, {**common, **options}, directory))
        if plane.has_controllers:
            _wait_until(plane.accepts_pods, directory / f"{CONTROLLERS[0]}.log")
        yield plane


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for index in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _write_keys(directory: Path) -> None:
    certificates.write(directory)
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    for name, content in (
        (
            "accounts.key",
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
        ),
        (
            "accounts.pub",
            key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        ),
    ):
        (directory / name).touch(mode=0o600)
        (directory / name).write_bytes(content)
    with (directory / "tokens.csv").open("w", encoding="utf-8") as file:
        csv.writer(file).writerow([ADMIN_TOKEN, "administrator", "administrator", "system:masters"])


def _etcd(port: int, peer: int) -> dict:
    return {
        "data-dir": "etcd",
        "listen-client-urls": f"http://127.0.0.1:{port}",
        "advertise-client-urls": f"http://127.0.0.1:{port}",
        "listen-peer-urls": f"http://127.0.0.1:{peer}",
        "log-level": "error",
        # A busy disk would delay each write, and nothing is kept.
        "unsafe-no-fsync": "true",
    }


def _api_server(port: int, etcd: int, memory: str) -> dict:
    return {
        "etcd-servers": f"http://127.0.0.1:{etcd}",
        "bind-address": "127.0.0.1",
        "secure-port": port,
        "tls-cert-file": "server.pem",
        "tls-private-key-file": "server.key",
        "authorization-mode": "RBAC",
        "token-auth-file": "tokens.csv",
        "service-account-issuer": "https://kubernetes.default.svc",
        "service-account-key-file": "accounts.pub",
        "service-account-signing-key-file": "accounts.key",
        "service-cluster-ip-range": "10.0.0.0/24",
        "etcd-compaction-interval": memory,
        # Without a watch cache, because versions of ConfigMaps must expire in tests.
        "watch-cache-sizes": "configmaps#0",
        # High limits, because a benchmark creates thousands of pods.
        "max-requests-inflight": 2000,
        "max-mutating-requests-inflight": 2000,
    }


_CONTROLLERS = {
    "service-account-private-key-file": "accounts.key",
    "root-ca-file": "ca.pem",
    # Simulated nodes do not renew their leases.
    "node-monitor-grace-period": "24h",
    "kube-api-qps": 500,
    "kube-api-burst": 1000,
}


@contextlib.contextmanager
def _process(program: Path, options: dict, directory: Path) -> Iterator[None]:
    """Run a program in a folder, with its log there; stop it at the end."""
    command = [str(program), *(f"--{name}={value}" for name, value in options.items())]
    with (directory / f"{program.name}.log").open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, cwd=directory, stdout=log, stderr=log, start_new_session=True)
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until(condition: Callable[[], bool], log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while not condition():
        if time.monotonic() > end:
            text = log.read_text(encoding="utf-8")
            raise RuntimeError(f"{log.stem} did not start: {text[-2000:]}")
        time.sleep(0.1)
