# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of supporting resources."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._azure.names import derived_name, is_created_by_us


def test_derived_name_has_only_letters_and_digits_and_is_cut_with_a_digest():
    assert derived_name("shop-1-sub-rg-relay", 50) == "shop1subrgrelay"
    long = "a-cluster-11111111-2222-3333-4444-555555555555-a-resource-group-relay"
    # The last six characters are the first six of the md5sum of the whole text.
    assert derived_name(long, 50) == "acluster11111111222233334444555555555555ares" + "e62e8c"
    assert len(derived_name("x" * 80, 63)) == 63


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"created_by": "Azure Arc-enabled ML"}, True),
        ({"Created_By": "Azure Arc-enabled ML", "team": "a"}, True),
        ({"created_by": "azure arc-enabled ml"}, False),
        ({"team": "a"}, False),
        (None, False),
    ],
)
def test_tag_names_compare_without_case(tags, expected):
    assert is_created_by_us({"tags": tags}) is expected
