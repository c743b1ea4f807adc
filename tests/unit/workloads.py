# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Workloads and pods in the form of the Kubernetes API, for tests."""

from __future__ import annotations


def deployment(name="gateway", replicas=1, generation=1, spec=None, **status) -> dict:
    return {
        "metadata": {"name": name, "generation": generation},
        "spec": {"replicas": replicas} if spec is None else spec,
        "status": {
            "observedGeneration": generation,
            "replicas": replicas,
            "updatedReplicas": replicas,
            "availableReplicas": replicas,
            **status,
        },
    }


def pod(name="gateway-1", phase="Running", ready=None, owner=None, containers=(), metadata=None, **status) -> dict:
    conditions = status.pop("conditions", [])
    if ready is not None:
        conditions = [*conditions, {"type": "Ready", "status": str(ready)}]
    references = [{"kind": owner[0], "name": owner[1], "controller": True}] if owner else []
    return {
        "metadata": {"name": name, "ownerReferences": references, **(metadata or {})},
        "spec": {"nodeName": "node-0"},
        "status": {"phase": phase, "conditions": conditions, "containerStatuses": list(containers), **status},
    }
