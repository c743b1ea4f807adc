# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: outcome
short_description: Make what converge has done with a cluster the result of its host
version_added: 1.0.0
description:
  - M(azureml.arc.converge) runs once for all hosts. This gives each host its part, as ok, C(changed) or failed, in diff
    mode with the differences, so that the recap, callbacks, C(rescue) and AWX know of it.
  - It looks at nothing and changes nothing itself.
options:
  outcome:
    description: What M(azureml.arc.converge) has returned for the cluster.
    type: dict
    required: true
extends_documentation_fragment:
  - azureml.arc.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  in_process:
    support: full
    details: It runs nowhere else.
author: azureml.arc contributors (@azureml-arc)
"""

EXAMPLES = r"""
- name: Show the outcome
  azureml.arc.outcome:
    outcome: "{{ converged.clusters[inventory_hostname] }}"
  delegate_to: localhost
"""

RETURN = r"""
msg:
  description:
    - What was done in a line, or why it failed. All other values are those of O(outcome), of a cluster that has failed
      those about the failure.
  returned: always
  type: str
"""
