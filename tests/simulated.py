# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start the simulator as a separate process, and use its control endpoint."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from http import HTTPStatus
from pathlib import Path

from urllib3 import PoolManager, Retry

from simulator.scenario import SUBSCRIPTION, ClusterPlan, Scenario

TESTS = Path(__file__).resolve().parent
START_SECONDS = 30
STOP_SECONDS = 10
# A fault may make the simulator refuse connections for a moment: six seconds of attempts.
REFUSED = Retry(connect=7, backoff_factor=0.05)


class RunningSimulator:
    """A simulator in a separate process.

    :param directory: contains its certificates and C(simulator.json).
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        facts = json.loads((directory / "simulator.json").read_text(encoding="utf-8"))
        self.endpoint: str = facts["endpoint"]
        self.ca: str = facts["ca"]
        self.kubeconfigs: dict[str, str] = facts["kubeconfigs"]
        self.secret: str = facts["secret"]
        self._connections = PoolManager(ca_certs=self.ca, retries=REFUSED)
        self.environment = {
            "AZURE_CLIENT_ID": facts["client_id"],
            "AZURE_SECRET": facts["secret"],
            "AZURE_TENANT": facts["tenant"],
            "AZURE_SUBSCRIPTION_ID": SUBSCRIPTION,
            "AZURE_CLOUD_ENVIRONMENT": facts["endpoint"],
            "AZURE_DISABLE_INSTANCE_DISCOVERY": "true",
            "REQUESTS_CA_BUNDLE": facts["ca"],
            "SSL_CERT_FILE": facts["ca"],
        }

    def kubeconfig(self, cluster: str) -> dict:
        """Return the content of the kubeconfig of a cluster."""
        return json.loads(Path(self.kubeconfigs[cluster]).read_text(encoding="utf-8"))

    def journal(self) -> list[dict]:
        """Return all requests since the start or the last C(clear_journal)."""
        return json.loads(self._control("GET", "journal"))

    def clear_journal(self) -> None:
        self._control("DELETE", "journal")

    def add_fault(self, **fault) -> None:
        """Add a fault. For the fields see C(simulator.faults.Fault)."""
        self._control("POST", "faults", fault)

    def clear_faults(self) -> None:
        self._control("DELETE", "faults")

    def change_plan(self, cluster: str, **fields) -> None:
        """Change fields of a C(simulator.scenario.ClusterPlan)."""
        self._control("PATCH", f"clusters/{cluster}", fields)

    def change_workspace(self, workspace: str, **fields) -> None:
        """Change fields of a C(simulator.scenario.WorkspacePlan)."""
        self._control("PATCH", f"workspaces/{workspace}", fields)

    def import_certificate(
        self,
        name: str,
        pair: tuple[bytes, bytes],
        content_type: str = "application/x-pem-file",
        exportable: bool = True,
    ) -> str:
        """Import a certificate and its key, both PEM, into the key vault; return the version."""
        certificate, key = (part.decode() for part in pair)
        parts = {"certificate": certificate, "private_key": key}
        body = {**parts, "content_type": content_type, "exportable": exportable}
        return json.loads(self._control("PUT", f"vault/{name}", body))["version"]

    def allow(self, actions: list[str] | None) -> None:
        """Allow the principal only these actions of an Azure role definition, C(None) for all."""
        self._control("PUT", "actions", actions)

    def _control(self, method: str, path: str, body: object = None) -> bytes:
        data = json.dumps(body).encode() if method not in ("GET", "DELETE") else None
        url = f"{self.endpoint}/control/{path}"
        response = self._connections.request(method, url, body=data, headers={"Content-Type": "application/json"})
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise RuntimeError(f"{method} {url}: HTTP {response.status}: {response.data.decode()}")
        return response.data


def inventory(directory: Path, clusters: Iterable[ClusterPlan]) -> dict:
    """Return an inventory that deploys clusters for training and attaches them.

    :param directory: the directory of the simulator.
    """
    variables = {
        "azureml_profile": "training",
        "azureml_resource_group": "rg-edge",
        "azureml_workspace": {"name": "ws", "resource_group": "rg-ml"},
        "azureml_compute": {"name": "{{ inventory_hostname }}"},
        "azureml_kubernetes": {"kubeconfig": f"{directory}/kubeconfigs/{{{{ inventory_hostname }}}}"},
    }
    hosts = {
        plan.name: {"azureml_cluster_type": "managed_cluster"} if plan.type == "managedClusters" else {}
        for plan in clusters
    }
    return {"all": {"vars": variables, "hosts": hosts}}


@contextlib.contextmanager
def running(scenario: Scenario, directory: Path) -> Iterator[RunningSimulator]:
    """Run a simulator with this scenario; stop it at the end."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "simulator.json").unlink(missing_ok=True)
    (directory / "scenario.json").write_text(json.dumps(asdict(scenario)), encoding="utf-8")
    process = _fork(directory)
    try:
        end = time.monotonic() + START_SECONDS
        while not (directory / "simulator.json").exists():
            if not _runs(process) or time.monotonic() > end:
                raise RuntimeError(f"the simulator did not start: {(directory / 'simulator.log').read_text()}")
            time.sleep(0.01)
        yield RunningSimulator(directory)
    finally:
        _stop(process)


def _fork(directory: Path) -> int:
    """Start a simulator in a directory; returns its process ID."""
    server = _fork_server()
    print(directory.resolve(), file=server.stdin, flush=True)
    return int(server.stdout.readline())


@functools.cache
def _fork_server() -> subprocess.Popen:
    """Return the process whose forks all simulators are; it ends with this one."""
    return subprocess.Popen(
        [sys.executable, "-m", "simulator.forks"],
        env={**os.environ, "PYTHONPATH": str(TESTS)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C goes to the parent process only, which then stops the simulators
    )


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _stop(process: int) -> None:
    """Terminate a simulator that may have ended, and wait for its end."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, signal.SIGTERM)
    end = time.monotonic() + STOP_SECONDS
    while _runs(process):
        if time.monotonic() > end:
            raise RuntimeError(f"the simulator with process ID {process} does not stop")
        time.sleep(0.01)
