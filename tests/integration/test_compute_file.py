# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The three examples of Microsoft's page of 2021."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.azureml.arc.plugins.modules.compute import SPEC
from support import ModuleFailedError, requests_to

ATTACHMENTS = Path(__file__).parent / "attachments"


@pytest.fixture
def attach(run_module, simulator, arc, ready):
    """Return a function that attaches the cluster twice, and returns the first result and the properties sent."""

    def run(**options) -> tuple[dict, dict]:
        first = run_module(SPEC, **options, **ready)
        again = run_module(SPEC, **options, **ready)
        (put,) = requests_to(simulator, "PUT", f"/computes/{arc}")
        assert not again["changed"]
        return first, put["body"]["properties"]["properties"]

    return run


def test_file_with_two_instance_types_is_sent_unchanged(attach, arc, create):
    create(arc, "v1", "Namespace", "amlarc-testing")
    path = ATTACHMENTS / "gpu.json"
    result, sent = attach(config_file=str(path))
    assert sent == json.loads(path.read_text(encoding="utf-8"))
    assert [one["name"] for one in result["cluster_instance_types"]] == [
        "gpu-instance",
        "big-cpu-sku",
        "defaultinstancetype",
    ]
    assert result["cluster_instance_types"][2]["resources"]["limits"]["nvidia.com/gpu"] == 1


def test_file_with_the_default_instance_type_is_sent_unchanged(attach):
    path = ATTACHMENTS / "default.json"
    result, sent = attach(config_file=str(path))
    assert sent == json.loads(path.read_text(encoding="utf-8"))
    (only,) = result["cluster_instance_types"]
    limits = {"cpu": "1", "memory": "4Gi"}
    assert only == {
        "name": "defaultinstancetype",
        "node_selector": {},
        "resources": {"requests": limits, "limits": limits},
    }


def test_options_equivalent_to_the_python_example_send_the_same_properties(attach, arc, create):
    create(arc, "v1", "Namespace", "amlarc-testing")
    amounts = {"cpu": "2", "memory": "16Gi", "nvidia.com/gpu": "1"}
    types = {
        "gpu_instance": {
            "node_selector": {"accelerator": "nvidia-tesla-k80"},
            "resources": {"requests": amounts, "limits": amounts},
        },
        "big_cpu_sku": {"node_selector": {"VMSizes": "VM-64vCPU-256GB"}},
    }
    options = {"namespace": "amlarc-testing", "default_instance_type": "gpu_instance", "instance_types": types}
    result, sent = attach(**options)
    assert sent == {
        "namespace": "amlarc-testing",
        "defaultInstanceType": "gpu_instance",
        "instanceTypes": {
            "gpu_instance": {
                "nodeSelector": {"accelerator": "nvidia-tesla-k80"},
                "resources": {"requests": amounts, "limits": amounts},
            },
            "big_cpu_sku": {"nodeSelector": {"VMSizes": "VM-64vCPU-256GB"}},
        },
    }
    assert set(result["compute"]["instance_types"]) == set(types)
    assert result["compute"]["instance_types"]["big_cpu_sku"]["node_selector"] == {"VMSizes": "VM-64vCPU-256GB"}


def test_invalid_file_is_rejected_with_its_path_before_any_request(run_module, simulator, ready, tmp_path):
    text = (ATTACHMENTS / "gpu.json").read_text(encoding="utf-8").replace('"cpu": "4"', '"cpu": "four"', 1)
    (tmp_path / "attach.json").write_text(text, encoding="utf-8")
    message = r"attach.json: instanceTypes.big_cpu_sku.resources.requests.cpu: 'four' is not a valid quantity"
    with pytest.raises(ModuleFailedError, match=message):
        run_module(SPEC, config_file=str(tmp_path / "attach.json"), **ready)
    with pytest.raises(ModuleFailedError, match="config_file: .*none.json cannot be read: No such file"):
        run_module(SPEC, config_file=str(tmp_path / "none.json"), **ready)
    doubles = {"instance_types": {"a_b": {}, "a-b": {}}, "default_instance_type": "a_b"}
    with pytest.raises(ModuleFailedError, match="'a_b' and 'a-b' would both have the name 'a-b' in the cluster"):
        run_module(SPEC, **doubles, **ready)
    with pytest.raises(ModuleFailedError, match="mutually exclusive: config_file|namespace"):
        run_module(SPEC, config_file="a", namespace="b", **ready)
    assert simulator.journal() == []
