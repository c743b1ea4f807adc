# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The exact request of every deployment scenario; the bodies are in C(extension_bodies.yml)."""

from __future__ import annotations

import copy
import hashlib
import ssl
from pathlib import Path

import pytest
import yaml
from ansible_collections.azureml.arc.plugins.modules.extension import SPEC
from recordings import filled_in, secrets
from support import requests_to

import certificates
import simulated
from simulator.scenario import ClusterPlan, Scenario

DATA = yaml.safe_load(Path(__file__).with_name("extension_bodies.yml").read_text(encoding="utf-8"))
CLUSTERS = [
    ClusterPlan("shop-k3s"),
    ClusterPlan("ship-k3s", nodes=1),
    ClusterPlan("plant-openshift", distribution="openshift"),
    ClusterPlan("aks-arc", distribution="aks"),
    ClusterPlan("aks-west", type="managedClusters"),
]


@pytest.fixture(scope="module")
def simulator(tmp_path_factory):
    """A simulator of the clusters of all scenarios. Each scenario removes its extension at the end."""
    scenario = Scenario(clusters=CLUSTERS, time_scale=60)
    with simulated.running(scenario, tmp_path_factory.mktemp("simulator")) as running:
        yield running


@pytest.fixture(scope="module")
def certificate() -> tuple[bytes, bytes]:
    return certificates.make()


def known_values(simulator, certificate) -> dict[str, str]:
    """Return the values of the $NAMES: those of the recordings, and the fingerprint of the certificate."""
    fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate[0].decode())).hexdigest()
    return {**secrets(simulator, certificate), "$FINGERPRINT": fingerprint}


@pytest.mark.parametrize("scenario", DATA["scenarios"], ids=lambda one: one["name"])
def test_scenario_sends_the_documented_body(run_module, simulator, certificate, tmp_path, scenario):
    options = {"resource_group": "rg-edge", **scenario["options"]}
    if options.get("tls") == "files":
        options["tls"] = {**certificates.as_files(tmp_path, certificate), "cname": "ml.example.com"}
    cluster = {name: options[name] for name in ("resource_group", "cluster_name", "cluster_type") if name in options}

    run_module(SPEC, wait=False, **options)
    requests = requests_to(simulator, "PUT", "Microsoft.KubernetesConfiguration/extensions/azureml")
    values = known_values(simulator, certificate)
    run_module(SPEC, state="absent", force_delete=True, **cluster)

    expected = copy.deepcopy(DATA["envelope"])
    if "identity" in scenario:
        del expected["identity"]
    if "version" in options:
        expected["properties"] |= {"version": options["version"], "autoUpgradeMinorVersion": False}
    for name, settings in (
        ("configurationSettings", scenario["settings"]),
        ("configurationProtectedSettings", scenario["protected"]),
    ):
        if settings:
            expected["properties"][name] = filled_in(settings, values)
    assert [request["body"] for request in requests] == [expected]
