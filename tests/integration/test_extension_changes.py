# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes of an existing extension by module M(azureml.arc.extension)."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.modules.extension import SPEC
from support import ModuleFailedError, requests_to, writes


def test_update_patches_only_differences(run_module, simulator, arc, training):
    run_module(SPEC, **training)
    simulator.clear_journal()

    result = run_module(
        SPEC, diff=True, install_volcano=False, settings={"amloperator.custom_ip_interface": "eth1"}, **training
    )

    (patch,) = requests_to(simulator, "PATCH", arc)
    assert patch["body"] == {
        "properties": {"configurationSettings": {"installVolcano": "False", "amloperator.custom_ip_interface": "eth1"}}
    }
    assert result["diff"] == {
        "before": {},
        "after": {"settings.installVolcano": "False", "settings.amloperator.custom_ip_interface": "eth1"},
    }
    assert result["extension"]["settings"]["installVolcano"] == "False"


def test_patch_with_one_protected_setting_contains_all(run_module, simulator, arc, training):
    run_module(SPEC, **training)
    simulator.clear_journal()

    result = run_module(SPEC, diff=True, protected_settings={"proxy.password": "hush-hush"}, **training)

    (patch,) = requests_to(simulator, "PATCH", arc)
    protected = patch["body"]["properties"]["configurationProtectedSettings"]
    assert set(protected) == {
        "relayserver.relayConnectionString",
        "relayServerConnectionString",
        "proxy.password",
    }
    assert protected["relayServerConnectionString"].startswith("Endpoint=sb://")
    assert result["plan"]["protected_settings"] == sorted(protected)
    assert result["diff"]["after"] == dict.fromkeys((f"protected_settings.{key}" for key in protected), "(hidden)")
    simulator.clear_journal()
    assert not run_module(SPEC, protected_settings={"proxy.password": "hush-hush"}, **training)["changed"]
    assert run_module(SPEC, protected_settings={"proxy.password": "other"}, update_protected="always", **training)[
        "changed"
    ]


def test_change_that_would_lose_unknown_protected_settings_is_rejected(run_module, simulator, training):
    run_module(SPEC, protected_settings={"proxy.password": "hush-hush"}, **training)
    simulator.clear_journal()

    with pytest.raises(ModuleFailedError, match="proxy.password cannot be read back .*Set them in protected_settings"):
        run_module(SPEC, protected_settings={"another": "value"}, **training)
    assert writes(simulator) == []


def test_unmanaged_settings_are_kept_and_returned(run_module, training):
    run_module(SPEC, settings={"amloperator.extra": "1"}, **training)

    result = run_module(SPEC, **training)

    assert not result["changed"]
    assert result["unmanaged_settings"] == {"amloperator.extra": "1"}


def test_changed_service_type_switches_the_former_one_off(run_module, simulator, arc):
    inference = {
        "resource_group": "rg-edge",
        "cluster_name": arc,
        "workload_profile": "inference",
        "allow_insecure_connections": True,
    }
    run_module(SPEC, inference_service="node_port", **inference)
    simulator.clear_journal()

    run_module(SPEC, inference_service="cluster_ip", allow_disruption=True, **inference)

    (patch,) = requests_to(simulator, "PATCH", arc)
    assert patch["body"]["properties"] == {
        "configurationSettings": {
            "inferenceRouterServiceType": "ClusterIP",
            "scoringFe.serviceType.nodePort": "False",
        }
    }
    assert not run_module(SPEC, inference_service="cluster_ip", **inference)["changed"]


def test_repair_keeps_version_and_release_train(run_module, simulator, arc, training):
    run_module(SPEC, version="1.1.59", release_train="preview", **training)
    simulator.change_plan(arc, install={"seconds": 1, "error": "timed out waiting for the condition"})
    with pytest.raises(ModuleFailedError, match="timed out"):
        run_module(SPEC, install_volcano=False, **training)
    simulator.change_plan(arc, install={"seconds": 1})
    simulator.clear_journal()

    result = run_module(SPEC, diff=True, **training)

    (put,) = requests_to(simulator, "PUT", "KubernetesConfiguration/extensions")
    kept = {key: put["body"]["properties"][key] for key in ("version", "releaseTrain", "autoUpgradeMinorVersion")}
    assert kept == {"version": "1.1.59", "releaseTrain": "preview", "autoUpgradeMinorVersion": False}
    assert result["plan"]["properties"] == {}
    assert (result["extension"]["version"], result["extension"]["release_train"]) == ("1.1.59", "preview")


def test_fewer_nodes_do_not_change_the_extension(run_module, simulator, arc, training):
    run_module(SPEC, **training)
    simulator.change_plan(arc, nodes=2)

    assert run_module(SPEC, **training)["plan"]["action"] == "none"


def test_pinned_version_disables_automatic_upgrades(run_module, simulator, arc, training):
    run_module(SPEC, **training)
    simulator.clear_journal()

    result = run_module(SPEC, version="1.1.59", **training)

    (patch,) = requests_to(simulator, "PATCH", arc)
    assert patch["body"] == {"properties": {"version": "1.1.59", "autoUpgradeMinorVersion": False}}
    assert result["extension"]["current_version"] == "1.1.59"
    assert not run_module(SPEC, version="1.1.59", **training)["changed"]
