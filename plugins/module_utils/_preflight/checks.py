# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check whether the AzureML extension can be installed, by the facts of a cluster. Pure.

Each check covers one aspect and reports the problem with its fix. Sources: the prerequisites of
https://learn.microsoft.com/azure/machine-learning/how-to-deploy-kubernetes-extension, its table of resources, and the
codes of the extension's own health check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.azureml.arc.plugins.module_utils._core.findings import WARNING, Finding
from ansible_collections.azureml.arc.plugins.module_utils._extension.settings import INFERENCE, TRAINING
from ansible_collections.azureml.arc.plugins.module_utils._preflight import azure_checks, cluster_checks
from ansible_collections.azureml.arc.plugins.module_utils._preflight.facts import Facts


@dataclass(frozen=True)
class Check:
    """A check.

    :param objects: the keys of C(Facts.objects) that it needs.
    :param concerns: returns whether it applies to a task with these options.
    """

    run: Callable[[Facts], Iterator[tuple]]
    objects: tuple = ()
    concerns: Callable[[Mapping], bool] = lambda options: True

    @property
    def name(self) -> str:
        return self.run.__name__


def _connected(options: Mapping) -> bool:
    return options["cluster_type"] == "connected_cluster"


def _for_training(options: Mapping) -> bool:
    return options["workload_profile"] in TRAINING


def _for_inference(options: Mapping) -> bool:
    return options["workload_profile"] in INFERENCE


def _needs_load_balancer(options: Mapping) -> bool:
    return _connected(options) and options["inference_service"] == "load_balancer"


AZURE_CHECKS = (
    Check(azure_checks.connectivity),
    Check(azure_checks.agent_version, concerns=_connected),
    Check(azure_checks.resource_providers, ("providers",)),
)
KUBERNETES_CHECKS = (
    Check(cluster_checks.namespace, ("namespace",)),
    Check(
        cluster_checks.compute_namespaces, ("compute_namespaces",), lambda options: bool(options["compute_namespaces"])
    ),
    Check(cluster_checks.nodes, ("nodes",)),
    Check(cluster_checks.resources, ("nodes", "pods")),
    Check(cluster_checks.volcano, ("volcano",), _for_training),
    Check(cluster_checks.prometheus_operator, ("prometheus",)),
    Check(cluster_checks.nvidia_device_plugin, ("daemon_sets",)),
    Check(cluster_checks.legacy_router, ("legacy_routers", "legacy_role"), _for_inference),
    Check(cluster_checks.load_balancer, ("nodes", "services", "metallb"), _needs_load_balancer),
    Check(cluster_checks.openshift_scc, ("scc",)),
)
NAMES = [check.name for check in (*AZURE_CHECKS, *KUBERNETES_CHECKS)]


def select(checks: Sequence[Check], options: Mapping) -> list[Check]:
    """Return the checks that apply to a task."""
    return [check for check in checks if check.name not in options["skip_checks"] and check.concerns(options)]


def findings(facts: Facts, checks: Sequence[Check]) -> tuple[list[Finding], dict[str, bool]]:
    """Return the findings, errors first, and the resulting install options.

    If an object could not be read, C(facts.objects) contains the error, and its checks result in a warning.
    """
    found, install = [], {}
    for check in checks:
        unread = next(
            (facts.objects[name] for name in check.objects if isinstance(facts.objects[name], Exception)), None
        )
        if unread is not None:
            found.append(Finding(check.name, WARNING, f"could not be checked. {unread}"))
            continue
        for level, message, fix, *options in check.run(facts):
            found.append(Finding(check.name, level, message, fix))
            for option in options:
                install.update(option)
    return sorted(found, key=lambda finding: finding.rank), install
