# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: findings
short_description: What is not as wanted, in words
version_added: 1.0.0
description:
  - Tells what the modules of this collection have found in check mode.
  - Role P(azureml.arc.azureml#role) fails with it where a cluster is not what its variables say.
positional: _input, readiness, computes, instance_types
options:
  _input:
    description: What M(azureml.arc.extension) has returned.
    type: dict
    required: true
  readiness:
    description: What M(azureml.arc.pod_readiness) has returned.
    type: dict
    required: true
  computes:
    description: What M(azureml.arc.compute) has returned for each compute.
    type: list
    elements: dict
    default: []
  instance_types:
    description: What M(azureml.arc.instance_type) has returned, where it was asked.
    type: dict
author: azureml.arc contributors (@azureml-arc)
"""

EXAMPLES = r"""
- name: Fail where the cluster is not as wanted
  ansible.builtin.assert:
    that: extension | azureml.arc.findings(readiness) == []
    fail_msg: "{{ extension | azureml.arc.findings(readiness) | join('; ') }}"
"""

RETURN = r"""
_value:
  description: The findings, none where all is as wanted.
  type: list
  elements: str
  sample: ["extension: it differs from the desired state (installVolcano)", "compute: the compute does not exist"]
"""

from ansible_collections.azureml.arc.plugins.plugin_utils._flows.comparison import findings


class FilterModule:
    """Filters of the collection."""

    def filters(self):
        """The filters by their names."""
        return {"findings": findings}
