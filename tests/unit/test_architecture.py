# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The code is built as the picture in CONTRIBUTING.md shows it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
PACKAGE = "ansible_collections.azureml.arc.plugins."
NO_LOGIC = ("modules", "action", "inventory", "callback", "lookup", "filter", "doc_fragments")
PURE = ("decisions", "basis")
# What reaches out of the process, or waits.
REACHES_OUT = re.compile(
    r"(azure|kubernetes\.(client|config|dynamic|watch)|urllib3|requests|socket|subprocess|time|tempfile|pathlib)\b"
)


def picture() -> list[tuple[str, list[str]]]:
    """The layers from top to bottom, and the words of each."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    block = re.search(r"```text\n(plugins .*?)```", text, re.DOTALL)[1]
    layers: list[tuple[str, list[str]]] = []
    for line in block.splitlines():
        name, words = line[:14].strip(), line[14:].split()
        if name:
            layers.append((name, []))
        layers[-1][1].extend(words)
    return layers


LAYERS = picture()
ORDER = [name for name, _words in LAYERS]
LAYER_OF = {word: name for name, words in LAYERS for word in words if word.startswith("_")}


def layer(name: str) -> str:
    """The layer of a file, by its name below plugins/."""
    folder, _dot, module = name.partition(".")
    if folder in NO_LOGIC:
        return "plugins"
    return "controller" if folder == "plugin_utils" else LAYER_OF[module]


def imports(path: Path) -> set[str]:
    """The full names that a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def files() -> dict[str, Path]:
    return {".".join(path.relative_to(PLUGINS).with_suffix("").parts): path for path in sorted(PLUGINS.rglob("*.py"))}


def test_every_file_has_a_place():
    names = {name.partition(".")[2] for name in files() if name.startswith("module_utils.")}
    assert names == set(LAYER_OF)


def test_nothing_reaches_up():
    upwards = []
    for name, path in files().items():
        for imported in imports(path):
            if not imported.startswith(PACKAGE):
                continue
            other = ".".join(imported.removeprefix(PACKAGE).split(".")[:2])
            # An action plugin takes the specification of its module.
            if ORDER.index(layer(other)) < ORDER.index(layer(name)):
                upwards.append(f"{name} ({layer(name)}) imports {other} ({layer(other)})")
    assert upwards == []


def test_decisions_do_no_input_or_output():
    reaching = {
        name: found
        for name, path in files().items()
        if layer(name) in PURE and (found := sorted(one for one in imports(path) if REACHES_OUT.match(one)))
    }
    assert reaching == {}


def test_what_runs_on_a_node_needs_no_controller():
    for name, path in files().items():
        if name.startswith(("module_utils.", "modules.")):
            ansible = {one for one in imports(path) if one.startswith("ansible.")}
            assert all(one.startswith("ansible.module_utils.") for one in ansible), name
