# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Extensions that C(az) has installed and updated are in sync with equivalent variables.

The tests send recorded requests of az to the simulator. Only a certificate is then sent again, with its fingerprint.
"""

from __future__ import annotations

import functools
from pathlib import Path

import pytest
import requests
from ansible_collections.azureml.arc.plugins.modules.openshift_scc import SPEC as SCC
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.options import CLUSTER, EXTENSION
from objects import GROUP
from recordings import (
    AZ,
    certificate_values,
    cluster_id,
    creates,
    filled_in,
    load,
    options_of,
    plan_of,
    renamed,
    secrets_in,
)
from support import credential, requests_to, run_module_work, wait_for

import certificates
import simulated
from simulator.scenario import InstallPlan, Scenario

# The API versions that the clients use for extensions.
API_VERSIONS = {"az-k8s-extension-1.7.0": "2023-05-01", "az-k8s-extension-1.0.0": "2021-09-01"}
# The recorded updates: the cluster, and the options that are equivalent to the result.
UPDATES = [
    ("k3s-d", {"inference_router_ha": False}),
    ("k3s-d", {}),
    ("k3s-a", {"version": "1.1.60"}),
    (
        "aks-one",
        {
            "workload_profile": "training_inference",
            "inference_service": "load_balancer",
            "allow_insecure_connections": True,
        },
    ),
]
RELAY = {"relayServerConnectionString", "relayserver.relayConnectionString"}
OF_2021 = {"RelayConnectionString", "servicebus.connectionString", "serviceBusConnectionString"}
CERTIFICATE = {"scoringFe.sslCert", "scoringFe.sslKey"}


def installations(client: str) -> list[tuple[dict, dict, dict | None]]:
    """Return each C(create) of az, the equivalent options, and the body of the C(update) after it, if any."""
    found = [(create, options_of(create), None) for create in creates(client)]
    by_cluster = {create["cluster"]["name"]: create for create in creates(client)}
    for number, (update, (name, options)) in enumerate(zip(load(client).get("update", ()), UPDATES, strict=False)):
        create = renamed(by_cluster[name], f"{name}-u{number}")
        found.append((create, {**options_of(create), **options}, update["patch"]))
    return found


class Az:
    """Sends recorded requests."""

    def __init__(self, simulator, client: str, certificate: tuple[bytes, bytes]) -> None:
        self._simulator = simulator
        self._version = API_VERSIONS[client]
        self._token = credential(simulator).get_token(f"{simulator.endpoint}/.default").token
        self._values = certificate_values(certificate)

    def send(self, method: str, path: str, version: str, body: object = None) -> dict:
        answer = requests.request(
            method,
            f"{self._simulator.endpoint}{path}?api-version={version}",
            headers={"Authorization": f"Bearer {self._token}"},
            json=filled_in(body, self._values),
            verify=self._simulator.ca,
            timeout=10,
        )
        assert answer.ok, (method, path, answer.text)
        return answer.json()

    def install(self, create: dict, version: str | None) -> str:
        """Create the extension and its supporting resources; return the id of the extension."""
        for one in create["supporting_resources"]:
            path = f"{GROUP}/providers/{one['path']}"
            # Requests for children of a new resource may be refused, because the parent is not visible yet.
            send = functools.partial(self.send, one["method"], path, one["api-version"], one["body"])
            answer = wait_for(send)
            self._values |= secrets_in(path, answer)
        put = create["put"]
        if version:  # as with --version and --auto-upgrade-minor-version false
            pinned = {"version": version, "autoUpgradeMinorVersion": False}
            put = {**put, "properties": {**put["properties"], **pinned}}
        name = options_of(create)["name"]
        extension = f"{cluster_id(create)}/providers/Microsoft.KubernetesConfiguration/extensions/{name}"
        self.send("PUT", extension, self._version, put)
        self.wait(extension)
        return extension

    def update(self, extension: str, patch: dict) -> None:
        self.send("PATCH", extension, self._version, patch)
        self.wait(extension)

    def wait(self, extension: str) -> None:
        def succeeded() -> bool:
            state = self.send("GET", extension, self._version)["properties"]["provisioningState"]
            assert state != "Failed"
            return state == "Succeeded"

        wait_for(succeeded)


@pytest.fixture(scope="module", params=list(AZ))
def client(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def simulator(client, tmp_path_factory):
    """A simulator of the clusters with which az was recorded, and of one more for each update."""
    clusters = [plan_of(create) for create, _options, _update in installations(client)]
    for one in clusters:
        one.install = InstallPlan(seconds=6)
    with simulated.running(Scenario(clusters=clusters, time_scale=60), tmp_path_factory.mktemp("simulator")) as running:
        yield running


@pytest.fixture
def files(tmp_path) -> dict[str, str]:
    """A certificate and its key, as files."""
    return certificates.as_files(tmp_path)


@pytest.fixture
def inventory(simulator, client, files) -> dict:
    """An inventory with variables that are equivalent to the commands of az."""
    hosts = {}
    for create, options, _update in installations(client):
        if "tls" in options:
            options["tls"] = {**options["tls"], **files}
        variables = {**CLUSTER, **EXTENSION}
        cluster = create["cluster"]["name"]
        hosts[cluster] = {variables[name]: value for name, value in options.items()}
        hosts[cluster]["azureml_kubernetes"] = {"kubeconfig": simulator.kubeconfigs[cluster]}
    return {"all": {"hosts": hosts}}


@pytest.fixture
def installed(simulator, client, files, tmp_path) -> None:
    """Install and update the extensions with the recorded requests."""
    certificate, private_key = (Path(path).read_bytes() for path in files.values())
    az = Az(simulator, client, (certificate, private_key))
    for create, options, update in installations(client):
        if create["cluster"]["distribution"] == "openshift":
            kubeconfig = simulator.kubeconfigs[create["cluster"]["name"]]
            run_module_work(tmp_path, SCC, kubeconfig=kubeconfig, extension_name=options["name"])
        extension = az.install(create, AZ[client].get("version"))
        if update:
            az.update(extension, update)
    simulator.clear_journal()


def arm_writes(simulator) -> dict[str, list[dict]]:
    """Return the requests that change resources in Azure, by cluster."""
    found: dict[str, list[dict]] = {}
    for method in ("PUT", "PATCH", "DELETE"):
        for request in requests_to(simulator, method, "/subscriptions/"):
            found.setdefault(request["path"].split("/")[8], []).append(request)
    return found


@pytest.mark.usefixtures("installed")
def test_deploy_with_equivalent_variables_only_sends_certificates_once(playbook, simulator, client, inventory):
    first = playbook("azureml.arc.deploy", inventory)
    assert first.status == 0, first.output
    sent = arm_writes(simulator)

    with_certificate = {name for name, variables in inventory["all"]["hosts"].items() if "azureml_tls" in variables}
    assert sent.keys() == with_certificate
    for name, patches in sent.items():
        (patch,) = patches
        assert patch["method"] == "PATCH"
        properties = patch["body"]["properties"]
        expected = set(CERTIFICATE)
        if AZ[client]:
            expected |= RELAY | OF_2021
        elif inventory["all"]["hosts"][name]["azureml_cluster_type"] == "connected_cluster":
            expected |= RELAY
        assert properties.keys() == {"configurationSettings", "configurationProtectedSettings"}
        assert properties["configurationSettings"].keys() == {"azuremlArc.certificateSha256"}
        assert properties["configurationProtectedSettings"].keys() == expected

    simulator.clear_journal()
    second = playbook("azureml.arc.deploy", inventory)
    verified = playbook("azureml.arc.verify", inventory)
    assert (second.status, verified.status) == (0, 0), second.output + verified.output
    assert arm_writes(simulator) == {}
