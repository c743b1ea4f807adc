# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare a cluster with its variables, by modules in check mode."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Waiting
from ansible_collections.azureml.arc.plugins.module_utils._extension.keys import CERTIFICATE_FINGERPRINT
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.flow import Flow, offered_types, without_ready_pods
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.steps import NOT_KEPT, StepFailedError, Steps


def compare(flow: Flow, everything: bool) -> Waiting[list[str]]:
    """Compare a cluster with its variables; its flow keeps the results of the modules.

    Azure is always compared, the cluster itself only if Azure is in sync.

    :param everything: compare the cluster even if Azure is not in sync.
    :returns: the differences as text, none for a cluster in sync.
    :raises StepFailedError: if something cannot be compared.
    """
    options, steps = flow.options, flow.steps
    other_certificate = yield from flow.compare_certificate()
    check = _check_or_refusal if everything else Steps.check
    extension = yield from check(steps, "Compare the extension", "extension", options.extension(wait=False))
    flow.record_extension(extension)
    differences = _of_extension(extension)
    for attachment in options.attachments:
        given = options.compute(attachment, wait=False)
        compute = yield from check(steps, "Compare the computes", "compute", given)
        flow.computes.append(compute)
        differences += _of_compute(attachment["name"], compute)
    if other_certificate:
        differences.append("certificate: the Secret in the cluster differs")
    if differences and not everything:
        return differences
    yield from flow.verify_identity()  # the pods of another cluster are irrelevant
    for step, module, given in _in_cluster(flow):
        found = yield from steps.check(step, module, given)
        if module == "pod_readiness":
            flow.readiness = without_ready_pods(found)
        elif module == "endpoint_check":
            flow.endpoint = found
        differences += IN_WORDS[module](found)
        if differences and not everything:
            break
    return differences


def _check_or_refusal(steps: Steps, step: str, module: str, options: Mapping) -> Waiting[dict]:
    """Run a step in check mode; a change that its module refuses is a result, too."""
    try:
        return (yield from steps.check(step, module, options))
    except StepFailedError as failure:
        if (failure.result.get("plan") or {}).get("action") != "refuse":
            raise
        return {name: value for name, value in failure.result.items() if name not in (*NOT_KEPT, "error")}


def _in_cluster(flow: Flow) -> Iterator[tuple[str, str, dict]]:
    """Yield the comparisons in the cluster, as step, module and options."""
    options = flow.options
    if needs_openshift_scc(flow):
        yield "Compare the permissions on OpenShift", "openshift_scc", options.openshift_scc()
    yield "Check the pods", "pod_readiness", options.pod_readiness(wait=False)
    if options.proves_endpoint:
        yield "Check the inference endpoint", "endpoint_check", options.endpoint_check(wait=False)
    types = offered_types(flow.computes)
    if options.has_instance_types and types:
        yield "Compare the instance types", "instance_type", options.instance_type(types, wait=False)


def needs_openshift_scc(flow: Flow, detected: bool = False) -> bool:
    """Return whether the pods of the extension need permissions that only OpenShift requires.

    :param detected: whether a preflight found OpenShift.
    """
    return flow.options.get("azureml_openshift", flow.extension.get("openshift", False) or detected)


def _of_extension(result: Mapping) -> list[str]:
    plan = result["plan"]
    if plan["action"] == "none":
        return []
    keys = sorted({**plan["settings"], **plan["properties"]})
    if plan["action"] == "refuse":
        return [f"extension: {_refused(plan, keys)}"]
    if plan["action"] == "update" and keys == [CERTIFICATE_FINGERPRINT]:
        installed = plan["settings"][CERTIFICATE_FINGERPRINT]["before"]
        which = (
            "the installed certificate is not the one" if installed else "the installed certificate may not be the one"
        )
        return [f"extension: {which} in azureml_tls; run rotate_tls"]
    named = f" ({', '.join(keys)})" if keys and plan["action"] == "update" else ""
    return [f"extension: {plan['reason']}{named}"]


def _of_compute(name: str, result: Mapping) -> list[str]:
    plan = result["plan"]
    if plan["action"] == "none":
        return []
    reason = _refused(plan, sorted(plan["changes"])) if plan["action"] == "refuse" else plan["reason"]
    return [f"compute {name}: {reason}"]


def _refused(plan: Mapping, keys: list[str]) -> str:
    """Return a difference that deploy refuses to change, with the variable that allows it."""
    if not plan["allowed_by"]:
        return f"{plan['reason']}, which deploy refuses to change"
    named = f" ({', '.join(keys)})" if keys else ""
    variable = f"azureml_{plan['allowed_by']}"
    return f"it differs from the desired state{named}, which deploy refuses to change unless {variable} allows it"


def _of_instance_types(result: Mapping) -> list[str]:
    names = [name for key in ("created", "updated", "removed") for name in result.get(key, ())]
    return [f"instance types differ: {', '.join(names)}"] if names else []


# The differences as text, by the module that found them.
IN_WORDS = {
    "openshift_scc": lambda result: ["OpenShift: service accounts lack permissions"] if result["changed"] else [],
    "pod_readiness": lambda result: [f"pods: {problem}" for problem in result["problems"]],
    "endpoint_check": lambda result: [f"endpoint: {problem}" for problem in result["problems"]],
    "instance_type": _of_instance_types,
}
