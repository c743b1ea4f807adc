# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Detach a cluster, and remove everything that was installed."""

from __future__ import annotations

from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Waiting
from ansible_collections.azureml.arc.plugins.module_utils._extension.plan import RELEASE_NAMESPACE
from ansible_collections.azureml.arc.plugins.module_utils._extension.supporting import SUPPORTING_RESOURCES
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.flow import Flow, offered_types
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.reading import CONNECTIONS


class Detach(Flow):
    """Detach a cluster from its workspaces; keep the cluster and its extension."""

    with_files = ("azureml_sign_in",)  # the cluster may be gone

    def begin(self) -> Waiting[None]:
        """Submit the removal of each compute."""
        for attachment in self.options.attachments:
            given = self.options.compute(attachment, state="absent", wait=False)
            self.computes.append((yield from self.steps.apply("Detach the cluster", "compute", given)))

    def complete(self) -> Waiting[None]:
        """Wait until the computes are gone."""
        if not self.steps.check_mode:
            yield from self._wait_until_detached()

    def _wait_until_detached(self) -> Waiting[None]:
        timeout = self.options.get("azureml_attach_timeout")
        for attachment, found in zip(self.options.attachments, self.computes):
            if found["plan"]["action"] != "none":
                given = self.options.compute(attachment, state="absent", wait_timeout=timeout)
                yield from self.steps.apply("Wait until the cluster is detached", "compute", given)

    def removed(self) -> list[str]:
        """Return the names of the removed objects, or in check mode of those to remove."""
        return [f"compute {one['compute']['name']}" for one in self.computes if one["changed"]]

    def unchanged(self) -> str:
        """Return why nothing was removed."""
        missing = [
            f"workspace {self.options.workspace_of(attachment)['name']} has no compute {attachment['name']}"
            for attachment, found in zip(self.options.attachments, self.computes)
            if found["plan"]["action"] == "none"
        ]
        return ": ".join(filter(None, ("nothing to detach", ", ".join(missing))))

    def result(self) -> dict:
        removed = self.removed()
        if self.steps.failure and removed and not self.steps.check_mode:
            note = f"Already removed, or being removed: {', '.join(removed)}"
            self.steps.failure = self.steps.failure.with_note(note)
        return super().result()

    def summary(self) -> str:
        removed = self.removed()
        if not removed:
            return self.unchanged()
        return f"{'would be removed' if self.steps.check_mode else 'removed'}: {', '.join(removed)}"


class Remove(Detach):
    """Detach a cluster, and remove the extension and everything that belongs to it."""

    with_files = CONNECTIONS  # but not those of a certificate to remove
    _is_submitted = False  # the removal of the extension
    _types: tuple[str, ...] = ()
    _resources: tuple[str, ...] = ()
    _in_cluster: tuple[str, ...] = ()
    _left: tuple[str, ...] = ()

    def begin(self) -> Waiting[None]:
        """Detach the cluster, remove its instance types, and submit the removal of the extension.

        Objects of the extension in the cluster are removed even if the extension itself is gone, so the identity of the
        cluster is always verified, before the first removal.
        """
        probed = yield from self.steps.check(
            "Compare the extension", "extension", self.options.extension(state="absent", wait=False)
        )
        self.record_extension(probed)
        yield from self.verify_identity()
        yield from super().begin()
        if not self.steps.check_mode:
            yield from self._wait_until_detached()
        types = offered_types(self.computes)
        if types:
            given = self.options.instance_type(types, state="absent")
            found = yield from self.steps.apply("Remove the instance types", "instance_type", given)
            self._types = tuple(found["removed"])
        given = self.options.extension(state="absent", wait=False)
        submitted = yield from self.steps.apply("Submit the removal of the extension", "extension", given)
        self.record_extension(submitted)
        self._is_submitted = True

    def complete(self) -> Waiting[None]:
        """Wait until the extension is gone, then remove its resources in Azure and its objects in the cluster."""
        options, steps = self.options, self.steps
        given = options.extension(
            state="absent",
            remove_resources=options.get("azureml_remove_resources", []),
            wait_timeout=options.get("azureml_extension_timeout"),
        )
        removed = yield from steps.apply("Wait until the extension is removed", "extension", given)
        self._resources = tuple(removed["removed_resources"])
        if not self.extension.get("extension"):
            self._left = yield from self._find_left()
        if not steps.check_mode:
            waiting = {"state": "empty", "wait_timeout": options.get("azureml_readiness_timeout")}
            step = "Wait until its pods are gone"
            yield from steps.apply(step, "namespace", options.namespace(RELEASE_NAMESPACE, **waiting))
        step = "Revoke the permissions on OpenShift"
        permissions = yield from steps.apply(step, "openshift_scc", options.openshift_scc(state="absent"))
        if permissions["changed"]:
            self._in_cluster = ("permissions on OpenShift",)
        if options.has_tls_secret:
            step = "Remove the certificate from the cluster"
            given = options.tls_secret(state="absent")
            secret = yield from steps.apply(step, "tls_secret", given)
            self._in_cluster += (f"Secret {given['name']}",) if secret["changed"] else ()

    def _find_left(self) -> Waiting[tuple[str, ...]]:
        """Return the names of supporting resources that an earlier removal of the extension has kept.

        They are looked up only to name them, so a missing permission is no failure.
        """
        left = []
        for name in self._kinds_to_keep():
            given = self.options.extension(state="absent", remove_resources=[name])
            found = yield from self.steps.probe("extension", given)
            left += [name] if found.get("removed_resources") else []
        return tuple(left)

    def _kinds_to_keep(self) -> list[str]:
        named = self.options.get("azureml_remove_resources", [])
        return [name for name in SUPPORTING_RESOURCES if name not in named]

    def removed(self) -> list[str]:
        extension = self.extension.get("extension") if self._is_submitted else None
        return [
            *super().removed(),
            *(f"instance type {name}" for name in self._types),
            *([f"extension {extension['name']}"] if extension and self.extension["plan"]["action"] == "delete" else []),
            *self._resources,
            *self._in_cluster,
        ]

    def kept(self) -> list[str]:
        """Return the kept supporting resources as text, each with its value of azureml_remove_resources."""
        settings = (self.extension.get("extension") or {}).get("settings") or {}
        return [
            f"{SUPPORTING_RESOURCES[name].title} (azureml_remove_resources: [{name}] removes it)"
            for name in self._kinds_to_keep()
            if settings.get(SUPPORTING_RESOURCES[name].setting) or name in self._left
        ]

    def unchanged(self) -> str:
        return "nothing to remove"

    def summary(self) -> str:
        kept = self.kept()
        return super().summary() + (f"; kept: {', '.join(kept)}" if kept else "")
