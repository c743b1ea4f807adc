# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M(azureml.arc.extension) and names in Azure: the case of the cluster, and an extension with another name."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._azure.client import open_session
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleSpec
from ansible_collections.azureml.arc.plugins.module_utils._extension import presence
from ansible_collections.azureml.arc.plugins.modules.extension import SPEC
from objects import GROUP, arc_id, extension_id
from support import ModuleFailedError, writes

OTHER = "arcml-extension"


@pytest.fixture
def cluster(arc):
    return {"resource_group": "rg-edge", "cluster_name": arc}


@pytest.fixture
def another_client(run_module, arc, cluster):
    """Return a function that installs an AzureML extension without checking for others, like other clients."""

    def install(name: str) -> None:
        address = f"{arc_id(arc)}/providers/Microsoft.KubernetesConfiguration/extensions/{name}"
        properties = {
            "extensionType": "microsoft.azureml.kubernetes",
            "scope": {"cluster": {"releaseNamespace": "azureml"}},
            "configurationSettings": {"enableTraining": "True"},
        }

        def put(call):
            body = {"identity": {"type": "SystemAssigned"}, "properties": properties}
            session = open_session(call)
            session.send("PUT", address, "2025-03-01", name, body=body)
            return {}

        run_module(ModuleSpec(run=put, argument_spec=SPEC.argument_spec), **cluster)

    return install


def test_case_of_names_is_that_of_azure(run_module, simulator, arc, training):
    created = run_module(SPEC, **{**training, "cluster_name": arc.upper(), "resource_group": "RG-Edge"})
    simulator.clear_journal()
    corrected = run_module(SPEC, **training)

    assert corrected["plan"]["action"] == "none"
    settings = created["extension"]["settings"]
    assert settings["cluster_name_friendly"] == settings["relayserver.hybridConnectionName"] == arc
    assert settings["clusterId"].startswith(f"{GROUP}/")
    relay = created["created_resources"][0]
    assert relay.startswith(f"{GROUP}/providers/Microsoft.Relay/namespaces/{arc.replace('-', '')}")
    removed = run_module(
        SPEC,
        state="absent",
        remove_resources=["relay"],
        resource_group="RG-EDGE",
        cluster_name=arc.upper(),
    )
    assert removed["removed_resources"] == [relay]


def test_extension_with_another_name_is_used(run_module, simulator, training):
    run_module(SPEC, name=OTHER, **training)
    simulator.clear_journal()

    same = run_module(SPEC, **training)
    changed = run_module(SPEC, install_volcano=False, **training)

    for result in (same, changed):
        assert result["extension"]["name"] == OTHER
        assert any("Set name (azureml_extension_name) to 'arcml-extension'" in one for one in result["warnings"])
    assert (same["plan"]["action"], changed["plan"]["action"]) == ("none", "update")
    assert [path.rsplit("/", 1)[-1] for _method, path in writes(simulator)] == [OTHER]


def test_failed_extension_with_another_name_is_repaired(run_module, simulator, arc, training):
    simulator.change_plan(arc, install={"seconds": 1, "error": "timed out waiting for the condition"})
    with pytest.raises(ModuleFailedError, match="timed out"):
        run_module(SPEC, name=OTHER, **training)
    simulator.change_plan(arc, install={"seconds": 1})

    repaired = run_module(SPEC, **training)

    assert (repaired["changed"], repaired["extension"]["name"]) == (True, OTHER)


def test_installation_waits_for_the_removal_of_an_extension_with_another_name(run_module, cluster, training):
    run_module(SPEC, name=OTHER, **training)
    run_module(SPEC, name=OTHER, state="absent", wait=False, **cluster)

    result = run_module(SPEC, **training)

    assert (result["plan"]["action"], result["extension"]["name"]) == ("create", "azureml")


def test_several_extensions_are_rejected(run_module, another_client, training):
    another_client("one")
    another_client("two")
    with pytest.raises(ModuleFailedError, match="does not exist, but the AzureML extensions one, two do"):
        run_module(SPEC, **training)


def test_removal_keeps_an_extension_with_another_name(run_module, simulator, another_client, cluster):
    another_client(OTHER)
    simulator.clear_journal()

    result = run_module(SPEC, state="absent", **cluster)

    assert not result["changed"]
    assert any(f"AzureML extension '{OTHER}' does, and was left unchanged" in one for one in result["warnings"])
    assert writes(simulator) == []


def test_each_resource_is_read_once_before_the_extension_is_created(run_module, simulator, monkeypatch, arc, training):
    monkeypatch.setattr(presence, "FRESH_FOR", 60)  # on a busy machine, creating the relay takes longer
    run_module(SPEC, wait=False, **training)

    sent = [(one["method"], one["path"]) for one in simulator.journal() if "/subscriptions/" in one["path"]]
    extension = extension_id(arc)
    assert sent[:3] == [("GET", arc_id(arc)), ("GET", extension), ("GET", extension.removesuffix("/azureml"))]
    assert sent[-1] == ("PUT", extension)
    relay = set(sent[3:-1])  # some are repeated while a new resource is not visible
    assert len(relay) == 7
    assert all("/Microsoft.Relay/namespaces/" in path for _method, path in relay)
