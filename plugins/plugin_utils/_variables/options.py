# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of modules for a cluster, by the variables of role azureml.

Not templates in the role: Ansible compiles a template anew for each task of each cluster, which takes longer than to
find out that a cluster needs no change.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cached_property

from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError, first_line

# Which variable an option of a module comes from. Options whose variable is not defined are left out.
CLUSTER = {
    "subscription_id": "azureml_subscription_id",
    "resource_group": "azureml_resource_group",
    "cluster_name": "azureml_cluster_name",
    "cluster_type": "azureml_cluster_type",
}
INSTALL = {
    "install_nvidia_device_plugin": "azureml_install_nvidia_device_plugin",
    "install_prometheus_operator": "azureml_install_prometheus_operator",
    "install_volcano": "azureml_install_volcano",
    "install_dcgm_exporter": "azureml_install_dcgm_exporter",
}
PREFLIGHT = {
    "workload_profile": "azureml_profile",
    "settings_generation": "azureml_settings_generation",
    "extension_name": "azureml_extension_name",
    "inference_service": "azureml_inference_service",
    "inference_router_ha": "azureml_inference_router_ha",
    "node_selector": "azureml_node_selector",
    "log_analytics": "azureml_log_analytics",
    "install_components": "azureml_install_components",
    "minimum_agent_version": "azureml_minimum_agent_version",
    "fail_on": "azureml_fail_on",
}
EXTENSION = {
    "name": "azureml_extension_name",
    "workload_profile": "azureml_profile",
    "settings_generation": "azureml_settings_generation",
    "inference_service": "azureml_inference_service",
    "tls": "azureml_tls",
    "allow_insecure_connections": "azureml_allow_insecure_connections",
    "inference_router_ha": "azureml_inference_router_ha",
    "node_selector": "azureml_node_selector",
    "log_analytics": "azureml_log_analytics",
    "openshift": "azureml_openshift",
    "in_cluster_tls": "azureml_in_cluster_tls",
    "release_train": "azureml_release_train",
    "version": "azureml_version",
    "auto_upgrade_minor_version": "azureml_auto_upgrade_minor_version",
    "settings": "azureml_settings",
    "protected_settings": "azureml_protected_settings",
    "update_protected": "azureml_update_protected",
    "allow_disruption": "azureml_allow_disruption",
    "force_replace": "azureml_force_replace",
}
READINESS = {
    "workload_profile": "azureml_profile",
    "settings_generation": "azureml_settings_generation",
    "cluster_type": "azureml_cluster_type",
    "extension_name": "azureml_extension_name",
    "components": "azureml_components",
}
OPENSHIFT_SCC = {"extension_name": "azureml_extension_name", "settings_generation": "azureml_settings_generation"}
# An attachment is written with the module's own options; these stand beside it.
COMPUTE = {
    "purge_instance_types": "azureml_purge_instance_types",
    "force_reattach": "azureml_force_reattach",
    "allow_disruption": "azureml_allow_disruption",
    "workspace": "azureml_workspace",
}


class ClusterOptions:
    """The options of modules for one cluster.

    :param variables: the role's variables by name, without those that are not defined.
    :param read_file: returns the text of a file that a variable names, or raises C(AzureMLError).
    :param known: components to install or not, by their options, as a preflight or the extension itself has told; what
        the variables say stands above it.
    """

    def __init__(
        self, variables: Mapping, read_file: Callable[[str], str], known: Mapping[str, bool] | None = None
    ) -> None:
        self._variables = variables
        self._read_file = read_file
        self.known = dict(known or {})

    def get(self, variable: str, default: object = None) -> object:
        """The value of a variable, C(default) where it is not defined."""
        return self._variables.get(variable, default)

    def _by(self, table: Mapping[str, str]) -> dict:
        return {option: self._variables[name] for option, name in table.items() if name in self._variables}

    def _install(self) -> dict:
        """What the extension is installed with, and with it what its pods are expected to be."""
        return {**self.known, **{name: value for name, value in self._by(INSTALL).items() if value != ""}}

    @cached_property
    def attachments(self) -> list[dict]:
        """All that the cluster is attached as."""
        one = self._variables.get("azureml_compute")
        return [*([one] if one is not None else []), *self._variables.get("azureml_computes", ())]

    @property
    def created_namespaces(self) -> list[str]:
        """The namespaces of computes that are made where they are missing."""
        return [one["namespace"] for one in self.attachments if one.get("create_namespace") and "namespace" in one]

    @cached_property
    def compute_namespaces(self) -> list[str]:
        """The namespaces of computes, those from configuration files included.

        :raises AzureMLError: where such a file cannot be read, or is none.
        """
        named = [one["namespace"] for one in self.attachments if "namespace" in one]
        files = [one["config_file"] for one in self.attachments if "config_file" in one]
        return list(dict.fromkeys([*named, *map(self._namespace_of_file, files)]))

    def _namespace_of_file(self, path: str) -> str:
        try:
            document = json.loads(self._read_file(path))
        except (ValueError, RecursionError) as error:
            raise AzureMLError(f"config_file {path}: {first_line(error)}") from error
        if not isinstance(document, dict):
            raise AzureMLError(f"config_file {path}: it must hold a JSON object")
        return document.get("namespace", "default")

    @property
    def mistakes(self) -> list[str]:
        """What no module can find wrong with the variables, because it concerns several of them."""
        found = []
        if "azureml_workspace" not in self._variables and any("workspace" not in one for one in self.attachments):
            found.append("azureml_compute needs azureml_workspace, the workspace to attach the cluster to")
        if self.has_tls_secret and "secret_name" not in self._tls:
            found.append("azureml_tls_secret needs azureml_tls.secret_name, the Secret to put the certificate into")
        return found

    @property
    def _tls(self) -> Mapping:
        return self._variables.get("azureml_tls", {})

    @property
    def has_tls_secret(self) -> bool:
        """Whether the role puts a certificate into the cluster."""
        return "azureml_tls_secret" in self._variables

    def azure(self) -> dict:
        """For every module that signs in to Azure."""
        return dict(self._variables.get("azureml_sign_in", {}))

    def kubernetes(self) -> dict:
        """For every module that connects to the cluster."""
        return dict(self._variables.get("azureml_kubernetes", {}))

    def in_azure(self, options: Mapping, **more: object) -> dict:
        """Options with those of every module that signs in to Azure."""
        return {**self.azure(), **options, **more}

    def in_cluster(self, options: Mapping, **more: object) -> dict:
        """Options with those of every module that connects to the cluster."""
        return {**self.kubernetes(), **options, **more}

    def preflight(self) -> dict:
        """For module preflight."""
        absent = {"default", *self.created_namespaces}
        expected = dict.fromkeys(one["namespace"] for one in self.attachments if "namespace" in one)
        return {
            **self._by(CLUSTER),
            **self._install(),
            **self._by(PREFLIGHT),
            # They have to be there before anything is installed.
            "compute_namespaces": [name for name in expected if name not in absent],
            # The role adds the service accounts itself.
            "skip_checks": [*self._variables.get("azureml_skip_checks", ()), "openshift_scc"],
        }

    def extension(self) -> dict:
        """For module extension."""
        return {**self._by(CLUSTER), **self._install(), **self._by(EXTENSION)}

    def pod_readiness(self) -> dict:
        """For module pod_readiness."""
        return {**self._install(), **self._by(READINESS)}

    def openshift_scc(self) -> dict:
        """For module openshift_scc."""
        return {**self._by(OPENSHIFT_SCC), "compute_namespaces": self.compute_namespaces}

    def tls_secret(self) -> dict:
        """For module tls_secret; empty where the role puts no certificate into the cluster."""
        named = {"name": self._tls.get("secret_name"), "cname": self._tls.get("cname")}
        named = {option: value for option, value in named.items() if value is not None}
        return {**self._variables["azureml_tls_secret"], **named} if self.has_tls_secret else {}

    def compute(self, attachment: Mapping) -> dict:
        """For module compute and one of the attachments. Whether a namespace is made is for the caller to say."""
        given = {option: value for option, value in attachment.items() if option != "create_namespace"}
        return {**self._by(CLUSTER), **self._by(COMPUTE), **given}

    def instance_type(self) -> dict:
        """For module instance_type; empty for releases of 2021, which take instance types from the compute."""
        if self._variables.get("azureml_settings_generation") != "current":
            return {}
        return {"purge": self._variables.get("azureml_purge_instance_types", False)}

    def drift(self) -> dict:
        """For module drift: all that is compared before anything is done, but for what only a node can see."""
        beyond = {
            "kubernetes": self.kubernetes(),
            "openshift_scc": self.openshift_scc(),
            "tls_secret": self.tls_secret(),
            "pod_readiness": self.pod_readiness(),
            "computes": [self.compute(one) for one in self.attachments],
            "instance_type": self.instance_type(),
        }
        outside = {"mistakes": self.mistakes, "azure": self.azure(), "extension": self.extension()}
        return {**outside, **(beyond if self._variables.get("azureml_kube_from") != "node" else {})}
