# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of the extension that several modules share, as argument specs."""

from __future__ import annotations

from ansible_collections.azureml.arc.plugins.module_utils._extension.keys import GENERATIONS

SETTINGS_GENERATION = {"type": "str", "default": "current", "choices": list(GENERATIONS)}

WORKLOAD_PROFILE = {"type": "str", "choices": ["training", "inference", "training_inference"]}

# Components that may exist in the cluster; if unset, the extension's default applies.
INSTALL_SWITCHES = {
    "install_nvidia_device_plugin": {"type": "bool"},
    "install_prometheus_operator": {"type": "bool"},
    "install_volcano": {"type": "bool"},
    "install_dcgm_exporter": {"type": "bool"},
}
