# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The common structure of the playbooks."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

PLAYBOOKS = Path(__file__).resolve().parents[3] / "playbooks"
CHECK_OF_MACHINES = {"name": "azureml.arc.azureml", "tasks_from": "machine"}


@pytest.mark.parametrize("name", sorted(path.stem for path in PLAYBOOKS.glob("[a-z]*.yml")))
def test_every_play_ends_with_the_tasks_that_return_the_summary(name):
    plays = yaml.safe_load((PLAYBOOKS / f"{name}.yml").read_text(encoding="utf-8"))

    for last in [play["tasks"][-1] for play in plays if "tasks" in play]:
        tasks, role = (last.get(f"ansible.builtin.import_{kind}") for kind in ("tasks", "role"))
        assert tasks == "tasks/clusters.yml" or role == CHECK_OF_MACHINES
