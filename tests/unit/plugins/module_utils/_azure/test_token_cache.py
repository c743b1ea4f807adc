# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The token that the tasks of a run share, with a shell script as the Azure CLI."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._azure.cloud import CLOUDS
from ansible_collections.azureml.arc.plugins.module_utils._azure.connection import Authentication
from ansible_collections.azureml.arc.plugins.module_utils._azure.sign_in import SignIn
from ansible_collections.azureml.arc.plugins.module_utils._azure.token_cache import SharedCredential
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.run_cache import RunCache
from azure.core.pipeline import PipelineContext, PipelineRequest
from azure.core.rest import HttpRequest

CLOUD = CLOUDS["AzureCloud"]
# The answer of C(az). The token is the number of the call.
TOKEN = """echo "{'accessToken': '$(wc -l < $0.log)', 'expires_on': 4070908800}" | tr "'" '"'"""


def token_of(credential: SharedCredential) -> str:
    return credential.get_token(CLOUD.scope).token


@pytest.fixture
def az(tmp_path, monkeypatch):
    """Return a function that creates an C(az) from a line of shell, and credentials that use it."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    log = tmp_path / "az.log"
    (tmp_path / "cache").mkdir()
    cache = RunCache(str(tmp_path / "cache"))

    def make(line: str, timeout: int = 60):
        program = tmp_path / "az"
        program.write_text(f"#!/bin/sh\necho called >> {log}\n{line}\n", encoding="utf-8")
        program.chmod(0o700)
        sign_in = SignIn("cli", cli_timeout=timeout)

        def credential():
            return SharedCredential(sign_in, CLOUD, cache, {})

        return credential, lambda: len(log.read_text(encoding="utf-8").splitlines())

    return make


def test_clusters_of_a_run_share_the_token_of_a_slow_az(az):
    credential, calls = az(f"sleep 1; {TOKEN}")
    assert [token_of(credential()) for _cluster in range(3)] == ["1"] * 3
    assert calls() == 1


def test_az_that_times_out_is_called_once_and_the_error_names_the_timeout(az):
    credential, calls = az("exec sleep 30", timeout=1)
    message = "Could not sign in to Azure with the Azure CLI: 'az' did not respond within 1 seconds.*Raise cli_timeout"
    for _cluster in range(3):
        with pytest.raises(AzureMLError, match=message):
            token_of(credential())
    assert calls() == 1


def test_az_without_a_login_is_reported(az):
    credential, _calls = az("echo 'Please run az login to setup account.' >&2; exit 1")
    with pytest.raises(AzureMLError, match="with the Azure CLI: Please run 'az login'"):
        token_of(credential())


def test_token_that_one_client_had_rejected_is_replaced_for_all_clients(az):
    credential, calls = az(TOKEN)
    shared = credential()
    clients = [Authentication(shared, CLOUD.scope) for _client in range(2)]
    assert [sent_by(client).headers["Authorization"] for client in clients] == ["Bearer 1"] * 2

    shared.refuse(sent_by(clients[0]))

    assert [sent_by(client).headers["Authorization"] for client in clients] == ["Bearer 2"] * 2
    assert calls() == 2


def sent_by(client: Authentication) -> HttpRequest:
    """Return a request that a client has signed."""
    request = HttpRequest("GET", CLOUD.resource_manager)
    client.on_request(PipelineRequest(request, PipelineContext(None)))
    return request
