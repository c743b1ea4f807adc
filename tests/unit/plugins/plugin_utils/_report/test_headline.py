# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The headline of a report."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.plugin_utils._report.headline import headline

NONE = {"ok": 0, "changed": 0, "failed": 0, "unreachable": 0, "not_started": 0}


@pytest.mark.parametrize(
    ("playbook", "totals", "check_mode", "expected"),
    [
        ("rollout.yml", {"ok": 1, "changed": 3, "failed": 2}, False, "Rollout: 4 of 6 clusters ready, 2 failed"),
        ("deploy.yml", {"changed": 6}, False, "Deployment: all 6 clusters ready"),
        ("deploy.yml", {"changed": 1}, False, "Deployment: 1 of 1 cluster ready"),
        ("verify.yml", {"ok": 5, "unreachable": 1}, False, "Verification: 5 of 6 clusters in sync, 1 unreachable"),
        (
            "rollout.yml",
            {"changed": 1, "failed": 1, "not_started": 4},
            False,
            "Rollout: 1 of 6 clusters ready, 1 failed, 4 not started",
        ),
        ("site.yml", {"ok": 1, "failed": 1}, False, "site.yml: 1 of 2 clusters succeeded, 1 failed"),
        ("deploy.yml", {"ok": 1, "changed": 2}, True, "Deployment in check mode: 2 would change, 1 unchanged"),
        ("deploy.yml", {}, False, "Deployment: no clusters"),
        ("nodes.yml", {"ok": 2, "failed": 1}, False, "Preparation of nodes: 2 of 3 hosts ready, 1 failed"),
    ],
)
def test_headline_is_the_result_of_the_run(playbook, totals, check_mode, expected):
    assert headline(playbook, {**NONE, **totals}, check_mode) == expected
