# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token that the tasks of a run share, from a program in place of the Azure CLI."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._azure.cloud import CLOUDS
from ansible_collections.azureml.arc.plugins.module_utils._azure.sign_in import SignIn
from ansible_collections.azureml.arc.plugins.module_utils._azure.token_cache import SharedCredential
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.run_cache import RunCache

CLOUD = CLOUDS["AzureCloud"]


@pytest.fixture
def az(tmp_path, monkeypatch):
    """Makes an C(az) that runs a line of shell, and a run that signs in with it."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    log = tmp_path / "log"
    (tmp_path / "cache").mkdir()
    cache = RunCache(str(tmp_path / "cache"))

    def make(line: str, timeout: int = 60):
        program = tmp_path / "az"
        program.write_text(f"#!/bin/sh\necho called >> {log}\n{line}\n", encoding="utf-8")
        program.chmod(0o700)
        sign_in = SignIn("cli", cli_timeout=timeout)

        def get_token():
            return SharedCredential(sign_in, CLOUD, cache, {}).get_token(CLOUD.scope)

        return get_token, lambda: len(log.read_text(encoding="utf-8").splitlines())

    return make


def test_token_of_a_slow_az_is_requested_once(az):
    get_token, calls = az(
        """sleep 1; echo '{"accessToken": "x", "expiresOn": "2099-01-01 00:00:00.000000", "expires_on": 4070908800}'"""
    )
    assert [get_token().token for _cluster in range(3)] == ["x"] * 3
    assert calls() == 1


def test_az_that_does_not_answer_is_called_once_and_the_error_names_the_timeout(az):
    get_token, calls = az("exec sleep 30", timeout=1)
    message = "Could not sign in to Azure with the Azure CLI: 'az' did not answer within 1 seconds .* Raise cli_timeout"
    for _cluster in range(3):
        with pytest.raises(AzureMLError, match=message):
            get_token()
    assert calls() == 1


def test_az_without_a_login_is_reported(az):
    get_token, _calls = az("echo 'Please run az login to setup account.' >&2; exit 1")
    with pytest.raises(AzureMLError, match="with the Azure CLI: Please run 'az login'"):
        get_token()
