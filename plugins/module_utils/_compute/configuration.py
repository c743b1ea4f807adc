# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the namespace and instance types of a compute, from options or from the studio's JSON file. Pure.

The file is that of "Advanced attach" in the studio: C(namespace), C(defaultInstanceType) and C(instanceTypes).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.azureml.arc.plugins.module_utils._compute.instance_type_spec import (
    DEFAULT_INSTANCE_TYPE,
    PARTS,
    InstanceType,
    as_options,
    check_object_name,
    mapping,
    validated,
)
from ansible_collections.azureml.arc.plugins.module_utils._core import quantity
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import require
from ansible_collections.azureml.arc.plugins.module_utils._kubernetes.resources import check_namespace

DEFAULT_NAMESPACE = "default"
_ATTACHED_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?")


@dataclass(frozen=True)
class Names:
    """The names of keys in a document."""

    default: str
    types: str
    selector: str


OPTIONS = Names("default_instance_type", "instance_types", "node_selector")
FILE = Names("defaultInstanceType", "instanceTypes", "nodeSelector")


@dataclass(frozen=True)
class ComputeConfiguration:
    """The namespace and instance types of a compute.

    :param instance_types: C(None) if they are not set.
    """

    namespace: str = DEFAULT_NAMESPACE
    default_instance_type: str | None = None
    instance_types: Sequence[InstanceType] | None = None

    def for_cluster(self) -> list[dict]:
        """Return the instance types in the format of M(azureml.arc.instance_type), the default also under its own name.

        :raises AzureMLError: if two of them would have the same name.
        """
        found: dict[str, InstanceType] = {}
        for one in self.instance_types or ():
            name = object_name(one.name)
            if name in found:
                raise AzureMLError(
                    f"instance types '{found[name].name}' and '{one.name}' would both have the name '{name}' in the"
                    " cluster: rename one of them"
                )
            found[name] = one
        default = next((one for one in found.values() if one.name == self.default_instance_type), None)
        if default and found.setdefault(DEFAULT_INSTANCE_TYPE, default) is not default:
            raise AzureMLError(
                f"the default instance type is '{default.name}', but '{found[DEFAULT_INSTANCE_TYPE].name}' would be the"
                " default of the cluster: rename it, or make it the default"
            )
        return [{"name": name, **as_options(one.spec())} for name, one in found.items()]


def object_name(name: str) -> str:
    """Return the name of an instance type in the cluster, where names have no capitals and underscores."""
    return name.lower().replace("_", "-")


def read(options: Mapping, read_file: Callable[[str], bytes], prefix: str = "") -> ComputeConfiguration:
    """Return the configuration in the options of M(azureml.arc.compute), or in the file that they name.

    :param read_file: returns the content of a file by its path, or raises C(AzureMLError).
    :param prefix: the prefix of the options' names in errors.
    :raises AzureMLError: naming the option, or the file and the path inside of it.
    """
    path = options.get("config_file")
    if path or options.get("instance_types"):
        require(quantity.LIBRARIES)
    return from_file(read_file(path), path, prefix) if path else from_options(options, prefix)


def from_options(params: Mapping, prefix: str = "") -> ComputeConfiguration:
    """Return the configuration in options: C(namespace), C(default_instance_type) and C(instance_types)."""
    return _configuration(params, prefix, OPTIONS)


def from_file(content: bytes, path: str, prefix: str = "") -> ComputeConfiguration:
    """Return the configuration in a file.

    :param path: its path, for errors.
    :raises AzureMLError: naming the path inside the document, or its line and column if it is not JSON.
    """
    where = f"{prefix}config_file {path}: "
    try:
        document = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_without_duplicates)
    except json.JSONDecodeError as error:
        raise AzureMLError(f"{where}line {error.lineno}, column {error.colno}: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise AzureMLError(f"{where}{error}") from error
    if not isinstance(document, dict):
        raise AzureMLError(f"{where}it must contain a JSON object")
    _require_known(document, ("namespace", FILE.default, FILE.types), where)
    return _configuration(document, where, FILE)


def _without_duplicates(pairs: Sequence[tuple]) -> dict:
    """Return the object of a JSON document; duplicate keys are an error, because the last one would win silently."""
    keys = [key for key, value in pairs]
    duplicates = {key for key in keys if keys.count(key) > 1}
    if duplicates:
        raise ValueError(f"duplicate key {', '.join(sorted(duplicates))}")
    return dict(pairs)


def _configuration(given: Mapping, where: str, names: Names) -> ComputeConfiguration:
    namespace = check_namespace(given.get("namespace") or DEFAULT_NAMESPACE, f"{where}namespace")
    default, types = given.get(names.default), given.get(names.types)
    if types is None:
        if default:
            raise AzureMLError(f"{where}{names.default} needs {names.types}, and must be one of them")
        return ComputeConfiguration(namespace)
    types = mapping(types, f"{where}{names.types}")
    instance_types = [_instance_type(name, one, where, names) for name, one in types.items()]
    default = _default(default, list(types), where, names)
    return ComputeConfiguration(namespace, default, instance_types)


def _instance_type(name: str, given: object, where: str, names: Names) -> InstanceType:
    path = f"{where}{names.types}"
    if not isinstance(name, str) or not _ATTACHED_NAME.fullmatch(name):
        raise AzureMLError(
            f"{path}: '{name}' is not a valid name: use letters, digits, '-', '_' and '.', with a letter or digit first"
            " and last"
        )
    check_object_name(object_name(name), path)
    given = mapping(given, f"{path}.{name}")
    _require_known(given, (names.selector, "resources"), f"{path}.{name}: ")
    _require_known(mapping(given.get("resources"), f"{path}.{name}.resources"), PARTS, f"{path}.{name}.resources: ")
    return validated(name, given, f"{path}.{name}.", names.selector)


def _default(given: object, types: Sequence[str], where: str, names: Names) -> str | None:
    if not types and not given:
        return None
    if not given:
        given = next((name for name in types if object_name(name) == DEFAULT_INSTANCE_TYPE), None)
        if given is None:
            raise AzureMLError(f"{where}{names.default} is missing: name one of {', '.join(types)}")
    if given not in types:
        raise AzureMLError(
            f"{where}{names.default}: '{given}' is not one of {names.types}: {', '.join(types) or 'none'}"
        )
    return given


def _require_known(given: Iterable, known: Sequence[str], where: str) -> None:
    unknown = [str(key) for key in given if key not in known]
    if unknown:
        raise AzureMLError(f"{where}unknown key {', '.join(unknown)}; known are {', '.join(known)}")
