# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation of the option that names a workspace."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  workspace:
    description: The Azure Machine Learning workspace.
    type: dict
    required: true
    suboptions:
      name:
        description: Name of the workspace.
        type: str
        required: true
      resource_group:
        description: Resource group of the workspace.
        type: str
        required: true
      subscription_id:
        description: Subscription of the workspace. Defaults to that of the cluster.
        type: str
"""
