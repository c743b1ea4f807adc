# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The flows by name, and their parts by tags."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.modules import cluster, fleet
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.flow import PARTS
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.host import FLOWS, parts_by_tags

ALL = ("all",)
OWN = ("always", "ml")


@pytest.mark.parametrize(
    ("wanted", "skipped", "parts"),
    [
        (ALL, (), PARTS),
        (ALL, ("attach",), ("extension", "readiness", "prove")),
        (ALL, PARTS, ()),
        (ALL, ("web",), PARTS),
        (("attach", "extension"), (), ("extension", "attach")),
        (("attach", "web"), (), ("attach",)),
        (("attach", "ml"), (), ("attach",)),
        (("attach",), ("attach",), ()),
        (("web",), (), ()),
        (("untagged",), (), ()),
        (("tagged",), (), PARTS),
        (("always",), (), PARTS),
        (("ml",), ("prove",), ("extension", "readiness", "attach")),
    ],
)
def test_tags_select_the_parts(wanted, skipped, parts):
    variables = {"ansible_run_tags": wanted, "ansible_skip_tags": skipped}

    assert parts_by_tags(OWN, variables) == tuple(parts)


@pytest.mark.parametrize("module", [cluster, fleet])
def test_modules_offer_all_flows(module):
    assert module.ARGUMENT_SPEC["flow"]["choices"] == sorted(FLOWS)
