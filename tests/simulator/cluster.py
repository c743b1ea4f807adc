# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A cluster: its resource in Azure, and its Kubernetes API."""

from __future__ import annotations

import secrets

from simulator.clock import Clock
from simulator.kubernetes.rbac import may_use
from simulator.kubernetes.store import SECURITY_CONTEXT_CONSTRAINTS, Store
from simulator.kubernetes.workloads import Workloads
from simulator.router import LOOPBACK, Router
from simulator.scenario import ClusterPlan

PROVIDERS = {"connectedClusters": "Microsoft.Kubernetes", "managedClusters": "Microsoft.ContainerService"}


class SimulatedCluster:
    """One cluster of the scenario.

    :ivar token: the bearer token that its Kubernetes API accepts.
    """

    def __init__(self, plan: ClusterPlan, clock: Clock) -> None:
        self.plan = plan
        self.clock = clock
        self.store = Store(clock)
        self.workloads = Workloads(self.store, clock)
        self.router = Router(self.store, plan)
        self.token = secrets.token_urlsafe(24)

    @property
    def id(self) -> str:
        group = f"/subscriptions/{self.plan.subscription}/resourceGroups/{self.plan.resource_group}"
        return f"{group}/providers/{PROVIDERS[self.plan.type]}/{self.plan.type}/{self.plan.name}"

    async def prepare(self) -> None:
        """Create the objects that exist when the scenario begins."""
        for name in ("default", "kube-system"):
            await self.store.put(
                self.store.kind("Namespace"), {"metadata": {"name": name}, "status": {"phase": "Active"}}
            )
        labels = {"kubernetes.io/os": "linux"}
        if self.plan.type == "managedClusters":
            # Source: https://learn.microsoft.com/azure/aks/use-labels, with the form of the value.
            group = f"MC_{self.plan.resource_group}_{self.plan.name}_{self.plan.location}"
            labels["kubernetes.azure.com/cluster"] = group
        for index in range(self.plan.nodes):
            node = {
                "metadata": {"name": f"node-{index}", "labels": dict(labels)},
                "status": {
                    "allocatable": {"cpu": self.plan.node_cpu, "memory": self.plan.node_memory},
                    "conditions": [{"type": "Ready", "status": "True"}],
                    "addresses": [{"type": "InternalIP", "address": LOOPBACK}],
                },
            }
            await self.store.put(self.store.kind("Node"), node)
        if self.plan.type == "connectedClusters":
            await self._put_cluster_config("azure-arc", "azure-clusterconfig")
        if self.plan.other_extensions:
            await self.put_extension_config()
        if self.plan.namespace_terminating:
            await self.workloads.terminate_namespace()
        if self.plan.distribution == "openshift":
            self.store.serve(SECURITY_CONTEXT_CONSTRAINTS)
            privileged = {
                "metadata": {"name": "privileged"},
                "allowPrivilegedContainer": True,
                "users": ["system:admin", "system:serviceaccount:openshift-infra:build-controller"],
                "groups": ["system:cluster-admins", "system:nodes", "system:masters"],
            }
            await self.store.put(SECURITY_CONTEXT_CONSTRAINTS, privileged)

    async def put_extension_config(self) -> None:
        """Create the ConfigMap of an AKS cluster with an extension.

        Source: https://github.com/weaveworks/vscode-gitops-tools/issues/167. That the first extension creates it is a
        guess from its name.
        """
        if self.plan.type == "managedClusters":
            await self._put_cluster_config("kube-system", "extension-manager-config")

    async def _put_cluster_config(self, namespace: str, name: str) -> None:
        """Create the ConfigMap that contains the name of the cluster in Azure.

        Source: https://github.com/weaveworks/vscode-gitops-tools/issues/160, for Azure Arc. The real one has more keys.
        """
        await self.store.put(
            self.store.kind("Namespace"), {"metadata": {"name": namespace}, "status": {"phase": "Active"}}
        )
        data = {
            "AZURE_REGION": self.plan.location,
            "AZURE_RESOURCE_GROUP": self.plan.resource_group,
            "AZURE_RESOURCE_NAME": self.plan.name,
            "AZURE_SUBSCRIPTION_ID": self.plan.subscription,
        }
        await self.store.put(
            self.store.kind("ConfigMap"), {"metadata": {"name": name, "namespace": namespace}, "data": data}
        )

    def forbidden_accounts(self, extension: str) -> list[str]:
        """Return the service accounts of the extension whose pods OpenShift does not admit."""
        if self.plan.distribution != "openshift":
            return []
        privileged = self.store.get(SECURITY_CONTEXT_CONSTRAINTS, "", "privileged") or {}
        accounts = ("default", f"{extension}-kube-state-metrics", "prom-operator", "prom-prometheus")
        return [
            account
            for account in accounts
            if f"system:serviceaccount:azureml:{account}" not in (privileged.get("users") or ())
            and not may_use(self.store, SECURITY_CONTEXT_CONSTRAINTS, "privileged", "azureml", account)
        ]

    def kubeconfig(self, endpoint: str, authority: str) -> dict:
        """Return the kubeconfig of the cluster.

        :param endpoint: the address of the simulator.
        :param authority: the PEM of its CA in base64.
        """
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": self.plan.name,
                    "cluster": {
                        "server": f"{endpoint}/kubernetes/{self.plan.name}",
                        "certificate-authority-data": authority,
                    },
                }
            ],
            "users": [{"name": "deployer", "user": {"token": self.token}}],
            "contexts": [{"name": self.plan.name, "context": {"cluster": self.plan.name, "user": "deployer"}}],
            "current-context": self.plan.name,
        }
