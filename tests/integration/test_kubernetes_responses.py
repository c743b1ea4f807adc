# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lost and invalid responses of a Kubernetes API."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.modules.instance_type import SPEC as INSTANCE_TYPE
from ansible_collections.azureml.arc.plugins.modules.node import SPEC as NODE
from ansible_collections.azureml.arc.plugins.modules.openshift_scc import SPEC as OPENSHIFT_SCC
from ansible_collections.azureml.arc.plugins.modules.tls_secret import SPEC as TLS_SECRET
from objects import DEFINITION, INSTANCE_TYPES, instance_types
from support import ModuleFailedError, requests_to

import certificates
from simulator.faults import KINDS

OLD, NEW = certificates.as_options(), certificates.as_options()
# Module, options of a first task or C(None), options of a second task that patches an object, and its path.
PATCHES = [
    (NODE, None, {"labels": {"pool": "ml"}}, "nodes/node-0"),
    (NODE, None, {"taints": [{"key": "ml.azure.com/amlarc", "effect": "NoSchedule"}]}, "nodes/node-0"),
    (NODE, {"labels": {"pool": "ml"}}, {"labels": {"pool": None}, "state": "absent"}, "nodes/node-0"),
    (OPENSHIFT_SCC, {}, {"compute_namespaces": ["ml"]}, "clusterrolebindings/"),
    (INSTANCE_TYPE, {"name": "gpu"}, {"name": "gpu", "node_selector": {"pool": "ml"}}, "instancetypes/gpu"),
    (TLS_SECRET, {"name": "ml", **OLD}, {"name": "ml", **NEW}, "secrets/ml"),
]
# JSON that is not a Kubernetes object, as a proxy might send it.
BODIES = ["null", "[]", '"no"', "1", '{"message": null, "reason": {}}']


@pytest.fixture
def run(run_module, simulator, openshift):
    def run(spec, **options):
        if spec is NODE:
            options = {"names": ["node-0"], **options}
        return run_module(spec, kubeconfig=simulator.kubeconfigs[openshift], **options)

    return run


@pytest.mark.parametrize("kind", ["reset, acted", "504, acted", "truncated"])
@pytest.mark.parametrize(("spec", "first", "second", "path"), PATCHES)
def test_patch_with_a_lost_response_is_reported_as_changed(
    run, create, simulator, openshift, spec, first, second, path, kind
):
    if spec is INSTANCE_TYPE:
        create(openshift, *DEFINITION, INSTANCE_TYPES, spec=instance_types())
    if first is not None:
        run(spec, **first)
    simulator.add_fault(path=path, method="PATCH", times=1, **KINDS[kind])
    assert run(spec, **second)["changed"]
    assert len(requests_to(simulator, "PATCH", path)) >= 2
    assert not run(spec, **second)["changed"]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize(
    ("status", "hint"), [(401, "check kubeconfig, context or api_key"), (403, "The account may not list nodes")]
)
def test_hint_does_not_depend_on_the_body(run, simulator, status, hint, body):
    simulator.add_fault(path="/nodes", status=status, body=body, content_type="application/json")
    with pytest.raises(ModuleFailedError, match=f"HTTP {status}.*{hint}") as failure:
        run(NODE, labels={"pool": "ml"})
    assert failure.value.result["error"]["status"] == status


@pytest.mark.parametrize("body", BODIES)
def test_response_that_is_not_an_object_is_an_error(run, simulator, body):
    simulator.add_fault(path="/nodes", status=200, body=body, content_type="application/json")
    with pytest.raises(ModuleFailedError, match="Reading Nodes at .*: the response is not from a Kubernetes API"):
        run(NODE, labels={"pool": "ml"})


def test_webhook_that_denied_a_request_is_named(run, simulator):
    message = 'admission webhook \\"validation.gatekeeper.sh\\" denied the request: [labels] not yours'
    body = f'{{"kind": "Status", "code": 403, "reason": "Forbidden", "message": "{message}"}}'
    simulator.add_fault(path="/nodes/node-0", method="PATCH", status=403, body=body, content_type="application/json")
    with pytest.raises(ModuleFailedError, match="Webhook validation.gatekeeper.sh of the cluster refuses") as failure:
        run(NODE, labels={"pool": "ml"})
    assert "The account may not" not in failure.value.result["msg"]
