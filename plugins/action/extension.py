# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs the module of the same name in the controller's worker, where that means the same.

The action plugins of the other modules are links to this file.
"""

from __future__ import annotations

from importlib import import_module

from ansible_collections.azureml.arc.plugins.plugin_utils._controller.in_process import InProcessActionModule

# Ansible loads a link under the name of the link.
MODULE = __name__.rpartition(".")[2]


class ActionModule(InProcessActionModule):
    # Here and not in run, so that the module is loaded once for all workers, before they are forked.
    spec = import_module(f"ansible_collections.azureml.arc.plugins.modules.{MODULE}").SPEC
