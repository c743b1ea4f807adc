# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the bodies of requests for an extension, and parse responses. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.azureml.arc.plugins.module_utils._azure.states import state_of
from ansible_collections.azureml.arc.plugins.module_utils._extension.keys import CURRENT
from ansible_collections.azureml.arc.plugins.module_utils._extension.options import INSTALL_SWITCHES
from ansible_collections.azureml.arc.plugins.module_utils._extension.plan import (
    EXTENSION_TYPE,
    HIDDEN,
    RELEASE_NAMESPACE,
    Plan,
    PresentExtension,
    WantedExtension,
    created_properties,
    unmanaged_settings,
)

# Properties of an extension besides its settings, our names to ARM's.
PROPERTIES = {
    "version": "version",
    "release_train": "releaseTrain",
    "auto_upgrade_minor_version": "autoUpgradeMinorVersion",
}

# AKS creates the identity of an extension itself, and refuses a request with one.
# Source: https://github.com/Azure/azure-powershell/issues/22455
WITH_OWN_IDENTITY = frozenset({"managed_cluster"})


def create_body(
    cluster_type: str, wanted: WantedExtension, present: PresentExtension | None, protected: Mapping
) -> dict:
    """Build the body of the PUT that creates or repairs an extension.

    :param cluster_type: C(connected_cluster) or C(managed_cluster).
    :param present: the extension to repair; settings that the options do not name are kept.
    :param protected: the protected settings, with their values.
    """
    kept = unmanaged_settings(wanted, present) if present else {}
    return {
        **({} if cluster_type in WITH_OWN_IDENTITY else {"identity": {"type": "SystemAssigned"}}),
        "properties": {
            "extensionType": EXTENSION_TYPE,
            **{
                PROPERTIES[name]: value
                for name, value in created_properties(wanted, present).items()
                if value is not None
            },
            "scope": {"cluster": {"releaseNamespace": RELEASE_NAMESPACE}},
            "configurationSettings": {**kept, **wanted.settings.plain},
            **({"configurationProtectedSettings": dict(protected)} if protected else {}),
        },
    }


def without_secrets(body: Mapping) -> dict:
    """Return the body of a request with the names of its protected settings only."""
    protected = dict.fromkeys(body["properties"]["configurationProtectedSettings"], HIDDEN)
    return {**body, "properties": {**body["properties"], "configurationProtectedSettings": protected}}


def patch_body(step: Plan, protected: Mapping) -> dict:
    """Build the body of the PATCH for an update: the changed keys, and all protected settings or none.

    ARM replaces the whole map of protected settings, and ignores an empty map, which is never sent.
    """
    properties = {PROPERTIES[name]: after for name, (before, after) in step.properties.items()}
    if step.settings:
        properties["configurationSettings"] = {key: after for key, (before, after) in step.settings.items()}
    if protected:
        properties["configurationProtectedSettings"] = dict(protected)
    return {"properties": properties}


def error_of(body: Mapping) -> Mapping:
    """Return the error of an extension's last operation; without a message, with those of its statuses."""
    properties = body["properties"]
    error = properties.get("errorInfo") or {}
    if error.get("message"):
        return error
    messages = [one.get("message") for one in properties.get("statuses") or () if one.get("level") == "Error"]
    return {**error, "message": "; ".join(filter(None, messages))}


def parse(body: dict | None) -> PresentExtension | None:
    """Parse a response of ARM."""
    if body is None:
        return None
    properties = body["properties"]
    return PresentExtension(
        extension_type=properties.get("extensionType") or "",
        provisioning_state=state_of(body),
        settings=properties.get("configurationSettings") or {},
        protected_keys=frozenset(properties.get("configurationProtectedSettings") or ()),
        version=properties.get("version"),
        release_train=properties.get("releaseTrain"),
        auto_upgrade_minor_version=properties.get("autoUpgradeMinorVersion"),
        release_namespace=_release_namespace(properties),
    )


def _release_namespace(properties: Mapping) -> str | None:
    return ((properties.get("scope") or {}).get("cluster") or {}).get("releaseNamespace")


def _identity(body: Mapping) -> Mapping:
    """Return the identity of the request, or the one that AKS created."""
    return body.get("identity") or body["properties"].get("aksAssignedIdentity") or {}


def view(body: dict) -> dict:
    """Return an extension as the modules return it: snake_case, with only the keys of protected settings."""
    properties = body["properties"]
    settings = properties.get("configurationSettings") or {}
    return {
        "id": body.get("id"),
        "name": body.get("name"),
        "extension_type": properties.get("extensionType"),
        "provisioning_state": state_of(body),
        "version": properties.get("version"),
        "current_version": properties.get("currentVersion"),
        "release_train": properties.get("releaseTrain"),
        "auto_upgrade_minor_version": properties.get("autoUpgradeMinorVersion"),
        "release_namespace": _release_namespace(properties),
        "principal_id": _identity(body).get("principalId"),
        "settings": settings,
        "install_options": install_options(settings),
        "protected_settings": sorted(properties.get("configurationProtectedSettings") or ()),
        "statuses": properties.get("statuses") or [],
        "error": properties.get("errorInfo"),
    }


def is_azureml(body: dict) -> bool:
    """Return whether an extension is the AzureML extension."""
    return (body["properties"].get("extensionType") or "").lower() == EXTENSION_TYPE.lower()


def install_options(settings: Mapping[str, str]) -> dict[str, bool]:
    """Return the C(install_*) options that the settings contain."""
    return {
        option: settings[key].lower() == "true"
        for option, key in CURRENT.switches.items()
        if option in INSTALL_SWITCHES and key in settings
    }
