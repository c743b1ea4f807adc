# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The configuration of a compute, from options or from the studio's file. Errors contain the path in the document."""

from __future__ import annotations

import json

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._compute.configuration import from_file, from_options
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError

GPU = "nvidia.com/gpu"
SMALL = {"small": {"resources": {"limits": {"cpu": "1"}}}}


def document(**fields):
    return json.dumps({"defaultInstanceType": "a", "instanceTypes": {"a": {}}, **fields})


def of_type(**fields):
    return document(instanceTypes={"a": fields})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "config_file f.json: line 1, column 2: Expecting property name"),
        ("[]", "config_file f.json: it must contain a JSON object"),
        ('{"namespace": "a", "namespace": "b"}', "config_file f.json: duplicate key namespace"),
        ("[" * 100_000, "config_file f.json: maximum recursion"),
        (document(namespaces="a"), "config_file f.json: unknown key namespaces; known are namespace, default"),
        (document(namespace="A b"), "config_file f.json: namespace: 'A b' is not a valid namespace name"),
        (document(namespace=7), "f.json: namespace: '7' is not a valid namespace name"),
        (document(instanceTypes=[]), r"f.json: instanceTypes must be a dictionary, not \[\]"),
        (document(instanceTypes={"a": "b"}), "f.json: instanceTypes.a must be a dictionary, not 'b'"),
        (document(instanceTypes={"a b": {}}), "f.json: instanceTypes: 'a b' is not a valid name"),
        (document(instanceTypes={"a-": {}}), "f.json: instanceTypes: 'a-' is not a valid name"),
        (document(instanceTypes={"a" * 300: {}}), "f.json: instanceTypes: 'a+' is not a valid name"),
        (document(defaultInstanceType="b"), "f.json: defaultInstanceType: 'b' is not one of instanceTypes: a"),
        (document(defaultInstanceType=None), "f.json: defaultInstanceType is missing: name one of a"),
        (document(instanceTypes=None), "f.json: defaultInstanceType needs instanceTypes"),
        (
            of_type(node_selector={}),
            "f.json: instanceTypes.a: unknown key node_selector; known are nodeSelector, r",
        ),
        (of_type(nodeSelector={"a": "b c"}), "f.json: instanceTypes.a.nodeSelector.a: 'b c' is not a valid label"),
        (of_type(nodeSelector={"a": True}), "instanceTypes.a.nodeSelector.a: True must be in quotes"),
        (of_type(resources={"request": {}}), "f.json: instanceTypes.a.resources: unknown key request"),
        (of_type(resources={"limits": 3}), "f.json: instanceTypes.a.resources.limits must be a dictionary, not 3"),
        (
            of_type(resources={"limits": {"cpu": True}}),
            "instanceTypes.a.resources.limits.cpu: 'True' is not a valid quantity",
        ),
        (of_type(resources={"limits": {GPU: "0.5"}}), "instanceTypes.a.resources.limits.nvidia.com/gpu: 0.5 is not"),
        (
            of_type(resources={"requests": {GPU: "1"}, "limits": {GPU: "0"}}),
            "instanceTypes.a.resources.requests.nvidia.com/gpu: 1 must equal the limit in .*limits, which is not set",
        ),
    ],
)
def test_invalid_file_is_rejected_with_the_path_in_it(text, message):
    with pytest.raises(AzureMLError, match=message):
        from_file(text.encode("utf-8", "surrogatepass"), "f.json")


def test_invalid_options_are_rejected_with_their_path():
    with pytest.raises(AzureMLError, match="^instance_types.small.resources.limits.cpu: 'x' is not a valid quantity"):
        from_options({"instance_types": {"small": {"resources": {"limits": {"cpu": "x"}}}}})
    with pytest.raises(AzureMLError, match="^default_instance_type is missing: name one of small"):
        from_options({"instance_types": SMALL})


def test_type_named_default_instance_type_is_the_default():
    assert from_options({"instance_types": {"defaultInstanceType": {}}}).default_instance_type == "defaultInstanceType"
    assert from_options({"instance_types": {}}).default_instance_type is None


def test_names_are_converted_for_the_cluster_where_the_default_has_a_second_name():
    found = from_options({"instance_types": {"Big_GPU": SMALL["small"]}, "default_instance_type": "Big_GPU"})
    resources = {"requests": {}, "limits": {"cpu": "1"}}
    assert found.for_cluster() == [
        {"name": "big-gpu", "node_selector": {}, "resources": resources},
        {"name": "defaultinstancetype", "node_selector": {}, "resources": resources},
    ]
    assert [one["name"] for one in from_options({"instance_types": {"defaultInstanceType": {}}}).for_cluster()] == [
        "defaultinstancetype"
    ]


@pytest.mark.parametrize(
    ("types", "message"),
    [
        (["a_b", "a-b"], "'a_b' and 'a-b' would both have the name 'a-b'"),
        (["a", "DefaultInstanceType"], "the default instance type is 'a', but 'DefaultInstanceType' would be"),
    ],
)
def test_types_with_equal_names_in_the_cluster_are_rejected(types, message):
    given = {"instance_types": {name: {} for name in types}, "default_instance_type": types[0]}
    with pytest.raises(AzureMLError, match=message):
        from_options(given).for_cluster()
