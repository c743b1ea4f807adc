# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The variables of a host, as Ansible keeps them, for role azureml."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ansible.errors import AnsibleError
from ansible.plugins.loader import lookup_loader
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError, first_line
from ansible_collections.azureml.arc.plugins.plugin_utils._variables import options
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.options import ClusterOptions

TABLES = (
    options.CLUSTER,
    options.INSTALL,
    options.PREFLIGHT,
    options.EXTENSION,
    options.READINESS,
    options.COMPUTE,
)
# Beside those that options come from.
OTHERS = (
    "azureml_attach_timeout",
    "azureml_attachment",
    "azureml_compute",
    "azureml_computes",
    "azureml_extension_timeout",
    "azureml_kube_from",
    "azureml_kubernetes",
    "azureml_readiness_timeout",
    "azureml_sign_in",
    "azureml_skip_checks",
    "azureml_tls_secret",
)
NAMES = (*dict.fromkeys(name for table in TABLES for name in table.values()), *OTHERS)
# Registered results, and the path in each to the components that it detected; later ones take precedence.
DETECTED_FROM = (
    ("azureml_preflight", "install_options"),
    ("azureml_node_preflight", "install_options"),
    ("azureml_extension", "extension", "install_options"),
)


def templated(variables: Mapping, templar, names: Iterable[str]) -> dict:
    """The values of variables, without those that are not defined, or C(omit).

    :param variables: of the host, with templates in them.
    :param templar: for these variables.
    :raises AnsibleError: where one of them cannot be templated.
    """
    values = templar.template({name: variables[name] for name in names if name in variables})
    return {name: value for name, value in values.items() if value != variables.get("omit", "")}


def options_of_host(variables: Mapping, templar, loader) -> tuple[ClusterOptions, Mapping]:
    """The options of modules for the cluster of a host, and its attachment that a loop is at.

    For the parameters see C(templated).
    """
    values = templated(variables, templar, NAMES)
    detected: dict = {}
    for name, *path in DETECTED_FROM:
        found = variables.get(name)
        for key in path:
            found = found.get(key) if isinstance(found, Mapping) else None
        detected.update(found or {})
    return ClusterOptions(values, file_reader(variables, templar, loader), detected), values.get(
        "azureml_attachment", {}
    )


def file_reader(variables: Mapping, templar, loader):
    """A function that returns the text of a file, which it finds where tasks of the host's play find theirs.

    It raises C(AzureMLError) where there is none that can be read.
    """

    def read(path: str) -> str:
        lookup = lookup_loader.get("ansible.builtin.file", loader=loader, templar=templar)
        try:
            return lookup.run([path], variables)[0]
        except AnsibleError as error:
            raise AzureMLError(f"config_file {path}: {first_line(error)}") from error

    return read
