# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The common structure of the playbooks."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

PLAYBOOKS = Path(__file__).resolve().parents[3] / "playbooks"
# These playbooks work host by host, so the play recap shows their results.
WITHOUT_SUMMARY = {"nodes"}


@pytest.mark.parametrize("name", sorted({path.stem for path in PLAYBOOKS.glob("[a-z]*.yml")} - WITHOUT_SUMMARY))
def test_playbook_ends_with_the_tasks_that_return_the_summary(name):
    plays = yaml.safe_load((PLAYBOOKS / f"{name}.yml").read_text(encoding="utf-8"))

    assert plays[-1]["tasks"][-1]["ansible.builtin.import_tasks"] == "tasks/clusters.yml"
