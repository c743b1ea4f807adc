# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The free resources of nodes, as the scheduler computes them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._preflight.facts import Facts, requests_of

NODE = {
    "metadata": {"name": "n"},
    "status": {"allocatable": {"cpu": "10"}, "conditions": [{"type": "Ready", "status": "True"}]},
}


def container(cpu, restart=None):
    requests = {} if cpu is None else {"requests": {"cpu": cpu}}
    return {"name": "c", "resources": requests, **({"restartPolicy": restart} if restart else {})}


def sidecar(cpu):
    return container(cpu, "Always")


@pytest.mark.parametrize(
    ("containers", "init", "others", "reserved"),
    [
        ([container("100m"), container("200m")], [], {}, "0.3"),
        ([container("100m")], [container("500m"), container("200m")], {}, "0.5"),
        ([container("100m")], [sidecar("500m")], {}, "0.6"),
        ([container("100m")], [sidecar("500m"), sidecar("100m")], {}, "0.7"),
        # An init container runs at the same time as the sidecars before it, but not as those after it.
        ([container("100m")], [sidecar("500m"), container("1")], {}, "1.5"),
        ([container("100m")], [container("1"), sidecar("500m")], {}, "1.0"),
        ([container("100m")], [container("500m", "OnFailure")], {}, "0.5"),
        ([container("100m")], [], {"overhead": {"cpu": "250m", "memory": "1Gi"}}, "0.35"),
        ([container("100m")], [container("500m")], {"overhead": {"cpu": "250m"}}, "0.75"),
        # The requests of the whole pod replace those of its containers.
        ([container("100m")], [sidecar("500m")], {"resources": {"requests": {"cpu": "2"}}}, "2"),
        ([container("100m")], [], {"resources": {"requests": {"memory": "2Gi"}}}, "0.1"),
        ([container(None)], [container(None)], {}, "0"),
        ([], None, {"overhead": None}, "0"),
    ],
)
def test_reserved_resources_of_a_pod_are_those_of_the_scheduler(containers, init, others, reserved):
    spec = {"nodeName": "n", "containers": containers, "initContainers": init, **others}
    pod = requests_of({"metadata": {"namespace": "shop", "name": "p"}, "spec": spec})
    facts = Facts({"node_selector": None}, objects={"nodes": [NODE], "pods": [pod]})
    assert 10 - facts.free("cpu") == Decimal(reserved)
