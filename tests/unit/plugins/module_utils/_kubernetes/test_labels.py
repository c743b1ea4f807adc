# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Label selectors; tests/api_server compares many more with a real API server."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.labels import label_selector


@pytest.mark.parametrize(
    "selectors",
    [[], [""], ["pool"], ["! pool", "a = b"], ["pool in (gpu", "cpu)"], ["example.com/rack notin (7)"], ["cores>3"]],
)
def test_valid_selectors_are_joined_unchanged(selectors):
    assert label_selector(selectors, "label_selectors") == ",".join(selectors)


@pytest.mark.parametrize("selectors", [["pool in (gpu"], ["pool gpu"], ["pool=gpu", ""], ["-pool"], ["pool=gpu cpu"]])
def test_invalid_selector_is_rejected_with_its_option_and_value(selectors):
    with pytest.raises(AzureMLError) as failure:
        label_selector(selectors, "label_selectors")

    assert str(failure.value).startswith(
        f"label_selectors: '{','.join(selectors)}' is not a valid label selector like pool="
    )
