# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M(azureml.arc.compute) and the package azure-ai-ml read and change computes that the other has attached."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import playbooks
import pytest
from ansible_collections.azureml.arc.plugins.modules.compute import SPEC
from ansible_collections.azureml.arc.plugins.modules.extension import SPEC as EXTENSION
from objects import WORKSPACE, arc_id
from recordings import load
from support import requests_to

# Created by 'make build/contract/complete'.
PYTHON = playbooks.ROOT / "build" / "contract" / "azure-ai-ml" / "bin" / "python"
CLIENT = Path(__file__).with_name("azure_ai_ml_client.py")
TIMEOUT = 120  # seconds


@pytest.fixture
def cluster(run_module, arc) -> dict:
    """Options for a cluster that can be attached."""
    where = {"resource_group": "rg-edge", "cluster_name": arc}
    run_module(EXTENSION, workload_profile="training", **where)
    return where


@pytest.fixture
def azure_ai_ml(tmp_path):
    """Return a function that runs the client, and returns the compute that it prints."""

    def run(*arguments: str) -> dict | None:
        finished = subprocess.run(
            [str(PYTHON), str(CLIENT), *arguments],
            env={**os.environ, "HOME": str(tmp_path)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        assert finished.returncode == 0, finished.stderr
        return json.loads(finished.stdout) if finished.stdout.strip() else None

    return run


def test_compute_attached_by_azure_ai_ml_is_in_sync(run_module, simulator, azure_ai_ml, arc, cluster):
    cluster_id = arc_id(arc)
    azure_ai_ml("attach", arc, cluster_id, "default")
    (put,) = requests_to(simulator, "PUT", f"/computes/{arc}")
    recorded = load("azure-ai-ml-1.35")
    assert put["query"]["api-version"] == recorded["api-version"]
    assert put["body"]["properties"].keys() == recorded["put"]["properties"].keys()
    simulator.clear_journal()

    result = run_module(SPEC, name=arc, workspace=WORKSPACE, **cluster)

    assert result["plan"]["action"] == "none"
    assert result["compute"]["identity"] == {"type": "None", "user_assigned_identities": []}
    assert requests_to(simulator, "PUT", "/computes/") == []


def test_azure_ai_ml_reads_and_detaches_a_compute_that_the_module_attached(run_module, azure_ai_ml, arc, cluster):
    compute = run_module(SPEC, name=arc, workspace=WORKSPACE, description="shop", **cluster)["compute"]

    assert azure_ai_ml("show", arc) == {
        "name": arc,
        "type": "kubernetes",
        "provisioning_state": "Succeeded",
        "resource_id": compute["cluster_id"],
        "namespace": "default",
        "description": "shop",
        "identity": "system_assigned",
    }
    azure_ai_ml("detach", arc)
    assert run_module(SPEC, name=arc, workspace=WORKSPACE, check_mode=True, **cluster)["plan"]["action"] == "create"
