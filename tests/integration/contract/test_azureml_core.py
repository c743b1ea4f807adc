# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M(azureml.arc.compute) sends the same request as a recording of azureml-core, with the examples of October 2021.

Source of the examples: the article "Configure Azure Arc-enabled machine learning" of 21 October 2021.
"""

from __future__ import annotations

import json

import playbooks
import pytest
from ansible_collections.azureml.arc.plugins.module_utils._azure.client import open_session
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleSpec
from ansible_collections.azureml.arc.plugins.modules.compute import SPEC
from ansible_collections.azureml.arc.plugins.modules.extension import SPEC as EXTENSION
from objects import WORKSPACE, arc_id
from recordings import filled_in, load
from support import requests_to

from simulator.scenario import SUBSCRIPTION

RECORDED = load("azureml-core-1.36")["put_properties"]
ADVANCED = RECORDED["properties"]
# The JSON files of the article, and the second one without its node selector, which is null there.
FILES = {
    name: json.loads((playbooks.HERE / "attachments" / f"{name}.json").read_text(encoding="utf-8"))
    for name in ("gpu", "default")
}
FILES["default without selector"] = json.loads(json.dumps(FILES["default"]))
del FILES["default without selector"]["instanceTypes"]["defaultInstanceType"]["nodeSelector"]


@pytest.fixture
def cluster(run_module, kube, arc) -> dict:
    """Options for a cluster that can be attached, with the namespace of the examples."""
    where = {"resource_group": "rg-edge", "cluster_name": arc}
    run_module(EXTENSION, workload_profile="training", **where)
    kube(arc).resources.get(api_version="v1", kind="Namespace").create(body={"metadata": {"name": "amlarc-testing"}})
    return where


@pytest.fixture
def attach(run_module, cluster, arc):
    """Return a function that attaches the cluster. The compute has the name of the cluster."""

    def run(**options) -> dict:
        return run_module(SPEC, name=arc, workspace=WORKSPACE, **cluster, **options)

    return run


def sent_properties(simulator) -> dict:
    (put,) = requests_to(simulator, "PUT", "/computes/")
    return put["body"]["properties"]


def test_options_equivalent_to_the_python_example_send_the_recorded_request(simulator, attach, arc):
    types = {
        name: {
            option: one[key] for option, key in (("node_selector", "nodeSelector"), ("resources",) * 2) if key in one
        }
        for name, one in ADVANCED["instanceTypes"].items()
    }
    options = {"default_instance_type": ADVANCED["defaultInstanceType"], "instance_types": types}

    attach(namespace=ADVANCED["namespace"], description="", **options)

    cluster_id = arc_id(arc)
    assert sent_properties(simulator) == filled_in(RECORDED, {"<cluster id>": cluster_id})


@pytest.mark.parametrize("document", FILES.values(), ids=list(FILES))
def test_json_example_is_sent_unchanged_and_is_in_sync_afterwards(simulator, attach, tmp_path, document):
    (tmp_path / "attach.json").write_text(json.dumps(document), encoding="utf-8")

    attach(config_file=str(tmp_path / "attach.json"))

    assert sent_properties(simulator)["properties"] == document
    assert attach(config_file=str(tmp_path / "attach.json"))["plan"]["action"] == "none"


@pytest.mark.parametrize("document", FILES.values(), ids=list(FILES))
def test_compute_that_azureml_core_attached_is_in_sync(run_module, attach, cluster, arc, tmp_path, document):
    """azureml-core sends the content of the file twice, on two levels."""
    workspace = (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-ml/providers/Microsoft.MachineLearningServices/workspaces/ws"
    )
    recorded = {**RECORDED, **document, "properties": document}
    recorded["resourceId"] = arc_id(arc)
    body = {"location": "northeurope", "identity": {"type": "SystemAssigned"}, "properties": recorded}

    def put(call):
        session = open_session(call)
        session.send("PUT", f"{workspace}/computes/{arc}", "2024-04-01", arc, body=body)
        return {}

    run_module(ModuleSpec(run=put, argument_spec=EXTENSION.argument_spec), **cluster)
    (tmp_path / "attach.json").write_text(json.dumps(document), encoding="utf-8")

    assert not attach(config_file=str(tmp_path / "attach.json"))["changed"]
