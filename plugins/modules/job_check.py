#!/usr/bin/python
# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: job_check
short_description: Prove that a Kubernetes compute runs jobs
description:
  - Submits a small command job to a compute of an Azure Machine Learning workspace, and waits until it has completed.
    Running pods of the extension and a successful attachment do not prove that jobs run.
  - A later task on the same day (in UTC) reuses a completed job, and waits for one in progress, if compute,
    O(instance_types), O(environment), O(command) and O(revision) are the same. After a failed job it submits a new one.
  - If the job does not complete, the task fails with the cause and the fix. They are derived from the error of the
    job's run in Azure, and from its pods and their events in the cluster as long as these exist. A job that exceeds
    O(wait_timeout) is canceled.
  - Deletes ended jobs of the same compute that are older than O(keep_days) and have the tag C(azureml_arc_job_check),
    which this module sets. Other jobs are never deleted.
version_added: 1.0.0
author: azureml.arc contributors (@azureml-arc)
extends_documentation_fragment:
  - azureml.arc.attributes
  - azureml.arc.azure
  - azureml.arc.kubernetes
  - azureml.arc.workspace
attributes:
  check_mode:
    support: full
    details: Finds a job to reuse, or returns the request that would be sent.
  diff_mode:
    support: full
  in_process:
    support: full
options:
  compute:
    description: Name of the compute.
    type: str
    required: true
  instance_types:
    description:
      - Instance types to submit a job for, one after the other.
      - Defaults to one job with the default instance type of the compute.
    type: list
    elements: str
  each_instance_type:
    description: Submit a job for each instance type that the compute was attached with, one after the other.
    type: bool
    default: false
  environment:
    description:
      - Environment of the job. Either one from a registry, as in the default, or the ARM id of one in the workspace.
      - Online deployments on Kubernetes do not support environments from a registry. No such limit is documented for
        jobs; if the service refuses the environment, use one in the workspace.
      - The node pulls the image of the environment, which takes minutes the first time. Clusters that cannot reach the
        public registry need an environment whose image is in the registry of the workspace.
    type: str
    default: azureml://registries/azureml/environments/sklearn-1.5/labels/latest
  command:
    description: Command of the job. It is canceled after ten minutes.
    type: str
    default: echo hello from the cluster
  revision:
    description:
      - Any text that identifies the state that the job proves. A job with another revision is not reused. Playbooks
        pass a value derived from the version and settings of the extension.
    type: str
    default: ""
  inspect_pods:
    description:
      - Read the pods of the job to find its node and the cause of a failure. If the cluster cannot be reached, the
        task warns and uses only data from Azure.
    type: bool
    default: true
  keep_days:
    description: Age in days after which ended jobs of this module are deleted.
    type: int
    default: 7
  wait_timeout:
    description: Seconds to wait for each job at most.
    type: int
    default: 1800
seealso:
  - module: azureml.arc.compute
  - module: azureml.arc.pod_readiness
"""

EXAMPLES = r"""
- name: Prove that the compute runs jobs
  azureml.arc.job_check:
    workspace: {name: ws, resource_group: rg-ml}
    compute: shop-0042
    kubeconfig: ~/.kube/shop-0042

- name: Prove each instance type, with an environment of the workspace
  azureml.arc.job_check:
    workspace: {name: ws, resource_group: rg-ml}
    compute: shop-0042
    instance_types: [small, gpu]
    environment: "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg-ml/providers/\
      Microsoft.MachineLearningServices/workspaces/ws/environments/smoke/versions/3"
    command: nvidia-smi || true
    kubeconfig: ~/.kube/shop-0042
    wait_timeout: 900
  register: checked

- name: Show the node and the queue time of each job
  ansible.builtin.debug:
    msg: "{{ checked.jobs | items2dict(key_name='node', value_name='queue_seconds') }}"
"""

RETURN = r"""
succeeded:
  description: Whether all jobs have completed.
  returned: always, once the compute was found
  type: bool
jobs:
  description: The jobs, one for each instance type.
  returned: always, once the compute was found
  type: list
  elements: dict
  contains:
    name:
      description: Name of the job.
      type: str
      sample: arc-check-shop-0042-20261126-3f8c1d20ab
    id:
      description: Its ARM id.
      type: str
    compute:
      description: Name of the compute.
      type: str
    instance_type:
      description: Its instance type, V(null) for the default one of the compute.
      type: str
    status:
      description: Its status as Azure names it, V(NotSubmitted) in check mode.
      type: str
      sample: Completed
    succeeded:
      description: Whether it has completed.
      type: bool
    reused:
      description: Whether a job of the same day was reused instead of a new one submitted.
      type: bool
    canceled:
      description: Whether it was canceled because it exceeded O(wait_timeout).
      type: bool
    queue_seconds:
      description: Seconds from its submission to its start, V(null) if unknown.
      type: float
    seconds:
      description: Seconds from its start to its end, V(null) if unknown.
      type: float
    node:
      description: Node of its pod, empty if unknown.
      type: str
    studio_url:
      description: Its page in studio, V(null) if unknown.
      type: str
    pods:
      description: Its pods as they were read last; for the fields see RV(azureml.arc.pod_readiness#module:pods).
      type: list
      elements: dict
    cause:
      description: Why it did not complete, V(null) if it did.
      type: dict
      contains:
        code:
          description: The kind of the cause.
          type: str
          sample: JobUnschedulable
        message:
          description: The cause.
          type: str
          sample: "pod azureml-1c2d-worker-0: Unschedulable: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu."
        fix:
          description: How to fix it.
          type: str
    request:
      description: The request that submitted it, or would submit it in check mode. V(null) if it was reused.
      type: dict
removed_jobs:
  description: Names of the old jobs that were deleted, or would be deleted in check mode.
  returned: always, once the compute was found
  type: list
  elements: str
error:
  description: The error; for the fields see RV(azureml.arc.extension#module:error).
  returned: failure
  type: dict
"""

from ansible_collections.azureml.arc.plugins.module_utils._azure import client as azure_client
from ansible_collections.azureml.arc.plugins.module_utils._core import options
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleSpec, run_module
from ansible_collections.azureml.arc.plugins.module_utils._jobs import module as _job_check

# Command jobs accept the address of an environment with a label. Sources: quickstart
# machine-learning-job-create-or-update-job of https://github.com/Azure/azure-quickstart-templates; azure-ai-ml 1.35,
# which sends such an address unchanged.
ENVIRONMENT = "azureml://registries/azureml/environments/sklearn-1.5/labels/latest"
SPEC = ModuleSpec(
    run=_job_check.run,
    libraries=azure_client.LIBRARIES,
    argument_spec={
        **options.AZURE,
        **options.KUBERNETES,
        **options.WORKSPACE,
        "compute": {"type": "str", "required": True},
        "instance_types": {"type": "list", "elements": "str"},
        "each_instance_type": {"type": "bool", "default": False},
        "environment": {"type": "str", "default": ENVIRONMENT},
        "command": {"type": "str", "default": "echo hello from the cluster"},
        "revision": {"type": "str", "default": ""},
        "inspect_pods": {"type": "bool", "default": True},
        "keep_days": {"type": "int", "default": 7},
        "wait_timeout": {"type": "int", "default": 1800},
    },
    rules={"mutually_exclusive": [("instance_types", "each_instance_type")]},
)


def main():
    run_module(SPEC)


if __name__ == "__main__":
    main()
