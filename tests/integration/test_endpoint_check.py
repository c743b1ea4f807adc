# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""M(azureml.arc.endpoint_check) with a router that serves real TLS, correctly and with faults."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from ansible_collections.azureml.arc.plugins.modules.endpoint_check import SPEC
from ansible_collections.azureml.arc.plugins.modules.extension import SPEC as EXTENSION
from ansible_collections.azureml.arc.plugins.modules.tls_secret import SPEC as TLS_SECRET
from support import ModuleFailedError, requests_to

import certificates

CNAME = "ml.example.com"
AUTHORITY = certificates.Authority()


def pair(**how) -> dict[str, str]:
    """Return a certificate with its chain and its key, as options."""
    return certificates.as_options(AUTHORITY.issue_with_chain(CNAME, **how))


@pytest.fixture
def install(run_module, arc):
    """Return a function that installs the extension for inference, and returns the result."""

    def run(service: str = "node_port", **options):
        return run_module(
            EXTENSION,
            resource_group="rg-edge",
            cluster_name=arc,
            workload_profile="inference",
            inference_service=service,
            **options,
        )

    return run


@pytest.fixture
def https(install):
    """Return a function that installs the extension with a new certificate, and returns C(certificate)."""

    def run(service: str = "node_port", wait: bool = True, **how) -> dict:
        return install(service, tls={**pair(**how), "cname": CNAME}, wait=wait)["certificate"]

    return run


@pytest.fixture
def check(run_module, simulator, arc):
    """Return a function that runs the module for the cluster."""

    def run(**options):
        return run_module(
            SPEC, **{"kubeconfig": simulator.kubeconfigs[arc], "cname": CNAME, "wait_timeout": 1, **options}
        )

    return run


@pytest.fixture
def wrong(check):
    """Return a function that runs the module, expects it to fail, and returns its problems without the address."""

    def run(**options) -> list[str]:
        with pytest.raises(ModuleFailedError) as failure:
            check(**options)
        result = failure.value.result
        assert (result["error"]["code"], result["outcome"]) == ("EndpointWrong", "wrong")
        assert "; ".join(result["problems"]) in result["msg"]
        assert check(wait=False, **options)["problems"] == result["problems"]
        return [one.partition(": ")[2] for one in result["problems"]]

    return run


def test_installed_certificate_is_served(https, check):
    certificate = https()

    found = check(chain=certificate["chain"])

    assert (found["outcome"], found["problems"], found["changed"]) == ("ok", [], False)
    assert (found["service_type"], found["answers_in_cluster"]) == ("NodePort", None)
    assert found["certificate"]["chain"] == certificate["chain"]
    assert (found["certificate"]["names"], found["certificate"]["not_after"]) == ([CNAME], certificate["not_after"])
    assert 364 < found["certificate"]["days_left"] <= 365
    assert found["summary"] == f"serves the certificate, {found['certificate']['days_left']:.0f} days left"
    assert [one["reachable"] for one in found["addresses"]] == [True]
    assert found["warnings"] == []


def test_fingerprints_in_the_format_of_openssl_are_accepted(https, check):
    chain = [":".join(one[at : at + 2] for at in range(0, 64, 2)).upper() for one in https()["chain"]]
    assert check(chain=chain)["outcome"] == "ok"


def test_certificate_of_a_secret_is_served(install, check, run_module, simulator, arc):
    kubeconfig = simulator.kubeconfigs[arc]
    secret = run_module(TLS_SECRET, kubeconfig=kubeconfig, name="ml-tls", cname=CNAME, **pair())
    install(tls={"secret_name": "ml-tls", "cname": CNAME})

    assert check(secret_name="ml-tls")["outcome"] == "ok"
    assert check(chain=secret["certificate"]["chain"])["outcome"] == "ok"


def test_certificates_are_not_compared_without_permission_to_read_the_secret(https, check, simulator, arc):
    https()
    simulator.change_plan(arc, forbidden=["get secrets"])

    found = check(secret_name="ml-tls")

    assert (found["outcome"], "not compared" in found["summary"]) == ("ok", True)
    assert "The account may not get secrets" in found["warnings"][0]


def test_cname_that_is_not_a_dns_name_is_rejected(check):
    with pytest.raises(ModuleFailedError, match="cname must be a DNS name like ml.example.com, not 'ml..example.com'"):
        check(cname="ml..example.com")


@pytest.mark.parametrize(
    ("fault", "problems"),
    [
        ("missing intermediate", ["intermediate certificates are missing: 1 of 2 certificates are served"]),
        ("wrong chain", ["the certificate is served with another chain"]),
        ("plain HTTP", ["it serves plain HTTP instead of HTTPS"]),
    ],
)
def test_invalid_response_is_reported_with_its_problem(https, wrong, simulator, arc, fault, problems):
    simulator.change_plan(arc, router=fault)
    assert wrong(chain=https()["chain"]) == problems


def test_certificate_for_another_name_is_wrong_with_or_without_the_expected_one(https, wrong, simulator, arc):
    simulator.change_plan(arc, router="another name")
    chain = https()["chain"]
    name = f"the served certificate is for ingress.local, not for {CNAME}"

    assert wrong() == [name]
    first, second = wrong(chain=chain)
    assert first == name
    assert second.startswith("another certificate is served: SHA-256 ")
    assert second.endswith(f", not {chain[0][:16]}...")


def test_stale_certificate_is_wrong(https, wrong, check, simulator, arc):
    old = https()
    simulator.change_plan(arc, router="stale certificate")
    new = https()

    assert check(chain=old["chain"])["outcome"] == "ok"
    assert wrong(chain=new["chain"])[0].startswith("another certificate is served: SHA-256 ")


def test_wait_ends_when_the_renewed_certificate_is_served(https, check, simulator, arc):
    https()
    simulator.change_plan(arc, install={"seconds": 300})  # five real seconds
    submitted = https(wait=False)

    assert check(wait=False, chain=submitted["chain"])["outcome"] == "wrong"
    assert check(wait_timeout=600, chain=submitted["chain"])["outcome"] == "ok"


def test_certificate_that_expires_soon_is_ok_with_a_warning(https, check):
    found = check(chain=https(end=timedelta(days=12))["chain"])

    assert (found["outcome"], round(found["certificate"]["days_left"])) == ("ok", 12)
    assert f"the certificate that inference endpoint {CNAME} serves expires on" in found["warnings"][0]


class TestPlainHttp:
    def test_expected_plain_http_is_ok(self, install, check):
        install(allow_insecure_connections=True)
        found = check(scheme="http", cname=None)
        assert (found["outcome"], found["summary"], found["certificate"]) == ("ok", "serves plain HTTP", None)

    def test_tls_instead_of_expected_plain_http_is_wrong(self, https, wrong, kube, arc):
        https()
        service = kube(arc).resources.get(api_version="v1", kind="Service")
        ports = service.get("azureml-fe", "azureml").to_dict()["spec"]["ports"]
        ports[0]["nodePort"] = ports[1]["nodePort"]
        service.patch(name="azureml-fe", namespace="azureml", body={"spec": {"ports": ports}})

        assert wrong(scheme="http") == ["it serves HTTPS instead of plain HTTP"]


class TestAddresses:
    def test_load_balancer_is_checked(self, https, check, kube, arc):
        certificate = https("load_balancer")
        service = kube(arc).resources.get(api_version="v1", kind="Service")
        port = service.get("azureml-fe", "azureml").to_dict()["spec"]["ports"][1]["nodePort"]
        ports = [{"name": "https", "port": port}]
        service.patch(name="azureml-fe", namespace="azureml", body={"spec": {"ports": ports}})

        found = check(chain=certificate["chain"])

        assert (found["outcome"], found["service_type"]) == ("ok", "LoadBalancer")
        assert [one["address"] for one in found["addresses"]] == [f"127.0.0.1:{port}"]

    def test_load_balancer_without_address_is_wrong(self, https, wrong, kube, arc):
        https("load_balancer")
        service = kube(arc).resources.get(api_version="v1", kind="Service")
        service.patch(name="azureml-fe", namespace="azureml", body={"status": {"loadBalancer": {"ingress": None}}})
        assert wrong() == ["the cluster has not assigned one"]

    @pytest.mark.parametrize(
        ("options", "addresses", "why"),
        [
            ({}, [], "only nodes can reach its cluster IP"),
            ({"on_node": True}, ["Connection refused"], "127.0.0.1:443: Connection refused"),
        ],
        ids=["elsewhere", "on a node"],
    )
    def test_unreachable_cluster_ip_is_checked_through_the_api_server(
        self, https, check, simulator, options, addresses, why
    ):
        chain = https("cluster_ip")["chain"]
        simulator.clear_journal()

        found = check(chain=chain, **options)

        assert (found["outcome"], found["problems"], found["answers_in_cluster"]) == ("unreachable", [], True)
        assert [one["reason"] for one in found["addresses"]] == addresses
        assert f"answers inside the cluster: {why}" in found["warnings"][0]
        assert len(requests_to(simulator, "GET", "/services/https:azureml-fe:443/proxy/")) == 1

    @pytest.mark.parametrize("fault", ["plain HTTP", "closed"])
    def test_router_unreachable_inside_the_cluster_is_wrong(self, https, check, simulator, arc, fault):
        simulator.change_plan(arc, router=fault)
        https("cluster_ip")

        found = check(wait=False)

        assert (found["outcome"], found["answers_in_cluster"]) == ("wrong", False)
        assert "does not answer inside the cluster either: error trying to reach service" in found["summary"]

    def test_missing_permission_for_the_service_proxy_is_named(self, https, check, simulator, arc):
        https("cluster_ip")
        simulator.change_plan(arc, forbidden=["get services/proxy"])

        found = check(wait=False)

        assert (found["outcome"], found["answers_in_cluster"]) == ("unreachable", None)
        assert "The account may not get services/proxy: give it a Role" in found["warnings"][0]

    def test_router_without_service_is_wrong(self, check):
        assert check(wait=False)["problems"] == ["Service 'azureml-fe' does not exist"]


def test_results_contain_no_private_key(install, check):
    options = pair()
    certificate = install(tls={**options, "cname": CNAME})["certificate"]
    results = json.dumps([certificate, check(chain=certificate["chain"])])
    assert "BEGIN" not in results
    assert options["private_key_content"].splitlines()[1] not in results
