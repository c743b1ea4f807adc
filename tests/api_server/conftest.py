# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fixtures: a real control plane for the whole session, namespaces, and accounts with given permissions."""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import os
import socket
import ssl
import threading

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes import config
from kubernetes.dynamic import DynamicClient
from kubernetes.dynamic.exceptions import NotFoundError
from objects import DEFINITION, INSTANCE_TYPES, definition, instance_types
from support import run_module_work, wait_for

import certificates
from control_plane import programs
from control_plane.nodes import Nodes
from machine.needs import program


@pytest.fixture(scope="session")
def plane(tmp_path_factory):
    with programs.running(program("control plane"), tmp_path_factory.mktemp("control-plane"), memory="1s") as running:
        yield running


@pytest.fixture(scope="session")
def nodes(plane):
    program("controllers")
    started = Nodes(plane)
    started.start()
    yield started
    started.stop()


@pytest.fixture(scope="session")
def api(plane, tmp_path_factory) -> DynamicClient:
    """A client with the credentials of the administrator."""
    return DynamicClient(plane.client(), cache_file=str(tmp_path_factory.mktemp("discovery") / "resources.json"))


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    """Hide the kubeconfig of the machine."""
    for name in list(os.environ):
        if name.startswith(("K8S_AUTH_", "KUBE")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.fixture
def create(api):
    """Return a function that creates an object."""

    def run(api_version: str, kind: str, name: str, namespace: str | None = None, **fields):
        metadata = {"name": name, **fields.pop("metadata", {})}
        body = {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}
        return api.resources.get(api_version=api_version, kind=kind).create(body=body, namespace=namespace)

    return run


@pytest.fixture(scope="session")
def create_namespace(api, plane):
    """Return a function that creates a namespace in which pods can be created at once."""
    namespaces = api.resources.get(api_version="v1", kind="Namespace")

    def run(name: str) -> None:
        namespaces.create(body={"metadata": {"name": name}})
        if plane.has_controllers:
            wait_for(lambda: plane.accepts_pods(name))

    return run


@pytest.fixture
def namespace(request, create_namespace, api):
    """A new namespace for the test."""
    name = request.node.name.partition("[")[0].replace("_", "-")[:50].strip("-") + f"-{os.urandom(3).hex()}"
    create_namespace(name)
    yield name
    api.resources.get(api_version="v1", kind="Namespace").delete(name=name)


@pytest.fixture
def account(api, create, plane):
    """Return a function that creates a service account, and returns its kubeconfig as text.

    Its rules are given by namespace, C("") for the whole cluster.
    """

    def make(rules: dict[str, list[dict]]) -> str:
        name = f"account-{os.urandom(4).hex()}"
        create("v1", "ServiceAccount", name, "default")
        group = "rbac.authorization.k8s.io"
        for namespace, granted in rules.items():
            kind = "Role" if namespace else "ClusterRole"
            create(f"{group}/v1", kind, name, namespace or None, rules=granted)
            create(
                f"{group}/v1",
                f"{kind}Binding",
                name,
                namespace or None,
                roleRef={"apiGroup": group, "kind": kind, "name": name},
                subjects=[{"kind": "ServiceAccount", "name": name, "namespace": "default"}],
            )
        token = api.request(
            "post",
            f"/api/v1/namespaces/default/serviceaccounts/{name}/token",
            body={"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": []}},
        )
        return json.dumps(plane.kubeconfig(token.status.token))

    return make


@pytest.fixture(scope="session")
def tls_server(tmp_path_factory):
    """A real HTTPS server on a network address of this machine, which a Service can use. Returns host and port."""
    path = tmp_path_factory.mktemp("tls") / "pair.pem"
    path.touch(mode=0o600)
    path.write_bytes(b"".join(certificates.make()))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(path)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as route:
        route.connect(("192.0.2.1", 9))  # only selects an address: a Service must not use loopback
        host = route.getsockname()[0]
    server = http.server.ThreadingHTTPServer((host, 0), http.server.BaseHTTPRequestHandler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server.server_address
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def openshift(api, create):
    """Define OpenShift's SecurityContextConstraints, and create the object C(privileged); return the resource."""
    group, kind = "security.openshift.io", "SecurityContextConstraints"
    name = f"securitycontextconstraints.{group}"
    create(*DEFINITION, name, spec=definition(group, "securitycontextconstraints", kind, "Cluster", "v1"))
    api.resources.invalidate_cache()
    resource = wait_for(lambda: api.resources.get(api_version=f"{group}/v1", kind=kind))
    privileged = {"apiVersion": f"{group}/v1", "kind": kind, "metadata": {"name": "privileged"}}
    wait_for(lambda: resource.create(body={**privileged, "users": ["system:admin"]}))
    yield resource
    delete_definition(api, name)
    for kind in ("ClusterRoleBinding", "ClusterRole"):
        grants = api.resources.get(api_version="rbac.authorization.k8s.io/v1", kind=kind)
        with contextlib.suppress(NotFoundError):
            grants.delete(name="azureml-arc-scc-privileged")


@pytest.fixture
def define_instance_types(create, api):
    """Return a function that defines instance types, as the extension does. The definition is deleted at the end."""
    yield lambda: create(*DEFINITION, INSTANCE_TYPES, spec=instance_types())
    delete_definition(api, INSTANCE_TYPES)


def delete_definition(api: DynamicClient, name: str) -> None:
    """Delete a definition, and wait until it and its objects are deleted."""
    definitions = api.resources.get(api_version=DEFINITION[0], kind=DEFINITION[1])
    definitions.delete(name=name)
    wait_for(lambda: name not in [one.metadata.name for one in definitions.get().items])


@pytest.fixture
def run_module(tmp_path, monkeypatch):
    """Return a function that runs a module with the options of a task. It raises C(ModuleFailedError) on failure."""
    monkeypatch.setitem(config.RETRIES, "backoff_factor", 0.01)  # the pauses of this library ignore the module's clock
    return functools.partial(run_module_work, tmp_path, pace=1)  # as fast as the server


@pytest.fixture
def as_administrator(run_module, plane):
    """Return the same function with the credentials of the administrator."""
    return functools.partial(run_module, kubeconfig=json.dumps(plane.kubeconfig()))
