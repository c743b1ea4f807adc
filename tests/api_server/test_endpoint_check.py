# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M(azureml.arc.endpoint_check) with a real API server, which connects to a router that only the cluster can reach."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.modules.endpoint_check import SPEC
from objects import add_router
from support import ModuleFailedError

OPTIONS = {"cname": "ml.example.com", "timeout": 1}


def test_router_with_any_certificate_answers_the_api_server(as_administrator, api, namespace, nodes, tls_server):
    add_router(api, namespace, tls_server)

    found = as_administrator(SPEC, namespace=namespace, wait=False, **OPTIONS)

    assert (found["outcome"], found["service_type"], found["answers_in_cluster"]) == ("unreachable", "ClusterIP", True)
    assert found["addresses"] == []
    assert "answers inside the cluster" in found["warnings"][0]


@pytest.mark.parametrize(
    ("port", "message"), [(None, 'services "azureml-fe" not found'), (9, "error trying to reach service")]
)
def test_router_that_does_not_answer_the_api_server_is_wrong(
    as_administrator, api, namespace, nodes, tls_server, port, message
):
    add_router(api, namespace, port and (tls_server[0], port))

    with pytest.raises(ModuleFailedError, match=f"does not answer inside the cluster either: .*{message}"):
        as_administrator(SPEC, namespace=namespace, wait_timeout=0, **OPTIONS)


def test_missing_service_is_wrong(as_administrator, namespace):
    found = as_administrator(SPEC, namespace=namespace, wait=False, **OPTIONS)
    assert (found["outcome"], found["problems"]) == ("wrong", ["Service 'azureml-fe' does not exist"])
