# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Errors as text, and as the result of a module."""

from __future__ import annotations

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError


def test_error_has_code_and_correlation_id_after_its_cause_and_ends_with_the_hint():
    error = AzureMLError("It failed", code="Conflict", correlation_id="c-1", hint="Wait.", rows=[1])
    assert str(error) == "It failed (code Conflict, correlation id c-1). Wait."
    assert error.as_result()["rows"] == [1]
    assert error.as_result()["error"]["code"] == "Conflict"
    assert str(AzureMLError("Is it so?")) == "Is it so?"


def test_error_after_changes_names_them_and_is_a_change():
    error = AzureMLError("It failed.", code="Forbidden", hint="Wait.", rows=[1])

    after = error.after_changes("nodes already changed", ["a", "b"], changed_nodes=["a", "b"]).as_result()

    assert after["msg"] == "It failed; nodes already changed: 2 (a, b) (code Forbidden). Wait."
    assert (after["changed"], after["rows"], after["changed_nodes"]) == (True, [1], ["a", "b"])
    assert error.after_changes("nodes already changed", []) is error
