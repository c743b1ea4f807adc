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
    variables of role P(azureml.arc.azureml#role).
  - After M(azureml.arc.fleet) it needs no options. It returns the result that was left for its host, or runs the flow
    where that was left to it.
  - Runs on the controller, whatever the connection of the host is. Where C(azureml_kubernetes_via) is V(node), what
    works in the cluster runs on the host itself, over its connection; the credentials for Azure stay on the controller.
options:
  flow:
    description: What to do with the cluster. By default what M(azureml.arc.fleet) has done, or left to do.
    type: str
    choices: [deploy, detach, remove, rotate_tls, upgrade, verify]
  wait:
    description:
      - V(false) ends the task where everything has begun that takes long, so that the clusters of a play work at the
        same time whatever the number of forks. A second task with the same O(flow) waits, and does the rest.
      - In check mode nothing is begun, so such a task is skipped.
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
    details: It runs nowhere else; its steps run where the variables say.
author: azureml.arc contributors (@azureml-arc)
seealso:
  - module: azureml.arc.fleet
"""

EXAMPLES = r"""
- name: Begin to deploy
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
  description: What was done in a line, or why it failed.
  returned: always
  type: str
in_sync:
  description: Whether the cluster matched its variables before anything was done.
  returned: with the flows deploy and verify
  type: bool
failed_step:
  description: Which of RV(steps) failed. What its module returned stands beside it.
  returned: failure
  type: str
rollback:
  description: How the rollback of a failed version went, or how to allow it.
  returned: failure of flow upgrade
  type: str
  sample: Rolled back to version 1.1.61.
findings:
  description: The differences between the cluster and its variables.
  returned: with flow verify
  type: list
  elements: str
plan:
  description: What was done with the extension, or would be; see RV(azureml.arc.extension#module:plan).
  returned: success
  type: dict
extension:
  description: The extension; see RV(azureml.arc.extension#module:extension). So are values not named here.
  returned: success
  type: dict
pod_readiness:
  description:
    - What M(azureml.arc.pod_readiness) returned, of C(pods) only those that are not ready. V(null) where the pods were
      not checked.
  returned: success
  type: dict
endpoint:
  description: What M(azureml.arc.endpoint_check) returned. V(null) where the endpoint was not checked.
  returned: success
  type: dict
computes:
  description: What M(azureml.arc.compute) returned for each compute.
  returned: success
  type: list
  elements: dict
steps:
  description: The steps that were run, in their order.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: What the step does.
      type: str
    module:
      description: The module of this collection that did it.
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
      description: Set where it only compared.
      type: bool
wave:
  description:
    - The batch by the results so far, as M(azureml.arc.fleet) returns it. The outcome V(pending) is that of clusters
      whose flow is still running, V(unreachable) that of a host that did not answer.
  returned: if M(azureml.arc.fleet) has left the flow to this task
  type: dict
"""

from ansible.module_utils.basic import AnsibleModule

ARGUMENT_SPEC = {
    "flow": {"type": "str", "choices": ["deploy", "detach", "remove", "rotate_tls", "upgrade", "verify"]},
    "wait": {"type": "bool", "default": True},
}


def main():
    """For ansible-test; the action plugin does not run the module."""
    module = AnsibleModule(argument_spec=ARGUMENT_SPEC, supports_check_mode=True)
    module.fail_json(msg="azureml.arc.cluster is an action plugin and runs on the controller alone")


if __name__ == "__main__":
    main()
