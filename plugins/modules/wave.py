# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: wave
short_description: Show what a wave of a rollout has come to, and whether the next may start
version_added: 0.1.0
description:
  - Looks at what role P(azureml.arc.azureml#role) has left in the variables of the hosts of a play with C(serial),
    shows a table of the current wave, and counts failures against a budget. It changes nothing.
  - Playbook C(azureml.arc.rollout) uses it. A play of your own does with what it returns what it likes.
  - Runs once a wave, on the controller. How the rollout stands is left in the stats of the run, too, under
    C(azureml_rollout), from where AWX takes the artifacts of a job.
options:
  max_failures:
    description:
      - How many clusters may fail in all waves together, as a number, or as a percentage of the hosts of the play such
        as V(5%).
    type: str
    default: "0"
  show:
    description: Whether to show the table.
    type: bool
    default: true
extends_documentation_fragment:
  - azureml.arc.attributes
  - azureml.arc.attributes.info_module
attributes:
  in_process:
    support: full
    details: It runs nowhere else.
author: azureml.arc contributors (@azureml-arc)
"""

EXAMPLES = r"""
- name: See how the wave went
  azureml.arc.wave:
    max_failures: 5%
  register: wave

- name: Stop before the next wave
  ansible.builtin.meta: end_play
  when: wave.exceeded
"""

RETURN = r"""
clusters:
  description: The clusters of this wave.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The host.
      type: str
    outcome:
      description: V(ok) where nothing had to be done, V(changed), V(failed) or V(unreachable).
      type: str
    extension:
      description: What was done with the extension, in check mode what would be, with the keys that differ.
      type: str
    pods:
      description: How many components and pods are ready.
      type: str
    error:
      description: Why it failed.
      type: str
  sample:
    - name: shop-1
      outcome: failed
      extension: installed
      pods: ""
      error: "extension 'azureml' on connected cluster 'shop-1' failed: ..."
failed_clusters:
  description: The hosts that have failed in this wave and those before it.
  returned: success
  type: list
  elements: str
not_started:
  description: The hosts of the waves to come.
  returned: success
  type: list
  elements: str
allowed_failures:
  description: O(max_failures) as a number of clusters.
  returned: success
  type: int
exceeded:
  description: Whether more clusters have failed than O(max_failures) allows.
  returned: success
  type: bool
summary:
  description: How the rollout stands, in a line.
  returned: success
  type: str
  sample: "24 changed, 1 failed; failed so far: 1 (shop-7); still to come: 74 (shop-26, shop-27 ...)"
"""
