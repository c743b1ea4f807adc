# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The expected components, as in Microsoft's table."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._readiness.components import expected_components

COMMON = {
    "gateway",
    "metrics-controller-manager",
    "ml-kube-state-metrics",
    "ml-prometheus-operator",
    "prometheus-prom-prometheus",
}
VOLCANO = {"volcano-admission", "volcano-controllers", "volcano-scheduler"}
TRAINING = {"aml-operator", *VOLCANO}
INFERENCE = {
    "amlarc-identity-controller",
    "amlarc-identity-proxy",
    "azureml-fe-v2",
    "inference-operator-controller-manager",
}
OPTIONAL = {"fluent-bit", "ml-dcgm-exporter", "nvidia-device-plugin-daemonset"}


@pytest.mark.parametrize(
    ("profile", "cluster_type", "required"),
    [
        ("training", "connected_cluster", COMMON | TRAINING | {"relayserver"}),
        ("training", "managed_cluster", COMMON | TRAINING),
        ("inference", "connected_cluster", COMMON | INFERENCE | {"relayserver"}),
        ("inference", "managed_cluster", COMMON | INFERENCE | {"azureml-ingress-nginx-controller"}),
        ("training_inference", "connected_cluster", COMMON | TRAINING | INFERENCE | {"relayserver"}),
    ],
)
def test_profile_and_cluster_type_determine_the_components(profile, cluster_type, required):
    found = expected_components(profile, cluster_type, "ml")
    assert {one.name for one in found if one.required} == required
    assert {one.name for one in found if not one.required} == OPTIONAL


def test_install_options_remove_or_require_components():
    switches = {
        "install_volcano": False,
        "install_prometheus_operator": False,
        "install_dcgm_exporter": True,
        "install_nvidia_device_plugin": False,
    }
    found = {one.name: one for one in expected_components("training", "connected_cluster", "ml", switches)}
    assert not set(found) & (VOLCANO | {"ml-prometheus-operator", "nvidia-device-plugin-daemonset"})
    assert found["ml-dcgm-exporter"].required
    assert found["ml-dcgm-exporter"].kind == "DaemonSet"


@pytest.mark.parametrize(
    ("profile", "added"),
    [
        ("training", {"gateway", "aml-operator", "nfd-master", "csi-blob-controller"}),
        (
            "inference",
            {
                "amlarc-identity-controller",
                "amlarc-identity-proxy",
                "azureml-fe",
                "inference-operator-controller-manager",
            },
        ),
    ],
)
@pytest.mark.parametrize("cluster_type", ["connected_cluster", "managed_cluster"])
def test_first_generation_has_the_components_of_2021(profile, added, cluster_type):
    found = expected_components(profile, cluster_type, "ml", table="2021")
    assert {one.name for one in found if one.required} == {
        "relayserver",
        "metrics-controller-manager",
        "cluster-status-reporter",
        "ml-kube-state-metrics",
        "ml-prometheus-operator",
        *added,
    }
