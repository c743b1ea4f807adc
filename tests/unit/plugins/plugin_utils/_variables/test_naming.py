# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Messages of modules name variables in playbooks."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.plugin_utils._flows.steps import StepFailedError
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.naming import in_variables


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Set allow_disruption to true to allow it.", "Set azureml_allow_disruption to true to allow it."),
        ("Set force_reattach to true.", "Set azureml_force_reattach to true."),
        ("or set create_namespace to true", "or set azureml_compute.create_namespace to true"),
        ("Check cluster_name, cluster_type.", "Check azureml_cluster_name, azureml_cluster_type."),
        ("no node has the labels of its node selector", "no node has the labels of its node selector"),
        ("subscription_id is not set", "azureml_subscription_id is not set"),
        ("tls.certificate expires", "azureml_tls.certificate expires"),
        (
            "Check workspace.name and workspace.subscription_id.",
            "Check azureml_workspace.name and azureml_workspace.subscription_id.",
        ),
        ("or choose another auth_source", "or choose another azureml_sign_in.auth_source"),
        ("ANSIBLE_AZURE_AUTH_SOURCE", "ANSIBLE_AZURE_AUTH_SOURCE"),
        (
            "Correct the connection (kubeconfig, context, host), or cluster_name.",
            "Correct the connection (azureml_kubernetes), or azureml_cluster_name.",
        ),
        ("set components to those", "set azureml_components to those"),
        ("Set version to a release", "Set azureml_version to a release"),
        ("all components of this version", "all components of this version"),
        ("Set azureml_allow_disruption", "Set azureml_allow_disruption"),
        ("azureml_compute.create_namespace", "azureml_compute.create_namespace"),
        ("config_file.cluster_name", "config_file.cluster_name"),
        ("TLS.certificate of https://tls.example.com", "TLS.certificate of https://tls.example.com"),
    ],
)
def test_options_are_replaced_by_their_variables(text, expected):
    assert in_variables(text) == expected


def test_failure_of_a_step_names_variables_in_all_its_messages():
    hint, fix = "Set force_replace to true.", "Set azureml_force_replace to true."
    result = {
        "msg": hint,
        "error": {"hint": hint, "status": 400},
        "findings": [{"fix": hint}],
        "plan": {"reason": hint},
    }

    failure = StepFailedError("Deploy", result)

    assert str(failure) == f"Deploy: {fix}"
    assert failure.result == {
        "msg": fix,
        "error": {"hint": fix, "status": 400},
        "findings": [{"fix": fix}],
        "plan": {"reason": hint},
    }
