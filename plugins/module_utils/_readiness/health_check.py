# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the report of the checks that the extension runs in the cluster before it is installed or changed. Pure.

A job writes it to ConfigMap C(arcml-healthcheck) in namespace C(azureml), with a key for each occasion. Source:
https://learn.microsoft.com/azure/machine-learning/how-to-troubleshoot-kubernetes-extension#healthcheck
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ansible_collections.azureml.arc.plugins.module_utils._core.text import printable

CONFIG_MAP = "arcml-healthcheck"
KEY_PREFIX = "reports-"
# Codes below this number stop an installation; others are a diagnosis only.
FIRST_DIAGNOSIS = 45000

# Error codes with their names and fixes.
CODES = {
    "E40000": ("UNKNOWN_ERROR", "Read the logs of the health check job."),
    "E40001": (
        "LOAD_BALANCER_NOT_SUPPORT",
        "Use inference_service node_port or cluster_ip, or give the cluster a load balancer.",
    ),
    "E40002": (
        "INSUFFICIENT_NODE",
        "Provide three healthy nodes that match the node selector, or set inference_router_ha: false.",
    ),
    "E40003": ("INTERNAL_LOAD_BALANCER_NOT_SUPPORT", "Only AKS has an internal load balancer; use node_port."),
    "E40004": ("AZUREML_FE_DEPLOYMENT_NOT_FOUND", "The inference router is missing: install the extension again."),
    "E40005": ("AZUREML_FE_SCALE_UP_TIMEOUT", "The inference router cannot scale: check free resources and nodes."),
    "E40006": ("AZUREML_FE_UPDATE_REPLICAS_FAILED", "The inference router cannot scale: check its events."),
    "E40007": ("INVALID_SSL_SETTING", "Certificate and key must be valid, belong together and cover tls.cname."),
    "E45001": ("AGENT_UNHEALTHY", "A pod, job or workload of the extension is unhealthy: check the pods."),
    "E45002": ("PROMETHEUS_CONFLICT", "The cluster has a Prometheus operator: set install_prometheus_operator: false."),
    "E45003": ("BAD_NETWORK_CONNECTIVITY", "Outbound traffic is blocked: allow the addresses that AzureML needs."),
    "E45004": ("AZUREML_FE_ROLE_CONFLICT", "Remove the remains of the legacy AKS router (v1)."),
    "E45005": ("AZUREML_FE_DEPLOYMENT_CONFLICT", "Remove the remains of the legacy AKS router (v1)."),
    "E45006": ("INSTANCE_TYPE", "Instance types could not be validated or updated: check those in the cluster."),
    "E49999": ("CHECKER_PANIC", "Read the logs of the health check job."),
}

_CHECK = re.compile(
    r"^Status: (?P<status>\S+) Name: (?P<name>\S+)(?: ErrorCode: (?P<code>\S+))?(?: ErrorMessage: (?P<message>.*))?$",
    re.MULTILINE,
)


def findings(reports: Mapping[str, str]) -> list[dict]:
    """Return the failed checks of all reports in a ConfigMap.

    :param reports: the ConfigMap's data; keys that are not reports are ignored.
    :returns: a row for each failed check, those that stop an installation first.
    """
    rows = [
        _row(key[len(KEY_PREFIX) :], check)
        for key, text in reports.items()
        if key.startswith(KEY_PREFIX)
        for check in _CHECK.finditer(text)
        if check["status"] != "Passed"
    ]
    return sorted(rows, key=lambda row: (not row["blocking"], row["report"], row["check"]))


def _row(report: str, check: re.Match) -> dict:
    code = check["code"] or ""
    title, hint = CODES.get(code, ("", "Read the logs of the health check job."))
    number = int(code[1:]) if re.fullmatch(r"E[0-9]{1,9}", code) else 0
    return {
        "report": printable(report),
        "check": printable(check["name"]),
        "code": printable(code),
        "title": title,
        "message": printable((check["message"] or "").strip()),
        "blocking": number < FIRST_DIAGNOSIS,
        "hint": hint,
    }


def as_line(row: Mapping) -> str:
    """Return a finding in one line."""
    names = " ".join(filter(None, (row["code"], row["title"])))
    return f"Health check {row['report']}, {row['check']}: {names}: {row['message'].rstrip('.')}. {row['hint']}"
