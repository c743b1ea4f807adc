# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The molecule scenarios: each runs all actions, and leaves no processes."""

from __future__ import annotations

import os
import subprocess

import pytest
from playbooks import ROOT
from support import processes_of

SCENARIOS = sorted(path.parent.name for path in (ROOT / "extensions/molecule").glob("*/molecule.yml"))
ACTIONS = ("create", "converge", "idempotence", "verify", "destroy")


def test_scenarios_cover_all_profiles_and_kinds_of_clusters():
    assert SCENARIOS == [
        "combined-aks",
        "combined-openshift",
        "inference-http-ilb",
        "inference-https-nodeport",
        "training",
    ]


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_scenario_succeeds(scenario, tmp_path):
    environment = {**os.environ, "NO_COLOR": "1"}
    command = ["molecule", "test", "--scenario-name", scenario]
    finished = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    output = finished.stdout + finished.stderr

    assert finished.returncode == 0, output
    for action in ACTIONS:
        assert f"{scenario} > {action}: Executed: Successful" in output
    assert processes_of(tmp_path) == []
