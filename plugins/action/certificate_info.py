# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the module of the same name in the controller's worker, if that is equivalent."""

from __future__ import annotations

from ansible_collections.azureml.arc.plugins.plugin_utils._controller.in_process import action_of_module

ActionModule = action_of_module(__name__)
