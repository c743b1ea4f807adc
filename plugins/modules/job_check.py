#!/usr/bin/python
# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: job_check
short_description: Prove that a Kubernetes compute runs jobs
description:
  - Submits a tiny command job to a compute of an Azure Machine Learning workspace, and waits until it has completed.
    Pods of the extension that run, and an attachment that succeeded, do not prove that a job does.
  - A repeat on the same day (in UTC) reuses a job that has completed, and waits for one that has not ended, if compute,
    O(instance_types), O(environment), O(command) and O(revision) are the same. After a failed job it submits a new one.
  - If the job does not complete, the task fails with the cause and its fix. They come from the error of the job's run
    in Azure, and from its pods and their events in the cluster while these exist. A job that has not ended by then is
    canceled.
  - Deletes jobs of the same compute that it has submitted itself and that are older than O(keep_days). It knows them by
    tag C(azureml_arc_job_check), and leaves all others alone.
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
    details: Finds a job to reuse, or returns the request that would submit one.
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
      - Environment of the job, one of a registry as in the default, or the ARM id of one of the workspace.
      - Online deployments on Kubernetes take none of a registry. For jobs no such limit is documented; if the service
        refuses one, give one of the workspace.
      - The nodes pull its image, which takes minutes at the first time. Clusters without a way to the public registry
        need one from the registry of the workspace.
    type: str
    default: azureml://registries/azureml/environments/sklearn-1.5/labels/latest
  command:
    description: Command of the job. It runs for ten minutes at most.
    type: str
    default: echo hello from the cluster
  revision:
    description:
      - What the proof holds for besides, as any text. If it differs, a job of the same day is not reused. Playbooks
        give the version and settings of the extension.
    type: str
    default: ""
  inspect_pods:
    description:
      - Whether to look at the pods of the job, for the node that it runs on and for the cause of a failure. If the
        cluster cannot be reached, the task warns and relies on Azure alone.
    type: bool
    default: true
  keep_days:
    description: Age in days from which on ended jobs of this module are deleted.
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

- name: Show where jobs ran, and how long they waited
  ansible.builtin.debug:
    msg: "{{ azureml_jobs.jobs | items2dict(key_name='node', value_name='queue_seconds') }}"
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
      description: Whether it was found instead of submitted.
      type: bool
    canceled:
      description: Whether it was canceled because O(wait_timeout) passed.
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
      description: Its pods as they were seen last; for the fields see RV(azureml.arc.pod_readiness#module:pods).
      type: list
      elements: dict
    cause:
      description: Why it has not completed, V(null) where it has.
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
          description: What to do about it.
          type: str
    request:
      description: The request that submitted it, or would in check mode; V(null) where it was reused.
      type: dict
removed_jobs:
  description: Names of the old jobs that were deleted, or would be in check mode.
  returned: always, once the compute was found
  type: list
  elements: str
error:
  description: What went wrong; for the fields see RV(azureml.arc.extension#module:error).
  returned: failure
  type: dict
"""

from ansible_collections.azureml.arc.plugins.module_utils._azure import client as azure_client
from ansible_collections.azureml.arc.plugins.module_utils._core import options
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleSpec, run_module
from ansible_collections.azureml.arc.plugins.module_utils._jobs import module as _job_check

# Command jobs take environments by such an address. Sources: quickstart machine-learning-job-create-or-update-job of
# https://github.com/Azure/azure-quickstart-templates; azure-ai-ml 1.35, which sends one with a label as it is.
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
