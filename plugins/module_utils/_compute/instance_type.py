# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The instance types of a cluster: compare them with the desired ones, and apply changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ansible_collections.azureml.arc.plugins.module_utils._compute.instance_type_spec import (
    DEFAULT_INSTANCE_TYPE,
    GPU,
    InstanceType,
    check_object_name,
    replacement,
    same,
    validated,
)
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Intervals, Waiting
from ansible_collections.azureml.arc.plugins.module_utils._core.quantity import quantity
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.client import KubeSession, open_session
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.resources import has_labels, is_true

KIND = "InstanceType"
DEFINITION = "instancetypes.amlarc.azureml.com"


def run(call: ModuleCall) -> Waiting[dict]:
    """M(azureml.arc.instance_type)."""
    params = call.params
    wanted = _wanted(params)
    with open_session(call) as session:
        if not (yield from _is_defined(session, call)):
            return _undefined(call, wanted)
        present = {body["metadata"]["name"]: body.get("spec") or {} for body in session.list(KIND)[0]}
        if params["state"] == "present":
            _warn_of_nodes(session, call, wanted)
        return _apply(session, call, wanted, present)


def _wanted(params: Mapping) -> list[InstanceType]:
    """Return the instance types that the options name, checked.

    :raises AzureMLError: naming the option, if one is invalid or a name occurs twice.
    """
    given = params["instance_types"]
    if given is None:
        check_object_name(params["name"], "name")
        return [validated(params["name"], params)]
    wanted = []
    for index, one in enumerate(given):
        check_object_name(one["name"], f"instance_types[{index}].name")
        wanted.append(validated(one["name"], one, f"instance_types[{index}]."))
    names = [one.name for one in wanted]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise AzureMLError(f"instance_types: duplicate name {', '.join(twice)}")
    return wanted


def _is_defined(session: KubeSession, call: ModuleCall) -> Waiting[bool]:
    """Return whether instance types are defined in the cluster; wait until the extension defines them if requested."""
    params = call.params
    deadline, pause = call.deadline(params["wait_timeout"]), Intervals(first=1)
    while True:
        if is_true(session.get("CustomResourceDefinition", DEFINITION) or {}, "Established"):
            return True
        if not params["wait"] or call.check_mode or params["state"] == "absent" or deadline.passed:
            return False
        deadline.report(f"{DEFINITION}: not defined yet")
        yield from deadline.pause(pause.next())


def _undefined(call: ModuleCall, wanted: Sequence[InstanceType]) -> dict:
    """Return the result of a task without the extension, which creates instance types only in check mode.

    :raises AzureMLError: if instance types would have to be created now.
    """
    if call.params["state"] == "present" and call.check_mode and call.params["wait"]:
        call.warn(f"instance types are not defined in the cluster yet ({DEFINITION}); the extension defines them")
    if call.params["state"] == "present" and not call.check_mode:
        raise AzureMLError(
            f"instance types are not defined in the cluster ({DEFINITION})",
            code="NotInstalled",
            hint="The extension defines them: install it with a workload_profile for training first.",
        )
    created = [one.name for one in wanted] if call.params["state"] == "present" else []
    return _result(call, wanted, {}, created, [], [])


def _apply(session: KubeSession, call: ModuleCall, wanted: Sequence[InstanceType], present: Mapping) -> dict:
    names = {one.name for one in wanted}
    if call.params["state"] == "present":
        created = [one.name for one in wanted if one.name not in present]
        updated = [one.name for one in wanted if one.name in present and not same(one, present[one.name])]
        removed = sorted(set(present) - names - {DEFAULT_INSTANCE_TYPE}) if call.params["purge"] else []
    else:
        created, updated, removed = [], [], sorted(set(present) & names)
    if not call.check_mode:
        done: list[str] = []
        try:
            for one in wanted:
                if one.name in created:
                    session.create(KIND, {"metadata": {"name": one.name}, "spec": one.spec()})
                elif one.name in updated:
                    session.patch(KIND, one.name, {"spec": replacement(one.spec(), present[one.name])})
                done += [one.name] if one.name in (*created, *updated) else []
            for name in removed:
                session.delete(KIND, name)
                done.append(name)
        except AzureMLError as error:
            raise error.after_changes("instance types already changed", done) from error
    return _result(call, wanted, present, created, updated, removed)


def _result(
    call: ModuleCall, wanted: Sequence[InstanceType], present: Mapping, created: list, updated: list, removed: list
) -> dict:
    specs = {one.name: one.spec() for one in wanted}
    result = {
        "changed": bool(created or updated or removed),
        "created": created,
        "updated": updated,
        "removed": removed,
        "instance_types": [{"name": name, **_view(spec)} for name, spec in specs.items()]
        if call.params["state"] == "present"
        else [],
    }
    if call.diff:
        before = {name: _view(present[name]) for name in (*updated, *removed)}
        result["diff"] = {"before": before, "after": {name: _view(specs[name]) for name in (*created, *updated)}}
    return result


def _view(spec: Mapping) -> dict:
    return {"node_selector": spec.get("nodeSelector") or {}, "resources": spec.get("resources") or {}}


def _warn_of_nodes(session: KubeSession, call: ModuleCall, wanted: Sequence[InstanceType]) -> None:
    """Warn about instance types that no node can serve now; nodes may be added later."""
    if not any(one.node_selector or one.gpus for one in wanted):
        return
    try:
        nodes = session.list("Node")[0]
    except AzureMLError as error:
        call.warn(f"Could not check whether nodes can serve the instance types: {error}")
        return
    for one in wanted:
        matching = [node for node in nodes if has_labels(node, one.node_selector)]
        if not matching:
            call.warn(f"instance type '{one.name}': no node has the labels of its node selector")
        elif not any(_gpus_of(node) >= one.gpus for node in matching):
            call.warn(f"instance type '{one.name}': no node with the labels of its node selector has {one.gpus} {GPU}")


def _gpus_of(node: Mapping) -> int:
    return int(quantity(((node.get("status") or {}).get("allocatable") or {}).get(GPU, 0)))
