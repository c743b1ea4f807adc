# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Create a namespace of a cluster if it is missing, or wait until it is empty."""

from __future__ import annotations

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Intervals, Waiting, timeout_error
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.client import KubeSession, open_session
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.resources import (
    check_namespace,
    describe,
    is_being_removed,
)

# Running objects, and those that would restart them.
RUNNING_KINDS = ("Deployment", "StatefulSet", "DaemonSet", "Pod")


def run(call: ModuleCall) -> Waiting[dict]:
    """M(azureml.arc.namespace)."""
    params = call.params
    name = check_namespace(params["name"], "name")
    with open_session(call) as session:
        if params["state"] == "empty":
            return {"changed": False, "left": (yield from _wait_until_empty(session, call, name))}
        changed = ensure(session, name, create=True, check_mode=call.check_mode)
    result = {"changed": changed, "left": []}
    if call.diff:
        result["diff"] = {"before": {} if changed else {"name": name}, "after": {"name": name}}
    return result


def ensure(session: KubeSession, name: str, create: bool, check_mode: bool, what: str = "object") -> bool:
    """Ensure that a namespace exists.

    :param create: whether to create it if it does not exist.
    :param what: its purpose, for the error.
    :returns: whether it had to be created.
    :raises AzureMLError: if it does not exist and is not to be created, or is being removed.
    """
    found = session.get("Namespace", name)
    if is_being_removed(found):
        raise AzureMLError(
            f"namespace '{name}' is being removed: no {what} can be created in it",
            code="NamespaceTerminating",
            hint="Wait until it is gone, then run again.",
        )
    if found is not None:
        return False
    if not create:
        raise AzureMLError(
            f"namespace '{name}' does not exist in the cluster",
            code="NamespaceNotFound",
            hint="Create it, or set create_namespace to true.",
        )
    if not check_mode:
        try:
            session.create("Namespace", {"metadata": {"name": name}})
        except AzureMLError as error:
            if error.code != "AlreadyExists":  # another client was faster
                raise
            return False
    return True


def _wait_until_empty(session: KubeSession, call: ModuleCall, name: str) -> Waiting[list[str]]:
    """Wait until a namespace is empty, or return its remaining objects at once without C(wait)."""
    deadline, pause = call.deadline(call.params["wait_timeout"]), Intervals()
    while True:
        left = [
            describe(kind, "", one["metadata"]["name"])
            for kind in RUNNING_KINDS
            for one in session.list(kind, name, keep=lambda body: {"metadata": {"name": body["metadata"]["name"]}})[0]
        ]
        if not left or not call.params["wait"] or call.check_mode:
            return left
        if deadline.passed:
            raise timeout_error(f"namespace '{name}' to be empty", deadline, f"it has {', '.join(left)}", left=left)
        deadline.report(f"namespace '{name}': {len(left)} remaining objects")
        yield from deadline.pause(pause.next())
