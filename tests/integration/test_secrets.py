# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No secret gets out, in either way of running, at the highest verbosity; nothing is left behind."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from playbooks import LOCALHOST


@pytest.mark.parametrize("in_process", ["1", "0"])
def test_secrets_stay_inside(playbook, simulator, arc, tmp_path, in_process):
    kubeconfig = json.loads(Path(simulator.kubeconfigs[arc]).read_text())
    token = kubeconfig["users"][0]["user"]["token"]
    cluster = {"resource_group": "rg-edge", "cluster_name": arc}
    install = {
        **cluster,
        "workload_profile": "training",
        "protected_settings": {"proxy.password": "marker-of-a-secret"},
    }
    tasks = [
        {"azureml.arc.extension": install, "diff": True},
        {"azureml.arc.pod_readiness": {"workload_profile": "training", "kubeconfig": kubeconfig}, "name": "pods"},
        {"azureml.arc.extension": {**install, "cluster_name": "nowhere"}, "ignore_errors": True},
        {
            "azureml.arc.pod_readiness": {
                "workload_profile": "training",
                "host": "https://localhost:9",
                "api_key": "marker-of-a-token",
                "wait": False,
            },
            "ignore_errors": True,
        },
    ]
    play = {"hosts": "all", "gather_facts": False, "tasks": tasks}

    run = playbook([play], LOCALHOST, "-vvvv", AZUREML_ARC_IN_PROCESS=in_process)

    assert run.status == 0, run.output
    seen = run.output + json.dumps(run.results)
    for secret in (simulator.secret, token, "marker-of-a-secret", "marker-of-a-token", "SharedAccessKey="):
        assert secret not in seen, secret
    assert not re.search(r"eyJ|Bearer ", seen)
    # Names that stand in a kubeconfig beside its secrets are not blanked.
    assert {row["name"] for row in run.result("pods", "localhost")["components"]} >= {
        "relayserver",
        "volcano-admission",
    }
    assert [path for path in (tmp_path / "ansible").rglob("*") if path.is_file()] == []
