# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs M(azureml.arc.cluster_identity) in the controller's worker, where that means the same."""

from __future__ import annotations

from ansible_collections.azureml.arc.plugins.modules.cluster_identity import SPEC
from ansible_collections.azureml.arc.plugins.plugin_utils._controller.in_process import InProcessActionModule


class ActionModule(InProcessActionModule):
    spec = SPEC
