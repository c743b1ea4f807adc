# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of a host, from Ansible to the options of modules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ansible.errors import AnsibleError
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError, first_line
from ansible_collections.azureml.arc.plugins.module_utils._core.files import Files
from ansible_collections.azureml.arc.plugins.module_utils._core.files import read as read_file
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall
from ansible_collections.azureml.arc.plugins.module_utils._extension import certificate_files
from ansible_collections.azureml.arc.plugins.plugin_utils._variables import checks
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.options import ClusterOptions
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.specs import (
    argument_specs,
    convert,
    unknown_names,
)


@dataclass
class HostVariables:
    """The variables of a host as the flows use them.

    :param options: C(None) where the variables cannot be read.
    :param errors: what is wrong with them.
    """

    name: str
    options: ClusterOptions | None = None
    errors: list[str] = field(default_factory=list)

    @property
    def via_node(self) -> bool:
        """Whether the Kubernetes API is reached from the host itself."""
        return self.options is not None and self.options.get("azureml_kubernetes_via") == "node"


def templated(variables: Mapping, templar, names: Iterable[str]) -> dict:
    """The values of variables, without those that are not defined, or C(omit).

    :param variables: of the host, with templates in them.
    :param templar: for these variables.
    :raises AnsibleError: where one of them cannot be templated.
    """
    values = templar.template({name: variables[name] for name in names if name in variables})
    return {name: value for name, value in values.items() if value != variables.get("omit", "")}


def read(name: str, entry_point: str, variables: Mapping, templar, files: Files) -> HostVariables:
    """Read, convert and check the variables of a host.

    Only in the main thread of a process: it runs Ansible's templates.

    :param name: of the host in the inventory.
    :param entry_point: of role azureml, whose specification counts.
    :param variables: of the host, with templates in them.
    :param templar: for these variables.
    :param files: finds and reads the files that they name.
    """
    host = HostVariables(name)
    try:
        values = templated(variables, templar, (*argument_specs()[entry_point], "azureml_own_variables"))
    except AnsibleError as error:
        host.errors.append(first_line(error))
        return host
    for unknown, known in unknown_names(variables, values.pop("azureml_own_variables", ())).items():
        host.errors.append(f"unknown variable {unknown}" + (f"; did you mean {known}?" if known else ""))
    values.setdefault("azureml_cluster_name", name)
    converted, errors = convert(entry_point, values)
    host.errors += errors
    if errors:
        return host
    host.options = ClusterOptions(converted, lambda path: read_file(f"config_file {path}", path, files))
    host.errors += checks.of_host(host.options)
    try:
        host.options.openshift_scc()  # reads configuration files, which threads must not
        certificate_files.read(ModuleCall(params={}, files=files), converted.get("azureml_tls") or {}, "azureml_tls.")
    except AzureMLError as error:
        host.errors.append(str(error))
    return host
