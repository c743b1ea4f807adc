# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The AzureML extension of a cluster: read it, submit what the plan says, wait for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from ansible_collections.azureml.arc.plugins.module_utils import _cluster, _log_analytics, _relay, _settings, _tls
from ansible_collections.azureml.arc.plugins.module_utils._arm_resource import ArmResource, list_all
from ansible_collections.azureml.arc.plugins.module_utils._arm_states import state_of
from ansible_collections.azureml.arc.plugins.module_utils._azure_session import AzureSession, open_session
from ansible_collections.azureml.arc.plugins.module_utils._errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._extension_plan import (
    EXTENSION_TYPE,
    Plan,
    PresentExtension,
    WantedExtension,
    create_body,
    diff,
    patch_body,
    plan,
    unmanaged_settings,
)
from ansible_collections.azureml.arc.plugins.module_utils._polling import Deadline
from ansible_collections.azureml.arc.plugins.module_utils._runner import ModuleCall
from ansible_collections.azureml.arc.plugins.module_utils._tls import ServerCertificate

API_VERSION = "2025-03-01"


@dataclass(frozen=True)
class ExtensionReference:
    """Which extension, on which cluster."""

    cluster: _cluster.ClusterReference
    name: str

    @property
    def id(self) -> str:
        return f"{self.cluster.id}/providers/Microsoft.KubernetesConfiguration/extensions/{self.name}"

    def __str__(self) -> str:
        return f"extension '{self.name}' on {self.cluster}"


def _resource(session: AzureSession, reference: ExtensionReference, deadline: Deadline) -> ArmResource:
    return ArmResource(session, reference.id, API_VERSION, str(reference), deadline, _error_of)


def run(call: ModuleCall) -> dict:
    """M(azureml.arc.extension)."""
    params = call.params
    certificate = None
    if params["state"] == "present":
        _settings.check(params)
        certificate = _certificate(call)
    with open_session(call) as session:
        cluster = _cluster.reference(params, session.subscription_id)
        reference = ExtensionReference(cluster, _cluster.check_name("name", params["name"]))
        deadline = Deadline(params["wait_timeout"])
        extension = _resource(session, reference, deadline)
        if params["state"] == "absent":
            return _absent(call, session, reference, extension)
        facts = _cluster.read(session, cluster)
        return _Presence(call, session, reference, extension, deadline, facts, certificate).run()


def run_info(call: ModuleCall) -> dict:
    """M(azureml.arc.extension_info)."""
    with open_session(call) as session:
        cluster = _cluster.reference(call.params, session.subscription_id)
        name = call.params["name"]
        if name:
            reference = ExtensionReference(cluster, _cluster.check_name("name", name))
            found = [session.get(reference.id, API_VERSION, str(reference))]
        else:
            address = f"{cluster.id}/providers/Microsoft.KubernetesConfiguration/extensions"
            found = list_all(session, address, API_VERSION, f"extensions of {cluster}")
    return {"extensions": [view(body) for body in found if body and _is_azureml(body)]}


def _certificate(call: ModuleCall) -> ServerCertificate | None:
    """The certificate that the options give as files or as text, checked; C(None) where they give none."""
    tls = call.params["tls"] or {}
    if not any(tls.get(name) for name in ("certificate", "certificate_content")):
        return None
    parts = [_pem(tls, name) for name in ("certificate", "private_key")]
    certificate = _tls.check(*parts, tls["cname"], datetime.now(timezone.utc))
    if certificate.warning:
        call.warn(certificate.warning)
    return certificate


def _pem(tls: Mapping, name: str) -> bytes:
    if tls[f"{name}_content"]:
        return tls[f"{name}_content"].encode()
    try:
        return Path(tls[name]).read_bytes()
    except OSError as error:
        raise AzureMLError(f"tls.{name}: {tls[name]} cannot be read: {error.strerror}") from error


class _Presence:
    """C(state=present): bring the extension to what is wanted."""

    def __init__(
        self,
        call: ModuleCall,
        session: AzureSession,
        reference: ExtensionReference,
        extension: ArmResource,
        deadline: Deadline,
        cluster: _cluster.Cluster,
        certificate: ServerCertificate | None,
    ) -> None:
        self._call = call
        self._session = session
        self._reference = reference
        self._extension = extension
        self._deadline = deadline
        self._cluster = cluster
        self._relay = _relay.relay_of(reference.cluster)
        self._wanted = _wanted(call.params, cluster, self._relay, certificate)
        self._created: list[str] = []

    def run(self) -> dict:
        wait, check_mode = self._call.params["wait"], self._call.check_mode
        body = self._extension.read()
        step = plan(self._wanted, parse(body))
        if step.action == "adopt" and wait and not check_mode:
            body = self._extension.settle()
            step = plan(self._wanted, parse(body))
        if step.action == "refuse":
            raise AzureMLError(f"{self._reference} cannot be changed: {step.reason}", code="Refused")
        changed = step.action in ("create", "update")
        if changed:
            _cluster.require_reachable(self._cluster)
            if not check_mode:
                step, body = self._apply(step, body)
        return self._result(changed, step, body)

    def _apply(self, step: Plan, body: dict | None) -> tuple[Plan, dict]:
        secrets = {}
        if step.protected_keys:
            secrets, learned = self._fetch_secrets()
            plain = {**self._wanted.settings.plain, **learned}
            self._wanted = replace(self._wanted, settings=replace(self._wanted.settings, plain=plain))
            step = replace(step, settings={**step.settings, **{key: (None, value) for key, value in learned.items()}})
        wait = self._call.params["wait"]
        if step.action == "create":
            request = create_body(self._wanted, parse(body), secrets)
            answer = self._extension.submit("PUT", wait, body=request)
        else:
            answer = self._extension.submit("PATCH", wait, body=patch_body(step, secrets))
        return step, answer or self._extension.read()

    def _fetch_secrets(self) -> tuple[dict, dict]:
        """Everything protected that the request carries, found or created where Azure holds it.

        :returns: the protected settings, and the plain ones that were learned on the way.
        """
        settings, location = self._wanted.settings, self._cluster.location
        secrets, learned = {**settings.protected, **settings.certificate}, {}
        if settings.relay_keys:
            connection_string, created = _relay.ensure(self._session, self._relay, location, self._deadline)
            secrets.update(dict.fromkeys(settings.relay_keys, connection_string))
            self._created += created
        if settings.log_analytics_keys:
            customer_id, key, created = _log_analytics.ensure(
                self._session, self._reference.cluster, location, self._deadline
            )
            secrets.update(dict.fromkeys(settings.log_analytics_keys, key))
            learned[_settings.LOG_ANALYTICS_CUSTOMER_ID] = customer_id
            self._created += created
        self._call.hide(*secrets.values())
        return secrets, learned

    def _result(self, changed: bool, step: Plan, body: dict | None) -> dict:
        result = {
            "changed": changed,
            "plan": step.as_result(),
            "extension": view(body) if body else None,
            "created_resources": self._created,
            "unmanaged_settings": unmanaged_settings(self._wanted, parse(body)) if body else {},
        }
        if self._call.diff:
            result["diff"] = diff(step)
        return result


def _wanted(
    params: dict, cluster: _cluster.Cluster, relay: _relay.Relay, certificate: ServerCertificate | None
) -> WantedExtension:
    return WantedExtension(
        settings=_settings.derive(params, cluster, relay, certificate),
        version=params["version"],
        release_train=params["release_train"],
        auto_upgrade_minor_version=params["auto_upgrade_minor_version"],
        update_protected=params["update_protected"],
        allow_disruption=params["allow_disruption"],
    )


def _absent(call: ModuleCall, session: AzureSession, reference: ExtensionReference, extension: ArmResource) -> dict:
    params = call.params
    body = extension.read()
    if body is None:
        return _removal(call, Plan("none", "the extension does not exist"), None)
    if not _is_azureml(body):
        kind = body["properties"].get("extensionType")
        raise AzureMLError(f"{reference} cannot be removed: it is of type {kind}", code="Refused")
    if state_of(body).lower() == "deleting":
        if params["wait"] and not call.check_mode:
            extension.settle()
        return _removal(call, Plan("adopt", "its removal is under way already"), body)
    if not params["force_delete"]:
        _cluster.require_reachable(_cluster.read(session, reference.cluster))
    if not call.check_mode:
        force = "true" if params["force_delete"] else "false"
        extension.submit("DELETE", params["wait"], params={"forceDelete": force})
    return _removal(call, Plan("delete", "it exists"), body)


def _removal(call: ModuleCall, step: Plan, body: dict | None) -> dict:
    """The result of C(state=absent), with the extension as it was."""
    result = {"changed": step.action == "delete", "plan": step.as_result(), "extension": view(body) if body else None}
    if call.diff:
        result["diff"] = {"before": view(body) if step.action == "delete" else {}, "after": {}}
    return result


def _error_of(body: Mapping) -> Mapping:
    properties = body["properties"]
    error = properties.get("errorInfo") or {}
    if error.get("message"):
        return error
    messages = [one.get("message") for one in properties.get("statuses") or () if one.get("level") == "Error"]
    return {**error, "message": "; ".join(filter(None, messages))}


def parse(body: dict | None) -> PresentExtension | None:
    """The extension in an answer of ARM."""
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
    )


def view(body: dict) -> dict:
    """An extension as the modules return it: snake_case, and of protected settings the keys only."""
    properties = body["properties"]
    scope = properties.get("scope") or {}
    return {
        "id": body.get("id"),
        "name": body.get("name"),
        "extension_type": properties.get("extensionType"),
        "provisioning_state": state_of(body),
        "version": properties.get("version"),
        "current_version": properties.get("currentVersion"),
        "release_train": properties.get("releaseTrain"),
        "auto_upgrade_minor_version": properties.get("autoUpgradeMinorVersion"),
        "release_namespace": (scope.get("cluster") or {}).get("releaseNamespace"),
        "principal_id": (body.get("identity") or {}).get("principalId"),
        "settings": properties.get("configurationSettings") or {},
        "protected_settings": sorted(properties.get("configurationProtectedSettings") or ()),
        "statuses": properties.get("statuses") or [],
        "error": properties.get("errorInfo"),
    }


def _is_azureml(body: dict) -> bool:
    return (body["properties"].get("extensionType") or "").lower() == EXTENSION_TYPE.lower()
