# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Convert the variables of role azureml to options of modules.

Templates in the role would be slower: Ansible compiles a template for each task of each cluster, which takes longer
than finding out that a cluster needs no change.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import partial

from ansible_collections.azureml.arc.plugins.module_utils._azure.cluster_reference import from_id
from ansible_collections.azureml.arc.plugins.module_utils._compute import configuration
from ansible_collections.azureml.arc.plugins.module_utils._compute.configuration import ComputeConfiguration
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.tables import (
    CLUSTER,
    COMPUTE,
    EXTENSION,
    INSTALL,
    NODE,
    NODE_PREFLIGHT,
    OPENSHIFT_SCC,
    PREFLIGHT,
    READINESS,
)

# The GPUs of an instance type as JSON, if it has some.
SOME_GPUS = re.compile(r'nvidia\.com/gpu": "?[1-9]')


class ClusterOptions:
    """The options of modules for one cluster.

    :param variables: the role's variables by name, converted, without those that are not set.
    :param read_file: takes the name of a variable, for errors, and a path; returns the content, or raises
        C(AzureMLError).
    :ivar detected: components to install or not, by their options, as a preflight or the extension itself reports them;
        variables take precedence.
    :ivar certificate: of inference endpoints, as modules return it; C(None) if it is not known.
    """

    def __init__(self, variables: Mapping, read_file: Callable[[str, str], bytes]) -> None:
        self._variables = variables
        self._read_file = read_file
        self.detected: dict = {}
        self.certificate: dict | None = None
        self._named_by_azure: dict = {}
        self._configurations: dict[str, ComputeConfiguration] = {}
        self.extension_name = variables.get("azureml_extension_name", "azureml")

    def get(self, variable: str, default: object = None) -> object:
        """Return the value of a variable, C(default) if it is not set."""
        return self._variables.get(variable, default)

    def learn(self, extension: Mapping | None, cluster: Mapping | None = None) -> None:
        """Use the names in Azure, and the installed components of the extension.

        :param extension: as module extension returns it, C(None) if there is none.
        :param cluster: the same for the cluster, with its C(id).
        """
        if cluster:
            named = from_id("id", cluster["id"])
            self._named_by_azure = {
                "subscription_id": named.subscription_id,
                "resource_group": named.resource_group,
                "cluster_name": named.name,
            }
        if extension:
            self.detected.update(extension.get("install_options") or {})
            self.extension_name = extension.get("name") or self.extension_name

    @property
    def attachments(self) -> list[dict]:
        """All computes that the cluster is attached as."""
        return list(self.named_attachments.values())

    @property
    def named_attachments(self) -> dict[str, dict]:
        """All computes, by their variables."""
        one = self._variables.get("azureml_compute")
        further = enumerate(self._variables.get("azureml_computes", ()))
        return {
            **({} if one is None else {"azureml_compute": one}),
            **{f"azureml_computes[{index}]": attachment for index, attachment in further},
        }

    def configuration(self, variable: str) -> ComputeConfiguration:
        """Return the namespace and instance types of a compute.

        Its file is read once, when variables are checked, because threads must not read it.

        :param variable: the one that it comes from.
        :raises AzureMLError: if it is invalid, or its file cannot be read.
        """
        if variable not in self._configurations:
            read_file = partial(self._read_file, f"{variable}.config_file")
            found = configuration.read(self.named_attachments[variable], read_file, f"{variable}.")
            self._configurations[variable] = found
        return self._configurations[variable]

    @property
    def _offers_gpus(self) -> bool:
        """Whether a compute has an instance type with GPUs."""
        return bool(SOME_GPUS.search(json.dumps(self.attachments)))

    @property
    def compute_namespaces(self) -> list[str]:
        """The namespaces of computes, including those in configuration files.

        :raises AzureMLError: if such a file cannot be read or is invalid.
        """
        named = [one["namespace"] for one in self.attachments if "namespace" in one]
        files = [variable for variable, one in self.named_attachments.items() if "config_file" in one]
        return list(dict.fromkeys([*named, *(self.configuration(variable).namespace for variable in files)]))

    @property
    def _tls(self) -> Mapping:
        return self._variables.get("azureml_tls", {})

    @property
    def has_tls_secret(self) -> bool:
        """Whether the certificate goes into a Secret of the cluster."""
        return "azureml_tls_secret" in self._variables

    @property
    def proves_endpoint(self) -> bool:
        """Whether inference endpoints must be served before the cluster counts as deployed."""
        return "endpoint" in self._variables.get("azureml_prove", ())

    def proves_jobs(self, first_wave: bool) -> bool:
        """Return whether a job has to complete before the cluster counts as deployed.

        :param first_wave: whether the cluster is in the first wave; others are proved only if the variables require it.
        """
        every_wave = self._variables.get("azureml_prove_job", {}).get("every_wave", False)
        return "job" in self._variables.get("azureml_prove", ()) and (first_wave or every_wave)

    @property
    def has_instance_types(self) -> bool:
        """Whether instance types are objects in the cluster; releases of 2021 read them from the compute."""
        return self._variables.get("azureml_settings_generation") != "2021"

    def _by(self, table: Mapping[str, str]) -> dict:
        """Return the options of a table whose variables are set."""
        return {option: self._variables[name] for option, name in table.items() if name in self._variables}

    def _install(self) -> dict:
        """Return the installed components, which determine the expected pods."""
        return {**self.detected, **self._by(INSTALL)}

    def _azure(self, options: Mapping, more: Mapping) -> dict:
        """Return the options of a module that signs in to Azure; C(more) takes precedence."""
        return {**self._variables.get("azureml_sign_in", {}), **options, **more}

    def _kubernetes(self, options: Mapping, more: Mapping) -> dict:
        """Return the options of a module that connects to the cluster; C(more) takes precedence."""
        return {**self._variables.get("azureml_kubernetes", {}), **options, **more}

    def azure_preflight(self) -> dict:
        """Return the options of module preflight for its checks in Azure."""
        return self._azure(self._preflight(), {"sides": ["azure"], "skip_installed": True})

    def kubernetes_preflight(self) -> dict:
        """Return the options of module preflight for its checks in the cluster."""
        return self._kubernetes(self._preflight(), {"sides": ["kubernetes"]})

    def _preflight(self) -> dict:
        created = {one["namespace"] for one in self.attachments if one.get("create_namespace") and "namespace" in one}
        expected = dict.fromkeys(one["namespace"] for one in self.attachments if "namespace" in one)
        return {
            **self._by(CLUSTER),
            **self._install(),
            **self._by(PREFLIGHT),
            "extension_name": self.extension_name,
            # Namespaces that must exist before anything is installed.
            "compute_namespaces": [name for name in expected if name not in {"default", *created}],
            # The flow adds the service accounts itself.
            "skip_checks": [*self._variables.get("azureml_skip_checks", ()), "openshift_scc"],
        }

    def extension(self, **more: object) -> dict:
        """Return the options of module extension."""
        options = {**self._by(CLUSTER), **self._install(), **self._by(EXTENSION)}
        if self.has_tls_secret and self.certificate:
            options["tls"] = {**self._tls, "secret_sha256": self.certificate["fingerprint"]}
        return self._azure(options, more)

    def pod_readiness(self, **more: object) -> dict:
        """Return the options of module pod_readiness."""
        return self._kubernetes({**self._install(), **self._by(READINESS), "extension_name": self.extension_name}, more)

    def openshift_scc(self, **more: object) -> dict:
        """Return the options of module openshift_scc."""
        named = {"extension_name": self.extension_name, "compute_namespaces": self.compute_namespaces}
        return self._kubernetes({**self._by(OPENSHIFT_SCC), **named}, more)

    def tls_secret(self, **more: object) -> dict:
        """Return the options of module tls_secret."""
        named = {"name": self._tls.get("secret_name"), "cname": self._tls.get("cname")}
        named = {option: value for option, value in named.items() if value is not None}
        return self._kubernetes({**self._variables.get("azureml_tls_secret", {}), **named}, more)

    def endpoint_check(self, **more: object) -> dict:
        """Return the options of module endpoint_check.

        They expect the certificate that is known, otherwise that of the Secret, otherwise plain HTTP.
        """
        if self._variables.get("azureml_kubernetes_via") == "node":
            more = {"on_node": True, **more}
        if not self._tls:
            return self._kubernetes({"scheme": "http"}, more)
        expected = {"secret_name": self._tls["secret_name"]} if "secret_name" in self._tls else {}
        if self.certificate:
            expected = {"chain": self.certificate["chain"]}
        return self._kubernetes({"cname": self._tls["cname"], **expected}, more)

    def workspace_of(self, attachment: Mapping) -> Mapping:
        """Return the workspace of one of the attachments."""
        return attachment.get("workspace") or self._variables.get("azureml_workspace")

    def job_check(self, attachment: Mapping, **more: object) -> dict:
        """Return the options of module job_check for an attachment. It works in Azure, so it runs on the controller."""
        given = self._variables.get("azureml_prove_job", {})
        options = {
            "workspace": self.workspace_of(attachment),
            "compute": attachment["name"],
            **{name: value for name, value in given.items() if name != "every_wave"},
        }
        if "azureml_subscription_id" in self._variables:
            options["subscription_id"] = self._variables["azureml_subscription_id"]
        if self._variables.get("azureml_kubernetes_via") == "node":
            return self._azure({**options, "inspect_pods": False}, more)
        return self._azure(self._kubernetes(options, {}), more)

    def workspaces(self) -> dict[str, dict]:
        """Return the options to read the workspace of each compute, by the variable that names the workspace."""
        common = {name: value for name, value in self._by(CLUSTER).items() if name == "subscription_id"}
        found = {}
        for variable, one in self.named_attachments.items():
            name = f"{variable}.workspace" if "workspace" in one else "azureml_workspace"
            found[name] = self._azure({**common, "workspace": self.workspace_of(one)}, {})
        return found

    def cluster_identity(self, cluster: Mapping, **more: object) -> dict:
        """Return the options of module cluster_identity.

        :param cluster: the cluster in Azure, with C(id) and C(fqdns).
        """
        return self._kubernetes({"cluster_id": cluster["id"], "fqdns": cluster.get("fqdns", [])}, more)

    def named_identity(self) -> dict | None:
        """Return the options of module cluster_identity for the cluster in the variables, C(None) if they name none."""
        named = self._by(CLUSTER)
        return self._kubernetes(named, {}) if "resource_group" in named else None

    def node(self, nodes: Mapping) -> dict:
        """Return the options of module node for an entry of azureml_nodes."""
        return self._kubernetes({**self._by(NODE), **nodes}, {})

    def node_preflight(self, **more: object) -> dict:
        """Return the options of module node_preflight. SELinux is not a finding if the variables set its mode."""
        skipped = self._variables.get("azureml_machine_skip_checks", [])
        changed = ["selinux"] if "azureml_selinux_mode" in self._variables else []
        return {
            "gpu": self._offers_gpus,
            **self._by(NODE_PREFLIGHT),
            "skip_checks": [*skipped, *changed],
            **more,
        }

    def namespace(self, name: str, **more: object) -> dict:
        """Return the options of module namespace."""
        return self._kubernetes({"name": name}, more)

    def compute(self, attachment: Mapping, **more: object) -> dict:
        """Return the options of module compute for an attachment; a separate step creates the namespace."""
        given = {option: value for option, value in attachment.items() if option != "create_namespace"}
        return self._azure({**self._by(CLUSTER), **self._named_by_azure, **self._by(COMPUTE), **given}, more)

    def instance_type(self, types: list[dict], **more: object) -> dict:
        """Return the options of module instance_type for the instance types of the computes."""
        purge = self._variables.get("azureml_purge_instance_types", False)
        return self._kubernetes({"instance_types": types, "purge": purge}, more)
