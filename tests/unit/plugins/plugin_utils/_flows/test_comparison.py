# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is not as wanted, by what modules have said."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.comparison import findings, is_as_wanted, offered_types

AS_WANTED = {"plan": {"action": "none", "reason": "it is in sync", "settings": {}, "properties": {}}}
UPDATE = {"plan": {"action": "update", "reason": "it differs", "settings": {"b": {}}, "properties": {"a": {}}}}
CREATE = {"plan": {"action": "create", "reason": "it does not exist", "settings": {"b": {}}, "properties": {}}}
READY = {"problems": []}


@pytest.mark.parametrize(
    ("extension", "readiness", "computes", "types", "expected"),
    [
        (AS_WANTED, READY, [AS_WANTED], None, []),
        (AS_WANTED, READY, [], {"skipped": True}, []),
        (UPDATE, READY, [], {"created": [], "updated": [], "removed": []}, ["extension: it differs (a, b)"]),
        (CREATE, READY, [CREATE], None, ["extension: it does not exist", "compute: it does not exist"]),
        (AS_WANTED, {"problems": ["x", "y"]}, [], None, ["pods: x", "pods: y"]),
        (
            AS_WANTED,
            READY,
            [],
            {"created": ["a"], "updated": ["b"], "removed": ["c"]},
            ["instance types not as wanted: a, b, c"],
        ),
    ],
)
def test_findings(extension, readiness, computes, types, expected):
    assert findings(extension, readiness, computes, types) == expected


@pytest.mark.parametrize(
    ("result", "as_wanted"),
    [
        (AS_WANTED, True),
        (UPDATE, False),
        ({**AS_WANTED, "failed": True}, False),
        ({"ready": True, "changed": False}, True),
        ({"ready": False, "changed": False}, False),
        ({"changed": True}, False),
        ({"changed": False}, True),
    ],
)
def test_as_wanted(result, as_wanted):
    assert is_as_wanted(result) == as_wanted


def test_instance_types_of_several_computes():
    computes = [{"cluster_instance_types": types} for types in ([{"name": "a"}, {"name": "b"}], [{"name": "a"}], [])]

    assert offered_types(computes) == [{"name": "a"}, {"name": "b"}]
