# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names of supporting resources."""

from __future__ import annotations

from ansible_collections.azureml.arc.plugins.module_utils._azure.names import derived_name


def test_derived_names():
    assert derived_name("shop-1-sub-rg-relay", 50) == "shop1subrgrelay"
    long = "a-cluster-11111111-2222-3333-4444-555555555555-a-resource-group-relay"
    # The digits are the first six that md5sum prints for the whole text.
    assert derived_name(long, 50) == "acluster11111111222233334444555555555555ares" + "e62e8c"
    assert len(derived_name("x" * 80, 63)) == 63
