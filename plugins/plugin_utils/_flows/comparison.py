# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a cluster is as wanted: what the modules say in check mode, up to the first that would change something."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence


def compare(options: Mapping, look: Callable[[str, dict], dict]) -> dict:
    """Compare a cluster with what is wanted.

    :param options: as module drift takes them, with their defaults.
    :param look: takes the name of a module and its options, returns what it says in check mode.
    :returns: what module drift returns.
    """
    found = look("extension", {**options["azure"], **options["extension"], "wait": False})
    result = {**found, "pod_readiness": None, "computes": [], "as_wanted": is_as_wanted(found)}
    for name, further in _further(options, result):
        found = look(name, further)
        result["as_wanted"] = is_as_wanted(found)
        result.setdefault("warnings", []).extend(found.pop("warnings", []))
        if name == "compute":
            result["computes"].append(found)
        elif name == "pod_readiness":
            result[name] = found
        if not result["as_wanted"]:
            break
    return {**result, "changed": False}


def _further(options: Mapping, result: Mapping) -> Iterator[tuple[str, dict]]:
    """What to look at beside an extension that is as wanted, as name and options; later ones by earlier results."""
    if not result["as_wanted"]:
        return
    kubernetes = options["kubernetes"]
    if options["openshift_scc"] and result["openshift"]:
        yield "openshift_scc", {**kubernetes, **options["openshift_scc"]}
    if options["tls_secret"]:
        yield "tls_secret", {**kubernetes, **options["tls_secret"]}
    if options["pod_readiness"]:
        # What is not said is as the extension was installed.
        installed = result["extension"]["install_options"]
        yield "pod_readiness", {**installed, **kubernetes, **options["pod_readiness"], "wait": False}
    for compute in options["computes"]:
        yield "compute", {**options["azure"], **kubernetes, **compute, "wait": False}
    types = offered_types(result["computes"])
    if options["instance_type"] and types:
        yield "instance_type", {**kubernetes, **options["instance_type"], "instance_types": types, "wait": False}


def offered_types(computes: list[dict]) -> list[dict]:
    """What the computes offer, as the cluster is told, by what module compute has returned for each; none twice."""
    types = [one for found in computes for one in found["cluster_instance_types"]]
    return [one for index, one in enumerate(types) if one not in types[:index]]


def findings(
    extension: Mapping, readiness: Mapping, computes: Sequence[Mapping] = (), instance_types: Mapping | None = None
) -> list[str]:
    """What is not as wanted, in words.

    :param extension: what module extension has said in check mode.
    :param readiness: what module pod_readiness has said.
    :param computes: what module compute has said in check mode, for each compute.
    :param instance_types: what module instance_type has said in check mode, where it was asked.
    """
    found = []
    plan = extension["plan"]
    if plan["action"] != "none":
        keys = sorted({**plan["settings"], **plan["properties"]}) if plan["action"] == "update" else []
        found.append(f"extension: {plan['reason']}" + (f" ({', '.join(keys)})" if keys else ""))
    found += [f"pods: {problem}" for problem in readiness["problems"]]
    found += [f"compute: {one['plan']['reason']}" for one in computes if one["plan"]["action"] != "none"]
    names = [name for key in ("created", "updated", "removed") for name in (instance_types or {}).get(key, ())]
    if names:
        found.append(f"instance types not as wanted: {', '.join(names)}")
    return found


def not_ready_pods(readiness: Mapping) -> dict:
    """What module pod_readiness has returned, without the rows of pods that are ready, which may be many."""
    return {**readiness, "pods": [one for one in readiness["pods"] if not one["ready"]]}


def is_as_wanted(result: Mapping) -> bool:
    """Whether nothing would have to be changed, by what a module has said."""
    if result.get("failed"):
        return False
    if "plan" in result:
        return result["plan"]["action"] == "none"
    return result.get("ready", True) and not result.get("changed")
