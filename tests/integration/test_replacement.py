# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M(azureml.arc.extension) replaces an extension that cannot be updated to the desired state."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._azure.client import open_session
from ansible_collections.azureml.arc.plugins.module_utils._azure.resource import ArmResource
from ansible_collections.azureml.arc.plugins.module_utils._core.polling import Deadline
from ansible_collections.azureml.arc.plugins.module_utils._core.runner import ModuleSpec
from ansible_collections.azureml.arc.plugins.modules.extension import SPEC
from objects import extension_id
from support import ModuleFailedError, writes


@pytest.fixture
def other_namespace(run_module, arc):
    """Install an extension into another release namespace, with a setting that the module does not manage."""
    body = {
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "extensionType": "Microsoft.AzureML.Kubernetes",
            "scope": {"cluster": {"releaseNamespace": "ml"}},
            "configurationSettings": {"enableTraining": "True", "amloperator.custom_ip_interface": "eth1"},
        },
    }

    def put(call):
        session = open_session(call)
        resource = ArmResource(session, extension_id(arc), "2025-03-01", "extension", Deadline(60))
        yield from resource.submit("PUT", wait=True, present=None, body=body)
        return {}

    run_module(ModuleSpec(run=put, argument_spec=SPEC.argument_spec), resource_group="rg-edge", cluster_name=arc)


@pytest.mark.usefixtures("other_namespace")
def test_other_release_namespace_is_replaced_only_with_force_replace(run_module, simulator, training):
    with pytest.raises(
        ModuleFailedError, match="release_namespace is ml instead of azureml.*Set force_replace to true"
    ):
        run_module(SPEC, **training)
    assert len(writes(simulator)) == 1

    planned = run_module(SPEC, check_mode=True, force_replace=True, **training)
    assert planned["plan"]["action"] == "replace"
    assert planned["plan"]["properties"] == {"release_namespace": {"before": "ml", "after": "azureml"}}
    simulator.clear_journal()

    result = run_module(SPEC, force_replace=True, wait=False, **training)

    changes = [method for method, path in writes(simulator) if path.endswith("/extensions/azureml")]
    assert changes == ["DELETE", "PUT"]
    assert result["changed"]
    assert result["extension"]["release_namespace"] == "azureml"
    assert result["unmanaged_settings"] == {"amloperator.custom_ip_interface": "eth1"}
    assert run_module(SPEC, **training)["plan"]["action"] == "none"


@pytest.mark.usefixtures("other_namespace")
def test_conflict_between_delete_and_put_keeps_unmanaged_settings(run_module, simulator, training, arc):
    simulator.add_fault(method="PUT", path=f"{arc}/.*/extensions/azureml$", status=409, times=2)

    result = run_module(SPEC, force_replace=True, **training)

    assert result["plan"]["action"] == "replace"
    assert result["unmanaged_settings"] == {"amloperator.custom_ip_interface": "eth1"}
    assert result["extension"]["settings"]["amloperator.custom_ip_interface"] == "eth1"


@pytest.mark.usefixtures("other_namespace")
def test_failed_replacement_shows_the_request_without_secrets(run_module, simulator, training, arc):
    simulator.add_fault(method="PUT", path=f"{arc}/.*/extensions/azureml$", status=403)

    with pytest.raises(
        ModuleFailedError, match="deleted in order to be replaced.*has not been created again"
    ) as failure:
        run_module(SPEC, force_replace=True, protected_settings={"password": "of-a-proxy"}, **training)

    properties = failure.value.result["replacement"]["properties"]
    assert properties["configurationSettings"]["amloperator.custom_ip_interface"] == "eth1"
    assert properties["configurationProtectedSettings"]["password"] == "(hidden)"
    assert '"amloperator.custom_ip_interface": "eth1"' in str(failure.value)
    assert "of-a-proxy" not in str(failure.value.result)
    assert "SharedAccessKey=" not in str(failure.value.result)


@pytest.mark.usefixtures("other_namespace")
def test_rejected_deletion_returns_no_replacement(run_module, simulator, training, arc):
    simulator.add_fault(method="DELETE", path=f"{arc}/.*/extensions/azureml$", status=403)
    with pytest.raises(ModuleFailedError, match="HTTP 403") as failure:
        run_module(SPEC, force_replace=True, **training)
    assert "replacement" not in failure.value.result
