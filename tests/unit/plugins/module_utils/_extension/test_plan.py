# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan that changes an extension from its present to its desired state."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._extension.body import create_body, patch_body
from ansible_collections.azureml.arc.plugins.module_utils._extension.disruption import disruption
from ansible_collections.azureml.arc.plugins.module_utils._extension.keys import CERTIFICATE_FINGERPRINT
from ansible_collections.azureml.arc.plugins.module_utils._extension.plan import (
    HOW_TO_ALLOW,
    PresentExtension,
    WantedExtension,
    diff,
    plan,
    unmanaged_settings,
)
from ansible_collections.azureml.arc.plugins.module_utils._extension.settings import Settings

PLAIN = {"enableTraining": "True", "location": "westeurope"}
RELAY = ("relayserver.relayConnectionString", "relayServerConnectionString")
WANTED = WantedExtension(Settings(PLAIN))
WITH_RELAY = WantedExtension(Settings(PLAIN, relay_keys=RELAY))
WITH_SECRET = WantedExtension(Settings(PLAIN, {"password": "x"}, RELAY))
PRESENT = PresentExtension(
    "microsoft.azureml.kubernetes",
    "Succeeded",
    PLAIN,
    version=None,
    release_train="Stable",
    auto_upgrade_minor_version=True,
)
PRESENT_WITH_RELAY = replace(PRESENT, protected_keys=frozenset(RELAY))


@pytest.mark.parametrize(
    ("wanted", "present", "action"),
    [
        (WANTED, None, "create"),
        (WANTED, PRESENT, "none"),
        (WITH_RELAY, PRESENT_WITH_RELAY, "none"),
        (WITH_RELAY, replace(PRESENT, protected_keys=frozenset(RELAY[:1])), "none"),
        (WITH_RELAY, PRESENT, "update"),
        (WANTED, replace(PRESENT, provisioning_state="Creating"), "adopt"),
        (WANTED, replace(PRESENT, provisioning_state="Updating"), "adopt"),
        (WANTED, replace(PRESENT, provisioning_state="Deleting"), "adopt"),
        (WANTED, replace(PRESENT, provisioning_state="Failed"), "create"),
        (WANTED, replace(PRESENT, provisioning_state="Canceled"), "create"),
        (WANTED, replace(PRESENT, extension_type="microsoft.flux"), "refuse"),
        (WANTED, replace(PRESENT, release_namespace="azureml"), "none"),
        (WANTED, replace(PRESENT, release_namespace="ml"), "refuse"),
        (replace(WANTED, force_replace=True), replace(PRESENT, release_namespace="ml"), "replace"),
        (
            replace(WANTED, force_replace=True),
            replace(PRESENT, release_namespace="ml", protected_keys=frozenset({"theirs"})),
            "refuse",
        ),
        (WANTED, replace(PRESENT, settings={**PLAIN, "enableTraining": "true"}), "none"),
        (WANTED, replace(PRESENT, settings={**PLAIN, "enableTraining": "False"}), "update"),
        (WANTED, replace(PRESENT, settings={}), "update"),
        (WantedExtension(Settings({**PLAIN, "enableInference": "False"})), PRESENT, "none"),
        (WantedExtension(Settings({**PLAIN, "enable_https": "False"})), PRESENT, "update"),  # its default is unknown
        (WantedExtension(Settings({**PLAIN, "domain": "d"}, initial=frozenset({"domain"}))), PRESENT, "none"),
        (
            WantedExtension(Settings({**PLAIN, "domain": "d"}, initial=frozenset({"domain"}))),
            replace(PRESENT, provisioning_state="Failed"),
            "create",
        ),
        (WANTED, replace(PRESENT, settings={**PLAIN, "other": "1"}), "none"),
        (replace(WANTED, release_train="stable"), PRESENT, "none"),
        (replace(WANTED, release_train="preview"), PRESENT, "update"),
        (replace(WANTED, version="1.1.1"), PRESENT, "update"),
        (replace(WANTED, version="1.1.1"), replace(PRESENT, version="1.1.1", auto_upgrade_minor_version=False), "none"),
        (replace(WANTED, auto_upgrade_minor_version=False), PRESENT, "update"),
        (WITH_SECRET, PRESENT_WITH_RELAY, "update"),
        (WITH_SECRET, replace(PRESENT, protected_keys=frozenset({*RELAY, "password"})), "none"),
        (
            replace(WITH_SECRET, update_protected="always"),
            replace(PRESENT, protected_keys=frozenset({*RELAY, "password"})),
            "update",
        ),
        (WITH_SECRET, replace(PRESENT, protected_keys=frozenset({"of-others"})), "refuse"),
        (WANTED, replace(PRESENT, protected_keys=frozenset({"of-others"})), "none"),
        (WANTED, replace(PRESENT, provisioning_state="Failed", protected_keys=frozenset({"of-others"})), "refuse"),
        (
            WantedExtension(Settings(PLAIN, log_analytics_keys=("azure_log_analytics.connection_string",))),
            replace(PRESENT, protected_keys=frozenset({"azure_log_analytics.connection_string"})),
            "update",  # the customer id is missing
        ),
    ],
)
def test_present_extension_determines_the_action(wanted, present, action):
    step = plan(wanted, present)

    assert step.action == action
    assert action != "refuse" or HOW_TO_ALLOW[step.allowed_by]


def test_update_contains_only_differences():
    present = replace(PRESENT_WITH_RELAY, settings={"enableTraining": "False", "location": "westeurope", "other": "1"})
    step = plan(replace(WITH_RELAY, version="1.1.1"), present)

    assert step.settings == {"enableTraining": ("False", "True")}
    assert step.protected_keys == frozenset()
    assert patch_body(step, {}) == {
        "properties": {
            "version": "1.1.1",
            "autoUpgradeMinorVersion": False,
            "configurationSettings": {"enableTraining": "True"},
        }
    }
    assert diff(step) == {
        "before": {"auto_upgrade_minor_version": True, "settings.enableTraining": "False"},
        "after": {"auto_upgrade_minor_version": False, "settings.enableTraining": "True", "version": "1.1.1"},
    }
    assert unmanaged_settings(WITH_RELAY, present) == {"other": "1"}


def test_keys_of_another_service_type_are_switched_off_and_in_the_diff():
    off = {"scoringFe.serviceType.nodePort": "False", "internalLoadBalancerProvider": None}
    wanted = WantedExtension(Settings(PLAIN, off=off))
    present = replace(PRESENT, settings={**PLAIN, "scoringFe.serviceType.nodePort": "True"})
    both = replace(PRESENT, settings={**present.settings, "internalLoadBalancerProvider": "azure"})
    step = plan(wanted, both)

    assert plan(wanted, replace(PRESENT, settings={**PLAIN, **off})).action == "none"
    assert plan(wanted, present).settings == {"scoringFe.serviceType.nodePort": ("True", "False")}
    assert patch_body(step, {})["properties"]["configurationSettings"] == off
    assert diff(step)["before"]["settings.internalLoadBalancerProvider"] == "azure"
    assert "settings.internalLoadBalancerProvider" not in diff(step)["after"]
    assert create_body("connected_cluster", wanted, both, {})["properties"]["configurationSettings"] == PLAIN


@pytest.mark.parametrize(
    ("there", "action"),
    [({"sslCertPemFile"}, "update"), ({"sslCertPemFile", "of-others"}, "refuse")],
)
def test_obsolete_secrets_are_removed_together_with_another_change(there, action):
    obsolete = frozenset({"sslCertPemFile"})
    wanted = WantedExtension(Settings(PLAIN, {"password": "x"}, RELAY, obsolete=obsolete))
    step = plan(wanted, replace(PRESENT_WITH_RELAY, protected_keys=frozenset({*RELAY, *there})))

    assert step.action == action
    assert diff(step)["before"] == ({"protected_settings.sslCertPemFile": "(hidden)"} if action == "update" else {})


def test_obsolete_secrets_alone_cause_no_change():
    wanted = WantedExtension(Settings(PLAIN, relay_keys=RELAY, obsolete=frozenset({"sslCertPemFile"})))
    assert plan(wanted, replace(PRESENT, protected_keys=frozenset({*RELAY, "sslCertPemFile"}))).action == "none"


def test_patch_with_one_protected_setting_contains_all():
    step = plan(WITH_SECRET, PRESENT_WITH_RELAY)
    assert step.protected_keys == {*RELAY, "password"}
    assert diff(step)["after"]["protected_settings.password"] == "(hidden)"


@pytest.mark.parametrize(
    ("cluster_type", "identity"), [("connected_cluster", {"type": "SystemAssigned"}), ("managed_cluster", None)]
)
def test_identity_is_requested_on_connected_clusters_only(cluster_type, identity):
    assert create_body(cluster_type, WANTED, None, {}).get("identity") == identity


def test_repair_keeps_unmanaged_settings():
    present = replace(PRESENT, provisioning_state="Failed", settings={**PLAIN, "other": "1"})
    body = create_body("connected_cluster", WANTED, present, {"secret": "x"})
    assert body["properties"]["configurationSettings"] == {**PLAIN, "other": "1"}
    assert body["properties"]["configurationProtectedSettings"] == {"secret": "x"}


@pytest.mark.parametrize(
    ("present", "requested", "properties"),
    [
        ({}, {}, {"releaseTrain": "Stable", "autoUpgradeMinorVersion": True}),
        (
            {"release_train": "preview", "version": "1.1.59", "auto_upgrade_minor_version": False},
            {},
            {"releaseTrain": "preview", "version": "1.1.59", "autoUpgradeMinorVersion": False},
        ),
        ({"auto_upgrade_minor_version": False}, {}, {"releaseTrain": "Stable", "autoUpgradeMinorVersion": False}),
        (
            {"version": "1.1.59", "auto_upgrade_minor_version": False},
            {"auto_upgrade_minor_version": True},
            {"releaseTrain": "Stable", "autoUpgradeMinorVersion": True},
        ),
        (
            {"release_train": "preview"},
            {"version": "1.1.60", "release_train": "stable"},
            {"releaseTrain": "stable", "version": "1.1.60", "autoUpgradeMinorVersion": False},
        ),
        (
            {"release_train": None, "auto_upgrade_minor_version": None},
            {},
            {"releaseTrain": "stable", "autoUpgradeMinorVersion": True},
        ),
    ],
)
def test_repair_keeps_train_version_and_upgrades_that_are_not_set(present, requested, properties):
    failed = replace(PRESENT, provisioning_state="Failed", **present)
    wanted = replace(WANTED, **requested)
    body = create_body("connected_cluster", wanted, failed, {})["properties"]

    sent = {key: body[key] for key in ("releaseTrain", "version", "autoUpgradeMinorVersion") if key in body}
    assert sent == properties
    assert set(plan(wanted, failed).properties) <= set(requested) | {"auto_upgrade_minor_version"}


def test_empty_map_of_protected_settings_is_never_sent():
    body = create_body("connected_cluster", WANTED, None, {})
    assert "configurationProtectedSettings" not in body["properties"]
    step = plan(WANTED, replace(PRESENT, settings={}))
    assert "configurationProtectedSettings" not in patch_body(step, {})["properties"]


@pytest.mark.parametrize(
    ("changes", "properties"),
    [
        ({}, {"releaseTrain": "stable", "autoUpgradeMinorVersion": True}),
        ({"version": "1.1.1"}, {"releaseTrain": "stable", "autoUpgradeMinorVersion": False, "version": "1.1.1"}),
        (
            {"release_train": "preview", "auto_upgrade_minor_version": False},
            {"releaseTrain": "preview", "autoUpgradeMinorVersion": False},
        ),
    ],
)
def test_version_of_a_new_extension_disables_upgrades(changes, properties):
    body = create_body("connected_cluster", replace(WANTED, **changes), None, {})
    assert {
        key: body["properties"].get(key)
        for key in ("releaseTrain", "autoUpgradeMinorVersion", "version")
        if key in body["properties"]
    } == properties


TRAINING = {"enableTraining": "True", "enableInference": "False"}
BOTH = {"enableTraining": "True", "enableInference": "true"}


@pytest.mark.parametrize(
    ("before", "after", "disturbed"),
    [
        (TRAINING, {"enableTraining": "False"}, {"enableTraining": "running jobs"}),
        (TRAINING, {"enableInference": "True", "inferenceRouterServiceType": "NodePort"}, {}),
        (TRAINING, {"installVolcano": "False"}, {}),
        (TRAINING, {"nodeSelector.pool": "ml"}, {"nodeSelector.pool": "running jobs"}),
        (
            {**TRAINING, "installNvidiaDevicePlugin": "True"},
            {"installNvidiaDevicePlugin": "False"},
            {"installNvidiaDevicePlugin": "running jobs"},
        ),
        (TRAINING, {"installNvidiaDevicePlugin": "True"}, {}),
        (BOTH, {"enableInference": "False"}, {"enableInference": "online endpoints"}),
        (BOTH, {"sslCname": "b.example.com"}, {"sslCname": "online endpoints"}),
        (
            {**BOTH, "allowInsecureConnections": "True"},
            {"allowInsecureConnections": "False"},
            {"allowInsecureConnections": "online endpoints"},
        ),
        (BOTH, {"inferenceRouterServiceType": "NodePort"}, {"inferenceRouterServiceType": "online endpoints"}),
        ({"enableInference": "True"}, {"nodeSelector.pool": "ml"}, {"nodeSelector.pool": "online endpoints"}),
        ({}, {"enableTraining": "False", "nodeSelector.pool": "ml"}, {}),
    ],
)
def test_disturbing_changes_are_rejected_unless_allowed(before, after, disturbed):
    present = replace(PRESENT, settings=before)
    changes = {key: (before.get(key), value) for key, value in after.items()}
    assert disruption(present.settings, changes) == disturbed

    wanted = WantedExtension(Settings({**before, **after}))
    step = plan(wanted, present)
    assert step.action == ("refuse" if disturbed else "update")
    assert all(key in step.reason for key in disturbed)
    assert step.allowed_by == ("allow_disruption" if disturbed else None)
    assert disturbed.keys() <= step.settings.keys()
    assert plan(replace(wanted, allow_disruption=True), present).action == "update"


def test_renewed_certificate_is_sent_with_all_protected_settings():
    certificate = {"scoringFe.sslCert": "c", "scoringFe.sslKey": "k"}
    fingerprint = {CERTIFICATE_FINGERPRINT: "new"}
    wanted = WantedExtension(Settings({**PLAIN, **fingerprint}, certificate=certificate, relay_keys=RELAY))
    there = frozenset({*RELAY, *certificate})
    old = replace(PRESENT, settings={**PLAIN, CERTIFICATE_FINGERPRINT: "old"}, protected_keys=there)
    same = replace(PRESENT, settings={**PLAIN, **fingerprint}, protected_keys=there)

    assert plan(wanted, old).protected_keys == there
    assert plan(wanted, same).action == "none"
    assert plan(replace(wanted, update_protected="always"), same).action == "none"
    assert plan(wanted, replace(same, protected_keys=frozenset(RELAY))).action == "update"
