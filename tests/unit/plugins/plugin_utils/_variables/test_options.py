# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options of modules by the variables of the role."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from ansible_collections.azureml.arc.plugins.module_utils._core.errors import AzureMLError
from ansible_collections.azureml.arc.plugins.modules import (
    compute,
    extension,
    openshift_scc,
    pod_readiness,
    preflight,
    tls_secret,
)
from ansible_collections.azureml.arc.plugins.plugin_utils._variables import options as _cluster_options
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.options import ClusterOptions
from ansible_collections.azureml.arc.plugins.plugin_utils._variables.reading import NAMES

ROLE = Path(__file__).resolve().parents[5] / "roles" / "azureml"
FILES = {"ml.json": json.dumps({"namespace": "from-file"}), "bare.json": "{}", "broken.json": "{", "list.json": "[]"}
TABLES = {
    "preflight": (preflight, ["CLUSTER", "INSTALL", "PREFLIGHT"]),
    "extension": (extension, ["CLUSTER", "INSTALL", "EXTENSION"]),
    "pod_readiness": (pod_readiness, ["INSTALL", "READINESS"]),
    "openshift_scc": (openshift_scc, ["OPENSHIFT_SCC"]),
    "compute": (compute, ["CLUSTER", "COMPUTE"]),
}


def options(known=None, **variables) -> ClusterOptions:
    named = {f"azureml_{name}": value for name, value in variables.items()}
    return ClusterOptions(named, FILES.__getitem__, known)


@pytest.mark.parametrize("module", list(TABLES))
def test_tables_name_options_of_the_module_and_variables_of_the_role(module):
    spec, tables = TABLES[module]
    documented = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    variables = documented["argument_specs"]["main"]["options"]
    for table in (getattr(_cluster_options, name) for name in tables):
        assert table.keys() <= spec.SPEC.argument_spec.keys()
        assert set(table.values()) <= variables.keys()
        assert set(table.values()) <= set(NAMES)


def test_what_is_not_defined_is_left_to_the_module():
    assert options(resource_group="rg", version=None).extension() == {"resource_group": "rg", "version": None}
    assert options().compute({"name": "edge"}) == {"name": "edge"}


@pytest.mark.parametrize(
    ("known", "variables", "installs"),
    [
        ({}, {}, {}),
        ({"install_volcano": False}, {}, {"install_volcano": False}),
        ({"install_volcano": False}, {"install_volcano": True}, {"install_volcano": True}),
        ({"install_volcano": False}, {"install_volcano": ""}, {"install_volcano": False}),
    ],
)
def test_components_are_as_the_variables_say_else_as_was_found(known, variables, installs):
    for module in ("extension", "pod_readiness", "preflight"):
        found = getattr(options(known, **variables), module)()
        assert {name: value for name, value in found.items() if name.startswith("install_")} == installs, module


def test_namespaces_of_computes():
    found = options(
        compute={"name": "a", "namespace": "ml"},
        computes=[
            {"name": "b", "namespace": "new", "create_namespace": True},
            {"name": "c", "namespace": "default"},
            {"name": "d", "config_file": "ml.json"},
            {"name": "e", "config_file": "bare.json"},
            {"name": "f"},
        ],
    )

    assert [one["name"] for one in found.attachments] == ["a", "b", "c", "d", "e", "f"]
    assert found.created_namespaces == ["new"]
    assert found.openshift_scc()["compute_namespaces"] == ["ml", "new", "default", "from-file"]
    assert found.preflight()["compute_namespaces"] == ["ml"]


@pytest.mark.parametrize(("name", "message"), [("broken.json", "broken.json: Expecting"), ("list.json", "JSON object")])
def test_configuration_files_that_are_none(name, message):
    with pytest.raises(AzureMLError, match=message):
        options(compute={"name": "a", "config_file": name}).openshift_scc()


def test_an_attachment_stands_above_what_all_have_in_common():
    found = options(workspace={"name": "one"}, cluster_name="shop", compute={"name": "edge"})

    assert found.compute(found.attachments[0]) == {
        "workspace": {"name": "one"},
        "cluster_name": "shop",
        "name": "edge",
    }
    assert found.compute({"workspace": {"name": "two"}, "create_namespace": True})["workspace"] == {"name": "two"}
    assert "create_namespace" not in found.compute({"create_namespace": True})


def test_a_certificate_in_a_secret():
    given = {"certificate": "edge.pem", "private_key": "edge.key"}
    found = options(tls={"secret_name": "tls", "cname": "ml.example.com"}, tls_secret=given)

    assert found.tls_secret() == {**given, "name": "tls", "cname": "ml.example.com"}
    assert found.tls_secret().keys() <= tls_secret.SPEC.argument_spec.keys()
    assert options(tls={"secret_name": "tls"}).tls_secret() == {}


@pytest.mark.parametrize(
    ("variables", "mistakes"),
    [
        ({}, 0),
        ({"compute": {"name": "edge"}, "workspace": {"name": "ws"}}, 0),
        ({"compute": {"name": "edge", "workspace": {"name": "ws"}}}, 0),
        ({"compute": {"name": "edge"}}, 1),
        ({"computes": [{"name": "edge"}], "tls_secret": {}}, 2),
        ({"tls_secret": {}, "tls": {"secret_name": "tls"}}, 0),
    ],
)
def test_mistakes_that_concern_several_variables(variables, mistakes):
    assert len(options(**variables).mistakes) == mistakes


def test_from_a_node_only_what_azure_knows_is_compared():
    variables = {"compute": {"name": "edge"}, "settings_generation": "current", "purge_instance_types": True}

    seen = {place: options(kube_from=place, **variables).drift() for place in ("controller", "node")}

    assert seen["node"].keys() == {"mistakes", "azure", "extension"}
    assert seen["controller"]["instance_type"] == {"purge": True}
    assert seen["controller"].items() >= seen["node"].items()
    assert options(settings_generation="2021").drift()["instance_type"] == {}
