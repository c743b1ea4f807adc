# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: fleet
short_description: Run a flow for all clusters of a play in one task
version_added: 1.0.0
description:
  - Runs a flow of the role P(azureml.arc.azureml#role) for all hosts of the play, with the same variables. This avoids
    a worker process per host, which costs more than comparing a cluster with its variables.
  - Leaves the result of each cluster to M(azureml.arc.cluster), which must follow. A cluster that fails does not fail
    this task.
  - Leaves the whole flow to M(azureml.arc.cluster) for clusters that are reached via a node, for machines, for hosts
    with another C(environment), and for hosts with C(azureml_arc_in_process=false).
  - Runs once for all hosts of the batch, with as many threads as there are forks, and at least 50. It requires the
    strategy C(linear), and supports neither conditions nor dynamic includes.
  - The playbooks of this collection use it.
options:
  flow:
    description: What to do with each cluster.
    type: str
    required: true
    choices: [deploy, detach, machine, nodes, remove, rotate_tls, upgrade, verify]
  waves:
    description:
      - Whether the batches of the play are waves, with C(azureml_max_failures) and C(azureml_soak). Once too many
        clusters have failed, further batches are skipped.
    type: bool
    default: false
  table:
    description: Whether to end with a table of all clusters, instead of a line for each cluster that did not fail.
    type: bool
    default: false
  announce:
    description:
      - V(true) does nothing. As the first item of a loop it makes Ansible print the name of the task before the lines
        of the clusters, which it otherwise prints with the first result if C(display_skipped_hosts) is V(false).
    type: bool
    default: false
extends_documentation_fragment:
  - azureml.arc.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: M(azureml.arc.cluster) shows the differences of a cluster.
  in_process:
    support: full
    details: It always does.
author: azureml.arc contributors (@azureml-arc)
seealso:
  - module: azureml.arc.cluster
"""

EXAMPLES = r"""
- name: Deploy to all clusters
  azureml.arc.fleet:
    flow: deploy
  run_once: true
  register: fleet

- name: "Results of {{ fleet.summary }}"
  azureml.arc.cluster:
"""

RETURN = r"""
ends:
  description:
    - Whether the batch can end, because C(azureml_report_hosts) is V(false), nothing has failed, and no cluster is left
      to M(azureml.arc.cluster).
  returned: success
  type: bool
summary:
  description: The result of the batch in a line.
  returned: success
  type: str
  sample: "6 clusters: 3 ok, 1 changed, 2 failed; retry with --limit f3,f5"
clusters:
  description: The clusters of the batch.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: The host.
      type: str
    outcome:
      description:
        - V(ok), V(changed), V(failed), V(gone), V(not started), or V(pending) for a cluster that is left to
          M(azureml.arc.cluster).
      type: str
    extension:
      description: The change of the extension.
      type: str
    pods:
      description: The number of components and pods that are ready.
      type: str
    cause:
      description: Why the cluster failed.
      type: str
failed_clusters:
  description: The hosts that have failed, in this batch or before it.
  returned: success
  type: list
  elements: str
not_started:
  description: The hosts of later batches.
  returned: success
  type: list
  elements: str
allowed_failures:
  description: How many clusters may fail, by C(azureml_max_failures). V(null) without O(waves).
  returned: success
  type: int
stopped:
  description: Whether no further wave starts.
  returned: success
  type: bool
"""

from ansible.module_utils.basic import AnsibleModule

ARGUMENT_SPEC = {
    "flow": {
        "type": "str",
        "required": True,
        "choices": ["deploy", "detach", "machine", "nodes", "remove", "rotate_tls", "upgrade", "verify"],
    },
    "waves": {"type": "bool", "default": False},
    "table": {"type": "bool", "default": False},
    "announce": {"type": "bool", "default": False},
}


def main():
    """For ansible-test; the action plugin does not run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.fail_json(msg="azureml.arc.fleet runs only as an action plugin, on the controller")


if __name__ == "__main__":
    main()
