# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The AzureML extension of a cluster: read it, submit what the plan says, wait for it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ansible_collections.azureml.arc.plugins.module_utils._azure import cluster as _cluster
from ansible_collections.azureml.arc.plugins.module_utils._azure.client import AzureSession, open_session
from ansible_collections.azureml.arc.plugins.module_utils._azure.resource import ArmResource, list_all
from ansible_collections.azureml.arc.plugins.module_utils._azure.states import state_of
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Deadline
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall
from ansible_collections.azureml.arc.plugins.module_utils._extension import certificate_files, check, supporting
from ansible_collections.azureml.arc.plugins.module_utils._extension import relay as _relay
from ansible_collections.azureml.arc.plugins.module_utils._extension import service_bus as _service_bus
from ansible_collections.azureml.arc.plugins.module_utils._extension import settings as _settings
from ansible_collections.azureml.arc.plugins.module_utils._extension.body import (
    create_body,
    error_of,
    is_azureml,
    parse,
    patch_body,
    view,
    without_secrets,
)
from ansible_collections.azureml.arc.plugins.module_utils._extension.plan import (
    Plan,
    WantedExtension,
    diff,
    plan,
    unmanaged_settings,
)
from ansible_collections.azureml.arc.plugins.module_utils._extension.tls import ServerCertificate

API_VERSION = "2025-03-01"
REMOVE = {"forceDelete": "false"}
REMOVE_BY_FORCE = {"forceDelete": "true"}
FRESH_FOR = 5.0  # seconds for which the extension, once read, counts as unchanged


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
    return ArmResource(session, reference.id, API_VERSION, str(reference), deadline, error_of)


def run(call: ModuleCall) -> dict:
    """M(azureml.arc.extension)."""
    params = call.params
    certificate = None
    if params["state"] == "absent" and params["remove_resources"] and not params["wait"]:
        raise AzureMLError("remove_resources needs wait: the extension uses them until it is gone")
    if params["state"] != "absent":
        check.check(params)
        for warning in check.misspelt_keys(params):
            call.warn(warning)
        certificate = certificate_files.read(call, params["tls"] or {}, "tls.")
    with open_session(call) as session:
        cluster = _cluster.reference(params, session.subscription_id)
        reference = ExtensionReference(cluster, _cluster.check_name("name", params["name"]))
        deadline = call.deadline(params["wait_timeout"])
        extension = _resource(session, reference, deadline)
        if params["state"] == "absent":
            result = extension.decide(lambda: _absent(call, session, reference, extension))
            return _with_supporting_resources(call, session, reference, deadline, result)
        presence = _Presence(call, session, reference, extension, certificate)
        return presence.prepare() if params["state"] == "prepared" else presence.run()


def read_extension(session: AzureSession, cluster: _cluster.ClusterReference, name: str) -> dict | None:
    """An extension as the modules return it, C(None) where it does not exist."""
    reference = ExtensionReference(cluster, _cluster.check_name("name", name))
    body = session.get(reference.id, API_VERSION, str(reference))
    return view(body) if body else None


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
    return {"extensions": [view(body) for body in found if body and is_azureml(body)]}


class _Presence:
    """C(state=present): bring the extension to what is wanted."""

    def __init__(
        self,
        call: ModuleCall,
        session: AzureSession,
        reference: ExtensionReference,
        extension: ArmResource,
        certificate: ServerCertificate | None,
    ) -> None:
        self._call = call
        self._session = session
        self._reference = reference
        self._extension = extension
        self._cluster = _cluster.read(session, reference.cluster)
        check.check_cluster(call.params, self._cluster)
        self._wanted = _wanted(call.params, reference.cluster, self._cluster, certificate)
        self._created: list[str] = []

    def prepare(self) -> dict:
        """C(state=prepared): begin to create what the extension will use."""
        _cluster.require_reachable(self._cluster)
        self._created = supporting.start(
            self._session,
            self._reference.cluster,
            self._cluster.location,
            self._wanted.settings,
            self._extension.deadline,
            self._call.check_mode,
        )
        result = {"changed": bool(self._created), "created_resources": self._created}
        if self._call.diff:
            result["diff"] = {"before": {}, "after": {"resources": self._created} if self._created else {}}
        return result

    def run(self) -> dict:
        try:
            return self._extension.decide(self._attempt)
        except AzureMLError as error:
            if error.code == "Timeout":
                _cluster.explain_timeout(error, _cluster.read(self._session, self._reference.cluster))
            raise

    def _attempt(self) -> dict:
        wait, check_mode = self._call.params["wait"], self._call.check_mode
        body = self._extension.read()
        if body and not self._call.params["retry_failed"]:
            self._extension.raise_where_failed(body)
        step = plan(self._wanted, parse(body))
        if step.action == "adopt" and wait and not check_mode:
            body = self._extension.settle()
            step = plan(self._wanted, parse(body))
        if step.action == "refuse":
            raise AzureMLError(f"{self._reference} cannot be changed: {step.reason}", code="Refused")
        changed = step.action in ("create", "update", "replace")
        if changed:
            _cluster.require_reachable(self._cluster)
            if not check_mode:
                step, body = self._apply(step, body)
        return self._result(changed, step, body)

    def _apply(self, step: Plan, present: dict | None) -> tuple[Plan, dict]:
        secrets = {}
        if step.protected_keys:
            before = self._extension.deadline.remaining
            secrets, learned = self._fetch_secrets()
            if before - self._extension.deadline.remaining > FRESH_FOR:
                self._extension.require_unchanged(present)
            plain = {**self._wanted.settings.plain, **learned}
            self._wanted = replace(self._wanted, settings=replace(self._wanted.settings, plain=plain))
            step = replace(step, settings={**step.settings, **{key: (None, value) for key, value in learned.items()}})
        wait = self._call.params["wait"]
        if step.action == "update":
            answer = self._extension.submit("PATCH", wait, present, body=patch_body(step, secrets))
        else:
            body = create_body(self._cluster.type, self._wanted, parse(present), secrets)
            if step.action == "replace":
                answer = self._extension.replace(wait, present, body, REMOVE, without_secrets(body))
            else:
                answer = self._extension.submit("PUT", wait, present, body=body)
        return step, answer or self._extension.read()

    def _fetch_secrets(self) -> tuple[dict, dict]:
        """Everything protected that the request carries, found or created where Azure holds it.

        :returns: the protected settings, and the plain ones that were learned on the way.
        """
        settings = self._wanted.settings
        secrets, learned = {**settings.protected, **settings.certificate}, {}
        for kind in supporting.needed(settings):
            provisioned = kind.ensure(
                self._session, self._reference.cluster, self._cluster.location, self._extension.deadline
            )
            secrets.update(dict.fromkeys(kind.keys_of(settings), provisioned.secret))
            learned.update(provisioned.settings)
            self._created += provisioned.created
        self._call.hide(*secrets.values())
        return secrets, learned

    def _result(self, changed: bool, step: Plan, body: dict | None) -> dict:
        result = {
            "changed": changed,
            "plan": step.as_result(),
            "extension": view(body) if body else None,
            "created_resources": self._created,
            "openshift": self._wanted.settings.plain.get("openshift", "").lower() == "true",
            "unmanaged_settings": unmanaged_settings(self._wanted, parse(body)) if body else {},
        }
        if self._call.diff:
            result["diff"] = diff(step)
        return result


def _wanted(
    params: dict, reference: _cluster.ClusterReference, cluster: _cluster.Cluster, certificate: ServerCertificate | None
) -> WantedExtension:
    relay, service_bus = _relay.relay_of(reference), _service_bus.service_bus_of(reference)
    return WantedExtension(
        settings=_settings.derive(params, cluster, relay, service_bus, certificate),
        version=params["version"],
        release_train=params["release_train"],
        auto_upgrade_minor_version=params["auto_upgrade_minor_version"],
        update_protected=params["update_protected"],
        allow_disruption=params["allow_disruption"],
        force_replace=params["force_replace"],
    )


def _absent(call: ModuleCall, session: AzureSession, reference: ExtensionReference, extension: ArmResource) -> dict:
    """C(state=absent)."""
    params = call.params
    body = extension.read()
    if body is None:
        return _removal(call, Plan("none", "the extension does not exist"), None)
    if not is_azureml(body):
        kind = body["properties"].get("extensionType")
        raise AzureMLError(f"{reference} cannot be removed: it is of type {kind}", code="Refused")
    if state_of(body).lower() == "deleting":
        if params["wait"] and not call.check_mode:
            extension.settle()
        return _removal(call, Plan("adopt", "its removal is under way already"), body)
    if not params["force_delete"]:
        _cluster.require_reachable(_cluster.read(session, reference.cluster))
    if not call.check_mode:
        how = REMOVE_BY_FORCE if params["force_delete"] else REMOVE
        extension.submit("DELETE", params["wait"], present=body, params=how)
    return _removal(call, Plan("delete", "it exists"), body)


def _removal(call: ModuleCall, step: Plan, body: dict | None) -> dict:
    """The result of C(state=absent), with the extension as it was."""
    result = {"changed": step.action == "delete", "plan": step.as_result(), "extension": view(body) if body else None}
    if call.diff:
        result["diff"] = {"before": view(body) if step.action == "delete" else {}, "after": {}}
    return result


def _with_supporting_resources(
    call: ModuleCall, session: AzureSession, reference: ExtensionReference, deadline: Deadline, result: dict
) -> dict:
    """The result of C(state=absent), after what was created for the extension is gone as well, where asked to."""
    removed, left = supporting.remove(
        session, reference.cluster, call.params["remove_resources"], deadline, call.check_mode
    )
    for resource_id in left:
        call.warn(f"{resource_id} was not created for the extension (by its tags) and stays")
    if call.diff and removed:
        result["diff"]["before"] = {**result["diff"]["before"], "resources": removed}
    return {**result, "changed": result["changed"] or bool(removed), "removed_resources": removed}
