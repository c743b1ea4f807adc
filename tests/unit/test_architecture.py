# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The structure of the code, as in the diagram of CONTRIBUTING.md."""

from __future__ import annotations

import ast
import functools
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.executors import CLUSTER_MODULES

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
PACKAGE = "ansible_collections.azureml.arc.plugins."
# Files that do no input or output, and do not wait.
PURE = (
    "module_utils/_azure/cluster_reference.py",
    "module_utils/_azure/hints.py",
    "module_utils/_azure/key_vault_address.py",
    "module_utils/_azure/names.py",
    "module_utils/_azure/response.py",
    "module_utils/_azure/states.py",
    "module_utils/_compute/configuration.py",
    "module_utils/_compute/instance_type_spec.py",
    "module_utils/_compute/plan.py",
    "module_utils/_core/changes.py",
    "module_utils/_core/errors.py",
    "module_utils/_core/findings.py",
    "module_utils/_core/options.py",
    "module_utils/_core/quantity.py",
    "module_utils/_core/secrets.py",
    "module_utils/_core/text.py",
    "module_utils/_core/values.py",
    "module_utils/_endpoint/addresses.py",
    "module_utils/_endpoint/tls_records.py",
    "module_utils/_endpoint/verdict.py",
    "module_utils/_extension/body.py",
    "module_utils/_extension/certificate_bundle.py",
    "module_utils/_extension/check.py",
    "module_utils/_extension/keys.py",
    "module_utils/_extension/options.py",
    "module_utils/_extension/plan.py",
    "module_utils/_extension/settings.py",
    "module_utils/_extension/tls.py",
    "module_utils/_jobs/body.py",
    "module_utils/_jobs/causes.py",
    "module_utils/_jobs/state.py",
    "module_utils/_kubernetes/labels.py",
    "module_utils/_kubernetes/resources.py",
    "module_utils/_node/taints.py",
    "module_utils/_preflight/azure_checks.py",
    "module_utils/_preflight/checks.py",
    "module_utils/_preflight/cluster_checks.py",
    "module_utils/_preflight/identity.py",
    "module_utils/_preflight/outbound.py",
    "module_utils/_readiness/components.py",
    "module_utils/_readiness/evaluate.py",
    "module_utils/_readiness/health_check.py",
    "module_utils/_readiness/pods.py",
    "module_utils/_readiness/workloads.py",
    "plugin_utils/_report/actions.py",
    "plugin_utils/_report/causes.py",
    "plugin_utils/_report/fleet_report.py",
    "plugin_utils/_report/headline.py",
    "plugin_utils/_report/junit.py",
    "plugin_utils/_report/results.py",
    "plugin_utils/_report/rollout.py",
    "plugin_utils/_variables/conversion.py",
    "plugin_utils/_variables/tables.py",
)
# Modules that do input or output, or wait.
IMPURE = re.compile(
    r"(azure|kubernetes\.(client|config|dynamic|watch)|urllib3|requests|socket|subprocess|time|tempfile|pathlib)\b"
)


def diagram() -> dict[str, int]:
    """Return the layer of each folder, counted from the top, as in the diagram of CONTRIBUTING.md."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    block = re.search(r"```text\n(action .*?)```", text, re.DOTALL)[1]
    layers = [re.split(r"\s{3,}", line)[0].split() for line in block.splitlines()]
    return {folder: layer for layer, folders in enumerate(layers) for folder in folders}


LAYERS = diagram()


def folder(name: str) -> str:
    """Return the folder of a file, by the name of its module below plugins/."""
    kind, first, *_rest = name.split(".")
    return first if kind in ("module_utils", "plugin_utils") else kind


@functools.cache
def imports(path: Path) -> set[str]:
    """Return the full names that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@functools.cache
def files() -> dict[str, Path]:
    return {".".join(path.relative_to(PLUGINS).with_suffix("").parts): path for path in sorted(PLUGINS.rglob("*.py"))}


def test_diagram_has_every_folder():
    assert {folder(name) for name in files() if not name.endswith("__init__")} == set(LAYERS)


def own_imports(name: str) -> set[str]:
    """Return the files that a file imports, by their names below plugins/."""
    below = {one.removeprefix(PACKAGE) for one in imports(files()[name])}
    return {one for path in below for one in (path, path.rpartition(".")[0]) if one in files()}


def reached(name: str) -> set[str]:
    """Return a file and all files that it imports, directly or not, by their names below plugins/."""
    found, left = set(), {name}
    while left:
        name = left.pop()
        found.add(name)
        left |= own_imports(name) - found
    return found


@pytest.mark.parametrize("module", sorted(CLUSTER_MODULES))
def test_module_that_runs_on_a_node_does_not_import_the_azure_sdk(module):
    """The node may lack it, and it would take a fifth of the time of a module."""
    assert [
        one for one in reached(f"modules.{module}") if any(re.match("azure|msal", i) for i in imports(files()[one]))
    ] == []


def test_imports_between_folders_go_down():
    upwards = []
    for name, path in files().items():
        for imported in imports(path):
            if not imported.startswith(PACKAGE):
                continue
            one, other = folder(name), folder(imported.removeprefix(PACKAGE))
            if one != other and LAYERS[other] <= LAYERS[one]:
                upwards.append(f"{name} imports {imported.removeprefix(PACKAGE)}")
    assert upwards == []


def test_imports_have_no_cycle():
    edges = {name: own_imports(name) - {name} for name in files()}
    assert list(TopologicalSorter(edges).static_order())


def test_pure_files_do_no_input_or_output():
    impure = {}
    for name in PURE:
        found = sorted(one for one in imports(PLUGINS / name) if IMPURE.match(one))
        if found:
            impure[name] = found
    assert impure == {}


def test_every_module_has_an_action_plugin():
    modules, actions = ({path.name for path in (PLUGINS / kind).glob("*.py")} for kind in ("modules", "action"))
    assert modules == actions


def test_action_plugins_are_equal_except_fleet_and_cluster():
    contents = {path.read_text(encoding="utf-8"): path.name for path in (PLUGINS / "action").glob("*.py")}
    assert len(contents) == len(("fleet", "cluster", "all others"))


def test_code_that_runs_on_nodes_imports_only_module_utils_of_ansible():
    for name, path in files().items():
        if name.startswith(("module_utils.", "modules.")):
            ansible = {one for one in imports(path) if one.startswith("ansible.")}
            assert all(one.startswith("ansible.module_utils.") for one in ansible), name
