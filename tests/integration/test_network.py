# Copyright (c) 2026, azureml.arc contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The network to Azure and to clusters: proxies, and the validation of certificates."""

from __future__ import annotations

from urllib.parse import urlsplit

import outbound_proxy
import pytest
from ansible_collections.azureml.arc.plugins.modules.extension_info import SPEC as EXTENSION_INFO
from ansible_collections.azureml.arc.plugins.modules.pod_readiness import SPEC as READINESS
from support import ModuleFailedError

FAR = "cluster.example.com"  # not in DNS: only reachable through the proxy


@pytest.fixture
def through(simulator):
    """Run a proxy to the simulator; return its address, and a list of the requested hosts."""
    with outbound_proxy.proxy(("localhost", FAR), ("127.0.0.1", urlsplit(simulator.endpoint).port)) as running:
        yield running


@pytest.fixture
def patch(monkeypatch):
    """Like C(monkeypatch), but undone before other fixtures use the simulator again."""
    with monkeypatch.context() as context:
        yield context


@pytest.fixture
def ask_azure(run_module, arc):
    return lambda **options: run_module(EXTENSION_INFO, resource_group="rg-edge", cluster_name=arc, **options)


@pytest.fixture
def ask_cluster(run_module, simulator, arc):
    """Return a function that reads the pods of a cluster. Its options replace those of the connection."""
    kubeconfig = simulator.kubeconfig(arc)
    access = {
        "host": kubeconfig["clusters"][0]["cluster"]["server"],
        "api_key": kubeconfig["users"][0]["user"]["token"],
        "ca_cert": simulator.ca,
    }
    return lambda **options: run_module(READINESS, wait=False, workload_profile="training", **{**access, **options})


@pytest.fixture
def ask_far_cluster(run_module, simulator, arc):
    """Return a function that reads the pods of a cluster by another host name than that of this machine.

    C(cluster) adds fields to the cluster in its kubeconfig.
    """

    def ask(cluster=None, **options):
        kubeconfig = simulator.kubeconfig(arc)
        access = kubeconfig["clusters"][0]["cluster"]
        server = access["server"].replace("localhost", FAR)
        access.update({"server": server, "tls-server-name": "localhost"}, **(cluster or {}))
        return run_module(READINESS, wait=False, workload_profile="training", kubeconfig=kubeconfig, **options)

    return ask


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_proxy_in_the_environment_is_used_for_azure(through, monkeypatch, ask_azure, name):
    address, requested = through
    monkeypatch.setenv(name, address)

    ask_azure()
    assert requested
    assert set(requested) == {"localhost"}

    requested.clear()
    monkeypatch.setenv(name.replace("HTTPS", "NO").replace("https", "no"), "localhost")
    ask_azure()
    assert requested == []


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "K8S_AUTH_PROXY"])
def test_proxy_in_the_environment_is_used_for_clusters_except_on_this_machine(
    through, patch, ask_cluster, ask_far_cluster, name
):
    address, requested = through
    patch.setenv(name, address)

    ask_cluster()
    assert requested == []

    ask_far_cluster()
    assert set(requested) == {FAR}

    requested.clear()
    patch.setenv("NO_PROXY", f"10.0.0.0/8,{FAR}")
    patch.setattr("time.sleep", lambda seconds: None)
    with pytest.raises(ModuleFailedError, match=f"{FAR}.* cannot be reached"):
        ask_far_cluster()
    assert requested == []


def test_proxy_in_a_kubeconfig_takes_precedence_over_the_environment(through, patch, ask_far_cluster):
    address, requested = through
    patch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    patch.setenv("NO_PROXY", FAR)

    ask_far_cluster({"proxy-url": address})
    assert set(requested) == {FAR}

    requested.clear()
    ask_far_cluster({"proxy-url": "http://127.0.0.1:9"}, proxy=address)
    assert set(requested) == {FAR}


def test_proxy_option_is_used_except_for_no_proxy(through, ask_cluster):
    address, requested = through
    ask_cluster(proxy=address)
    assert set(requested) == {"localhost"}

    requested.clear()
    ask_cluster(proxy=address, no_proxy="localhost")
    assert requested == []


@pytest.mark.parametrize("ask", ["ask_azure", "ask_far_cluster"])
def test_unreachable_proxy_is_named(patch, request, ask):
    ask = request.getfixturevalue(ask)
    patch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    patch.setattr("time.sleep", lambda seconds: None)
    with pytest.raises(ModuleFailedError, match="(?i)proxy"):
        ask()


@pytest.mark.parametrize("password", ["hu#sh", "hu/sh", "hush@127.0.0.1:99999/"])
@pytest.mark.parametrize("ask", ["ask_azure", "ask_far_cluster"])
def test_proxy_that_is_not_an_address_is_reported_without_its_password(patch, request, ask, password):
    ask = request.getfixturevalue(ask)
    patch.setenv("HTTPS_PROXY", f"http://u:{password}@127.0.0.1:9")
    with pytest.raises(ModuleFailedError, match="(?i)proxy must be an address like") as error:
        ask()
    assert "hu" not in str(error.value.result)


# Variables that must not disable the validation of certificates: misspelled, empty, or for other programs.
@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": ""},
        {"PYTHONHTTPSVERIFY": "0"},
        {"AZURE_CLI_DISABLE_CONNECTION_VERIFICATION": "1"},
        {"K8S_AUTH_VERIFY_SSL": "nope", "AZURE_CERT_VALIDATION_MODE": "validate"},
    ],
    ids=lambda environ: ", ".join(environ) or "nothing",
)
def test_untrusted_certificate_is_rejected(simulator, ask_azure, ask_cluster, monkeypatch, environ):
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ModuleFailedError, match="(?i)certificate.verify.failed"):
        ask_azure()
    with pytest.raises(ModuleFailedError, match="its certificate cannot be verified"):
        ask_cluster(ca_cert=None)
    assert simulator.journal() == []


def test_disabled_validation_of_certificates_is_a_warning(ask_azure, ask_cluster, monkeypatch):
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.delenv(name)
    assert "cert_validation_mode is 'ignore'" in str(ask_azure(cert_validation_mode="ignore")["warnings"])
    assert "validate_certs is off" in str(ask_cluster(ca_cert=None, validate_certs=False)["warnings"])
    monkeypatch.setenv("AZURE_CERT_VALIDATION_MODE", "ignored")
    with pytest.raises(ModuleFailedError, match="cert_validation_mode must be validate or ignore, not 'ignored'"):
        ask_azure()


@pytest.mark.parametrize("host", ["http://cluster.example.com", "cluster.example.com:6443", "ftp://localhost"])
def test_host_without_https_is_rejected(ask_cluster, host):
    with pytest.raises(ModuleFailedError, match=f"host '{host}' is not an https address"):
        ask_cluster(host=host)


def test_host_without_https_is_accepted_on_loopback(ask_cluster):
    with pytest.raises(ModuleFailedError, match="the Kubernetes API at http://127.0.0.1:9 cannot be reached"):
        ask_cluster(host="http://127.0.0.1:9")
