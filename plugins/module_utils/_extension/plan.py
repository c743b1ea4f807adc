# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has to happen to an extension so that it becomes what is wanted. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.azureml.arc.plugins.module_utils._azure.states import MOVING_STATES
from ansible_collections.azureml.arc.plugins.module_utils._extension.keys import (
    CERTIFICATE_FINGERPRINT,
    LOG_ANALYTICS_CUSTOMER_ID,
    NODE_SELECTOR,
)
from ansible_collections.azureml.arc.plugins.module_utils._extension.settings import Settings, same_value

EXTENSION_TYPE = "Microsoft.AzureML.Kubernetes"
RELEASE_NAMESPACE = "azureml"
DEFAULT_RELEASE_TRAIN = "stable"
HIDDEN = "(hidden)"


@dataclass(frozen=True)
class WantedExtension:
    """What the user asks for; C(None) leaves a property as it is, or to the default when it is created."""

    settings: Settings
    version: str | None = None
    release_train: str | None = None
    auto_upgrade_minor_version: bool | None = None
    update_protected: str = "on_create"
    allow_disruption: bool = False
    force_replace: bool = False


@dataclass(frozen=True)
class PresentExtension:
    """An extension as ARM shows it. Of protected settings it shows the keys only."""

    extension_type: str
    provisioning_state: str
    settings: Mapping = field(default_factory=dict)
    protected_keys: frozenset = frozenset()
    version: str | None = None
    release_train: str | None = None
    auto_upgrade_minor_version: bool | None = None
    release_namespace: str | None = None


@dataclass(frozen=True)
class Plan:
    """The step to take.

    :param action: C(none), C(create), C(update), C(replace), C(adopt) or C(refuse).
    :param settings: the settings that change, as key: (before, after).
    :param protected_keys: the protected settings that the request carries: all of them, or none.
    :param properties: the other properties that change, as name: (before, after).
    """

    action: str
    reason: str = ""
    settings: Mapping = field(default_factory=dict)
    protected_keys: frozenset = frozenset()
    properties: Mapping = field(default_factory=dict)

    def as_result(self) -> dict:
        """The plan as a module returns it."""
        return {
            "action": self.action,
            "reason": self.reason,
            "settings": _changes(self.settings),
            "protected_settings": sorted(self.protected_keys),
            "properties": _changes(self.properties),
        }


def _changes(pairs: Mapping) -> dict:
    return {key: {"before": before, "after": after} for key, (before, after) in sorted(pairs.items())}


def plan(wanted: WantedExtension, present: PresentExtension | None) -> Plan:
    """The step from what is there to what is wanted."""
    if present is None:
        return Plan(
            "create",
            "the extension does not exist",
            settings={key: (None, value) for key, value in wanted.settings.plain.items()},
            protected_keys=wanted.settings.protected_keys,
            properties={name: (None, value) for name, value in created_properties(wanted).items()},
        )
    if present.extension_type.lower() != EXTENSION_TYPE.lower():
        return Plan("refuse", f"an extension of type {present.extension_type} has this name already")
    state = present.provisioning_state.lower()
    if state in MOVING_STATES:
        return Plan("adopt", f"an operation is under way already: {present.provisioning_state}")

    return _plan_change(wanted, present)


def _plan_change(wanted: WantedExtension, present: PresentExtension) -> Plan:
    """The step for an extension that is at rest."""
    settings = {
        key: (present.settings.get(key), value)
        for key, value in wanted.settings.plain.items()
        if key not in present.settings or not same_value(present.settings[key], value)
    }
    properties = _changed_properties(wanted, present)
    for_good = _changed_for_good(present)
    anew = bool(for_good) or present.provisioning_state.lower() != "succeeded"
    due = anew or CERTIFICATE_FINGERPRINT in settings or _protected_is_due(wanted, present)
    protected = wanted.settings.protected_keys if due else frozenset()
    lost = present.protected_keys - protected if protected or anew else frozenset()
    refusal = (
        _replacement_refused(wanted, for_good)
        or _loss_refused(lost)
        or (None if anew else _disruption_refused(wanted, present, settings))
    )
    if refusal:
        return Plan("refuse", refusal)
    if for_good:
        return Plan("replace", "it cannot be changed in place", settings, protected, {**properties, **for_good})
    if anew:
        reason = f"the last operation ended as {present.provisioning_state}"
        return Plan("create", reason, settings, protected, properties)
    if settings or properties or protected:
        return Plan("update", "it differs from what is wanted", settings, protected, properties)
    return Plan("none", "it is as wanted")


def _replacement_refused(wanted: WantedExtension, for_good: Mapping) -> str | None:
    if not for_good or wanted.force_replace:
        return None
    what = "; ".join(f"{name} is {before} instead of {after}" for name, (before, after) in for_good.items())
    return f"{what}, which cannot be changed in place; force_replace: true removes it and installs it anew"


def _loss_refused(lost: frozenset) -> str | None:
    if not lost:
        return None
    return (
        "the change carries protected settings, which replaces all of them, and the values of"
        f" {', '.join(sorted(lost))} cannot be read back; give them in protected_settings"
    )


def _disruption_refused(wanted: WantedExtension, present: PresentExtension, settings: Mapping) -> str | None:
    disturbed = {} if wanted.allow_disruption else disruption(present, settings)
    if not disturbed:
        return None
    victims = "; ".join(f"{key} disturbs {what}" for key, what in sorted(disturbed.items()))
    return f"it would disturb what runs on the cluster ({victims}); allow_disruption: true does it"


# Settings whose change disturbs running jobs or online endpoints: where training or inference is on, and in which case.
# Source: what C(az k8s-extension update) asks for confirmation of.
JOBS, ENDPOINTS = "running jobs", "online endpoints"
SWITCHED_OFF = {
    "enableTraining": JOBS,
    "installNvidiaDevicePlugin": JOBS,
    "enableInference": ENDPOINTS,
}
CHANGED = {
    "allowInsecureConnections": ENDPOINTS,
    "inferenceRouterServiceType": ENDPOINTS,
    "internalLoadBalancerProvider": ENDPOINTS,
    "sslCname": ENDPOINTS,
    "privateEndpointNodeport": ENDPOINTS,
    "privateEndpointILB": ENDPOINTS,
}


def disruption(present: PresentExtension, settings: Mapping) -> dict[str, str]:
    """What a change of settings would disturb, by the key to blame.

    :param present: the extension as it is; where it serves no training, no job can be disturbed, and so on.
    :param settings: the settings that change, as key: (before, after).
    """
    at_risk = {
        what
        for what, key in ((JOBS, "enableTraining"), (ENDPOINTS, "enableInference"))
        if present.settings.get(key, "").lower() == "true"
    }
    found = {}
    for key, (before, after) in settings.items():
        victims = CHANGED.get(key)
        if (before or "").lower() == "true" and after.lower() == "false":
            victims = SWITCHED_OFF.get(key, victims)
        elif key.startswith(NODE_SELECTOR):
            victims = JOBS if JOBS in at_risk else ENDPOINTS
        if victims in at_risk:
            found[key] = victims
    return found


def _protected_is_due(wanted: WantedExtension, present: PresentExtension) -> bool:
    """Whether protected settings have to be sent to an extension that is there."""
    settings = wanted.settings
    if settings.protected and (wanted.update_protected == "always" or set(settings.protected) - present.protected_keys):
        return True
    if set(settings.certificate) - present.protected_keys:
        return True
    if settings.relay_keys and not set(settings.relay_keys) & present.protected_keys:
        return True
    if settings.service_bus_keys and not set(settings.service_bus_keys) & present.protected_keys:
        return True
    return bool(settings.log_analytics_keys) and (
        not set(settings.log_analytics_keys) <= present.protected_keys
        or LOG_ANALYTICS_CUSTOMER_ID not in present.settings
    )


def created_properties(wanted: WantedExtension) -> dict:
    auto_upgrade = wanted.auto_upgrade_minor_version
    return {
        "version": wanted.version,
        "release_train": wanted.release_train or DEFAULT_RELEASE_TRAIN,
        "auto_upgrade_minor_version": wanted.version is None if auto_upgrade is None else auto_upgrade,
    }


def _changed_properties(wanted: WantedExtension, present: PresentExtension) -> dict:
    changed = {}
    if wanted.version is not None and wanted.version != present.version:
        changed["version"] = (present.version, wanted.version)
    train = wanted.release_train
    if train is not None and train.lower() != (present.release_train or "").lower():
        changed["release_train"] = (present.release_train, train)
    # A pinned version stays pinned only without automatic upgrades.
    auto_upgrade = False if wanted.version is not None else wanted.auto_upgrade_minor_version
    if auto_upgrade is not None and auto_upgrade != present.auto_upgrade_minor_version:
        changed["auto_upgrade_minor_version"] = (present.auto_upgrade_minor_version, auto_upgrade)
    return changed


def _changed_for_good(present: PresentExtension) -> dict:
    """What differs and can only be had by removing the extension and installing it again."""
    namespace = present.release_namespace
    if namespace is None or namespace.lower() == RELEASE_NAMESPACE:
        return {}
    return {"release_namespace": (namespace, RELEASE_NAMESPACE)}


def unmanaged_settings(wanted: WantedExtension, present: PresentExtension) -> dict:
    """Settings of an extension that nobody asked for here; they are left alone."""
    return {key: value for key, value in present.settings.items() if key not in wanted.settings.plain}


def diff(step: Plan) -> dict:
    """The change as C(--diff) shows it. Protected settings appear by name only."""
    changes = {**step.properties, **{f"settings.{key}": pair for key, pair in step.settings.items()}}
    before = {key: old for key, (old, new) in changes.items() if old is not None}
    after = {key: new for key, (old, new) in changes.items() if new is not None}
    after.update({f"protected_settings.{key}": HIDDEN for key in step.protected_keys})
    return {"before": dict(sorted(before.items())), "after": dict(sorted(after.items()))}
