# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Variables of a whole play, as read for a fleet and for a single task."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleActionFail
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.in_process import (
    is_switched_on,
    progress_interval,
)
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.guards import PlaySettings, is_narrowed

INTERVAL = "azureml_progress_interval"


def of_fleet(variables: dict) -> float:
    play = {"ansible_play_hosts_all": ["c1"], "ansible_play_batch": ["c1"]}
    return PlaySettings(Templar(DataLoader(), variables), {**variables, **play}).seconds(INTERVAL, 30)


def of_task(variables: dict) -> float:
    return progress_interval(variables, Templar(DataLoader(), variables))


@pytest.mark.parametrize("read", [of_fleet, of_task])
class TestInterval:
    @pytest.mark.parametrize(
        ("value", "seconds"), [(None, 30), ("", 30), ("0", 0), (0, 0), ("2.5", 2.5), (7, 7)], ids=repr
    )
    def test_number_is_read_as_seconds(self, read, value, seconds):
        assert read({INTERVAL: value}) == seconds
        assert read({}) == 30

    @pytest.mark.parametrize("value", ["often", "-1", -1, True, "nan", "inf", [1], {"a": 1}], ids=repr)
    def test_invalid_interval_is_an_error_with_the_variable(self, read, value):
        with pytest.raises(AnsibleActionFail, match=f"{INTERVAL} must be a number of seconds, 0 or more, not '"):
            read({INTERVAL: value})


@pytest.mark.parametrize(
    ("value", "is_on"), [(None, True), ("", True), (True, True), ("no", False), (False, False)], ids=repr
)
def test_modules_run_in_process_unless_switched_off(value, is_on, monkeypatch):
    monkeypatch.setenv("AZUREML_ARC_IN_PROCESS", "true")
    variables = {"azureml_arc_in_process": value}

    assert is_switched_on(variables, Templar(DataLoader(), variables)) is is_on


def test_invalid_switch_is_an_error_with_the_variable():
    variables = {"azureml_arc_in_process": "maybe"}

    with pytest.raises(AnsibleActionFail, match="azureml_arc_in_process must be true or false, not 'maybe'"):
        is_switched_on(variables, Templar(DataLoader(), variables))


@pytest.mark.parametrize(
    ("pattern", "hosts", "narrowed"),
    [
        ("all", ["a", "b"], False),
        ("all", ["a"], False),  # the play of a user has a group only
        ("*", ["a", "b"], False),
        ("all:!c", ["a", "b"], False),
        ("all,edge", ["a", "b"], False),
        (["*"], ["a", "b"], False),
        ("?*", ["a", "b"], False),
        ("~.*", ["a", "b"], False),
        ("all[0:9]", ["a", "b"], False),
        ("shop-*", ["a"], True),
        ("~shop.*", ["a"], True),
        ("all[0:3]", ["a"], True),
        ("edge[0:9]", ["a", "b"], True),
        ("edge", ["a", "b"], True),
        (["edge"], ["a", "b"], True),
        ("edge", ["a"], True),
        ("!b", ["a"], True),
        ("@site.retry", ["b"], True),
        ("a, b", ["a", "b"], True),
        ("a:b", ["a", "b"], True),
        (["a", "b"], ["a", "b"], True),
    ],
    ids=repr,
)
def test_pattern_is_narrowed_by_names_of_hosts_or_groups(pattern, hosts, narrowed):
    assert is_narrowed(pattern, hosts, ["a", "b"]) is narrowed
