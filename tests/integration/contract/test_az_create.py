# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M(azureml.arc.extension) sends the same requests as recordings of C(az k8s-extension create)."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.modules.extension import SPEC
from objects import GROUP
from recordings import AZ, cluster_id, creates, filled_in, options_of, plan_of, secrets
from support import requests_to

import certificates
import simulated
from simulator.scenario import Scenario

CREATES = [
    pytest.param(client, create, id=f"{client}-{create['cluster']['name']}")
    for client in AZ
    for create in creates(client)
]
# The only differences that a PUT of an extension may have, and the reasons.
EXTENSION_DIFFERENCES = {
    "location": "An extension has no location; az of 2021 sent one, and the service ignores it.",
    "properties/extensionType": "The case of the type is ignored.",
    "properties/autoUpgradeMinorVersion": "The service defaults to True, which az relies on.",
    "properties/version": "Keys of 2021 need a release of 2021, which was the latest one then.",
    "properties/configurationSettings/azuremlArc.certificateSha256": "Our own key: a certificate cannot be read back.",
    "properties/configurationProtectedSettings/sslCertPemFile": "A local path that only az reads.",
    "properties/configurationProtectedSettings/sslKeyPemFile": "A local path that only az reads.",
}
# The same for supporting resources.
RESOURCE_DIFFERENCES = {
    "sku/name": "az sends STANDARD for Service Bus, and none for Relay, which has no other SKU.",
    "properties/publicNetworkAccessForIngestion": "Enabled is the default of a Log Analytics workspace.",
    "properties/publicNetworkAccessForQuery": "Enabled is the default of a Log Analytics workspace.",
}


@pytest.fixture(scope="module")
def simulator(request, tmp_path_factory):
    """A simulator of the clusters with which a client was recorded."""
    clusters = [plan_of(create) for create in creates(request.param)]
    with simulated.running(Scenario(clusters=clusters, time_scale=60), tmp_path_factory.mktemp("simulator")) as running:
        yield running


def leaves(body: object, path: str = "") -> dict[str, object]:
    """Return the values of a body by their paths."""
    if not isinstance(body, dict):
        return {path: body}
    return {
        name: value
        for key, part in body.items()
        for name, value in leaves(part, f"{path}/{key}" if path else key).items()
    }


def different(one: object, other: object) -> set[str]:
    """Return the paths at which two bodies differ."""
    first, second = leaves(one), leaves(other)
    return {path for path in first.keys() | second.keys() if first.get(path) != second.get(path)}


def sent_resources(simulator) -> dict[tuple[str, str], object]:
    """Return the bodies of requests to supporting resources, by method and path."""
    providers = ("Microsoft.Relay", "Microsoft.ServiceBus", "Microsoft.OperationalInsights")
    return {
        (one["method"], one["path"].removeprefix(f"{GROUP}/providers/")): one["body"] or None
        for one in simulator.journal()
        if one["method"] in ("PUT", "POST") and any(provider in one["path"] for provider in providers)
    }


@pytest.mark.parametrize(("simulator", "create"), CREATES, indirect=["simulator"])
def test_extension_and_supporting_resources_are_created_with_the_requests_of_az(
    run_module, simulator, create, tmp_path
):
    certificate = certificates.make()
    options = options_of(create)
    if "tls" in options:
        options["tls"] = {**options["tls"], **certificates.as_files(tmp_path, certificate)}

    run_module(SPEC, wait=False, **options)

    (put,) = requests_to(simulator, "PUT", f"{cluster_id(create)}/providers/Microsoft.KubernetesConfiguration")
    recorded = filled_in(create["put"], secrets(simulator, certificate))
    assert different(put["body"], recorded) <= EXTENSION_DIFFERENCES.keys()
    assert put["body"]["properties"]["extensionType"].lower() == recorded["properties"]["extensionType"]

    sent = sent_resources(simulator)
    az_sent = {(one["method"], one["path"]): one["body"] for one in create["supporting_resources"]}
    assert sent.keys() == az_sent.keys()
    for key, body in sent.items():
        assert different(body, az_sent[key]) <= RESOURCE_DIFFERENCES.keys()
