# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module extension with state present: read the extension, send the change, wait for it."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.azureml.arc.plugins.module_utils._azure import cluster as _cluster
from ansible_collections.azureml.arc.plugins.module_utils._azure.client import AzureSession
from ansible_collections.azureml.arc.plugins.module_utils._azure.provisioning import Provisioned
from ansible_collections.azureml.arc.plugins.module_utils._azure.resource import FRESH_FOR
from ansible_collections.azureml.arc.plugins.module_utils._azure.states import is_being_deleted
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Waiting
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall
from ansible_collections.azureml.arc.plugins.module_utils._extension import check, supporting
from ansible_collections.azureml.arc.plugins.module_utils._extension import settings as _settings
from ansible_collections.azureml.arc.plugins.module_utils._extension.body import (
    create_body,
    parse,
    patch_body,
    view,
    without_secrets,
)
from ansible_collections.azureml.arc.plugins.module_utils._extension.plan import (
    HOW_TO_ALLOW,
    Plan,
    WantedExtension,
    diff,
    plan,
    unmanaged_settings,
)
from ansible_collections.azureml.arc.plugins.module_utils._extension.reference import (
    ExtensionReference,
    extensions_id,
    find_other,
    resource_of,
)
from ansible_collections.azureml.arc.plugins.module_utils._extension.relay import relay_of
from ansible_collections.azureml.arc.plugins.module_utils._extension.removal import REMOVE
from ansible_collections.azureml.arc.plugins.module_utils._extension.service_bus import service_bus_of
from ansible_collections.azureml.arc.plugins.module_utils._extension.tls import ServerCertificate

# Seconds for which the extension counts as unchanged between the steps of a deployment: Azure refuses a change during
# another one.
UNCHANGED_FOR = 60.0


class Presence:
    """The extension of a cluster, and the changes that bring it to its desired state."""

    def __init__(
        self,
        call: ModuleCall,
        session: AzureSession,
        reference: ExtensionReference,
        certificate: ServerCertificate | None,
    ) -> None:
        self._call = call
        self._session = session
        self._cluster = _cluster.read(session, reference.cluster)
        check.check_cluster(call.params, self._cluster)
        self._deadline = call.deadline(call.params["wait_timeout"])
        self._refer_to(ExtensionReference(self._cluster.reference, reference.name))
        self._certificate = certificate
        self._wanted = _wanted(call.params, self._cluster, certificate)
        self._created: list[str] = []
        self._provisioned: dict[str, Provisioned] = {}

    def _refer_to(self, reference: ExtensionReference) -> None:
        self._reference = reference
        self._extension = resource_of(self._session, reference, self._deadline)

    def begin_supporting_resources(self) -> Waiting[dict]:
        """Start creating the supporting resources, without waiting for them."""
        _cluster.require_reachable(self._cluster)
        self._created = yield from supporting.start(
            self._session,
            self._reference.cluster,
            self._cluster.location,
            self._wanted.settings,
            self._deadline,
            self._call.check_mode,
        )
        result = {"changed": bool(self._created), "created_resources": self._created}
        if self._call.diff:
            result["diff"] = {"before": {}, "after": {"resources": self._created} if self._created else {}}
        return result

    def run(self) -> Waiting[dict]:
        """Install or change the extension, and return the result of the module."""
        try:
            read = [(yield from self._read_or_find())]
            attempt = self._extension.decide(lambda: self._attempt(read.pop() if read else self._extension.read()))
            return (yield from attempt)
        except AzureMLError as error:
            if error.code == "Timeout":
                _cluster.explain_timeout(error, _cluster.read(self._session, self._reference.cluster, refresh=True))
            if self._created:
                error.details.update(created_resources=self._created, changed=True)
            raise

    def _read_or_find(self) -> Waiting[dict | None]:
        """Read the extension, or use the one that was installed under another name."""
        body = self._extension.read_once(UNCHANGED_FOR)
        if body is not None:
            return body
        address = extensions_id(self._reference.cluster)
        other = self._session.known.once(address, lambda: find_other(self._session, self._reference), UNCHANGED_FOR)
        if other is None:
            return None
        missing = self._reference
        self._refer_to(ExtensionReference(missing.cluster, other["name"]))
        if is_being_deleted(other) and self._call.params["wait"] and not self._call.check_mode:
            yield from self._extension.settle(other)
            self._refer_to(missing)
            return None
        self._call.warn(
            f"{missing} does not exist; AzureML extension '{other['name']}' is used instead, because a cluster can have"
            f" only one. Set name (azureml_extension_name) to '{other['name']}'."
        )
        return other

    def _attempt(self, body: dict | None) -> Waiting[dict]:
        wait, check_mode = self._call.params["wait"], self._call.check_mode
        if body and not self._call.params["retry_failed"]:
            self._extension.raise_if_failed(body)
        step = plan(self._wanted, parse(body))
        if step.action == "adopt" and wait and not check_mode:
            body = yield from self._extension.settle(body)
            step = plan(self._wanted, parse(body))
        if step.action == "refuse":
            raise AzureMLError(
                f"{self._reference} cannot be changed: {step.reason}",
                code="Refused",
                hint=HOW_TO_ALLOW[step.allowed_by],
                **self._result(False, step, body),
            )
        changed = step.action in ("create", "update", "replace")
        if changed:
            _cluster.require_reachable(self._cluster)
            if not check_mode:
                step, body = yield from self._apply(step, body)
        return self._result(changed, step, body)

    def _apply(self, step: Plan, present: dict | None) -> Waiting[tuple[Plan, dict]]:
        secrets = {}
        if step.protected_keys:
            before = self._deadline.remaining
            secrets, learned = yield from self._fetch_secrets()
            if before - self._deadline.remaining > FRESH_FOR:
                self._extension.require_unchanged(present)
            plain = {**self._wanted.settings.plain, **learned}
            self._wanted = replace(self._wanted, settings=replace(self._wanted.settings, plain=plain))
            step = replace(step, settings={**step.settings, **{key: (None, value) for key, value in learned.items()}})
        wait = self._call.params["wait"]
        if step.action == "update":
            changed = yield from self._extension.submit("PATCH", wait, present, body=patch_body(step, secrets))
        else:
            body = create_body(self._cluster.type, self._wanted, parse(present), secrets)
            if step.action == "replace":
                changed = yield from self._extension.replace(wait, present, body, REMOVE, without_secrets(body))
            else:
                changed = yield from self._extension.submit("PUT", wait, present, body=body)
        return step, changed or self._extension.read()

    def _fetch_secrets(self) -> Waiting[tuple[dict, dict]]:
        """Return all protected settings, and create missing supporting resources.

        :returns: the protected settings, and the plain ones that those resources determine.
        """
        settings = self._wanted.settings
        secrets, learned = {**settings.protected, **settings.certificate}, {}
        for kind in supporting.needed(settings):
            provisioned = self._provisioned.get(kind.title)
            if not provisioned:
                # Once, even if the request for the extension is repeated.
                ensure = kind.ensure(self._session, self._reference.cluster, self._cluster.location, self._deadline)
                provisioned = self._provisioned[kind.title] = yield from ensure
                self._created += provisioned.created
            secrets.update(dict.fromkeys(kind.keys_of(settings), provisioned.secret))
            learned.update(provisioned.settings)
        self._call.hide(*secrets.values())
        return secrets, learned

    def _result(self, changed: bool, step: Plan, body: dict | None) -> dict:
        result = {
            "changed": changed,
            "plan": step.as_result(),
            "extension": view(body) if body else None,
            "cluster": {"id": self._cluster.id, "name": self._cluster.name, "fqdns": list(self._cluster.fqdns)},
            "created_resources": self._created,
            "openshift": self._wanted.settings.plain.get("openshift", "").lower() == "true",
            "unmanaged_settings": unmanaged_settings(self._wanted, parse(body)) if body else {},
            "certificate": self._certificate.view() if self._certificate else None,
        }
        if self._call.diff:
            result["diff"] = diff(step)
        return result


def _wanted(params: dict, cluster: _cluster.Cluster, certificate: ServerCertificate | None) -> WantedExtension:
    relay, service_bus = relay_of(cluster.reference), service_bus_of(cluster.reference)
    return WantedExtension(
        settings=_settings.derive(params, cluster, relay, service_bus, certificate),
        version=params["version"],
        release_train=params["release_train"],
        auto_upgrade_minor_version=params["auto_upgrade_minor_version"],
        update_protected=params["update_protected"],
        allow_disruption=params["allow_disruption"],
        force_replace=params["force_replace"],
    )
