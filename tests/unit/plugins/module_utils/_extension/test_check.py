# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that contradict each other or the cluster."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._extension import check
from extension_options import FIRST_INFERENCE, INFERENCE, TRAINING, cluster


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({**INFERENCE, "inference_service": None}, "inference_service is required with workload_profile inference"),
        (
            {**INFERENCE, "allow_insecure_connections": None},
            "inference needs either tls, for HTTPS, or allow_insecure_connections",
        ),
        (
            {**INFERENCE, "inference_service": "node_port", "settings": {"internalLoadBalancerProvider": "azure"}},
            "inference_service is node_port, but settings set the keys of another service",
        ),
        (
            {**FIRST_INFERENCE, "inference_service": "cluster_ip"},
            "inference_service cluster_ip is not supported with settings_generation 2021; choose one of load_balancer",
        ),
        (
            {
                **FIRST_INFERENCE,
                "inference_service": "internal_load_balancer",
                "settings": {"privateEndpointNodeport": True},
            },
            "inference_service is internal_load_balancer, but settings set the keys of another",
        ),
        *(
            ({**INFERENCE, "tls": {"secret_name": "s", "cname": cname}}, "tls.cname must be a DNS name like .*, not ")
            for cname in ("https://ml", "ml:443", "ml..com", ".ml", "ml com", "ml/", "", "a" * 64, "a." * 128, "\u00fc")
        ),
        (
            {**FIRST_INFERENCE, "tls": {"secret_name": "s", "cname": "c"}},
            "tls.secret_name is not supported with settings_generation 2021",
        ),
        (
            {**TRAINING, "settings_generation": "2021", "version": "1.0.67", "install_volcano": False},
            "install_volcano is not supported with",
        ),
        (
            {**TRAINING, "settings_generation": "2021"},
            "settings_generation 2021 needs version: .* Set version to a release of 2021, or settings_generation to",
        ),
        (
            {**TRAINING, "settings": {"enableTraining": False}},
            "settings: 'enableTraining: false' contradicts workload_profile training",
        ),
        ({**TRAINING, "protected_settings": {"sslKeyPemFile": "k.pem"}}, "only az reads.*Use tls.private_key"),
        ({**TRAINING, "inference_router_ha": True}, "inference_router_ha is for inference"),
        ({**TRAINING, "settings": {"a": None}}, "the value of 'a'"),
    ],
)
def test_invalid_option_is_named(options, message):
    with pytest.raises(AzureMLError, match=message):
        check.check(options)


@pytest.mark.parametrize(
    "options",
    [
        TRAINING,
        INFERENCE,
        {**INFERENCE, "inference_service": "internal_load_balancer"},
        {**TRAINING, "settings": {"enableTraining": "true", "amloperator.custom_ip_interface": "eth1"}},
    ],
)
def test_valid_options_are_accepted(options):
    check.check(options)


@pytest.mark.parametrize(
    ("options", "fields", "message"),
    [
        ({"inference_service": "internal_load_balancer"}, {"distribution": "k3s"}, "needs an AKS cluster: .*is k3s"),
        ({"inference_router_ha": True}, {"node_count": 2}, "inference_router_ha needs 3 nodes, but the cluster has 2"),
    ],
)
def test_option_that_the_cluster_does_not_support_is_named(options, fields, message):
    with pytest.raises(AzureMLError, match=message):
        check.check_cluster({**INFERENCE, **options}, cluster(**fields))


@pytest.mark.parametrize("fields", [{"type": "managed_cluster"}, {"distribution": "aks"}])
def test_internal_load_balancer_is_accepted_on_aks_with_or_without_azure_arc(fields):
    check.check_cluster({**INFERENCE, "inference_service": "internal_load_balancer"}, cluster(**fields))


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("inferenceRouterServicType", "inferenceRouterServiceType"),
        ("installpromop", "installPromOp"),
        ("privateEndpointNodePorts", "privateEndpointNodeport"),
        ("amloperator.custom_ip_interface", None),
        ("installPromOp", None),
        ("nodeSelector.disk", None),
        ("my.own.value", None),
    ],
)
def test_key_that_resembles_a_known_one_is_a_warning(key, meant):
    warnings = check.misspelt_keys({"settings": {key: "x"}})
    assert warnings == ([f"settings: unknown key '{key}' (did you mean '{meant}'?)"] if meant else [])
