# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Errors in the variables of one host, and of several hosts together."""

from __future__ import annotations

import pytest
from ansible_collections.azureml.arc.plugins.plugin_utils._variables import checks
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.options import ClusterOptions

BASE = {
    "azureml_profile": "training",
    "azureml_settings_generation": "current",
    "azureml_resource_group": "rg",
    "azureml_workspace": {"name": "ws", "resource_group": "rg-ml"},
}
INFERENCE = {"azureml_profile": "inference", "azureml_inference_service": "node_port"}


def options(**variables) -> ClusterOptions:
    return ClusterOptions({**BASE, **{f"azureml_{name}": value for name, value in variables.items()}}, str)


@pytest.mark.parametrize("name", ["a1", "edge-1", "A" * 16, "x9"])
def test_valid_compute_name_is_accepted(name):
    assert checks.of_host(options(compute={"name": name})) == []


@pytest.mark.parametrize("name", ["a", "1edge", "edge-", "edge_compute", "x" * 17, "", "é1"])
def test_invalid_compute_name_is_rejected(name):
    (error,) = checks.of_host(options(compute={"name": name}))
    assert error.startswith(f"azureml_compute.name '{name}' must have 2 to 16 letters, digits and hyphens")


@pytest.mark.parametrize(
    ("variables", "error"),
    [
        ({"workspace": None, "compute": {"name": "edge"}}, "azureml_compute needs azureml_workspace"),
        ({"tls_secret": {"certificate": "c"}}, "azureml_tls_secret needs azureml_tls.secret_name"),
        ({"profile": "inference"}, "azureml_inference_service is required with azureml_profile inference"),
        (
            {"profile": "inference", "inference_service": "node_port"},
            "inference needs either azureml_tls, for HTTPS, or azureml_allow_insecure_connections: true",
        ),
        (
            {
                "profile": "inference",
                "inference_service": "node_port",
                "allow_insecure_connections": True,
                "compute": {"name": "edge", "instance_types": {"small": {}}},
            },
            "azureml_compute.instance_types are for training, but azureml_profile is inference",
        ),
        (
            {"prove": ["job"], "profile": "inference", "inference_service": "node_port"},
            "azureml_prove: job is for training, but azureml_profile is inference",
        ),
        ({"prove": ["job"], "compute": None}, "azureml_prove: job needs azureml_compute"),
        ({"prove": ["endpoint"]}, "azureml_prove: endpoint is for inference, but azureml_profile is training"),
        (
            {"inference_router_ha": True},
            "azureml_inference_router_ha is for inference, but azureml_profile is training",
        ),
    ],
)
def test_error_names_the_variables(variables, error):
    given = options(**variables)
    if variables.get("workspace", 1) is None:
        given = ClusterOptions({**BASE, "azureml_compute": {"name": "edge"}}, str)
        given._variables.pop("azureml_workspace")

    errors = checks.of_host(given)

    assert any(one.startswith(error) for one in errors), errors


@pytest.mark.parametrize(
    ("variables", "error"),
    [
        (
            {"settings": {"a": 1}, "protected_settings": {"a": 2}},
            "azureml_settings and azureml_protected_settings both have a; set each key in only one of them.",
        ),
        ({"settings": {"a": []}}, "azureml_settings: the value of 'a' must be a string, a number or a boolean."),
        (
            {"settings": {"enableTraining": False}},
            "azureml_settings: 'enableTraining: false' contradicts azureml_profile training.",
        ),
        (
            {"version": "1.1.1", "auto_upgrade_minor_version": True},
            "azureml_version pins a version and azureml_auto_upgrade_minor_version upgrades it: set only one of them.",
        ),
        (
            {"settings_generation": "2021"},
            "azureml_settings_generation 2021 needs azureml_version: current releases have other keys and components."
            " Set azureml_version to a release of 2021, or azureml_settings_generation to current.",
        ),
        (
            {"tls": {"secret_name": "s"}},
            "azureml_tls is for inference, but azureml_profile is training. Remove it, or choose a profile with"
            " inference.",
        ),
        (
            {
                **{name[len("azureml_") :]: value for name, value in INFERENCE.items()},
                "tls": {"certificate": "c", "cname": "c"},
            },
            "azureml_tls.private_key is missing: set both the certificate and its private key.",
        ),
    ],
)
def test_error_of_the_extension_names_variables_instead_of_options(variables, error):
    assert checks.of_host(options(**variables)) == [error]


def fleet(**hosts) -> dict[str, ClusterOptions]:
    return {
        name: options(cluster_name=name, **{"kubernetes": {"kubeconfig": name}, "compute": {"name": name}, **variables})
        for name, variables in hosts.items()
    }


def test_hosts_without_shared_values_are_valid():
    assert checks.of_fleet(fleet(f1={}, f2={}), ["f1", "f2"]) == {}


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"compute": {"name": "Edge"}}, "attach their clusters as the same compute edge"),
        ({"cluster_name": "SHOP"}, "refer to the same cluster in Azure"),
        (
            {"kubernetes": {"kubeconfig": "one"}},
            "connect to the same API server by azureml_kubernetes",
        ),
    ],
)
def test_value_that_hosts_must_not_share_is_an_error_of_each(variables, message):
    hosts = fleet(f1={}, f2={}, f3={})
    for name in ("f1", "f3"):
        hosts[name]._variables.update({f"azureml_{key}": value for key, value in variables.items()})

    errors = checks.of_fleet(hosts, list(hosts))

    assert errors == {name: [f"hosts f1, f3 {message}"] for name in ("f1", "f3")}


def test_hosts_that_differ_only_in_credentials_connect_to_the_same_cluster():
    address = {"host": "https://edge", "api_key": "a"}
    hosts = fleet(f1={"kubernetes": address}, f2={"kubernetes": {**address, "api_key": "b", "validate_certs": False}})

    assert set(checks.of_fleet(hosts, list(hosts))) == {"f1", "f2"}
    hosts["f2"].get("azureml_kubernetes")["proxy"] = "http://proxy"
    assert checks.of_fleet(hosts, list(hosts)) == {}


@pytest.mark.parametrize(
    "given", [{}, {"api_key": "a"}, {"validate_certs": False}, {"host": "", "proxy": "p"}], ids=repr
)
def test_connection_that_names_no_cluster_is_an_error_only_with_several_hosts(given):
    hosts = fleet(f1={"kubernetes": given}, f2={})

    (message,) = checks.of_fleet(hosts, ["f1", "f2"])["f1"]
    assert message.startswith("azureml_kubernetes needs kubeconfig, context or host, because ")
    assert checks.of_fleet(hosts, ["f2"]) == {}
    assert checks.of_fleet(fleet(f1={"kubernetes": given}), ["f1"]) == {}


@pytest.mark.parametrize("given", [{"kubeconfig": "k"}, {"context": "c"}, {"host": "h"}], ids=repr)
def test_connection_that_names_a_cluster_is_valid_with_several_hosts(given):
    assert checks.of_fleet(fleet(f1={"kubernetes": given}, f2={}), ["f1", "f2"]) == {}


@pytest.mark.parametrize(
    ("errors", "message"),
    [
        (["a is wrong"], "a is wrong; nothing was sent"),
        (["a is wrong.", "b is. Set c."], "a is wrong; b is. Set c; nothing was sent"),
    ],
)
def test_errors_are_joined_and_end_with_nothing_was_sent(errors, message):
    assert checks.nothing_sent(errors) == message


def test_equal_errors_of_several_hosts_are_grouped():
    assert checks.grouped({"f1": ["a", "b"], "f2": ["a"]}) == {"a": ["f1", "f2"], "b": ["f1"]}


@pytest.mark.parametrize(
    ("variable", "value"), [("waves", ["1", "100%"]), ("max_failures", "5%"), ("soak", 60)], ids=str
)
def test_variable_of_a_rollout_must_be_equal_on_all_hosts(variable, value):
    hosts = fleet(f1={}, f2={}, f3={variable: value})

    assert checks.of_rollout(hosts) == [
        f"azureml_{variable} applies to the whole rollout, but differs between hosts f1 and f3"
    ]
    assert checks.of_rollout(fleet(f1={variable: value}, f2={variable: value})) == []
