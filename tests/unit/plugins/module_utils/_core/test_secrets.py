# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The secret values of a call, and their removal from results."""

from __future__ import annotations

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import remove_values
from ansible_collections.azureml.arc.plugins.module_utils._core import secrets
from ansible_collections.azureml.arc.plugins.module_utils._core.options import AZURE, CERTIFICATE, KUBERNETES
from ansible_collections.azureml.arc.plugins.module_utils._core.secrets import secret_values, without_secrets

SPEC = {
    **AZURE,
    **KUBERNETES,
    "tls": {"type": "dict", "options": CERTIFICATE},
    "several": {"type": "list", "elements": "dict", "options": CERTIFICATE},
    "protected_settings": {"type": "dict", "no_log": True},
}


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"secret": "s", "client_id": "c", "password": None}, {"s"}),
        ({"api_key": "a", "proxy_headers": {"basic_auth": "u:p", "user_agent": "me"}}, {"a", "u:p"}),
        ({"tls": {"private_key_content": "k", "certificate_content": "c"}}, {"k"}),
        ({"several": [{"private_key_content": "k"}, {"private_key_content": "l"}]}, {"k", "l"}),
        ({"protected_settings": {"a": "x", "b": ["y", 7, True, None, ""]}}, {"x", "y", "7"}),
        ({"kubeconfig": "~/.kube/config"}, set()),
        ({"kubeconfig": '{"users": []}'}, {'{"users": []}'}),
        ({"proxy_headers": "basic_auth=u:p"}, {"basic_auth=u:p"}),
        ({"tls": ["private_key_content=k"]}, {"private_key_content=k"}),
    ],
)
def test_values_of_no_log_options_and_inline_kubeconfigs_are_secret(params, expected):
    assert secret_values(SPEC, params) == expected


def test_secret_values_are_the_same_as_in_ansible():
    params = {
        "secret": "s",
        "protected_settings": {"a": "x", "b": ["y", 7]},
        "tls": {"private_key_content": "k"},
        "several": [{"private_key_content": "l"}],
        "kubeconfig": "a:\n  b",
    }
    validation = ArgumentSpecValidator(SPEC).validate(params)
    assert secret_values(SPEC, validation.validated_parameters) == validation._no_log_values


RESULT = {
    "msg": "the key hush-hush is not hush",
    "exact": "hush",
    "number": 1700,
    "other": 42,
    "changed": True,
    "none": None,
    "nested": [{"hush": ("hush", "x")}, "none"],
}


def test_secrets_are_masked_in_a_result():
    assert without_secrets(RESULT, {"hush", "hush-hush", "17"}) == {
        "msg": "the key ******** is not ********",
        "exact": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER",
        "number": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER",
        "other": 42,
        "changed": True,
        "none": None,
        "nested": [{"hush": ["VALUE_SPECIFIED_IN_NO_LOG_PARAMETER", "x"]}, "none"],
    }
    assert without_secrets(RESULT, set()) == RESULT


def test_masked_result_is_the_same_as_in_ansible():
    found = without_secrets(RESULT, {"hush"})
    assert found == remove_values(RESULT, {"hush"})


def test_secrets_are_registered_if_ansible_can_mask_them(monkeypatch):
    registered = []
    monkeypatch.setattr(secrets, "register_secret", registered.append)
    secrets.register(["a", "b"])
    assert registered == ["a", "b"]
