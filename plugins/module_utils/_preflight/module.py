# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check a cluster in Azure and in Kubernetes before the installation of the extension. Changes nothing."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import asdict

from ansible_collections.azureml.arc.plugins.module_utils._azure import client as azure_client
from ansible_collections.azureml.arc.plugins.module_utils._azure import cluster as _cluster
from ansible_collections.azureml.arc.plugins.module_utils._azure import cluster_reference
from ansible_collections.azureml.arc.plugins.module_utils._azure.client import AzureSession
from ansible_collections.azureml.arc.plugins.module_utils._azure.client import open_session as open_azure
from ansible_collections.azureml.arc.plugins.module_utils._azure.states import has_failed
from ansible_collections.azureml.arc.plugins.module_utils._core import quantity
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.findings import ERROR, Finding, refuse_serious
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall, require
from ansible_collections.azureml.arc.plugins.module_utils._extension import openshift_scc
from ansible_collections.azureml.arc.plugins.module_utils._extension.keys import (
    GENERATIONS,
    RELAY_SWITCH,
    SERVICE_BUS_SWITCH,
)
from ansible_collections.azureml.arc.plugins.module_utils._extension.module import read_extension
from ansible_collections.azureml.arc.plugins.module_utils._extension.plan import RELEASE_NAMESPACE
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes import client as kubernetes_client
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.client import KubeSession
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.client import open_session as open_kubernetes
from ansible_collections.azureml.arc.plugins.module_utils._preflight import azure_checks, checks, cluster_checks
from ansible_collections.azureml.arc.plugins.module_utils._preflight.facts import Facts, requests_of

PROVIDERS_VERSION = "2021-04-01"
REMEMBERED = 600  # seconds for which other tasks of a run reuse a provider's registration state
# Pods that still hold their resources.
LIVING_PODS = "status.phase!=Succeeded,status.phase!=Failed"


def run(call: ModuleCall) -> dict:
    """M(azureml.arc.preflight)."""
    params = call.params
    if params["minimum_agent_version"]:
        azure_checks.check_version("minimum_agent_version", params["minimum_agent_version"])
    facts, extension = Facts(params), None
    findings, install = [], {}
    if "azure" in params["sides"]:
        require(azure_client.LIBRARIES)
        session = open_azure(call)
        reference = cluster_reference.reference(params, session.subscription_id)
        extension = read_extension(session, reference, params["extension_name"])
        if extension and params["skip_installed"] and not has_failed(extension["provisioning_state"]):
            return {**_result(facts, extension, [], {}), "checked": False}
        facts.cluster = _cluster.read(session, reference)
        chosen = checks.select(checks.AZURE_CHECKS, params)
        if any("providers" in check.objects for check in chosen):
            facts.objects["providers"] = _read(lambda: _registrations(session, _needed_providers(params)))
        findings, install = checks.findings(facts, chosen)
    if "kubernetes" in params["sides"]:
        more, install = _check_kubernetes(call, facts)
        findings = sorted(findings + more, key=lambda finding: finding.rank)
    result = _result(facts, extension, findings, install)
    subject = f"cluster '{params['cluster_name']}' is not ready for the extension"
    refuse_serious(findings, params["fail_on"], subject, result, call.warn)
    return result


def _needed_providers(params: dict) -> list[str]:
    generation, cluster_type = GENERATIONS[params["settings_generation"]], params["cluster_type"]
    return [
        name
        for name, needed in (
            ("Microsoft.KubernetesConfiguration", True),
            ("Microsoft.Relay", generation.enables(RELAY_SWITCH, cluster_type)),
            ("Microsoft.ServiceBus", generation.enables(SERVICE_BUS_SWITCH, cluster_type)),
            ("Microsoft.OperationalInsights", params["log_analytics"]),
        )
        if needed
    ]


def _registrations(session: AzureSession, names: list[str]) -> dict[str, str]:
    """Return the registration state of each provider; the clusters of a run share it."""

    def read(name: str) -> str:
        address = f"/subscriptions/{session.subscription_id}/providers/{name}"
        body = session.send("GET", address, PROVIDERS_VERSION, f"resource provider {name}").body
        return body.get("registrationState") or "unknown"

    return {
        name: session.shared(f"provider {session.subscription_id} {name}", functools.partial(read, name), REMEMBERED)
        for name in names
    }


def _check_kubernetes(call: ModuleCall, facts: Facts) -> tuple[list[Finding], dict[str, bool]]:
    params = call.params
    require((*kubernetes_client.LIBRARIES, *quantity.LIBRARIES))
    facts.scc_users = openshift_scc.needed_users(
        params["extension_name"], params["compute_namespaces"], params["settings_generation"]
    )
    chosen = checks.select(checks.KUBERNETES_CHECKS, params)
    try:
        with open_kubernetes(call) as session:
            readers = _readers(session, params)
            for name in dict.fromkeys(name for check in chosen for name in check.objects):
                facts.objects[name] = _read(readers[name])
    except AzureMLError as error:
        return [Finding("kubernetes_api", ERROR, str(error))], {}
    return checks.findings(facts, chosen)


def _readers(session: KubeSession, params: dict) -> dict[str, Callable]:
    """Return functions that read the objects of the checks, by name."""

    def definition(name: str) -> Callable:
        return lambda: session.get("CustomResourceDefinition", name)

    return {
        "namespace": lambda: session.get("Namespace", RELEASE_NAMESPACE),
        "compute_namespaces": lambda: {name: session.get("Namespace", name) for name in params["compute_namespaces"]},
        "nodes": lambda: session.list("Node")[0],
        "pods": lambda: session.list("Pod", keep=requests_of, field_selector=LIVING_PODS)[0],
        "services": lambda: session.list("Service")[0],
        "daemon_sets": lambda: session.list("DaemonSet")[0],
        "volcano": definition(cluster_checks.VOLCANO_DEFINITION),
        "prometheus": definition(cluster_checks.PROMETHEUS_DEFINITION),
        "metallb": definition(cluster_checks.LOAD_BALANCER_DEFINITION),
        "legacy_routers": lambda: session.list(
            "Deployment", field_selector=f"metadata.name={cluster_checks.LEGACY_ROUTER}"
        )[0],
        "legacy_role": lambda: session.get("ClusterRole", cluster_checks.LEGACY_ROLE),
        "scc": lambda: openshift_scc.allowed_users(session, "privileged"),
    }


def _read(reader: Callable) -> object:
    """Return the object, or the error if the account may not read it."""
    try:
        return reader()
    except AzureMLError as error:
        if error.status != 403:
            raise
        return error


def _result(facts: Facts, extension: dict | None, findings: list[Finding], install: dict) -> dict:
    settings = (extension or {}).get("settings") or {}
    cluster = facts.cluster
    openshift = settings.get("openshift", "").lower() == "true"
    if cluster is not None:
        openshift = openshift or cluster.distribution.lower() == "openshift"
    return {
        "changed": False,
        "passed": not any(finding.level == ERROR for finding in findings),
        "checked": True,
        "installed": extension is not None,
        "findings": [asdict(finding) for finding in findings],
        "install_options": install,
        "openshift": openshift,
        "cluster": None
        if cluster is None
        else {
            "id": cluster.id,
            "location": cluster.location,
            "node_count": cluster.node_count,
            "distribution": cluster.distribution,
            "connectivity_status": cluster.connectivity_status,
            "agent_version": cluster.agent_version,
            "fqdns": list(cluster.fqdns),
        },
    }
