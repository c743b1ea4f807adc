# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sphinx: the guides in Markdown, and the reference that antsibull-docs writes. Nothing is fetched for it."""

import tempfile
import zlib
from pathlib import Path

# What the reference points to in Ansible's own documentation, see
# https://www.sphinx-doc.org/en/master/usage/extensions/intersphinx.html
SETTINGS = "reference_appendices/config.html"
ANSIBLE = {
    ("std:label", "action_plugins"): "plugins/action.html",
    ("std:label", "ansible_configuration_settings"): SETTINGS,
    ("std:label", "callback_plugins"): "plugins/callback.html",
    ("std:label", "common_return_values"): "reference_appendices/common_return_values.html",
    ("std:label", "inventory_plugins"): "plugins/inventory.html",
    **{
        ("std:envvar", name): f"{SETTINGS}#envvar-{name}"
        for name in (
            "ANSIBLE_CACHE_PLUGIN",
            "ANSIBLE_CACHE_PLUGIN_CONNECTION",
            "ANSIBLE_CACHE_PLUGIN_PREFIX",
            "ANSIBLE_CACHE_PLUGIN_TIMEOUT",
            "ANSIBLE_CALLBACKS_ENABLED",
            "ANSIBLE_INVENTORY_CACHE",
            "ANSIBLE_INVENTORY_CACHE_CONNECTION",
            "ANSIBLE_INVENTORY_CACHE_PLUGIN",
            "ANSIBLE_INVENTORY_CACHE_PLUGIN_PREFIX",
            "ANSIBLE_INVENTORY_CACHE_TIMEOUT",
            "ANSIBLE_INVENTORY_USE_EXTRA_VARS",
        )
    },
}


def _write_inventory(path: Path) -> None:
    """Write the inventory of these objects, in version 2 of Sphinx's format."""
    head = "# Sphinx inventory version 2\n# Project: ansible\n# Version: \n# The rest is compressed with zlib.\n"
    lines = "".join(f"{name} {kind} 1 {address} -\n" for (kind, name), address in ANSIBLE.items())
    path.write_bytes(head.encode() + zlib.compress(lines.encode()))


_folder = tempfile.TemporaryDirectory()
_inventory = Path(_folder.name) / "ansible.inv"
_write_inventory(_inventory)

project = "azureml.arc"
author = "azureml.arc contributors"
extensions = ["myst_parser", "sphinx.ext.intersphinx", "sphinx_antsibull_ext"]
intersphinx_mapping = {"ansible": ("https://docs.ansible.com/projects/ansible/latest/", str(_inventory))}
html_theme = "sphinx_ansible_theme"
html_title = "azureml.arc"
html_show_sphinx = False
html_copy_source = False
html_use_index = False
pygments_style = "ansible"
highlight_language = "YAML+Jinja"
myst_heading_anchors = 3
default_role = "any"
nitpicky = True
