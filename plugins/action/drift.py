# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One task that looks at a whole cluster.

A task costs the controller a fork for each cluster, several times what the comparison itself takes. Where nothing has
to be changed, a fleet is done with this one.
"""

from __future__ import annotations

from ansible.plugins.action import ActionBase
from ansible_collections.azureml.arc.plugins.action import (
    compute,
    extension,
    instance_type,
    openshift_scc,
    pod_readiness,
    tls_secret,
)
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.comparison import compare

# Imported here, in the parent process, so that the workers that it forks have them, and what they share, in common.
LOOKS = {
    "compute": compute,
    "extension": extension,
    "instance_type": instance_type,
    "openshift_scc": openshift_scc,
    "pod_readiness": pod_readiness,
    "tls_secret": tls_secret,
}
COLLECTION = "azureml.arc."
OF_TASKS = ("ansible_facts", "deprecations", "invocation")
OPTIONS = {"type": "dict", "no_log": False}  # the actions that get them know which of them are secret
ARGUMENT_SPEC = {
    "mistakes": {"type": "list", "elements": "str", "default": []},
    "azure": {**OPTIONS, "default": {}},
    "kubernetes": {**OPTIONS, "default": {}},
    "extension": {**OPTIONS, "required": True},
    "openshift_scc": OPTIONS,
    "tls_secret": OPTIONS,
    "pod_readiness": OPTIONS,
    "computes": {"type": "list", "elements": "dict", "default": []},
    "instance_type": OPTIONS,
}


class ActionModule(ActionBase):
    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp=None, task_vars=None):
        result = super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(ARGUMENT_SPEC)
        if arguments["mistakes"]:
            return {**result, "failed": True, "refused": True, "msg": "; ".join(arguments["mistakes"])}
        return {**result, **compare(arguments, lambda name, options: self._look(name, options, task_vars))}

    def _look(self, name: str, options: dict, task_vars: dict) -> dict:
        """What another action of the collection says in check mode."""
        task = self._task.copy()
        task.action = COLLECTION + name
        task.args = options
        task.check_mode = True
        action = LOOKS[name].ActionModule(
            task, self._connection, self._play_context, self._loader, self._templar, self._shared_loader_obj
        )
        try:
            found = action.run(task_vars=task_vars)
        finally:
            action.cleanup()  # the files of an ordinary module
        # Without what Ansible notes of a task of its own; since 2.21 also that a module has not failed.
        noted = OF_TASKS if found.get("failed") else (*OF_TASKS, "failed")
        return {name: one for name, one in found.items() if name not in noted and not name.startswith("_ansible_")}
