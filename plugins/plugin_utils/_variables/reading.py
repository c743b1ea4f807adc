# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the variables of a host, and convert them to options of modules."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from ansible.errors import AnsibleError
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError, first_line
from ansible_collections.azureml.arc.plugins.module_utils._core.files import Files
from ansible_collections.azureml.arc.plugins.module_utils._core.files import read as read_file
from ansible_collections.azureml.arc.plugins.module_utils._core.options import AZURE, KUBERNETES, is_inline
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleCall
from ansible_collections.azureml.arc.plugins.module_utils._core.text import plain
from ansible_collections.azureml.arc.plugins.module_utils._extension import certificate_files
from ansible_collections.azureml.arc.plugins.plugin_utils._variables import checks
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.options import ClusterOptions
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.specs import (
    CLUSTER,
    MACHINE,
    OWN_NAMES,
    convert,
    own_names,
    specification,
    unknown_names,
)

# Options with the path of a file, except kubeconfig, which may contain several paths.
PATHS = frozenset(
    one
    for name, option in {**AZURE, **KUBERNETES}.items()
    if option["type"] == "path"
    for one in (name, *option.get("aliases", ()))
)
# Variables that name files: certificates with their keys, and credentials.
CERTIFICATES = ("azureml_tls", "azureml_tls_secret")
CONNECTIONS = ("azureml_sign_in", "azureml_kubernetes")
WITH_FILES = (*CERTIFICATES, *CONNECTIONS)


@dataclass
class HostVariables:
    """The variables of a host for flows.

    :param kind: what the host is, as in C(specification).
    :param options: C(None) if the variables cannot be read.
    :param errors: the errors in them.
    """

    name: str
    kind: str = CLUSTER
    options: ClusterOptions | None = None
    errors: list[str] = field(default_factory=list)

    @property
    def via_node(self) -> bool:
        """Whether steps run on the host itself: it is a machine, or connects to the Kubernetes API."""
        connects = self.options is not None and self.options.get("azureml_kubernetes_via") == "node"
        return connects or self.kind == MACHINE


def templated(variables: Mapping, templar, names: Iterable[str]) -> tuple[dict, list[str]]:
    """Return the values of variables, without those that are not defined, or C(omit), and the errors in templates.

    :param variables: of the host, with templates in them.
    :param templar: for these variables.
    """
    given = {name: variables[name] for name in names if name in variables}
    try:
        values = plain(templar.template(given))  # all at once, which is faster
    except AnsibleError:
        return {}, list(_template_errors(given, templar))
    return {name: value for name, value in values.items() if value != variables.get("omit", "")}, []


def _template_errors(variables: Mapping, templar) -> Iterator[str]:
    """Yield the errors in the templates of variables."""
    for name, value in variables.items():
        try:
            plain(templar.template(value))  # until ansible-core 2.18, this decrypts it
        except AnsibleError as error:
            yield f"{name}: {first_line(error)}"


def read(
    name: str,
    variables: Mapping,
    templar,
    files: Files,
    with_files: Collection[str] = WITH_FILES,
    kind: str = CLUSTER,
) -> HostVariables:
    """Read, convert and check the variables of a host.

    Only in the main thread of a process: it runs Ansible's templates.

    :param name: of the host in the inventory.
    :param variables: of the host, with templates in them.
    :param templar: for these variables.
    :param files: finds and reads the files that they name.
    :param with_files: the variables whose files are needed.
    :param kind: what the host is, as in C(specification).
    """
    host = HostVariables(name, kind)
    values, host.errors = templated(variables, templar, (*specification(kind), *OWN_NAMES))
    if host.errors:
        return host
    own, host.errors = own_names(values)
    for unknown, known in unknown_names(variables, own).items():
        host.errors.append(f"unknown variable {unknown}" + (f" (did you mean {known}?)" if known else ""))
    if values.get("azureml_cluster_name") in (None, ""):
        values["azureml_cluster_name"] = name
    converted, errors = convert(values, kind)
    host.errors += errors
    if errors:
        return host
    host.options = ClusterOptions(converted, lambda option, path: read_file(option, path, files))
    needed = set(with_files) - ({"azureml_kubernetes"} if host.via_node else set())  # paths on a node are its own
    found = [*checks.of_host(host.options, kind), *_of_files(converted, needed, files)]
    host.errors += dict.fromkeys(found)  # without duplicates
    return host


def _of_files(variables: Mapping, needed: Collection[str], files: Files) -> Iterator[str]:
    """Yield the errors in files that variables name, except configurations of computes.

    :param needed: the variables whose files are read.
    """
    cname = variables.get("azureml_tls", {}).get("cname")
    for name in [one for one in CERTIFICATES if one in needed]:
        given = {"cname": cname, **variables.get(name, {})}
        try:
            certificate_files.read(ModuleCall(params={}, files=files), given, f"{name}.")
        except AzureMLError as error:
            yield str(error)
    for name in [one for one in CONNECTIONS if one in needed]:
        for option, path in _paths(variables.get(name, {}), files):
            try:
                read_file(f"{name}.{option}", path, files)
            except AzureMLError as error:
                yield str(error)


def _paths(options: Mapping, files: Files) -> Iterator[tuple[str, str]]:
    """Yield the files that must exist for sign-in or connection options."""
    for option, value in options.items():
        if option in PATHS:
            yield option, value
    kubeconfig = options.get("kubeconfig")
    if kubeconfig and not is_inline(kubeconfig):
        paths = [path for path in kubeconfig.split(os.pathsep) if path]
        # Of several paths, some may be missing.
        yield from [("kubeconfig", path) for path in paths if os.path.exists(files.find(path))] or [
            ("kubeconfig", path) for path in paths[:1]
        ]
