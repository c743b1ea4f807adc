# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decide which change brings an extension to its desired state. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ansible_collections.azureml.arc.plugins.module_utils._azure.states import is_final
from ansible_collections.azureml.arc.plugins.module_utils._core.changes import as_diff, before_and_after
from ansible_collections.azureml.arc.plugins.module_utils._extension.disruption import disruption
from ansible_collections.azureml.arc.plugins.module_utils._extension.keys import (
    CERTIFICATE_FINGERPRINT,
    LOG_ANALYTICS_CUSTOMER_ID,
    OFF_BY_DEFAULT,
)
from ansible_collections.azureml.arc.plugins.module_utils._extension.settings import Settings, is_on, same_value

EXTENSION_TYPE = "Microsoft.AzureML.Kubernetes"
RELEASE_NAMESPACE = "azureml"
DEFAULT_RELEASE_TRAIN = "stable"
HIDDEN = "(hidden)"
# Why a change is refused, and the option that allows it.
Refusal = tuple[str, str]
# The next step after a refusal, by the option; C(None) for an extension of another type.
HOW_TO_ALLOW = {
    None: "Choose another name.",
    "allow_disruption": "Set allow_disruption to true to allow it.",
    "force_replace": "Set force_replace to true to remove it and install it again.",
    "protected_settings": "Set them in protected_settings.",
}


@dataclass(frozen=True)
class WantedExtension:
    """The desired state. C(None) leaves a property unchanged; a new extension has its default."""

    settings: Settings
    version: str | None = None
    release_train: str | None = None
    auto_upgrade_minor_version: bool | None = None
    update_protected: str = "on_create"
    allow_disruption: bool = False
    force_replace: bool = False


@dataclass(frozen=True)
class PresentExtension:
    """An extension as ARM returns it, with only the keys of its protected settings."""

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
    """The change to make.

    :param action: C(none), C(create), C(update), C(replace), C(adopt) or C(refuse).
    :param settings: the settings that change, as key: (before, after); C(None) is an absent setting.
    :param protected_keys: the protected settings that the request carries: all of them, or none.
    :param dropped_keys: the obsolete protected settings that the request removes by omitting them.
    :param properties: the other properties that change, as name: (before, after).
    :param allowed_by: the option that allows a refused change, C(None) if there is none.
    """

    action: str
    reason: str = ""
    settings: Mapping = field(default_factory=dict)
    protected_keys: frozenset = frozenset()
    dropped_keys: frozenset = frozenset()
    properties: Mapping = field(default_factory=dict)
    allowed_by: str | None = None

    def as_result(self) -> dict:
        """Return the plan as a module returns it."""
        return {
            "action": self.action,
            "reason": self.reason,
            "settings": before_and_after(self.settings),
            "protected_settings": sorted(self.protected_keys),
            "properties": before_and_after(self.properties),
            **({"allowed_by": self.allowed_by} if self.action == "refuse" else {}),
        }


def plan(wanted: WantedExtension, present: PresentExtension | None) -> Plan:
    """Return the change from the present to the desired state."""
    if present is None:
        return Plan(
            "create",
            "the extension does not exist",
            settings={key: (None, value) for key, value in wanted.settings.plain.items()},
            protected_keys=wanted.settings.protected_keys,
            properties={name: (None, value) for name, value in created_properties(wanted).items()},
        )
    if present.extension_type.lower() != EXTENSION_TYPE.lower():
        return Plan("refuse", f"an extension of type {present.extension_type} already has this name")
    if not is_final(present.provisioning_state):
        return Plan("adopt", f"another operation is in progress: {present.provisioning_state}")

    return _plan_change(wanted, present)


def _plan_change(wanted: WantedExtension, present: PresentExtension) -> Plan:
    """Return the change of an extension without an operation in progress."""
    properties = _changed_properties(wanted, present)
    unchangeable = _unchangeable(present)
    reinstall = bool(unchangeable) or present.provisioning_state.lower() != "succeeded"
    settings = _changed_settings(wanted, present, reinstall)
    # A certificate in a Secret of the cluster is not among the protected settings.
    renewed = CERTIFICATE_FINGERPRINT in settings and bool(wanted.settings.certificate)
    due = reinstall or renewed or _protected_is_due(wanted, present)
    protected = wanted.settings.protected_keys if due else frozenset()
    missing = present.protected_keys - protected if protected or reinstall else frozenset()
    refusal = (
        _replacement_refused(wanted, unchangeable)
        or _loss_refused(missing - wanted.settings.obsolete)
        or (None if reinstall else _disruption_refused(wanted, present, settings))
    )
    if refusal:
        reason, allowed_by = refusal
        return Plan("refuse", reason, settings, properties={**properties, **unchangeable}, allowed_by=allowed_by)
    changes = {"settings": settings, "protected_keys": protected, "dropped_keys": missing}
    if unchangeable:
        return Plan("replace", "it cannot be changed in place", properties={**properties, **unchangeable}, **changes)
    if reinstall:
        reason = f"the last operation ended as {present.provisioning_state}"
        return Plan("create", reason, properties=properties, **changes)
    if settings or properties or protected:
        return Plan("update", "it differs from the desired state", properties=properties, **changes)
    return Plan("none", "it is in sync")


def _changed_settings(wanted: WantedExtension, present: PresentExtension, reinstall: bool) -> dict:
    """Return the settings that change, as key: (before, after).

    :param reinstall: whether the extension is installed again, with settings for the current size of the cluster.
    """
    compared = {
        key: value for key, value in wanted.settings.plain.items() if reinstall or key not in wanted.settings.initial
    }
    changed = {
        key: (present.settings.get(key), value)
        for key, value in compared.items()
        if not _is_set(present.settings, key, value)
    }
    contradicting = [key for key in wanted.settings.off if is_on(present.settings, key)]
    return {**changed, **{key: (present.settings[key], wanted.settings.off[key]) for key in contradicting}}


def _is_set(settings: Mapping[str, str], key: str, value: str) -> bool:
    """Return whether a setting has this value; C(False) and absent are the same for one that is off by default."""
    if key in settings:
        return same_value(key, settings[key], value)
    return key in OFF_BY_DEFAULT and value.lower() == "false"


def _replacement_refused(wanted: WantedExtension, unchangeable: Mapping) -> Refusal | None:
    if not unchangeable or wanted.force_replace:
        return None
    what = "; ".join(f"{name} is {before} instead of {after}" for name, (before, after) in unchangeable.items())
    return f"{what}, which cannot be changed in place", "force_replace"


def _loss_refused(lost: frozenset) -> Refusal | None:
    if not lost:
        return None
    reason = (
        "the change sends protected settings, which replaces all of them, and the values of"
        f" {', '.join(sorted(lost))} cannot be read back"
    )
    return reason, "protected_settings"


def _disruption_refused(wanted: WantedExtension, present: PresentExtension, settings: Mapping) -> Refusal | None:
    disturbed = {} if wanted.allow_disruption else disruption(present.settings, settings)
    if not disturbed:
        return None
    workloads = "; ".join(f"{key} disturbs {what}" for key, what in sorted(disturbed.items()))
    return f"it would disturb workloads of the cluster ({workloads})", "allow_disruption"


def _protected_is_due(wanted: WantedExtension, present: PresentExtension) -> bool:
    """Return whether an existing extension needs its protected settings sent."""
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


def created_properties(wanted: WantedExtension, present: PresentExtension | None = None) -> dict:
    """Return the properties to install an extension with.

    :param present: the extension to repair or replace; its properties are kept unless the options name others.
    """
    version, auto_upgrade = wanted.version, wanted.auto_upgrade_minor_version
    if present and version is None and not auto_upgrade:
        version = present.version
    if auto_upgrade is None:
        kept = present.auto_upgrade_minor_version if present and wanted.version is None else None
        auto_upgrade = version is None if kept is None else kept
    return {
        "version": version,
        "release_train": wanted.release_train or (present and present.release_train) or DEFAULT_RELEASE_TRAIN,
        "auto_upgrade_minor_version": auto_upgrade,
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


def _unchangeable(present: PresentExtension) -> dict:
    """Return the differences that only a removal and a new installation can resolve."""
    namespace = present.release_namespace
    if namespace is None or namespace.lower() == RELEASE_NAMESPACE:
        return {}
    return {"release_namespace": (namespace, RELEASE_NAMESPACE)}


def unmanaged_settings(wanted: WantedExtension, present: PresentExtension) -> dict:
    """Return the settings that the options do not name, which are left unchanged."""
    return {
        key: value
        for key, value in present.settings.items()
        if key not in wanted.settings.plain and not (key in wanted.settings.off and is_on(present.settings, key))
    }


def diff(step: Plan) -> dict:
    """Return the change as C(--diff) shows it, with only the names of protected settings."""
    protected = {
        **dict.fromkeys(step.dropped_keys, (HIDDEN, None)),
        **dict.fromkeys(step.protected_keys, (None, HIDDEN)),
    }
    return as_diff(
        {
            **step.properties,
            **{f"settings.{key}": pair for key, pair in step.settings.items()},
            **{f"protected_settings.{key}": pair for key, pair in protected.items()},
        }
    )
