# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of modules that follow from the variables of the role."""

from __future__ import annotations

import json

import pytest
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.modules import (
    compute,
    extension,
    node_preflight,
    openshift_scc,
    pod_readiness,
    preflight,
)
from ansible_collections.azureml.arc.plugins.plugin_utils._variables import checks, tables
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.options import ClusterOptions
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.specs import specification

FILES = {
    "ml.json": json.dumps({"namespace": "from-file"}).encode(),
    "bare.json": b"{}",
    "broken.json": b"{",
    "list.json": b"[]",
}
GPU, NO_GPU = (
    {"name": "c", "instance_types": {"t": {"resources": {"limits": {"nvidia.com/gpu": count}}}}} for count in (1, "0")
)
TABLES = {
    "preflight": (preflight, ["CLUSTER", "INSTALL", "PREFLIGHT"]),
    "extension": (extension, ["CLUSTER", "INSTALL", "EXTENSION"]),
    "pod_readiness": (pod_readiness, ["INSTALL", "READINESS"]),
    "openshift_scc": (openshift_scc, ["OPENSHIFT_SCC"]),
    "compute": (compute, ["CLUSTER", "COMPUTE"]),
}


def options(**variables) -> ClusterOptions:
    return ClusterOptions(
        {f"azureml_{name}": value for name, value in variables.items()}, lambda _option, path: FILES[path]
    )


@pytest.mark.parametrize("module", list(TABLES))
def test_tables_contain_only_options_of_the_module_and_variables_of_the_role(module):
    spec, names = TABLES[module]
    for table in (getattr(tables, name) for name in names):
        assert table.keys() <= spec.SPEC.argument_spec.keys()
        assert set(table.values()) <= specification().keys()


def test_unset_variables_are_not_passed_to_the_module():
    assert options(resource_group="rg").extension() == {"resource_group": "rg"}
    assert options().compute({"name": "edge"}) == {"name": "edge"}


@pytest.mark.parametrize(
    ("detected", "variables", "installs"),
    [
        ({}, {}, {}),
        ({"install_volcano": False}, {}, {"install_volcano": False}),
        ({"install_volcano": False}, {"install_volcano": True}, {"install_volcano": True}),
    ],
)
def test_variables_take_precedence_over_detected_components(detected, variables, installs):
    one = options(**variables)
    one.detected.update(detected)

    assert {name: value for name, value in one.extension().items() if name.startswith("install_")} == installs


def test_name_and_components_of_the_found_extension_are_passed_to_later_steps():
    one = options(extension_name="azureml")
    one.learn({"name": "arcml-extension", "install_options": {"install_volcano": False}})

    assert one.pod_readiness() == {"extension_name": "arcml-extension", "install_volcano": False}
    assert one.openshift_scc()["extension_name"] == "arcml-extension"
    assert one.extension()["name"] == "azureml"


def test_compute_uses_the_names_of_the_cluster_in_azure():
    one = options(cluster_name="F1", resource_group="RG-EDGE", cluster_type="connected_cluster")
    subscription = "00000000-0000-0000-0000-000000000001"
    group = f"/subscriptions/{subscription}/resourceGroups/rg-edge"
    one.learn(None, {"id": f"{group}/providers/Microsoft.Kubernetes/connectedClusters/f1"})

    given = one.compute({"name": "edge"})

    assert (given["cluster_name"], given["resource_group"], given["subscription_id"]) == ("f1", "rg-edge", subscription)
    assert given["cluster_type"] == "connected_cluster"
    assert one.extension()["cluster_name"] == "F1"


def test_modules_get_only_the_credentials_for_azure_or_for_the_cluster():
    one = options(sign_in={"secret": "s"}, kubernetes={"kubeconfig": "k"}, tls_secret={"certificate": "c"})

    for azure in (one.extension(), one.azure_preflight(), one.compute({"name": "edge"})):
        assert azure["secret"] == "s"
        assert "kubeconfig" not in azure
    for cluster in (
        *(one.pod_readiness(), one.openshift_scc(), one.tls_secret(), one.kubernetes_preflight(), one.endpoint_check()),
        *(one.namespace("n"), one.node({}), one.instance_type([]), one.cluster_identity({"id": "i"})),
    ):
        assert cluster["kubeconfig"] == "k"
        assert "secret" not in cluster


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"profile": "training"}, {"workload_profile": "training", "gpu": False, "skip_checks": []}),
        ({"compute": GPU}, {"gpu": True}),
        ({"computes": [GPU]}, {"gpu": True}),
        ({"compute": NO_GPU}, {"gpu": False}),
        ({"compute": GPU, "gpu": False}, {"gpu": False}),
        ({"selinux_mode": "disabled", "machine_skip_checks": ["disk"]}, {"skip_checks": ["disk", "selinux"]}),
        ({"machine_disk_paths": ["~/d"], "minimum_free_disk": 7}, {"disk_paths": ["~/d"], "minimum_free_disk": 7}),
    ],
)
def test_checks_of_a_machine_follow_its_variables(variables, expected):
    given = options(**variables).node_preflight()

    assert {name: given[name] for name in expected} == expected
    assert given.keys() <= node_preflight.SPEC.argument_spec.keys()


def test_preflight_requires_only_namespaces_that_are_not_created_later():
    computes = [
        {"name": "a", "namespace": "vision"},
        {"name": "b", "namespace": "new", "create_namespace": True},
        {"name": "c", "namespace": "default"},
    ]
    given = options(computes=computes, skip_checks=["nodes"]).azure_preflight()

    assert given["compute_namespaces"] == ["vision"]
    assert given["skip_checks"] == ["nodes", "openshift_scc"]


@pytest.mark.parametrize(
    ("computes", "namespaces"),
    [
        ([], []),
        ([{"namespace": "a"}, {"namespace": "a"}, {"config_file": "ml.json"}], ["a", "from-file"]),
        ([{"config_file": "bare.json"}], ["default"]),
    ],
)
def test_namespaces_of_computes_are_also_read_from_configuration_files(computes, namespaces):
    assert options(computes=computes).compute_namespaces == namespaces


def test_configuration_file_is_read_once():
    paths = []

    def read_file(_variable: str, path: str) -> bytes:
        paths.append(path)
        return FILES[path]

    variables = {
        "azureml_profile": "training",
        "azureml_settings_generation": "current",
        "azureml_workspace": {"name": "ws", "resource_group": "rg-ml"},
        "azureml_compute": {"name": "edge", "config_file": "ml.json"},
    }
    one = ClusterOptions(variables, read_file)

    assert checks.of_host(one) == []
    assert one.compute_namespaces == ["from-file"]
    assert paths == ["ml.json"]


@pytest.mark.parametrize("path", ["broken.json", "list.json"])
def test_configuration_file_without_a_json_object_is_rejected(path):
    with pytest.raises(AzureMLError, match=f"azureml_compute.config_file {path}: "):
        options(compute={"name": "a", "config_file": path}).openshift_scc()


def test_secret_has_the_name_from_azureml_tls():
    one = options(tls={"secret_name": "ml", "cname": "ml.example.com"}, tls_secret={"certificate": "c"})

    assert one.tls_secret(state="absent") == {
        "certificate": "c",
        "name": "ml",
        "cname": "ml.example.com",
        "state": "absent",
    }


CERTIFICATE = {"fingerprint": "ab", "chain": ["cd", "ef"]}


@pytest.mark.parametrize(
    ("tls", "certificate", "expected"),
    [
        (None, None, {"scheme": "http"}),
        ({"secret_name": "ml", "cname": "c"}, None, {"cname": "c", "secret_name": "ml"}),
        ({"secret_name": "ml", "cname": "c"}, CERTIFICATE, {"cname": "c", "chain": ["cd", "ef"]}),
        ({"certificate": "f", "cname": "c"}, CERTIFICATE, {"cname": "c", "chain": ["cd", "ef"]}),
        ({"certificate": "f", "cname": "c"}, None, {"cname": "c"}),
    ],
)
def test_endpoint_is_compared_with_the_known_certificate_or_the_secret(tls, certificate, expected):
    one = options(**({"tls": tls} if tls else {}))
    one.certificate = certificate
    assert one.endpoint_check() == expected
    one._variables["azureml_kubernetes_via"] = "node"
    assert one.endpoint_check() == {**expected, "on_node": True}


def test_extension_gets_the_fingerprint_of_a_secret_only_if_the_role_writes_it():
    tls = {"secret_name": "ml", "cname": "c"}
    ours, theirs = options(tls=tls, tls_secret={"certificate": "f"}), options(tls=tls)
    for one in (ours, theirs):
        one.certificate = CERTIFICATE

    assert ours.extension()["tls"] == {**tls, "secret_sha256": "ab"}
    assert theirs.extension()["tls"] == tls


def test_first_generation_has_no_instance_types_in_the_cluster():
    assert options(settings_generation="current").has_instance_types
    assert not options(settings_generation="2021").has_instance_types
