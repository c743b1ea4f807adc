# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M(azureml.arc.namespace) with a real API server."""

from __future__ import annotations

import threading
import time

import pytest
from ansible_collections.azureml.arc.plugins.modules.namespace import SPEC
from support import ModuleFailedError

NAME = "compute-namespace"


def test_namespace_is_created_once(as_administrator, api):
    namespaces = api.resources.get(api_version="v1", kind="Namespace")
    planned = as_administrator(SPEC, name=NAME, check_mode=True, diff=True)
    first = as_administrator(SPEC, name=NAME)
    second = as_administrator(SPEC, name=NAME)
    assert (planned["changed"], first["changed"], second["changed"]) == (True, True, False)
    assert planned["diff"] == {"before": {}, "after": {"name": NAME}}
    namespaces.delete(name=NAME)


def test_task_waits_until_the_namespace_is_empty(as_administrator, api, create, namespace):
    create("v1", "Pod", "web", namespace, spec={"containers": [{"name": "c", "image": "none"}]})
    assert as_administrator(SPEC, name=namespace, state="empty", wait=False)["left"] == ["Pod 'web'"]
    with pytest.raises(ModuleFailedError, match=r"waiting for namespace '.*' to be empty: it has Pod 'web'"):
        as_administrator(SPEC, name=namespace, state="empty", wait_timeout=1)

    def later():
        time.sleep(1)
        api.resources.get(api_version="v1", kind="Pod").delete(
            name="web", namespace=namespace, body={"gracePeriodSeconds": 0}
        )

    thread = threading.Thread(target=later)
    thread.start()
    assert as_administrator(SPEC, name=namespace, state="empty", wait_timeout=60)["left"] == []
    thread.join()


def test_missing_namespace_is_empty(as_administrator):
    assert as_administrator(SPEC, name="never-created", state="empty") == {"changed": False, "left": [], "warnings": []}


def test_invalid_name_is_rejected(as_administrator):
    with pytest.raises(ModuleFailedError, match="name: 'A b' is not a valid namespace name"):
        as_administrator(SPEC, name="A b")
