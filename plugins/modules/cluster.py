# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster
short_description: Run a flow for the cluster of a host, or return its result
version_added: 1.0.0
description:
  - Deploys, verifies, upgrades or removes Azure Machine Learning on the cluster that the host represents, by the
    variables of the role P(azureml.arc.azureml#role). With the flow V(machine) the host is the machine of a node.
  - After M(azureml.arc.fleet) it needs no options. It returns the result that was left for its host, or runs the flow
    if the flow was left to it. With O(flow), it runs the flow itself.
  - M(azureml.arc.fleet) shows failures when they happen, so the result of a failed cluster only refers to them. With
    C(-v), and in jobs of AWX, it is complete. With C(register), and in a block with C(rescue), it contains
    RV(failed_step).
  - Runs on the controller, whatever the connection of the host is. If C(azureml_kubernetes_via) is V(node), the steps
    in the cluster run on the host itself, over its connection. The credentials for Azure never leave the controller.
options:
  flow:
    description: What to do with the cluster. Defaults to the flow of M(azureml.arc.fleet).
    type: str
    choices: [deploy, detach, machine, nodes, remove, rotate_tls, upgrade, verify]
  wait:
    description:
      - V(false) ends the task once every operation that takes long has started, so that the clusters of a play work at
        the same time, whatever the number of forks. A second task with the same O(flow) waits and completes it.
      - In check mode nothing is started, so such a task is skipped.
    type: bool
    default: true
extends_documentation_fragment:
  - azureml.arc.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  in_process:
    support: full
    details: The task always does; its steps run as the variables set it.
author: azureml.arc contributors (@azureml-arc)
seealso:
  - module: azureml.arc.fleet
"""

EXAMPLES = r"""
- name: Start deploying
  azureml.arc.cluster:
    flow: deploy
    wait: false

- name: Deploy
  azureml.arc.cluster:
    flow: deploy
  register: deployed

- name: Show the version
  ansible.builtin.debug:
    msg: "{{ deployed.extension.current_version }}"
"""

RETURN = r"""
msg:
  description: The result in a line, or why the flow failed.
  returned: always
  type: str
in_sync:
  description: Whether the cluster matched its variables before anything was done.
  returned: with the flows deploy and verify
  type: bool
failed_step:
  description: The name of the step in RV(steps) that failed. The other values of its module's result are returned, too.
  returned: failure of a step
  type: str
rollback:
  description: The result of the rollback from a failed version, or how to allow it.
  returned: failure of flow upgrade
  type: str
  sample: Rolled back to version 1.1.61.
findings:
  description: The differences between the cluster and its variables.
  returned: with flow verify
  type: list
  elements: str
plan:
  description: The change of the extension; see RV(azureml.arc.extension#module:plan).
  returned: success
  type: dict
extension:
  description: The extension; see RV(azureml.arc.extension#module:extension), also for values not listed here.
  returned: success
  type: dict
pod_readiness:
  description:
    - The result of M(azureml.arc.pod_readiness), with only those C(pods) that are not ready. V(null) if the pods were
      not checked.
  returned: success
  type: dict
endpoint:
  description: The result of M(azureml.arc.endpoint_check). V(null) if the endpoint was not checked.
  returned: success
  type: dict
computes:
  description: The result of M(azureml.arc.compute) for each compute.
  returned: success
  type: list
  elements: dict
jobs:
  description:
    - The jobs that prove the computes, as RV(azureml.arc.job_check#module:jobs) has them. Empty without V(job) in
      C(azureml_prove).
  returned: success
  type: list
  elements: dict
nodes:
  description: The nodes that the variables select.
  returned: with flow nodes
  type: list
  elements: str
changed_nodes:
  description: Those of RV(nodes) whose labels or taints were changed.
  returned: with flow nodes
  type: list
  elements: str
selinux:
  description: As RV(azureml.arc.node_preflight#module:selinux), also for its other values, which are not listed here.
  returned: with flow machine
  type: str
selinux_change:
  description:
    - The change of SELinux that C(azureml_selinux_mode) requires, which this module does not make. It has C(mode),
      C(enforcing) (whether SELinux is enforcing now), C(reboot) and C(become).
  returned: with flow machine, if the mode differs
  type: dict
steps:
  description: The steps, in their order.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name of the step.
      type: str
    module:
      description: The module of this collection that the step ran.
      type: str
    start:
      description: When it began, in seconds since 1970.
      type: float
    end:
      description: When it ended, in seconds since 1970.
      type: float
    changed:
      description: Whether it changed something.
      type: bool
    check:
      description: Set if the step only compared.
      type: bool
wave:
  description:
    - The batch by the results so far, as M(azureml.arc.fleet) returns it. The outcome V(pending) is that of clusters
      whose flow is still running, V(unreachable) that of a host that did not respond.
  returned: if M(azureml.arc.fleet) has left the flow to this task
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

ARGUMENT_SPEC = {
    "flow": {
        "type": "str",
        "choices": ["deploy", "detach", "machine", "nodes", "remove", "rotate_tls", "upgrade", "verify"],
    },
    "wait": {"type": "bool", "default": True},
}


def main():
    """For ansible-test; the action plugin does not run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.fail_json(msg="azureml.arc.cluster runs only as an action plugin, on the controller")


if __name__ == "__main__":
    main()
