# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Instance types: values that Kubernetes would refuse are refused with their path, and equal quantities are equal."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._compute.instance_type_spec import (
    check_object_name,
    replacement,
    same,
    validated,
)
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError

GPU = "nvidia.com/gpu"


def instance_type(node_selector=None, requests=None, limits=None):
    resources = {"requests": requests, "limits": limits}
    return validated("gpu", {"node_selector": node_selector, "resources": resources}, "instance_types[0].")


def test_instance_type_becomes_a_spec_with_strings_and_whole_gpus():
    found = instance_type(
        node_selector={"accelerator": "nvidia-tesla-k80", "example.com/pool": 7},
        requests={"cpu": 2, "memory": "16Gi", GPU: "1"},
        limits={"cpu": "2", "memory": "16Gi", GPU: "1"},
    )
    assert found.gpus == 1
    assert found.spec() == {
        "nodeSelector": {"accelerator": "nvidia-tesla-k80", "example.com/pool": "7"},
        "resources": {
            "requests": {"cpu": "2", "memory": "16Gi"},
            "limits": {"cpu": "2", "memory": "16Gi", GPU: 1},
        },
    }


def test_zero_gpus_are_left_out_of_the_spec_but_sent_with_the_attachment():
    found = instance_type(requests={"cpu": "1", GPU: "0"}, limits={"cpu": "1", GPU: "0"})
    assert found.spec() == {"resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "1"}}}
    assert validated("any", {}).spec() == {}
    assert found.attachment() == {
        "nodeSelector": None,
        "resources": {"requests": {"cpu": "1", GPU: "0"}, "limits": {"cpu": "1", GPU: "0"}},
    }


def test_name_that_is_invalid_for_an_object_is_rejected():
    with pytest.raises(AzureMLError, match="name: 'GPU_type' is not a valid name"):
        check_object_name("GPU_type", "name")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"node_selector": ["a"]}, r"\[0\].node_selector must be a dictionary, not \['a'\]"),
        ({"node_selector": {"a b": "c"}}, r"\[0\].node_selector: 'a b' is not a valid label key"),
        ({"node_selector": {"Bad_prefix!/a": "c"}}, "is not a valid label key"),
        ({"node_selector": {"a": "b c"}}, r"\[0\].node_selector.a: 'b c' is not a valid label value"),
        ({"node_selector": {"a": "x" * 64}}, "is not a valid label value"),
        ({"limits": {"memory": "lots"}}, r"\[0\].resources.limits.memory: 'lots' is not a valid quantity like 500m"),
        ({"limits": {"memory": "-1Gi"}}, "must be a number, zero or more"),
        ({"limits": {"memory": "NaN"}}, "must be a number, zero or more"),
        ({"limits": {"cpu": {"a": 1}}}, r"\[0\].resources.limits.cpu: .* is not a valid quantity"),
        (
            {"requests": {"cpu": "1500m"}, "limits": {"cpu": "1"}},
            r"\[0\].resources.requests.cpu: 1500m is more than the limit of 1",
        ),
        ({"limits": {GPU: "500m"}}, r"\[0\].resources.limits.nvidia.com/gpu: 500m is not a whole number of GPUs"),
        (
            {"requests": {GPU: 2}, "limits": {GPU: 1}},
            r"\[0\].resources.requests.nvidia.com/gpu: 2 must equal the limit in .*limits, which is 1",
        ),
        ({"requests": {GPU: 1}}, "which is not set"),
    ],
)
def test_invalid_value_is_rejected_with_its_path(given, message):
    with pytest.raises(AzureMLError, match=message):
        instance_type(**given)


@pytest.mark.parametrize(
    ("spec", "equal"),
    [
        ({"resources": {"requests": {"cpu": "1000m"}, "limits": {"memory": "1024Mi", GPU: "1"}}}, True),
        ({"resources": {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}}}, False),
        ({"resources": {"requests": {"cpu": "2"}, "limits": {"memory": "1Gi", GPU: 1}}}, False),
        (
            {"nodeSelector": {"a": "b"}, "resources": {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi", GPU: 1}}},
            False,
        ),
    ],
)
def test_specs_with_equal_quantities_are_the_same(spec, equal):
    wanted = instance_type(requests={"cpu": "1"}, limits={"memory": "1Gi", GPU: 1})
    assert same(wanted, spec) is equal


def test_replacement_removes_settings_that_are_not_configured():
    present = {"nodeSelector": {"a": "1", "b": "2"}, "resources": {"limits": {"cpu": "1"}}}
    assert replacement({"nodeSelector": {"a": "3"}}, present) == {
        "nodeSelector": {"a": "3", "b": None},
        "resources": None,
    }
