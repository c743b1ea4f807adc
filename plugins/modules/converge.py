# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

DOCUMENTATION = r"""
module: converge
short_description: Bring all clusters of a play to what their variables say, or verify them, in one task
version_added: 1.0.0
description:
  - Does for each host what role P(azureml.arc.azureml#role) does, by the same variables, but for all of them in one
    process. A task for a host costs the controller a process of its own, several times what it takes to find out that a
    cluster needs no change.
  - Compares each cluster first. What differs is submitted on all clusters before any is waited for.
  - Runs once for all hosts of the play, with C(serial) of the present batch, and takes as many of them at a time as
    there are forks. Conditions and the C(environment) of the task, and of what it stands in, are those of the host that
    it runs for.
  - That a cluster has failed does not fail the task. M(azureml.arc.outcome) makes of what is returned a result of each
    host.
  - Playbooks C(azureml.arc.deploy), C(azureml.arc.rollout), C(azureml.arc.verify) and C(azureml.arc.report) use it.
options:
  argument_spec:
    description:
      - What the variables of each host are checked against before anything is done, as
        C(ansible.builtin.validate_argument_spec) takes it. Where something is wrong, the cluster fails.
    type: dict
    default: {}
  parts:
    description:
      - Which parts to do. What is compared is the whole, and a cluster that is as wanted is done with.
      - V(extension) is the extension with all that it needs in Azure and in the cluster, V(readiness) waits for its
        pods, V(attach) attaches the cluster and defines instance types.
    type: list
    elements: str
    choices: [extension, readiness, attach]
    default: [extension, readiness, attach]
  verify:
    description:
      - Only compare, all of it, and let a cluster fail that is not what its variables say. Nothing is changed, and
        O(parts) has no meaning.
    type: bool
    default: false
  show:
    description: Whether to show a line for each cluster as soon as it is done.
    type: bool
    default: true
extends_documentation_fragment:
  - azureml.arc.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details: M(azureml.arc.outcome) shows the differences of a cluster.
  in_process:
    support: full
    details: It runs nowhere else. Clusters whose modules have to run elsewhere are left out, see RV(apart).
author: azureml.arc contributors (@azureml-arc)
"""

EXAMPLES = r"""
- name: Bring all clusters to what their variables say
  azureml.arc.converge:
  delegate_to: localhost
  run_once: true # so that all hosts have the variable
  register: converged
  changed_when: false # each host says so itself

- name: Show the outcome
  azureml.arc.outcome:
    outcome: "{{ converged.clusters[inventory_hostname] }}"
  delegate_to: localhost
"""

RETURN = r"""
clusters:
  description: What has become of each cluster, by host. Secrets are blanked.
  returned: success
  type: dict
  contains:
    changed:
      description: Whether anything was changed, in check mode whether anything would be.
      type: bool
    failed:
      description: Set where the cluster has failed.
      type: bool
    failed_step:
      description: Which of RV(clusters.steps) has failed. What its module returned stands beside it.
      type: str
    msg:
      description: What was done in a line, or why it failed.
      type: str
    as_wanted:
      description: Whether the comparison has found nothing to do.
      type: bool
    findings:
      description: With O(verify) what is not as wanted, in words.
      type: list
      elements: str
    plan:
      description: What was done with the extension, or would be; see RV(azureml.arc.extension#module:plan).
      type: dict
    extension:
      description: The extension; see RV(azureml.arc.extension#module:extension). So are values not named here.
      type: dict
    pod_readiness:
      description:
        - What M(azureml.arc.pod_readiness) returned, of C(pods) only those that are not ready. V(null) where the pods
          were not looked at.
      type: dict
    computes:
      description: What M(azureml.arc.compute) returned for each compute.
      type: list
      elements: dict
    steps:
      description: The steps that were taken, in their order.
      type: list
      elements: dict
      contains:
        name:
          description: What the step does; the role's tasks for one cluster are called the same.
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
    diff:
      description: What was changed, before and after, in diff mode.
      type: list
      elements: dict
  sample:
    shop-1:
      changed: false
      as_wanted: true
      msg: extension as it was, 10 of 10 components and 10 of 10 pods are ready, compute as it was
apart:
  description:
    - Hosts that were left out, because modules do not run in the controller's process for them. Their clusters are
      reached from a node (C(azureml_kube_from) is V(node)), or that is switched off.
  returned: success
  type: list
  elements: str
"""
