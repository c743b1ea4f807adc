# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Fake modules for tests of flows. They keep the state of one cluster, which earlier calls change."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from ansible_collections.azureml.arc.plugins.module_utils._core.polling import wait_here
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.host import FLOWS
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.steps import Steps
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.options import ClusterOptions

VARIABLES = {
    "azureml_profile": "training",
    "azureml_settings_generation": "current",
    "azureml_workspace": {"name": "ws", "resource_group": "rg"},
    "azureml_compute": {"name": "edge"},
    "azureml_kubernetes": {"kubeconfig": "k"},
    "azureml_extension_timeout": 1800,
    "azureml_readiness_timeout": 900,
    "azureml_attach_timeout": 600,
}
SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
CLUSTER = {
    "id": f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg/providers/microsoft.kubernetes/connectedclusters/c",
    "fqdns": [],
}
EXTENSION_ID = f"{CLUSTER['id']}/providers/Microsoft.KubernetesConfiguration/extensions/azureml"


class FakeModules:
    """Returns results like the modules, and records the calls.

    :param installed: whether the extension is installed and in sync.
    :param attached: whether the compute is attached.
    :param answers: by module, the fields of its result that differ. A list has one entry per call, the last of which
        is used for all further calls.
    :ivar sent: the changes, as (module, state).
    :ivar calls: all calls, as (module, options, check mode).
    """

    has_internal_steps = True

    def __init__(self, installed: bool = False, attached: bool = False, **answers) -> None:
        self.state = "Succeeded" if installed else ""
        self.version = "1.1.61"
        self.attached = attached
        self.sent: list[tuple[str, str]] = []
        self.calls: list[tuple[str, dict, bool]] = []
        self._answers = {module: self._several(answer) for module, answer in answers.items()}

    @staticmethod
    def _several(answer) -> Iterator[Mapping]:
        answers = answer if isinstance(answer, list) else [answer]
        return itertools.chain(answers, itertools.repeat(answers[-1]))

    def run(self, module: str, options: dict, check_mode: bool):
        self.calls.append((module, options, check_mode))
        result = getattr(self, f"_{module}")(options, check_mode)
        result = {"changed": False, **result, **next(self._answers.get(module, iter(({},))), {})}
        if result.get("changed") and not check_mode and not result.get("failed"):
            self.sent.append((module, options.get("state", "present")))
        return result
        yield

    def _extension(self, options: dict, check_mode: bool) -> dict:
        if options.get("state") == "absent":
            found = self._view()
            action = {"": "none", "Deleting": "adopt"}.get(self.state, "delete")
            if not check_mode and self.state:
                self.state = "Deleting" if options.get("wait") is False else ""
            plan = {"action": action, "reason": "", "settings": {}, "properties": {}}
            changed = action == "delete"
            return {"changed": changed, "plan": plan, "extension": found, "cluster": CLUSTER, "removed_resources": []}
        if self.state == "Failed" and not options.get("retry_failed", True):
            return {"failed": True, "msg": "the extension is Failed"}
        action = {"": "create", "Creating": "adopt", "Failed": "create"}.get(self.state, "none")
        if not check_mode:
            if options.get("wait", True):
                self.state = "Succeeded"
            elif action == "create":
                self.state = "Creating"
        plan = {"action": action, "reason": "it does not exist", "settings": {}, "properties": {}}
        changed = action == "create"
        return {
            "changed": changed,
            "plan": plan,
            "extension": self._view(),
            "cluster": CLUSTER,
            "openshift": False,
            "created_resources": [],
        }

    def _view(self) -> dict | None:
        if not self.state:
            return None
        return {
            "id": EXTENSION_ID,
            "name": "azureml",
            "provisioning_state": self.state,
            "current_version": self.version,
            "install_options": {"install_volcano": False},
            "settings": {},
        }

    def _supporting_resources(self, options: dict, check_mode: bool) -> dict:
        return {"changed": True, "created_resources": ["/relay"]}

    def _preflight(self, options: dict, check_mode: bool) -> dict:
        return {"checked": True, "openshift": False, "install_options": {"install_volcano": True}}

    def _cluster_identity(self, options: dict, check_mode: bool) -> dict:
        return {"verified": True, "reason": "", "api_address": "https://api:6443"}

    def _pod_readiness(self, options: dict, check_mode: bool) -> dict:
        return {"ready": True, "summary": "2 of 2 are ready", "problems": [], "pods": [{"name": "a", "ready": True}]}

    def _compute(self, options: dict, check_mode: bool) -> dict:
        absent = options.get("state") == "absent"
        action = ("delete" if self.attached else "none") if absent else ("none" if self.attached else "create")
        if not check_mode:
            self.attached = not absent
        return {
            "changed": action in ("create", "delete"),
            "plan": {"action": action, "reason": "it does not exist"},
            "compute": {"name": options["name"], "provisioning_state": "Succeeded"},
            "cluster_instance_types": [],
        }

    def _job_check(self, options: dict, check_mode: bool) -> dict:
        status = "NotSubmitted" if check_mode else "Completed"
        job = {"name": "arc-check", "compute": options["compute"], "status": status, "succeeded": not check_mode}
        return {"changed": True, "succeeded": not check_mode, "jobs": [{**job, "request": {}}], "removed_jobs": []}

    def _instance_type(self, options: dict, check_mode: bool) -> dict:
        return {"changed": True, "created": ["small"], "removed": ["small"] if options.get("state") else []}

    def _openshift_scc(self, options: dict, check_mode: bool) -> dict:
        return {"changed": options.get("state") != "absent", "removed": []}

    def _tls_secret(self, options: dict, check_mode: bool) -> dict:
        return {"changed": True, "certificate": {"fingerprint": "ab", "chain": ["cd", "ef"]}}

    def _endpoint_check(self, options: dict, check_mode: bool) -> dict:
        return {"outcome": "ok", "summary": "serves the certificate, 90 days left", "problems": []}

    def _node(self, options: dict, check_mode: bool) -> dict:
        return {"changed": True, "nodes": options["names"], "changed_nodes": options["names"]}

    def _node_preflight(self, options: dict, check_mode: bool) -> dict:
        return {"passed": True, "findings": [], "selinux": "Enforcing"}

    def _namespace(self, options: dict, check_mode: bool) -> dict:
        return {"changed": options.get("state") != "empty", "left": []}


def run(
    flow: str, fake: FakeModules, check_mode: bool = False, wait: bool = True, begun: bool = False, **options
) -> dict:
    """Run a flow with fake modules, and return the result of the cluster.

    :param options: C(parts), C(soak), C(first_wave), C(owner_of), and variables without their prefix.
    """
    attributes = {name: options.pop(name) for name in ("soak", "first_wave") if name in options}
    arguments = {name: options.pop(name) for name in ("parts", "owner_of") if name in options}
    variables = {**VARIABLES, **{f"azureml_{name}": value for name, value in options.items()}}
    steps = Steps("c", fake, check_mode, itertools.count(1.0).__next__)
    one = FLOWS[flow](ClusterOptions(variables, str), steps, **arguments)
    one.begun = begun
    for name, value in attributes.items():
        setattr(one, name, value)
    return wait_here(one.run(wait), lambda seconds: None)
